"""AudioSignal: what a sound may be made of, and what is refused before any work is done."""

import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.signal import AudioSignal, Signal, audio_signal

SILENCE = np.zeros((3, 2), np.int16)


@pytest.mark.parametrize("bit_depth", range(1, 25))
def test_samples_span_the_signed_range_of_their_depth(bit_depth: int) -> None:
    top = 1 << (bit_depth - 1)
    dtype = np.int16 if bit_depth <= 16 else np.int32
    signal = AudioSignal(np.array([[-top], [top - 1]], dtype), 8000, bit_depth)
    assert signal.full_scale == top
    if bit_depth not in (16,):
        for value in (-top - 1, top):
            with pytest.raises(BadInput, match=f"expected .{-top}, {top - 1}."):
                AudioSignal(np.array([[value]], dtype), 8000, bit_depth)


@pytest.mark.parametrize(
    ("samples", "rest", "match"),
    [
        (SILENCE[:0], {}, "shape"),
        (SILENCE[:, 0], {}, "shape"),
        (np.zeros((1, 256), np.int16), {}, "1 to 255 channels"),
        (SILENCE.astype(np.int32), {}, "expected int16 for bit_depth 16"),
        (SILENCE, {"bit_depth": 24}, "expected int32 for bit_depth 24"),
        (SILENCE, {"bit_depth": 25}, "bit_depth is 25"),
        (SILENCE, {"bit_depth": 16.0}, "bit_depth is 16.0"),
        (SILENCE, {"rate_hz": 0}, "rate_hz is 0"),
        (SILENCE, {"rate_hz": 44100.0}, "rate_hz is 44100.0"),
        (SILENCE, {"metadata": {"lyrics": b"la"}}, "icc, exif, xmp"),
        ([[0]], {}, "a list"),
    ],
)
def test_what_does_not_fit_together_is_refused(samples: object, rest: dict, match: str) -> None:
    with pytest.raises(BadInput, match=match):
        AudioSignal(samples, **({"rate_hz": 8000} | rest))


def test_a_signal_of_another_kind_names_the_class_to_use() -> None:
    with pytest.raises(BadInput, match="AudioSignal"):
        Signal(np.zeros((1, 1, 1), np.uint8), kind="audio")
    assert AudioSignal(SILENCE, 8000).kind == "audio"


def test_floats_of_a_signal_give_the_same_signal_back() -> None:
    for bit_depth in (1, 8, 13, 16, 24):
        top = 1 << (bit_depth - 1)
        values = np.linspace(-top, top - 1, 1001).astype(np.int64)[:, None]
        signal = AudioSignal(values.astype(np.int16 if bit_depth <= 16 else np.int32), 1, bit_depth)
        again = audio_signal(signal.floats(), 1, bit_depth)
        assert np.array_equal(again.samples, signal.samples)


@pytest.mark.parametrize(
    ("array", "bit_depth", "samples"),
    [
        (np.array([0, 128, 255], np.uint8), 8, [-128, 0, 127]),
        (np.array([-128, 0, 127], np.int8), 8, [-128, 0, 127]),
        (np.array([-32768, 32767], np.int16), 16, [-32768, 32767]),
        (np.array([-(2**23), 5], np.int32), 24, [-(2**23), 5]),
        (np.array([-1.0, 0.5, 1.0]), 24, [-(2**23), 2**22, 2**23 - 1]),
        (np.array([1, 2], ">i2"), 16, [1, 2]),
    ],
)
def test_arrays_become_signals_of_their_depth(array, bit_depth, samples) -> None:
    signal = audio_signal(array, 8000)
    assert (signal.bit_depth, signal.channels) == (bit_depth, 1)
    assert signal.samples[:, 0].tolist() == samples


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.array([0.0, np.nan, np.inf]), "2 NaN or infinite"),
        (np.array([0.0, 1.5]), r"spans \[0, 1.5\], expected \[-1, 1\]"),
        (np.array([2**23], np.int32), "for 24 bits"),
        (np.array([1, 2]), "the array is int64"),
        (np.zeros((2, 1000), np.int16), "transpose it"),
        (np.zeros((0, 2), np.int16), "at least one frame"),
        (["a"], "the array is"),
        ([[1], [1, 2]], "no array"),
    ],
)
def test_arrays_that_are_no_sound_are_refused(array: object, match: str) -> None:
    with pytest.raises(BadInput, match=match):
        audio_signal(array, 8000)


def test_parts_and_durations_are_exact() -> None:
    signal = AudioSignal(np.arange(10, dtype=np.int16)[:, None], 3, metadata={"xmp": b"x"})
    assert signal.part(2, 5).samples[:, 0].tolist() == [2, 3, 4]
    assert signal.duration_seconds * 3 == 10
    assert signal.stripped().metadata == {}
    assert "10 frames x 1 at 3 Hz" in repr(signal)
