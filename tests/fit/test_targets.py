"""Signals as coordinates and values: where samples lie, and what memory they take."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from inrcodec.fit import EncodeOptions
from inrcodec.fit.mlp import start_of
from inrcodec.fit.network import make_problem, variance
from inrcodec.fit.targets import native_coordinates, samples_of, shape_of
from inrcodec.kernels.cpu.network import CpuNetworkEngine
from inrcodec.signal import AnySignal, audio_signal, image_signal, video_signal


def signals() -> list[AnySignal]:
    rng = np.random.default_rng(0)
    return [
        image_signal(rng.integers(0, 256, (300, 400, 3), np.uint8)),
        audio_signal(rng.uniform(-1, 1, (200_000, 2)), 48_000, 16),
        video_signal(rng.integers(0, 256, (5, 120, 160, 3), np.uint8), 25, subsampling="4:2:0"),
    ]


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 5, 3)])
def test_coordinates_are_centres_with_the_fastest_axis_first(shape: tuple[int, ...]) -> None:
    found = native_coordinates(shape)
    assert (found.shape, found.dtype) == ((len(shape), np.prod(shape)), np.float32)
    for column, place in enumerate(np.ndindex(shape)):
        centres = [(2 * i + 1) / n - 1 for i, n in zip(place, shape, strict=True)]
        assert np.array_equal(found[:, column], np.array(centres[::-1], np.float32))


def test_values_span_minus_one_to_one_and_sound_its_full_scale() -> None:
    image, sound, video = signals()
    (part,), features = samples_of(image)
    assert features == (2, 3)
    rows = image.samples.reshape(-1, 3).T.astype(np.float64)
    assert np.allclose(part.target, rows * 2 / 255 - 1, atol=1e-6)
    (part,), features = samples_of(sound)
    assert features == (1, 2)
    assert np.array_equal(part.target, sound.floats().T)
    parts, features = samples_of(video)
    assert features == (3, 3)
    assert [part.shape for part in parts] == [plane.shape for plane in video.planes]
    for part, plane in zip(parts, video.planes, strict=True):
        assert np.allclose(part.target[0], plane.ravel() * (2 / 255) - 1, atol=1e-6)


@pytest.mark.parametrize("signal", signals(), ids=lambda signal: signal.kind)
def test_samples_are_held_once(signal: AnySignal) -> None:
    shape, channels = shape_of(signal)
    start = start_of(
        signal, EncodeOptions(field="siren", network={"hidden_features": 8, "hidden_layers": 1})
    )
    tracemalloc.start()
    try:
        _, problem = make_problem(signal, start)
        held = sum(part.coords.nbytes + part.target.nbytes for part in problem.samples)
        # The one axis of a sound is computed in float64.
        most = 1.75 if signal.kind == "audio" else 1.1
        assert tracemalloc.get_traced_memory()[1] < most * held
        engine = CpuNetworkEngine(problem, 1)
        for part, (coords, target) in zip(problem.samples, engine._samples, strict=True):
            assert np.shares_memory(coords, part.coords)
            assert np.shares_memory(target, part.target)
    finally:
        tracemalloc.stop()
    assert samples_of(signal)[1] == (len(shape), channels)


def test_variance_copies_a_stretch_at_a_time() -> None:
    signal = audio_signal(np.random.default_rng(0).uniform(-1, 1, (3 << 20, 1)), 48_000, 16)
    _, problem = make_problem(signal, start_of(signal, EncodeOptions(field="siren")))
    (part,) = problem.samples
    tracemalloc.start()
    try:
        found = variance(problem)
        assert tracemalloc.get_traced_memory()[1] < 2 * part.target.nbytes
    finally:
        tracemalloc.stop()
    assert found == pytest.approx(part.target.astype(np.float64).var(), rel=1e-9)
