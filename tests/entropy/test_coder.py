"""The range coder: its words are frozen, and equal to those of plain integer arithmetic."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.tables import FRACTIONS, SCALES, SYMBOLS
from inrcodec.errors import CorruptFile

_SPEC = importlib.util.spec_from_file_location(
    "reference_decoder", Path(__file__).parents[2] / "tools" / "reference_decoder.py"
)
reference = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(reference)

GOLDEN_WORDS = [
    0x00443214, 0xc6988421, 0x08421084, 0x20b9ac5a, 0x928398a3,
    0x10c40ffb, 0xbcdeb38b, 0xdab41880, 0x00000006, 0xfc801cf1,
    0x7fff007f, 0xef087fed, 0x097ff804, 0x0015f4ff, 0xe80ba69c,
    0xea962d3e, 0xf461b593, 0x4bf05216, 0xd58177ec, 0xfeaefa01,
    0x51060dd2, 0xbef7eb7e, 0xb82fb214, 0xa2d5d04a, 0x9d43b2a6,
    0x00785000, 0x120bfff3, 0xf8003277, 0xad69f711, 0xe9f26ad7,
    0x0b59323c, 0xc7795cb5, 0xf1f2872f, 0x1c6bb1a8, 0x46e4dc21,
    0x715e069a, 0x9bd73113, 0xc6505b8c, 0xf0c98606, 0x1b42b07f,
    0x45bbdaf8, 0x70350571, 0x9aae2fea, 0xc5275a63, 0xefa084dd,
    0x1a19af56, 0x4492d9cf, 0x6f0c0448, 0x99852ec1, 0xc3fe593a,
    0xee7783b4, 0x18f0ae2d, 0x4369d8a6, 0x6de30319, 0x43beaf1d,
    0x55524000,
]  # fmt: skip

QUICK = settings(max_examples=60, deadline=None)


def fixed_stream() -> bytes:
    """A stream of all that the format writes: table symbols, raw bits of several widths."""
    i = np.arange(48)
    encoder = Encoder()
    encoder.bits(i % 32, 5)
    encoder.symbols(7 * i * i % SYMBOLS, 5 * i % SCALES, 11 * i % FRACTIONS)
    encoder.bits(i * 1361 % 65536, 16)
    encoder.symbols(np.full(48, 32), np.zeros(48, int), np.full(48, 16))
    encoder.bits(i % 2, 1)
    return encoder.finish()


def test_words_are_those_of_the_first_release() -> None:
    """Another version of constriction that codes differently must not pass unnoticed."""
    words = np.frombuffer(fixed_stream(), "<u4").tolist()
    assert words == GOLDEN_WORDS


def test_the_fixed_stream_decodes() -> None:
    i = np.arange(48)
    decoder = Decoder(fixed_stream())
    assert (decoder.bits(48, 5) == i % 32).all()
    assert (decoder.symbols(5 * i % SCALES, 11 * i % FRACTIONS) == 7 * i * i % SYMBOLS).all()
    assert (decoder.bits(48, 16) == i * 1361 % 65536).all()
    assert (decoder.symbols(np.zeros(48, int), np.full(48, 16)) == 32).all()
    assert (decoder.bits(48, 1) == i % 2).all()
    decoder.check_end()


_SYMBOL = st.tuples(
    st.integers(0, SYMBOLS - 1), st.integers(0, SCALES - 1), st.integers(0, FRACTIONS - 1)
)
_BITS = st.integers(1, 16).flatmap(
    lambda bits: st.tuples(st.just(-bits), st.integers(0, (1 << bits) - 1), st.just(0))
)


@QUICK
@given(st.lists(st.one_of(_SYMBOL, _BITS), max_size=120))
@example([(0, 0, 31)] * 50)  # the rarest symbol of the narrowest row
@example([(64, 0, 0)] * 50)
@example([(32, 0, 16)] * 3000)  # less than a bit in all
@example([(-16, 0, 0)] * 40)  # nothing but zeros
@example([(0, 95, 0)] * 40)
def test_any_sequence_comes_back_and_integer_arithmetic_agrees(
    sequence: list[tuple[int, int, int]],
) -> None:
    encoder = Encoder()
    for symbol, scale, fraction in sequence:
        if symbol < 0:
            encoder.bits(np.array([scale]), -symbol)
        else:
            encoder.symbols(np.array([symbol]), np.array([scale]), np.array([fraction]))
    stream = encoder.finish()
    decoder, plain = Decoder(stream), reference.RangeDecoder(stream)
    for symbol, scale, fraction in sequence:
        if symbol < 0:
            assert decoder.bits(1, -symbol)[0] == plain.bits(-symbol) == scale
        else:
            found = decoder.symbols(np.array([scale]), np.array([fraction]))[0]
            assert found == plain.decode(reference.row(scale, fraction)) == symbol
    decoder.check_end()
    assert plain.is_at_end()


@QUICK
@given(st.binary(max_size=40), st.integers(0, SCALES - 1), st.integers(0, FRACTIONS - 1))
def test_integer_arithmetic_agrees_on_arbitrary_streams(
    stream: bytes, scale: int, fraction: int
) -> None:
    decoder, plain = Decoder(stream), reference.RangeDecoder(stream)
    for _ in range(30):
        try:
            found = decoder.symbols(np.array([scale]), np.array([fraction]))[0]
        except CorruptFile:
            with pytest.raises(ValueError, match="invalid"):
                plain.decode(reference.row(scale, fraction))
            return
        assert found == plain.decode(reference.row(scale, fraction))


def test_every_row_of_the_table_is_coded_as_integer_arithmetic_says() -> None:
    """All 96 x 32 rows, each at its rarest and at its most frequent symbols."""
    scale, fraction = (a.ravel() for a in np.mgrid[0:SCALES, 0:FRACTIONS])
    symbols = np.array([0, 31, 32, 33, 64])[np.arange(scale.size) % 5]
    encoder = Encoder()
    encoder.symbols(symbols, scale, fraction)
    plain = reference.RangeDecoder(encoder.finish())
    found = [plain.decode(reference.row(s, f)) for s, f in zip(scale, fraction, strict=True)]
    assert found == symbols.tolist()


def test_a_stream_that_goes_on_is_refused() -> None:
    stream = fixed_stream()
    for tail in (b"\0", b"\0\0\0\0", b"\1", b"tail of it"):
        decoder = Decoder(stream + tail)
        i = np.arange(48)
        try:
            decoder.bits(48, 5)
            decoder.symbols(5 * i % SCALES, 11 * i % FRACTIONS)
            decoder.bits(48, 16)
            decoder.symbols(np.zeros(48, int), np.full(48, 16))
            decoder.bits(48, 1)
        except CorruptFile:
            continue  # bytes in the last word changed the last numbers
        with pytest.raises(CorruptFile, match="goes on"):
            decoder.check_end()


def test_a_short_stream_cannot_announce_many_numbers() -> None:
    with pytest.raises(CorruptFile, match="at least 625000000"):
        Decoder(b"short").bits(10**9, 5)
    with pytest.raises(CorruptFile, match="at least 4"):
        decoder = Decoder(b"abc")
        for _ in range(25):
            decoder.bits(1, 1)


def test_zeros_at_the_end_are_left_out_but_not_below_the_raw_bits() -> None:
    empty, raw = Encoder(), Encoder()
    empty.symbols(np.full(100, 0), np.full(100, 60), np.full(100, 16))
    assert empty.finish() == b""
    raw.bits(np.zeros(100, int), 5)
    assert raw.finish() == bytes(63)
    decoder = Decoder(raw.finish())
    assert not decoder.bits(100, 5).any()
    decoder.check_end()


def test_cost_in_bits_is_what_the_coder_spends() -> None:
    from inrcodec.entropy.tables import cost_bits

    rng = np.random.default_rng(0)
    scale, fraction = rng.integers(0, SCALES, 4000), rng.integers(0, FRACTIONS, 4000)
    symbols = rng.integers(20, 45, 4000)
    encoder = Encoder()
    encoder.symbols(symbols, scale, fraction)
    expected = cost_bits()[scale, fraction, symbols].sum() / 8
    assert expected - 1 <= len(encoder.finish()) <= expected + 9
