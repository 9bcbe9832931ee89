"""Any bytes at all: a file is read exactly as it was written, or refused with one of our errors."""

import zlib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from inrcodec.bitstream.container import (
    DECODE_HASH,
    FORMAT_VERSION,
    HEADER,
    ICC,
    MAGIC,
    PAYLOAD,
    Section,
    read_container,
    write_container,
)
from inrcodec.bitstream.header import ImageHeader, pack_header, parse_header
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import CorruptFile, InrError, UnsupportedFile

THOROUGH = settings(max_examples=300, deadline=None)

SMALL_FILE = write_container(
    [
        Section(HEADER, pack_header(ImageHeader(768, 512, 3, 8, 1, 2**27))),
        Section(PAYLOAD, bytes(range(200))),
        Section(DECODE_HASH, b"12345678"),
        Section(ICC, b"icc profile"),
    ]
)
TIGHT = Limits(max_sections=4, max_metadata_bytes=20, max_file_bytes=10_000)


def sealed(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "little")


def is_refused_or_canonical(data: bytes, limits: Limits) -> bool:
    """Whether `data` raises an InrError, or is the only file with the sections read from it."""
    try:
        sections = read_container(data, limits)
        parse_header(sections[0].payload, limits)
    except InrError as error:
        return len(str(error)) > 20
    minor = data[len(MAGIC) + 1 : len(MAGIC) + 2]
    rewritten = write_container(sections)[:-4]
    return data == sealed(rewritten[: len(MAGIC) + 1] + minor + rewritten[len(MAGIC) + 2 :])


@THOROUGH
@given(st.binary(max_size=200))
@example(b"")
@example(MAGIC)
@example(MAGIC + bytes(FORMAT_VERSION))
@example(MAGIC + bytes(FORMAT_VERSION) + bytes(4))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    for prefix in (b"", MAGIC, MAGIC + bytes(FORMAT_VERSION)):
        assert is_refused_or_canonical(prefix + data, Limits())


@THOROUGH
@given(st.binary(max_size=200))
def test_arbitrary_bytes_with_a_correct_check_sum_are_canonical_or_refused(data: bytes) -> None:
    for limits in (Limits(), TIGHT, Limits.unlimited()):
        assert is_refused_or_canonical(sealed(MAGIC + bytes(FORMAT_VERSION) + data), limits)


_SECTION = st.tuples(
    st.sampled_from([0, 1, 1, 2, 2, 3, 127, 128, 129, 131, 200, 255]), st.binary(max_size=20)
)


@THOROUGH
@given(st.lists(_SECTION, max_size=8), st.integers(0, 255))
def test_arbitrary_sections_are_canonical_or_refused(
    sections: list[tuple[int, bytes]], minor: int
) -> None:
    body = MAGIC + bytes([FORMAT_VERSION[0], minor])
    body += b"".join(bytes([t, len(payload)]) + payload for t, payload in sections)
    for limits in (Limits(), TIGHT, Limits.unlimited()):
        assert is_refused_or_canonical(sealed(body), limits)


@st.composite
def _damaged_files(draw: st.DrawFn) -> bytes:
    """A valid file after one to four splices: a range of bytes replaced by other bytes."""
    data = SMALL_FILE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(len(data), start + 20)))
        data = data[:start] + draw(st.binary(max_size=20)) + data[stop:]
    return data


@THOROUGH
@given(_damaged_files())
def test_damaged_files_are_corrupt_or_of_another_version(data: bytes) -> None:
    try:
        sections = read_container(data, Limits())
    except (CorruptFile, UnsupportedFile):
        return
    assert data == SMALL_FILE
    assert write_container(sections) == SMALL_FILE


@THOROUGH
@given(_damaged_files())
def test_forged_files_are_canonical_or_refused(data: bytes) -> None:
    for limits in (Limits(), TIGHT, Limits.unlimited()):
        assert is_refused_or_canonical(sealed(data[:-4]), limits)
