"""What a file is: image, audio, video or .inr, told by its content and not by its name."""

from __future__ import annotations

import os
from typing import NamedTuple

from inrcodec.bitstream.container import MAGIC
from inrcodec.errors import BadInput
from inrcodec.media.frames import is_frames
from inrcodec.media.pnm import is_pnm
from inrcodec.media.source import Source, head_of, named_errors, open_source

IMAGE, AUDIO, VIDEO, INR = "image", "audio", "video", "inr"
# A container of sound or video: only its streams tell which.
CONTAINER = "container"


class Mark(NamedTuple):
    """The bytes at a position of a file, and what they mean; kind None is nothing that is read."""

    position: int
    mark: bytes
    kind: str | None
    meaning: str


# The first match counts. ISO base media files: brands of the MP4 Registration Authority.
MARKS = tuple(
    Mark(*mark)
    for mark in (
        (0, MAGIC, INR, "an .inr file"),
        (0, b"\x89PNG", IMAGE, "a PNG file"),
        (0, b"\xff\xd8\xff", IMAGE, "a JPEG file"),
        (8, b"WEBP", IMAGE, "a WebP file"),
        (0, b"II*\0", IMAGE, "a TIFF file"),
        (0, b"MM\0*", IMAGE, "a TIFF file"),
        (0, b"GIF8", IMAGE, "a GIF file"),
        (4, b"ftypavi", IMAGE, "an AVIF file"),
        (4, b"ftyphei", IMAGE, "a HEIC file"),
        (4, b"ftypmif1", IMAGE, "a HEIF file"),
        (0, b"8BPS", None, "a Photoshop file"),
        (0, b"v/1\x01", None, "an OpenEXR file"),
        (0, b"\xff\x0a", None, "a JPEG XL file"),
        (4, b"JXL ", None, "a JPEG XL file"),
        (4, b"jP  ", None, "a JPEG 2000 file"),
        (8, b"WAVE", AUDIO, "a WAV file"),
        (8, b"AIF", AUDIO, "an AIFF file"),
        (0, b"riff\x2e\x91\xcf\x11", AUDIO, "a W64 file"),
        (0, b"fLaC", AUDIO, "a FLAC file"),
        (0, b"ID3", AUDIO, "an MP3 file"),
        (0, b"caff", AUDIO, "a CAF file"),
        (0, b".snd", AUDIO, "an AU file"),
        (0, b"wvpk", AUDIO, "a WavPack file"),
        (0, b"#!AMR", AUDIO, "an AMR file"),
        (28, b"\x80theora", VIDEO, "an Ogg Theora file"),
        (0, b"OggS", AUDIO, "an Ogg file"),
        (4, b"ftypM4A", AUDIO, "an M4A file"),
        (4, b"ftypM4B", AUDIO, "an M4B file"),
        (0, b"YUV4MPEG2", VIDEO, "a Y4M file"),
        (8, b"AVI ", CONTAINER, "an AVI file"),
        (0, b"\x1aE\xdf\xa3", CONTAINER, "a Matroska or WebM file"),
        (4, b"ftyp", CONTAINER, "an MP4 or MOV file"),
        (4, b"moov", CONTAINER, "a MOV file"),
        (4, b"mdat", CONTAINER, "a MOV file"),
        (4, b"wide", CONTAINER, "a MOV file"),
        (0, b"\x30\x26\xb2\x75", CONTAINER, "an ASF file (WMA or WMV)"),
        (0, b"FLV\x01", CONTAINER, "an FLV file"),
        (0, b"\0\0\x01\xba", CONTAINER, "an MPEG program stream"),
        (0, b"\0\0\x01\xb3", VIDEO, "an MPEG video stream"),
        (0, b"\0\0\0\x01", VIDEO, "an H.264 or HEVC stream"),
        (0, b"nut/multimedia container", CONTAINER, "a NUT file"),
        (0, b"\x06\x0e\x2b\x34", CONTAINER, "an MXF file"),
        (0, b"DKIF", VIDEO, "an IVF file"),
        (0, b"%PDF", None, "a PDF document"),
        (0, b"PK\x03\x04", None, "a ZIP archive"),
        (0, b"\x1f\x8b", None, "a gzip archive"),
    )
)


def kind_of(source: Source, name: str = "") -> str:
    """What a source is: "image", "audio", "video" or "inr".

    A folder of PNG frames and a pattern such as frame_%05d.png are video. A container with a
    picture stream is video, with sound alone audio; the cover of a song is no picture stream.

    Args:
        source: a path, the content of a file, or an open binary file that can seek.
        name: what error messages call it; by default the name of the file.

    Raises:
        BadInput: it is none of these, or cannot be read.
    """
    if isinstance(source, (str, os.PathLike)) and is_frames(source):
        return VIDEO
    file, label = open_source(source, name)
    try:
        head = head_of(file)
        mark = mark_of(head)
        kind = mark.kind if mark else None
        if kind == CONTAINER:
            from inrcodec.media.streams import open_container, picture_stream

            with named_errors(label, mark.meaning), open_container(file) as container:
                return VIDEO if picture_stream(container) else AUDIO
        if kind is None:
            raise BadInput(
                f"{label}: found {found_in(head)}, expected an image, sound, video or .inr file"
            )
        return kind
    finally:
        if file is not source:
            file.close()


def mark_of(head: bytes) -> Mark | None:
    """What the first bytes of a file tell; None where they tell nothing."""
    for mark in MARKS:
        if head.startswith(mark.mark, mark.position):
            return mark
    if is_pnm(head):
        return Mark(0, head[:2], IMAGE, "a PNM file")
    if head.startswith(b"BM") and len(head) > 14 and head[14] in (12, 40, 56, 64, 108, 124):
        return Mark(0, b"BM", IMAGE, "a BMP file")  # by the size of its info header
    if head[:1] == b"\x47" and head[188:189] == b"\x47":
        return Mark(0, b"\x47", CONTAINER, "an MPEG transport stream")
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # ADTS has layer 0, which MPEG-1 audio (ISO/IEC 11172-3, 2.4.2.3) reserves.
        aac = head[1] & 0xF6 == 0xF0
        return Mark(0, head[:2], AUDIO, "an AAC (ADTS) file" if aac else "an MP3 file")
    return None


def found_in(head: bytes) -> str:
    """What the first bytes of a file seem to be, for an error message."""
    if mark := mark_of(head):
        return mark.meaning
    if head and all(byte >= 32 or byte in b"\t\r\n\f" for byte in head[:256]):
        return f"text ({head[:24].decode('utf-8', 'replace')!r})"
    return f"data that begins with {head[:8].hex(' ')}"
