"""Whole files under damage and malice: a correct picture, or one of our errors, and quickly."""

import contextlib
import tracemalloc
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import reference_decoder as reference
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inrcodec import codec
from inrcodec.bitstream.config import pack_config
from inrcodec.bitstream.container import MAGIC, Section, read_container, write_container
from inrcodec.bitstream.header import ImageHeader, pack_header
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import (
    CorruptFile,
    InrError,
    LimitExceeded,
    NotAnInrFile,
    TruncatedFile,
    UnsupportedFile,
)
from inrcodec.fields.grid import GridConfig
from inrcodec.signal import audio_signal

CORPUS = Path(__file__).parents[2] / "bitstreams" / "v1"
GOOD = sorted(p.parent.name for p in CORPUS.glob("*/case.inr"))
SMALL = Limits(max_dimension=64, max_pixels=1600, max_params=8000)
QUICK = settings(max_examples=200, deadline=None)


def case(name: str) -> bytes:
    return (CORPUS / name / "case.inr").read_bytes()


def refusal(data: bytes) -> type[InrError]:
    """The error that `verify` raises; fails where the file verifies or another error comes."""
    with pytest.raises(InrError) as raised:
        codec.verify(data)
    return raised.type


def packed(header: ImageHeader, payload: bytes) -> bytes:
    """A file with a hash that nothing decodes to, so that `verify` gets to its payload."""
    return write_container(
        [Section(1, pack_header(header)), Section(2, payload), Section(128, bytes(8))]
    )


@pytest.mark.parametrize("name", GOOD)
def test_every_flipped_bit_is_noticed(name: str) -> None:
    data = case(name)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        found = refusal(bytes(flipped))
        if bit // 8 < len(MAGIC):
            assert found is NotAnInrFile
        elif bit // 8 == len(MAGIC):
            assert found in (UnsupportedFile, CorruptFile)  # a version that there is not
        else:
            assert issubclass(found, CorruptFile)


@pytest.mark.parametrize("name", ["smallest", "all_escapes", "metadata", "fitted_rgb"])
def test_every_cut_is_noticed(name: str) -> None:
    data = case(name)
    for length in range(len(data)):
        found = refusal(data[:length])
        assert issubclass(found, CorruptFile)
        assert found is not NotAnInrFile or length == 0
    for tail in (b"\0", b"\n", data, data[-4:]):
        assert issubclass(refusal(data + tail), CorruptFile)


_CONFIGS = st.builds(
    GridConfig,
    st.integers(0, 8),
    st.integers(1, 9),
    st.integers(0, 22),
    st.integers(0, 9),
    st.integers(1, 8),
    st.integers(1, 8),
    st.integers(0, 2),
)


def both_decoders(data: bytes) -> np.ndarray | None:
    """Samples that both decoders agree on, or None where both refuse."""
    try:
        samples = codec.decode(data, SMALL).samples
    except CorruptFile:
        with pytest.raises((ValueError, IndexError)):
            reference.decode(data)
        return None
    assert np.array_equal(samples, reference.decode(data))
    return samples


@QUICK
@given(
    _CONFIGS,
    st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4), st.integers(1, 16)),
    st.binary(max_size=120),
)
@example(GridConfig(0, 1, 0, 0, 1, 1, 0), (1, 1, 1, 8), bytes(17))
@example(GridConfig(0, 1, 0, 0, 1, 1, 0), (1, 1, 1, 8), bytes(14) + b"\2" + bytes(2))
def test_arbitrary_payloads_are_refused_or_decode(
    config: GridConfig, size: tuple[int, int, int, int], payload: bytes
) -> None:
    width, height, channels, depth = size
    header = ImageHeader(width, height, channels, depth, 1, pack_config(config))
    samples = both_decoders(packed(header, payload))
    assert samples is None or samples.shape == (height, width, channels)


@st.composite
def _altered_payloads(draw: st.DrawFn) -> tuple[str, bytes]:
    """A good file's name and its payload after one to three splices."""
    name = draw(st.sampled_from(["smallest", "all_escapes", "one_row", "escaped_weights", "grey"]))
    payload = next(s.payload for s in read_container(case(name), Limits()) if s.type == 2)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(payload)))
        stop = draw(st.integers(start, min(len(payload), start + 6)))
        payload = payload[:start] + draw(st.binary(max_size=6)) + payload[stop:]
    return name, payload


@QUICK
@given(_altered_payloads())
def test_altered_payloads_behind_a_correct_check_sum_never_verify(
    altered: tuple[str, bytes],
) -> None:
    """A forger who mends the CRC still shows no picture but the one that was encoded."""
    name, payload = altered
    sections = read_container(case(name), Limits())
    data = write_container([Section(2, payload) if s.type == 2 else s for s in sections])
    both_decoders(data)
    try:
        samples = codec.verify(data).samples
    except CorruptFile:
        return
    assert np.array_equal(samples, codec.verify(case(name)).samples)


@QUICK
@given(st.binary(max_size=30), st.sampled_from([1, 2, 128, 129, 200]))
def test_arbitrary_sections_behind_a_correct_check_sum_raise_our_errors(
    payload: bytes, type_: int
) -> None:
    sections = read_container(case("metadata"), Limits())
    body = case("metadata")[:10]
    for section in sections:
        block = payload if section.type == type_ else section.payload
        body += bytes([section.type, len(block) & 127 | 128, len(block) >> 7])
        body += block
    data = body + zlib.crc32(body).to_bytes(4, "little")
    try:
        codec.verify(data, SMALL)
    except InrError as error:
        assert len(str(error)) > 20


@QUICK
@given(
    st.integers(1, 2**63 - 1),
    st.integers(1, 2**63 - 1),
    st.integers(0, 2**62 - 1),
    st.binary(max_size=60),
)
@example(2**14, 2**14, 0, bytes(40))
@example(2**14, 2**14, 228925439, bytes(40))
@example(1, 2**20 - 1, 228925439, bytes(40))
@example(2**14, 2**14, 228925439, bytes(16) + b"\xff\xff\xff\x7f" + b"\x5a" * 30)
def test_a_small_file_cannot_ask_for_much(
    width: int, height: int, code: int, payload: bytes
) -> None:
    data = packed(ImageHeader(width, height, 3, 8, 1, code), payload)
    tracemalloc.start()
    try:
        assert issubclass(refusal(data), (CorruptFile, LimitExceeded))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50e6


@pytest.mark.parametrize("name", ["size_bomb", "dimension_bomb", "compute_bomb", "escape_bomb"])
def test_a_bomb_is_refused_before_it_costs_anything(name: str) -> None:
    data = case(f"faulty/{name}")
    tracemalloc.start()
    try:
        found = refusal(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found in (LimitExceeded, CorruptFile)
    assert peak < 2e6


def test_truncated_payloads_are_told_from_damaged_ones() -> None:
    header = ImageHeader(3, 3, 1, 8, 1, pack_config(GridConfig()))
    for length in range(16):
        assert refusal(packed(header, bytes(length))) is TruncatedFile


@pytest.fixture
def timed_file(cosine_field) -> bytes:
    """A sound in three segments."""
    waves = np.sin(np.arange(300)[:, None] / 20)
    sound, options = audio_signal(waves * 0.5, 3000), SimpleNamespace(segment_seconds=0.034)
    return codec.encode(sound, options, cosine_field.fitted).data


def test_every_flipped_bit_of_a_segmented_file_is_noticed(timed_file: bytes) -> None:
    for bit in range(8 * len(timed_file)):
        data = bytearray(timed_file)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InrError):
            codec.verify(bytes(data))


def test_every_altered_byte_behind_a_correct_check_sum_is_an_error_of_ours_or_decodes(
    timed_file: bytes,
) -> None:
    for at in range(10, len(timed_file) - 4):
        for value in (0, 1, 0x7F, 0x80, 0xFF, timed_file[at] ^ 1):
            body = timed_file[:at] + bytes([value]) + timed_file[at + 1 : -4]
            with contextlib.suppress(InrError):
                codec.decode(body + zlib.crc32(body).to_bytes(4, "little"), SMALL)
