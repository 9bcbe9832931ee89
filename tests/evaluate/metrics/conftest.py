"""Pictures and sounds with errors, small and the same in every run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest


def blurred_noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """[height, width, channels] float64 in 0..255 with a falling spectrum, like a photo's."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(shape[0])[:, None, None], np.fft.fftfreq(shape[1])[None, :, None]
    falling = 1 / np.maximum(np.hypot(fy, fx), 1 / max(shape))
    plane = np.fft.ifft2(np.fft.fft2(rng.normal(size=shape), axes=(0, 1)) * falling, axes=(0, 1))
    plane = plane.real / plane.real.std()
    return np.clip(128 + 50 * plane, 0, 255)


@pytest.fixture
def pictures() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Makes a picture [height, width, channels] and one with an error, both integers."""

    def make(shape: tuple[int, ...], seed: int = 0, sigma: float = 8, peak: int = 255):
        scale, dtype = peak / 255, np.uint8 if peak < 256 else np.uint16
        picture = blurred_noise(shape, seed)
        noise = np.random.default_rng(seed + 1).normal(0, sigma, shape)
        levels = [np.clip(np.rint(x * scale), 0, peak) for x in (picture, picture + noise)]
        return levels[0].astype(dtype), levels[1].astype(dtype)

    return make


@pytest.fixture
def speech() -> np.ndarray:
    """[48000] float64: three seconds at 16 kHz of buzzing vowels and pauses, peak 0.5."""
    t = np.arange(48000) / 16000
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / 16000
    voice = np.zeros_like(t)
    for k in range(1, 40):
        formants = [(500, 80), (1500 + 400 * np.sin(2 * np.pi * 2 * t), 120), (2500, 160)]
        gain = sum(1 / (1 + ((k * pitch - f) / w) ** 2) for f, w in formants)
        voice += gain * np.sin(k * phase)
    syllables = np.clip(np.sin(2 * np.pi * 3 * t) * 3, 0, 1)
    voice *= syllables
    return 0.5 * voice / np.abs(voice).max()
