"""The container: no damage passes unnoticed, and each kind of damage has its own error."""

import subprocess
import sys
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inrcodec.bitstream.container import (
    DECODE_HASH,
    EXIF,
    FORMAT_VERSION,
    HEADER,
    ICC,
    MAGIC,
    PAYLOAD,
    XMP,
    Section,
    read_container,
    write_container,
)
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.varint import pack_varint
from inrcodec.errors import (
    BadOption,
    CorruptFile,
    LimitExceeded,
    NotAnInrFile,
    TruncatedFile,
    UnsupportedFile,
)

HEAD = Section(HEADER, bytes.fromhex("0127800680040100"))
# Long enough for a two-byte length, with zeros, text and the magic itself inside.
BODY = Section(PAYLOAD, bytes(range(256)) + bytes(20) + MAGIC)
SAMPLE = [
    HEAD,
    BODY,
    Section(DECODE_HASH, b"\x00hashhas"),
    Section(ICC, b"profile"),
    Section(XMP, b""),
]
SAMPLE_FILE = write_container(SAMPLE)


def raw_file(*sections: tuple[int, bytes], version: tuple[int, int] = FORMAT_VERSION) -> bytes:
    """A file with a correct check sum and these sections, sensible or not."""
    body = MAGIC + bytes(version)
    for type_, payload in sections:
        body += bytes([type_]) + pack_varint(len(payload)) + payload
    return sealed(body)


def sealed(body: bytes) -> bytes:
    """`body` with the CRC-32 that makes it pass as undamaged."""
    return body + zlib.crc32(body).to_bytes(4, "little")


def test_bytes_of_the_smallest_file_are_frozen() -> None:
    data = write_container([HEAD, Section(PAYLOAD, b"ab")])
    assert data.hex(" ") == (
        "93 49 4e 52 0d 0a 1a 0a 01 00 01 08 01 27 80 06 80 04 01 00 02 02 61 62 8c 32 f8 1a"
    )


_ANCILLARY = st.dictionaries(st.integers(128, 255), st.binary(max_size=300), max_size=6)


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300), _ANCILLARY, st.booleans())
def test_every_file_comes_back_unchanged(
    head: bytes, body: bytes, ancillary: dict[int, bytes], payload_last: bool
) -> None:
    extra = [Section(t, p[:8].ljust(8) if t == DECODE_HASH else p) for t, p in ancillary.items()]
    payload = [Section(PAYLOAD, body)]
    sections = [Section(HEADER, head), *(extra + payload if payload_last else payload + extra)]
    data = write_container(sections)
    assert read_container(data, Limits()) == sections
    assert write_container(read_container(data, Limits())) == data


def test_a_cut_at_any_byte_is_reported() -> None:
    section_ends = [len(write_container(SAMPLE[:n])) - 4 for n in range(2, len(SAMPLE))]
    for length in range(len(SAMPLE_FILE)):
        with pytest.raises(CorruptFile) as caught:
            read_container(SAMPLE_FILE[:length], Limits())
        # Four bytes behind the end of a section look like a check sum, and only that is wrong.
        looks_whole = length - 4 in [10, 20, *section_ends]
        expected = NotAnInrFile if length == 0 else CorruptFile if looks_whole else TruncatedFile
        assert type(caught.value) is expected, length


def test_a_flip_of_any_single_bit_is_reported() -> None:
    for bit in range(8 * len(SAMPLE_FILE)):
        damaged = bytearray(SAMPLE_FILE)
        damaged[bit // 8] ^= 1 << bit % 8
        major_grew = bit // 8 == len(MAGIC) and damaged[bit // 8] > FORMAT_VERSION[0]
        with pytest.raises(UnsupportedFile if major_grew else CorruptFile):
            read_container(bytes(damaged), Limits())
        # Damage must not be taken for a file that asks for too much, whatever the limits.
        with pytest.raises(UnsupportedFile if major_grew else CorruptFile):
            read_container(bytes(damaged), Limits(max_sections=1, max_metadata_bytes=0))


def test_a_byte_replaced_by_any_other_is_reported() -> None:
    data = write_container([HEAD, Section(PAYLOAD, b"ab"), Section(ICC, b"c")])
    for position in range(len(data)):
        for value in set(range(256)) - {data[position]}:
            with pytest.raises((CorruptFile, UnsupportedFile)):
                read_container(data[:position] + bytes([value]) + data[position + 1 :], Limits())


@pytest.mark.parametrize("junk", [b"\x00", b"\n", bytes(4), b"junk", SAMPLE_FILE, b"\xff" * 5000])
def test_trailing_bytes_are_corruption(junk: bytes) -> None:
    with pytest.raises(CorruptFile):
        read_container(SAMPLE_FILE + junk, Limits())


def test_a_byte_lost_or_inserted_anywhere_is_reported() -> None:
    for position in range(len(SAMPLE_FILE)):
        head, tail = SAMPLE_FILE[:position], SAMPLE_FILE[position:]
        for damaged in (head + tail[1:], head + b"\x00" + tail, head + tail[:1] + tail):
            with pytest.raises((CorruptFile, UnsupportedFile)):
                read_container(damaged, Limits())


def test_swapped_sections_are_reported() -> None:
    first = bytes([ICC, 7]) + b"profile"
    second = bytes([XMP, 0])
    assert first + second + SAMPLE_FILE[-4:] == SAMPLE_FILE[-15:]
    with pytest.raises(CorruptFile, match="CRC-32"):
        read_container(SAMPLE_FILE[:-15] + second + first + SAMPLE_FILE[-4:], Limits())


@pytest.mark.parametrize("n_bytes", [1, 4, 16, 100])
def test_a_block_of_zeros_anywhere_is_reported(n_bytes: int) -> None:
    for start in range(len(SAMPLE_FILE) - n_bytes):
        damaged = SAMPLE_FILE[:start] + bytes(n_bytes) + SAMPLE_FILE[start + n_bytes :]
        if damaged != SAMPLE_FILE:
            with pytest.raises(CorruptFile):
                read_container(damaged, Limits())


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ([], "no sections"),
        ([(PAYLOAD, b"x")], "first section"),
        ([(PAYLOAD, b"x"), (HEADER, b"h")], "first section"),
        ([(ICC, b"i"), (HEADER, b"h"), (PAYLOAD, b"x")], "first section"),
        ([(200, b"?"), (HEADER, b"h"), (PAYLOAD, b"x")], "first section"),
        ([(HEADER, b"h")], "payload"),
        ([(HEADER, b"h"), (ICC, b"i")], "payload"),
        ([(HEADER, b"h"), (HEADER, b"h"), (PAYLOAD, b"x")], "2 sections of type 1"),
        ([(HEADER, b"h"), (PAYLOAD, b"x"), (PAYLOAD, b"x")], "2 sections of type 2"),
        ([(HEADER, b"h"), (PAYLOAD, b"x"), (ICC, b"i"), (ICC, b"j")], "2 sections of type 129"),
        ([(HEADER, b"h"), (PAYLOAD, b"x"), *[(EXIF, b"")] * 3], "3 sections of type 130"),
        ([(HEADER, b"h"), (PAYLOAD, b"x"), (DECODE_HASH, b"1234567")], "7 bytes, expected 8"),
        ([(HEADER, b"h"), (PAYLOAD, b"x"), (DECODE_HASH, b"123456789")], "9 bytes, expected 8"),
        ([(HEADER, b"h"), (0, b""), (PAYLOAD, b"x")], "reserved type 0"),
    ],
)
def test_sections_that_make_no_file_are_neither_read_nor_written(
    sections: list[tuple[int, bytes]], message: str
) -> None:
    with pytest.raises(CorruptFile, match=message):
        read_container(raw_file(*sections), Limits())
    with pytest.raises(BadOption, match=message):
        write_container([Section(*s) for s in sections])


@pytest.mark.parametrize("type_", [5, 64, 127])
def test_an_unknown_critical_section_is_unsupported_once_the_check_sum_is_right(type_: int) -> None:
    data = raw_file((HEADER, b"h"), (type_, b"new"), (PAYLOAD, b"x"))
    with pytest.raises(UnsupportedFile, match=f"section type {type_}"):
        read_container(data, Limits())
    with pytest.raises(CorruptFile, match="CRC-32"):
        read_container(data[:-1] + bytes([data[-1] ^ 1]), Limits())
    with pytest.raises(BadOption, match=str(type_)):
        write_container([Section(HEADER, b"h"), Section(type_, b"new"), Section(PAYLOAD, b"x")])


def test_unknown_ancillary_sections_are_kept_and_may_repeat() -> None:
    sections = [HEAD, Section(200, b"future"), BODY, Section(200, b"again"), Section(255, b"")]
    assert read_container(write_container(sections), Limits()) == sections


@pytest.mark.parametrize("type_", [-1, 256, 1000])
def test_types_that_do_not_fit_a_byte_are_not_written(type_: int) -> None:
    with pytest.raises(BadOption, match=str(type_)):
        write_container([HEAD, BODY, Section(type_, b"")])


@pytest.mark.parametrize("minor", [0, 1, 7, 255])
def test_a_higher_minor_version_is_read(minor: int) -> None:
    data = raw_file((HEADER, b"h"), (PAYLOAD, b"x"), version=(1, minor))
    assert read_container(data, Limits()) == [Section(HEADER, b"h"), Section(PAYLOAD, b"x")]


@pytest.mark.parametrize("major", [2, 3, 255])
def test_a_higher_major_version_is_unsupported_whatever_follows(major: int) -> None:
    for rest in (b"", b"\xff" * 100):
        with pytest.raises(UnsupportedFile, match=f"version {major}.4"):
            read_container(MAGIC + bytes([major, 4]) + rest, Limits())


def test_major_version_zero_never_existed() -> None:
    with pytest.raises(CorruptFile, match="never existed"):
        read_container(raw_file((HEADER, b"h"), (PAYLOAD, b"x"), version=(0, 9)), Limits())


@pytest.mark.parametrize(
    ("how", "damaged"),
    [
        ("CR LF became LF", SAMPLE_FILE.replace(b"\r\n", b"\n")),
        ("LF became CR LF", SAMPLE_FILE.replace(b"\n", b"\r\n")),
        ("LF became CR LF", SAMPLE_FILE.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")),
        ("LF became CR", SAMPLE_FILE.replace(b"\n", b"\r")),
        ("CR became LF", SAMPLE_FILE.replace(b"\r", b"\n")),
        ("top bit", bytes(b & 0x7F for b in SAMPLE_FILE)),
        ("replaced by '\\?'", SAMPLE_FILE.decode("ascii", "replace").encode("ascii", "replace")),
        ("encoded as UTF-8", SAMPLE_FILE.decode("latin-1").encode("utf-8")),
        ("decoded as UTF-8", SAMPLE_FILE.decode("utf-8", "replace").encode("utf-8")),
    ],
)
def test_damage_by_text_conversion_is_named(how: str, damaged: bytes) -> None:
    with pytest.raises(NotAnInrFile, match=f"transferred as text: .*{how}"):
        read_container(damaged, Limits())


def test_a_file_ended_by_a_dos_end_of_file_mark_is_truncated() -> None:
    with pytest.raises(TruncatedFile):
        read_container(SAMPLE_FILE[: SAMPLE_FILE.index(b"\x1a")], Limits())


def test_an_empty_file_has_its_own_message() -> None:
    with pytest.raises(NotAnInrFile, match="empty"):
        read_container(b"", Limits())


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + bytes(50), b"\xff\xd8\xff\xe0", b"INR", b"hello", bytes(1000)]
)
def test_other_files_are_not_inr_files(data: bytes) -> None:
    with pytest.raises(NotAnInrFile, match=r"not an \.inr file"):
        read_container(data, Limits())


@pytest.mark.parametrize(
    "length",
    [pack_varint(2**63 - 1), pack_varint(2**40), b"\xff" * 9 + b"\x01", b"\x80" * 9 + b"\x02"],
    ids=["2**63-1", "2**40", "2**64 and more", "2**64"],
)
@pytest.mark.parametrize("crc_is_right", [True, False])
def test_length_bombs_are_refused_at_once_and_without_memory(
    length: bytes, crc_is_right: bool
) -> None:
    data = sealed(MAGIC + bytes(FORMAT_VERSION) + bytes([HEADER]) + length + b"xyz")
    data = data if crc_is_right else data[:-4] + b"none"
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(CorruptFile):
        read_container(data, Limits.unlimited())
    seconds = time.process_time() - began
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 0.5
    assert peak_bytes < 100_000


def test_a_million_empty_sections_stop_at_the_limit() -> None:
    data = raw_file((HEADER, b"h"), (PAYLOAD, b"x"))[:-4] + b"\xc8\x00" * 10**6
    tracemalloc.start()
    with pytest.raises(LimitExceeded, match="257 sections"):
        read_container(sealed(data), Limits())
    assert tracemalloc.get_traced_memory()[1] < 10 * len(data)
    tracemalloc.stop()
    with pytest.raises(CorruptFile, match="CRC-32"):
        read_container(data + b"none", Limits())


def test_the_limit_itself_is_a_legal_number_of_sections() -> None:
    sections = [HEAD, BODY, *[Section(200, b"")] * 254]
    assert len(read_container(write_container(sections), Limits())) == 256
    with pytest.raises(LimitExceeded):
        read_container(write_container([*sections, Section(200, b"")]), Limits())


@pytest.mark.parametrize("type_", [ICC, EXIF, XMP])
def test_metadata_is_bounded(type_: int) -> None:
    data = write_container([HEAD, BODY, Section(type_, bytes(11))])
    read_container(data, Limits(max_metadata_bytes=11))
    with pytest.raises(LimitExceeded, match="11 bytes, allowed are 10"):
        read_container(data, Limits(max_metadata_bytes=10))


def test_the_size_of_the_file_is_bounded() -> None:
    read_container(SAMPLE_FILE, Limits(max_file_bytes=len(SAMPLE_FILE)))
    with pytest.raises(LimitExceeded, match="max_file_bytes"):
        read_container(SAMPLE_FILE, Limits(max_file_bytes=len(SAMPLE_FILE) - 1))


def test_reading_a_file_needs_neither_numpy_nor_torch() -> None:
    code = (
        "import sys, inrcodec.files\n"
        "from inrcodec.bitstream import container, header, limits, varint\n"
        "print(*{'numpy', 'torch', 'constriction'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "\n", "")
