"""Varints: every number has one encoding, and nothing else is read as a number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inrcodec.bitstream.varint import MAX_VARINT, pack_varint, read_varint
from inrcodec.errors import BadOption, CorruptFile, TruncatedFile

GOLDEN = [
    (0, "00"),
    (1, "01"),
    (127, "7f"),
    (128, "8001"),
    (300, "ac02"),
    (16383, "ff7f"),
    (16384, "808001"),
    (2**63 - 1, "ffffffffffffffff7f"),
]


@pytest.mark.parametrize(("n", "packed"), GOLDEN)
def test_encoding_is_frozen(n: int, packed: str) -> None:
    assert pack_varint(n).hex() == packed
    assert read_varint(bytes.fromhex(packed), 0) == (n, len(packed) // 2)


@settings(deadline=None)
@given(st.integers(0, MAX_VARINT), st.binary(max_size=12), st.binary(max_size=12))
def test_every_number_comes_back_wherever_it_lies(n: int, before: bytes, after: bytes) -> None:
    packed = pack_varint(n)
    assert len(packed) == max(1, -(-n.bit_length() // 7))
    assert read_varint(before + packed + after, len(before)) == (n, len(before) + len(packed))


@settings(deadline=None)
@given(st.binary(max_size=12))
def test_whatever_is_read_is_its_only_encoding(data: bytes) -> None:
    try:
        value, offset = read_varint(data, 0)
    except CorruptFile:
        return
    assert pack_varint(value) == data[:offset]


@pytest.mark.parametrize("n", [-1, 2**63, 2**64, 10**100])
def test_numbers_out_of_range_are_not_packed(n: int) -> None:
    with pytest.raises(BadOption, match="expected 0"):
        pack_varint(n)


@pytest.mark.parametrize("packed", ["8000", "ff00", "808000", "ffffffffffffffff00"])
def test_longer_encodings_than_needed_are_refused(packed: str) -> None:
    with pytest.raises(CorruptFile, match="more than its value"):
        read_varint(bytes.fromhex(packed), 0)


@pytest.mark.parametrize("length", [9, 10, 11, 1000, 10**6])
def test_numbers_above_63_bits_are_refused_after_nine_bytes(length: int) -> None:
    with pytest.raises(CorruptFile, match="more than 9 bytes") as caught:
        read_varint(b"\xff" * length + b"\x01", 0)
    assert not isinstance(caught.value, TruncatedFile)


@pytest.mark.parametrize("n", [128, 2**35, MAX_VARINT])
def test_every_cut_is_reported_as_truncation(n: int) -> None:
    packed = pack_varint(n)
    for length in range(len(packed)):
        with pytest.raises(TruncatedFile, match="cut short"):
            read_varint(packed[:length], 0)


def test_an_offset_behind_the_data_is_truncation() -> None:
    with pytest.raises(TruncatedFile):
        read_varint(b"\x01", 5)
