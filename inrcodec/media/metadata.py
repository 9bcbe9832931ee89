"""EXIF and XMP blocks: what is kept of them once the samples are upright."""

from __future__ import annotations

import io
import re
import struct

from PIL import Image

from inrcodec.errors import BadInput

ORIENTATION_TAG = 0x0112
EXIF_IFD_TAG, GPS_IFD_TAG = 0x8769, 0x8825
# ImageDescription, Make, Model, Software, DateTime, Artist, HostComputer, Copyright (TIFF 6.0,
# section 8): what describes the picture and not the layout of the file that holds it.
DESCRIPTIVE_TAGS = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298)
_SHORT = 3
_EXIF_PREFIX = b"Exif\0\0"


def upright_exif(block: bytes) -> bytes:
    """The EXIF block with its orientation reset to 1 (upright), everything else verbatim.

    A leading "Exif" marker (JPEG) is removed: what is returned begins with the TIFF byte order.
    If the orientation was another one, the link to the thumbnail is cut too, since the thumbnail
    is stored unrotated and viewers would show it lying on its side.

    Raises:
        BadInput: the block is not an EXIF block.
    """
    while block.startswith(_EXIF_PREFIX):
        block = block[len(_EXIF_PREFIX) :]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        raise BadInput(f"the EXIF block begins with {block[:4]!r}, expected b'II*\\0' or b'MM\\0*'")
    upright = bytearray(block)
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        entries = [start + 2 + 12 * i for i in range(count)]
        next_link = start + 2 + 12 * count
        for entry in entries:
            tag, kind, _, value = struct.unpack_from(order + "HHIH", block, entry)
            if tag == ORIENTATION_TAG and (kind, value) != (_SHORT, 1):
                struct.pack_into(order + "HHIHH", upright, entry, tag, _SHORT, 1, 1, 0)
                struct.pack_into(order + "I", upright, next_link, 0)
    except struct.error as error:
        raise BadInput(f"the EXIF block of {len(block)} bytes ends within its tags") from error
    return bytes(upright)


def upright_xmp(packet: bytes) -> bytes:
    """The XMP packet with tiff:Orientation, as attribute or as element, reset to 1."""
    return re.sub(rb"(tiff:Orientation(?:\s*=\s*[\"']|>)\s*)[0-9]", rb"\g<1>1", packet)


def parse_exif(block: bytes) -> Image.Exif:
    """The tags of an EXIF block or of the first picture of a TIFF file (not copied)."""
    exif = Image.Exif()
    exif.load_from_fp(io.BytesIO(block))
    return exif


def descriptive_tags(exif: Image.Exif) -> dict[int, object]:
    """The tags that describe the picture: DESCRIPTIVE_TAGS, and the EXIF and GPS directories."""
    kept: dict[int, object] = {tag: exif[tag] for tag in DESCRIPTIVE_TAGS if tag in exif}
    for tag in (EXIF_IFD_TAG, GPS_IFD_TAG):
        if tag in exif and (directory := exif.get_ifd(tag)):
            kept[tag] = dict(directory)
    return kept


def exif_of_tiff(data: bytes) -> bytes | None:
    """The EXIF block for what a TIFF file says about its picture; None where it says nothing."""
    tags = descriptive_tags(parse_exif(data))
    if not tags:
        return None
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    return upright_exif(exif.tobytes())
