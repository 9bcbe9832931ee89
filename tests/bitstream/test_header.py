"""The header section: what goes in comes out, in few bytes, bounded before it is used."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inrcodec.bitstream.container import HEADER, PAYLOAD, Section, write_container
from inrcodec.bitstream.header import ImageHeader, pack_header, parse_header
from inrcodec.bitstream.header_values import MAX_CONFIG_CODE
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.mixed_radix import pack_mixed_radix, unpack_mixed_radix
from inrcodec.bitstream.varint import pack_varint
from inrcodec.errors import (
    BadOption,
    CorruptFile,
    InrError,
    LimitExceeded,
    TruncatedFile,
    UnsupportedFile,
)

KODAK = ImageHeader(768, 512, 3, 8, 1, 123_456_789)
KODAK_BYTES = bytes.fromhex("01 27 8006 8004 01 959aef3a")

HEADERS = st.builds(
    ImageHeader,
    width=st.integers(1, 2**63 - 1),
    height=st.integers(1, 2**63 - 1),
    channels=st.integers(1, 4),
    bit_depth=st.integers(1, 16),
    field_id=st.integers(0, 255),
    config_code=st.integers(0, MAX_CONFIG_CODE),
)


def test_bytes_of_a_header_are_frozen() -> None:
    assert pack_header(KODAK) == KODAK_BYTES
    assert parse_header(KODAK_BYTES, Limits()) == KODAK


@settings(deadline=None)
@given(HEADERS)
def test_every_header_comes_back(header: ImageHeader) -> None:
    assert parse_header(pack_header(header), Limits.unlimited()) == header


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_header_with_one_encoding_or_a_known_error(payload: bytes) -> None:
    try:
        header = parse_header(payload, Limits.unlimited())
    except InrError:
        return
    assert pack_header(header) == payload


@settings(deadline=None)
@given(st.integers(0, 2**28 - 1))
def test_a_file_begins_with_at_most_24_bytes_of_overhead(config_code: int) -> None:
    header = ImageHeader(768, 512, 3, 8, 1, config_code)
    payload = pack_header(header)
    data = write_container([Section(HEADER, payload), Section(PAYLOAD, b"")])
    assert data.index(payload) + len(payload) <= 24


def test_every_cut_of_a_header_section_is_corruption() -> None:
    for length in range(len(KODAK_BYTES)):
        with pytest.raises(CorruptFile, match=f"only {length} bytes") as caught:
            parse_header(KODAK_BYTES[:length], Limits())
        # The file is whole (its check sum was right), so it must not be called truncated.
        assert not isinstance(caught.value, TruncatedFile)


@pytest.mark.parametrize("junk", [b"\x00", b"junk", KODAK_BYTES])
def test_trailing_bytes_in_the_header_section_are_corruption(junk: bytes) -> None:
    with pytest.raises(CorruptFile, match=f"expected {len(KODAK_BYTES)}"):
        parse_header(KODAK_BYTES + junk, Limits())


@pytest.mark.parametrize("kind", [0, 4, 127, 255])
def test_unknown_kinds_are_unsupported_whatever_follows(kind: int) -> None:
    for rest in (b"", KODAK_BYTES[1:], b"\xff" * 30):
        with pytest.raises(UnsupportedFile, match=f"kind {kind}"):
            parse_header(bytes([kind]) + rest, Limits())


@pytest.mark.parametrize("bit", [0x40, 0x80, 0xC0])
def test_reserved_bits_are_unsupported(bit: int) -> None:
    payload = bytearray(KODAK_BYTES)
    payload[1] |= bit
    with pytest.raises(UnsupportedFile, match="reserved"):
        parse_header(bytes(payload), Limits())


def test_unknown_field_ids_are_left_to_the_registry() -> None:
    payload = bytearray(KODAK_BYTES)
    payload[6] = 255
    assert parse_header(bytes(payload), Limits()).field_id == 255


@pytest.mark.parametrize(("width", "height"), [(0, 512), (768, 0), (0, 0)])
def test_empty_images_are_corruption(width: int, height: int) -> None:
    payload = b"\x01\x27" + pack_varint(width) + pack_varint(height) + b"\x01\x00"
    with pytest.raises(CorruptFile, match=f"{width} x {height}"):
        parse_header(payload, Limits())


def test_a_config_code_of_63_bits_is_corruption() -> None:
    payload = b"\x01\x27\x01\x01\x01" + pack_varint(MAX_CONFIG_CODE + 1)
    with pytest.raises(CorruptFile, match="config_code"):
        parse_header(payload, Limits())


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (2**63 - 1, 2**63 - 1),
        (2**63 - 1, 1),
        (1, 2**63 - 1),
        (2**20 - 1, 2**20 - 1),
        (2**32, 2**32),
    ],
)
def test_size_bombs_are_refused_at_once_and_without_memory(width: int, height: int) -> None:
    payload = pack_header(ImageHeader(width, height, 4, 16, 1, 0))
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(LimitExceeded, match="Limits"):
        parse_header(payload, Limits())
    seconds = time.process_time() - began
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 0.5
    assert peak_bytes < 100_000


@pytest.mark.parametrize("tail", [b"\xff" * 9 + b"\x01", b"\xff" * 100, b"\x80" * 10**6])
def test_varint_bombs_in_the_header_are_corruption(tail: bytes) -> None:
    with pytest.raises(CorruptFile, match="more than 9 bytes"):
        parse_header(b"\x01\x27" + tail, Limits())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 0),
        ("height", -1),
        ("width", 2**63),
        ("channels", 0),
        ("channels", 5),
        ("bit_depth", 0),
        ("bit_depth", 17),
        ("field_id", 256),
        ("config_code", -1),
        ("config_code", MAX_CONFIG_CODE + 1),
    ],
)
def test_values_that_do_not_fit_are_not_packed(name: str, value: int) -> None:
    fields = {**vars(KODAK), name: value}
    with pytest.raises(BadOption, match=str(value)):
        pack_header(ImageHeader(**fields))


@st.composite
def _values_and_ranges(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int]]]:
    bounds = draw(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 300)), max_size=7))
    ranges = [(lo, lo + span) for lo, span in bounds]
    return [draw(st.integers(lo, hi)) for lo, hi in ranges], ranges


@settings(deadline=None)
@given(_values_and_ranges())
def test_mixed_radix_returns_every_value(case: tuple[list[int], list[tuple[int, int]]]) -> None:
    values, ranges = case
    assert unpack_mixed_radix(pack_mixed_radix(values, ranges), ranges) == tuple(values)


def test_mixed_radix_is_dense_and_refuses_the_first_code_too_large() -> None:
    ranges = [(1, 3), (-2, 2), (7, 7)]
    seen = {unpack_mixed_radix(code, ranges) for code in range(15)}
    assert len(seen) == 15
    for code in (15, 16, 2**62):
        with pytest.raises(CorruptFile, match=f"config_code is {code}"):
            unpack_mixed_radix(code, ranges)
    with pytest.raises(CorruptFile):
        unpack_mixed_radix(-1, ranges)


def test_mixed_radix_digits_are_frozen() -> None:
    assert pack_mixed_radix([3, 5, 1], [(0, 9), (0, 9), (0, 9)]) == 153


def test_an_option_appended_later_leaves_old_codes_as_they_were() -> None:
    old = [(1, 9), (0, 4)]
    code = pack_mixed_radix([5, 3], old)
    assert unpack_mixed_radix(code, [*old, (2, 8)]) == (5, 3, 2)


@pytest.mark.parametrize("values", [[0, 0], [4, 0], [1, -3], [1, 3]])
def test_values_out_of_range_have_no_code(values: list[int]) -> None:
    with pytest.raises(BadOption, match="expected"):
        pack_mixed_radix(values, [(1, 3), (-2, 2)])


def test_values_and_ranges_must_pair_up() -> None:
    with pytest.raises(BadOption, match="1 values for 2 ranges"):
        pack_mixed_radix([1], [(1, 3), (-2, 2)])
