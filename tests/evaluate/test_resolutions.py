"""Signals judged at other resolutions than they were coded at."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from inrcodec import api, codec
from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.codecs.inr import InrCodec
from inrcodec.evaluate.resolutions import (
    divisible,
    methods,
    parse_resolution,
    reduced,
)
from inrcodec.signal import AudioSignal, Signal, VideoSignal

RNG = np.random.default_rng(1)


def picture(height: int, width: int) -> Signal:
    return Signal(RNG.integers(0, 256, (height, width, 3)).astype(np.uint8))


@pytest.mark.parametrize(
    ("text", "factor"), [("2", 2), ("4", 4), ("0.5", Fraction(1, 2)), ("1/8", Fraction(1, 8))]
)
def test_whole_numbers_and_their_inverses_are_resolutions(text, factor):
    assert parse_resolution(text) == factor


@pytest.mark.parametrize(
    "text", ["1", "0", "1.5", "-2", "17", "x", "2/3", "", None, [2], float("inf")]
)
def test_other_resolutions_are_refused(text):
    with pytest.raises(BadOption, match="neither a whole number from 2 to 16 nor one over it"):
        parse_resolution(text)


def test_a_reduced_picture_has_the_mean_of_each_block_rounded():
    samples = np.array([[0, 1], [1, 0]], np.uint8)[:, :, None]
    assert reduced(Signal(samples), 2).samples.item() == 1  # 0.5 up
    original = picture(12, 20)
    blocks = original.samples.reshape(3, 4, 5, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(reduced(original, 4).samples, blocks, atol=0.5)


def test_rows_and_columns_that_do_not_fill_a_block_are_left_out():
    original = picture(13, 23)
    assert divisible(original, 4).samples.shape == (12, 20, 3)
    np.testing.assert_array_equal(divisible(original, 4).samples, original.samples[:12, :20])
    with pytest.raises(BadInput, match="too small to be reduced 16 times"):
        reduced(original, 16)


@pytest.mark.parametrize(
    ("name", "filter_"),
    [("bicubic", Image.Resampling.BICUBIC), ("lanczos", Image.Resampling.LANCZOS)],
)
def test_upscales_are_those_of_pillow(name, filter_):
    target = picture(36, 56)
    # Pillow rounds and clips between its two passes: no sample comes near an end of the range.
    small = Signal(RNG.integers(80, 176, (9, 14, 3)).astype(np.uint8))
    found = methods("image", Fraction(4))[name](small, target).samples
    expected = np.asarray(Image.fromarray(small.samples).resize((56, 36), filter_))
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_sound_of_half_the_rate_comes_back_but_for_what_that_rate_cannot_hold():
    time = np.arange(8000) / 16_000
    low = 0.4 * np.sin(2 * np.pi * 700 * time)
    high = 0.4 * np.sin(2 * np.pi * 6000 * time)
    original = AudioSignal(np.rint(32767 * (low + high))[:, None].astype(np.int16), 16_000)
    half = reduced(original, 2)
    assert (half.rate_hz, half.frames) == (8000, 4000)
    errors = {}
    for name, stretch in methods("audio", Fraction(2)).items():
        back = stretch(half, original)
        assert back.samples.shape == original.samples.shape
        errors[name] = np.abs(back.samples[200:-200, 0] / 32768 - low[200:-200]).max()
    assert errors["bandlimited"] < 1e-3 < errors["linear"] < 0.05


def test_half_of_a_videos_frames_come_back_repeated_or_blended():
    frames = np.arange(0, 60, 10, dtype=np.uint8)[:, None, None] + np.zeros((1, 2, 2), np.uint8)
    planes = (frames, frames, frames)
    original = VideoSignal(planes, Fraction(30), subsampling="4:4:4")
    half = reduced(original, 2)
    assert (half.frames, half.rate) == (3, 15)
    stretches = methods("video", Fraction(2))
    assert [int(f[0, 0]) for f in stretches["repeat"](half, original).planes[0]] == [
        0, 0, 20, 20, 40, 40,
    ]  # fmt: skip
    assert [int(f[0, 0]) for f in stretches["blend"](half, original).planes[1]] == [
        0, 10, 20, 30, 40, 40,
    ]  # fmt: skip
    np.testing.assert_array_equal(
        methods("video", Fraction(1, 2))["drop"](original, half).planes[0], half.planes[0]
    )


def test_sound_whose_rate_does_not_divide_is_refused():
    sound = AudioSignal(np.zeros((800, 1), np.int16), 44_100)
    with pytest.raises(BadInput, match="8 does not divide the rate"):
        reduced(sound, 8)


@pytest.mark.parametrize("segment_seconds", [None, Fraction(3, 10)])
def test_our_codec_renders_the_frames_between_and_keeps_those_it_has(segment_seconds):
    t, y, x = np.mgrid[:6, :6, :8]
    luma = (128 + 80 * np.sin(t + x) * np.cos(y)).astype(np.uint8)
    whole = VideoSignal((luma,), Fraction(20), 8, "4:0:0")
    half = reduced(whole, 2)
    ours = InrCodec(kind="video", effort=1, field="siren")
    options = api.encode_options(
        "video", field="siren", effort=1, segment_seconds=segment_seconds,
        network={"hidden_features": 6, "hidden_layers": 1},
    )  # fmt: skip
    data = codec.encode(half, options).data
    native, between = ours.decode(data, half), ours.decode(data, whole)
    assert between.frames == whole.frames
    assert between.rate == whole.rate
    np.testing.assert_array_equal(between.planes[0][::2], native.planes[0])
    assert (between.planes[0][1] != between.planes[0][0]).any()
    fewer = ours.decode(data, reduced(half, 3))
    np.testing.assert_array_equal(fewer.planes[0], native.planes[0][::3])
