"""Whether a container is whole: libraries take what is left of a cut file for all of it.

Sizes in the outer layer of the file must fit into it. Layouts: RIFF (Microsoft and IBM, 1991), RF64
(EBU Tech 3306), AIFF (Apple, 1989), ISO base media (ISO/IEC 14496-12), Matroska (RFC 9559), Ogg
(RFC 3533).
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from typing import BinaryIO

from inrcodec.errors import BadInput
from inrcodec.media.source import size_of

# Sizes that programs write who cannot know better, since they write to a pipe: 0xFFFFFFFF, or as
# SoX does, somewhat below 2**31.
_UNKNOWN_FROM = 0x7FFF_0000
_MAX_CHUNKS = 100_000
# By the first four bytes: byte order of the sizes, and the chunks that hold the content.
_RIFF_LIKE = {
    b"RIFF": ("<", (b"data", b"LIST")),
    b"RF64": ("<", (b"data",)),
    b"RIFX": (">", (b"data",)),
    b"FORM": (">", (b"SSND",)),
}
_MATROSKA, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18\x53\x80\x67"
_OGG, _OGG_PAGE_BYTES, _OGG_LAST_PAGE = b"OggS", 65307, 4
_ISO_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def check_whole_file(file: BinaryIO) -> None:
    """Nothing for a whole file, or one of another format; leaves `file` at its beginning.

    Ogg files tell no size, only their last page that it is the last; recordings of live streams
    lack it too, so that there is a warning only.

    Raises:
        BadInput: the headers tell of more bytes than the file has.
    """
    size = size_of(file)
    head = file.read(8)
    if head[:4] == _OGG:
        _warn_of_missing_end(file, size)
    parts: Iterator[tuple[int, int]] = iter(())
    if head[:4] in _RIFF_LIKE:
        parts = _riff_chunks(file, *_RIFF_LIKE[head[:4]])
    elif head[:4] == _MATROSKA:
        parts = _matroska_segment(file)
    elif head[4:] in _ISO_FIRST_BOXES:
        parts = _iso_boxes(file)
    for start, told in parts:
        if told > size - start:
            raise BadInput(
                f"truncated: {max(0, size - start)} of {told} bytes of content are there; "
                "get the file again"
            )
    file.seek(0)


def _warn_of_missing_end(file: BinaryIO, size: int) -> None:
    file.seek(max(0, size - _OGG_PAGE_BYTES))
    tail = file.read()
    page = tail[max(0, tail.rfind(_OGG)) :]
    # Header of 27 bytes, the last of which counts the sizes that follow it.
    is_last = len(page) > 27 and bool(page[5] & _OGG_LAST_PAGE)
    if not is_last or len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]]):
        warnings.warn("the Ogg file has no last page; it may be cut", stacklevel=3)


def _riff_chunks(
    file: BinaryIO, order: str, wanted: tuple[bytes, ...]
) -> Iterator[tuple[int, int]]:
    """(position, told size) of the chunks that hold the content."""
    position, large = 12, None
    for _ in range(_MAX_CHUNKS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            return
        name, length = header[:4], struct.unpack(order + "I", header[4:])[0]
        if name == b"ds64" and len(body := file.read(16)) == 16:
            large = struct.unpack("<Q", body[8:])[0]
        position += 8
        if name in wanted:
            if large is not None and length == 0xFFFF_FFFF:
                yield position, large
            elif length < _UNKNOWN_FROM or order == ">":
                yield position, length
            if name != b"LIST":
                return
        position += length + length % 2


def _iso_boxes(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """(position, told size) of the boxes at the top; a size of 0 means up to the end."""
    position = 0
    for _ in range(_MAX_CHUNKS):
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            return
        length = struct.unpack(">I", header[:4])[0]
        if length == 1 and len(header) == 16:
            length = struct.unpack(">Q", header[8:])[0]
        if length < 8:
            return
        yield position, length
        position += length


def _matroska_segment(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """(position, told size) of the segment that holds everything but the header."""
    file.seek(4)
    header_bytes = _ebml_size(file)
    if header_bytes is None:
        return
    file.seek(header_bytes, 1)
    if file.read(4) == _SEGMENT and (told := _ebml_size(file)) is not None:
        yield file.tell(), told


def _ebml_size(file: BinaryIO) -> int | None:
    """A number of one to eight bytes (RFC 8794, 4); None where it is unknown, or cut."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    value = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + rest)
    return None if len(rest) < more or value == (1 << (7 * (more + 1))) - 1 else value
