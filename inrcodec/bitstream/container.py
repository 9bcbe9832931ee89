"""Sections to a file and back: magic, version, sections that tile the file exactly, CRC-32.

```
offset 0        8       9       10                                       len - 4
       | magic  | major | minor | type length payload | type length ... | CRC-32 of all before |
```

There are no holes, no overlaps and no trailing bytes: a file is an `.inr` file and nothing else.
The field is one payload section, or of a long sound or video several segment sections, each with
a check sum of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.errors import BadOption, CorruptFile, NotAnInrFile, TruncatedFile, UnsupportedFile

# As in PNG: a byte that 7-bit channels clear, CR LF and LF that text conversions change, and
# 0x1A, which ends a file typed to a DOS console before the binary part.
MAGIC = b"\x93INR\r\n\x1a\n"
# The newest version that is read. Files say the oldest one that has all that they use.
FORMAT_VERSION = (1, 1)

HEADER = 1
PAYLOAD = 2
SEGMENT = 3
TICKS = 4
# A reader that does not know a section type from here on skips it; below, it refuses the file.
FIRST_ANCILLARY = 128
DECODE_HASH = 128
ICC = 129
EXIF = 130
XMP = 131

SECTION_NAMES = {
    HEADER: "header",
    PAYLOAD: "payload",
    SEGMENT: "segment",
    TICKS: "ticks",
    DECODE_HASH: "decode_hash",
    ICC: "icc",
    EXIF: "exif",
    XMP: "xmp",
}
METADATA_SECTIONS = (ICC, EXIF, XMP)
DECODE_HASH_BYTES = 8

_PREFIX_BYTES = len(MAGIC) + 2
_CRC_BYTES = 4

_TEXT_DAMAGE = {
    MAGIC.replace(b"\r\n", b"\n"): "CR LF became LF",
    MAGIC.replace(b"\n", b"\r\n"): "LF became CR LF",
    MAGIC[:-1] + b"\r\n": "LF became CR LF",
    MAGIC.replace(b"\n", b"\r"): "LF became CR",
    MAGIC.replace(b"\r", b"\n"): "CR became LF",
    bytes([MAGIC[0] & 0x7F]) + MAGIC[1:]: "the top bit of each byte was cleared",
    b"?INR": "bytes above 127 were replaced by '?'",
    MAGIC[:4].decode("latin-1").encode("utf-8"): "the bytes were encoded as UTF-8",
    MAGIC[:4].decode("utf-8", "replace").encode("utf-8"): "the bytes were decoded as UTF-8",
}


@dataclass(frozen=True)
class Section:
    """One section of a file.

    Args:
        type: 1..127 critical, 128..255 ancillary.
        payload: its bytes.
    """

    type: int
    payload: bytes


def write_container(sections: Sequence[Section], minor: int = 0) -> bytes:
    """The bytes of a whole file with these sections, in this order.

    Args:
        sections: header first.
        minor: minor version of the format that the file says.

    Raises:
        BadOption: no reader of this version would accept the result.
    """
    unknown = [s.type for s in sections if _is_unknown_critical(s.type)]
    if unknown or any(not 0 <= s.type <= 255 for s in sections):
        raise BadOption(
            f"section types are {[s.type for s in sections]}, expected {sorted(SECTION_NAMES)} "
            f"or ancillary ones, {FIRST_ANCILLARY}..255"
        )
    if broken := _broken_rule(sections):
        raise BadOption(f"these sections do not make a file: {broken}")
    parts = [MAGIC, bytes((FORMAT_VERSION[0], minor))]
    for section in sections:
        parts += [bytes([section.type]), pack_varint(len(section.payload)), section.payload]
    body = b"".join(parts)
    return body + zlib.crc32(body).to_bytes(_CRC_BYTES, "little")


def version_of(data: bytes) -> tuple[int, int]:
    """(major, minor) format version of a file that `read_container` accepts."""
    return data[len(MAGIC)], data[len(MAGIC) + 1]


def read_container(data: bytes, limits: Limits) -> list[Section]:
    """The sections of a whole file, in file order, unknown ancillary ones included.

    Args:
        data: the file.
        limits: bounds on its size, its number of sections and the size of its metadata.

    Raises:
        NotAnInrFile: the magic is missing, or damaged by a text conversion.
        TruncatedFile: a section runs beyond the end.
        CorruptFile: check sum, section order or section count is wrong.
        UnsupportedFile: the major version is newer, or a critical section is unknown.
        LimitExceeded: a limit is exceeded.
    """
    _check_magic(data)
    limits.check_file(len(data))
    _check_version(data)
    spans, segments = [], 0
    for span in _section_spans(data):
        spans.append(span)
        segments += span[0] == SEGMENT
        if len(spans) - segments > limits.max_sections or segments > limits.max_segments:
            # Only the check sum tells a file with too many sections from a damaged length.
            break
    _check_crc(data, spans)
    limits.check_sections(len(spans) - segments)
    limits.check_segments(segments)
    for type_, start, stop in spans:
        if type_ in METADATA_SECTIONS:
            limits.check_metadata(stop - start, SECTION_NAMES[type_])
    sections = [Section(type_, data[start:stop]) for type_, start, stop in spans]
    for section in sections:
        if _is_unknown_critical(section.type):
            raise UnsupportedFile(
                f"section type {section.type} is needed to decode this file, and this version "
                f"knows only {sorted(SECTION_NAMES)}; decode it with a newer inrcodec"
            )
    if broken := _broken_rule(sections):
        raise CorruptFile(f"{broken}; the file was written by a faulty encoder")
    return sections


def read_beginning(data: bytes, limits: Limits) -> list[tuple[Section, int]]:
    """(section, bytes that it has in the whole file) of what is there of a file that was cut short.

    The last section may be a part of one. Nothing vouches for any of it: the check sum is lost.

    Raises:
        NotAnInrFile, UnsupportedFile, LimitExceeded: as `read_container`.
        TruncatedFile: the file ends before its first section does.
    """
    _check_magic(data)
    limits.check_file(len(data))
    _check_version(data)
    found: list[tuple[Section, int]] = []
    offset = _PREFIX_BYTES
    while offset < len(data) and len(found) < limits.max_sections:
        try:
            length, start = read_varint(data, offset + 1)
        except TruncatedFile:
            break
        found.append((Section(data[offset], data[start : start + length]), length))
        offset = start + length
    if not found or len(found[0][0].payload) < found[0][1]:
        raise TruncatedFile(
            f"the file ends after {len(data)} bytes, before its header does; get more of it"
        )
    return found


def _is_unknown_critical(type_: int) -> bool:
    return 0 < type_ < FIRST_ANCILLARY and type_ not in SECTION_NAMES


def _broken_rule(sections: Sequence[Section]) -> str:
    """What is wrong with these sections as a file, or an empty text."""
    types = [s.type for s in sections]
    if not types:
        return "there are no sections, expected at least header and payload"
    if 0 in types:
        return "a section has the reserved type 0"
    if types[0] != HEADER:
        return f"the first section has type {types[0]}, expected {HEADER} (header)"
    segments = types.count(SEGMENT)
    if PAYLOAD not in types and not segments:
        return f"there is no section of type {PAYLOAD} (payload)"
    if segments and (PAYLOAD in types or segments < 2):
        return (
            f"there are {types.count(PAYLOAD)} sections of type {PAYLOAD} (payload) and {segments} "
            f"of type {SEGMENT} (segment), expected one payload, or two or more segments"
        )
    for type_, name in SECTION_NAMES.items():
        if type_ != SEGMENT and (count := types.count(type_)) > 1:
            return f"there are {count} sections of type {type_} ({name}), expected at most one"
    for section in sections:
        if section.type == DECODE_HASH and len(section.payload) != DECODE_HASH_BYTES:
            return f"decode_hash has {len(section.payload)} bytes, expected {DECODE_HASH_BYTES}"
    return ""


def _check_magic(data: bytes) -> None:
    if data.startswith(MAGIC):
        return
    if not data:
        raise NotAnInrFile("the file is empty, expected an .inr file; get it again")
    if MAGIC.startswith(data):
        raise TruncatedFile(
            f"the file ends after {len(data)} of the {len(MAGIC)} bytes that every .inr file "
            "begins with; get it again"
        )
    for damaged, how in _TEXT_DAMAGE.items():
        if data.startswith(damaged):
            raise NotAnInrFile(
                f"the file was transferred as text: {how}, and the samples are lost; get it again "
                "in binary mode (FTP 'binary', git attribute '-text', no mail body)"
            )
    raise NotAnInrFile(
        f"the file begins with {data[: len(MAGIC)].hex(' ')}, expected {MAGIC.hex(' ')}; "
        "it is not an .inr file"
    )


def _check_version(data: bytes) -> None:
    """Refuse another major version: the bytes behind it need not be laid out as here."""
    if len(data) < _PREFIX_BYTES:
        raise TruncatedFile(
            f"the file ends after {len(data)} bytes, inside its version number; get it again"
        )
    major, minor = data[len(MAGIC) : _PREFIX_BYTES]
    if major > FORMAT_VERSION[0]:
        raise UnsupportedFile(
            f"the file has format version {major}.{minor}, this is a reader of versions up to "
            f"{FORMAT_VERSION[0]}.x; decode it with a newer inrcodec"
        )
    if major < FORMAT_VERSION[0]:
        raise CorruptFile(
            f"the file has format version {major}.{minor}, which never existed; get it again"
        )


def _section_spans(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Type, first and past-the-last byte of each payload, in file order; copies nothing."""
    end = len(data) - _CRC_BYTES
    offset = _PREFIX_BYTES
    if end < offset:
        raise TruncatedFile(f"the file ends after {len(data)} bytes, no section fits; get it again")
    while offset < end:
        length, start = read_varint(data, offset + 1)
        if length > end - start:
            name = SECTION_NAMES.get(data[offset], "unknown")
            raise TruncatedFile(
                f"the section of type {data[offset]} ({name}) at byte {offset} declares {length} "
                f"bytes, and {max(end - start, 0)} are left; the file was cut short or altered, "
                "get it again"
            )
        yield data[offset], start, start + length
        offset = start + length


def _check_crc(data: bytes, spans: Sequence[tuple[int, int, int]]) -> None:
    found = zlib.crc32(memoryview(data)[:-_CRC_BYTES])
    expected = int.from_bytes(data[-_CRC_BYTES:], "little")
    if found == expected:
        return
    segments = [data[start:stop] for type_, start, stop in spans if type_ == SEGMENT]
    wrong = [i for i, segment in enumerate(segments) if not is_whole_segment(segment)]
    where = f"segment {', '.join(map(str, wrong))} of 0..{len(segments) - 1} is damaged, and "
    raise CorruptFile(
        f"{where if wrong else ''}the CRC-32 of the file is {found:08x}, expected {expected:08x}; "
        "the file was altered or cut short after it was written, get it again"
    )


def pack_segment(payload: bytes, config_code: int | None) -> bytes:
    """The bytes of a segment section: CRC-32 of the rest, config, payload of the field.

    Args:
        payload: of the field of this segment.
        config_code: its options; None where they are those of the header.
    """
    body = pack_varint(0 if config_code is None else config_code + 1) + payload
    return zlib.crc32(body).to_bytes(_CRC_BYTES, "little") + body


def read_segment(section: bytes) -> tuple[int | None, bytes]:
    """(config_code or None, payload) of a segment section, see `pack_segment`.

    Raises:
        CorruptFile: its check sum is wrong, or it is too short.
    """
    if not is_whole_segment(section):
        raise CorruptFile(
            "the CRC-32 of a segment is wrong; it was altered after it was written, get the file "
            "again"
        )
    code, start = read_varint(section, _CRC_BYTES)
    return (code - 1 if code else None), section[start:]


def is_whole_segment(section: bytes) -> bool:
    """Whether a segment section has the check sum that it says."""
    found = zlib.crc32(memoryview(section)[_CRC_BYTES:])
    return len(section) > _CRC_BYTES and section[:_CRC_BYTES] == found.to_bytes(4, "little")
