"""The header section: what the file shows, how large, and by which field.

Its first byte is the kind of the signal, its end the id of the field and the field's options as one
number. What lies between is the kind's own: see `image_header`, `audio_header`, `video_header`.
All headers have `kind`, `kind_name`, `shape` (native samples along each axis), `channels` (outputs
of the field), `bit_depth`, `field_id` and `config_code`.
"""

from __future__ import annotations

from inrcodec.bitstream.audio_header import AudioHeader
from inrcodec.bitstream.image_header import ImageHeader
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.video_header import VideoHeader
from inrcodec.errors import CorruptFile, TruncatedFile, UnsupportedFile

Header = ImageHeader | AudioHeader | VideoHeader

_BY_KIND = {header.kind: header for header in (ImageHeader, AudioHeader, VideoHeader)}
# The one field of version 1.0.
_FIRST_FIELD = 1
KIND_NAMES = {kind: header.kind_name for kind, header in _BY_KIND.items()}


def pack_header(header: Header) -> bytes:
    """The payload of the header section.

    Raises:
        BadOption: a value is outside the range that the class of the header gives.
    """
    return header.pack()


def parse_header(payload: bytes, limits: Limits) -> Header:
    """The header in a header section, with its size within `limits`.

    Raises:
        UnsupportedFile: the kind is unknown, or a reserved bit is set.
        CorruptFile: the section is too short, too long, or holds a number that makes no sense.
        LimitExceeded: a size is above `limits`.
    """
    if payload and payload[0] not in KIND_NAMES:
        raise UnsupportedFile(
            f"the signal has kind {payload[0]}, this version knows {KIND_NAMES}; "
            "decode it with a newer inrcodec"
        )
    try:
        header, stop = _BY_KIND[payload[0]].parse(payload)
    except (IndexError, TruncatedFile) as error:
        raise CorruptFile(
            f"the header section has only {len(payload)} bytes, its fields need more; "
            "the file was written by a faulty encoder"
        ) from error
    if stop != len(payload):
        raise CorruptFile(
            f"the header section has {len(payload)} bytes, expected {stop}; "
            "the file was written by a faulty encoder"
        )
    header.check(limits)
    return header


def minor_version(header: Header) -> int:
    """The oldest minor version of the format that knows the kind and the field of a file."""
    return 0 if header.kind == ImageHeader.kind and header.field_id == _FIRST_FIELD else 1
