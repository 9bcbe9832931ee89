"""What is fitted of a signal, and what of it is only measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from inrcodec.fit.targets import shape_of
from inrcodec.signal import AnySignal, AudioSignal, Signal, audio_signal, image_signal


class Task(Protocol):
    """What a training sees of a signal, and what it is measured on."""

    def fitted(self, signal: AnySignal, rng: np.random.Generator) -> AnySignal:
        """What is fitted instead of the signal."""

    def measured(self, signal: AnySignal) -> AnySignal:
        """What it is measured on instead of the signal."""

    def columns(self, signal: AnySignal, rng: np.random.Generator) -> np.ndarray | None:
        """Which of its samples; None for all."""


@dataclass(frozen=True)
class AllSamples:
    """The signal itself."""

    def fitted(self, signal: AnySignal, rng: np.random.Generator) -> AnySignal:
        return signal

    def measured(self, signal: AnySignal) -> AnySignal:
        return signal

    def columns(self, signal: AnySignal, rng: np.random.Generator) -> np.ndarray | None:
        return None


@dataclass(frozen=True)
class SomeSamples(AllSamples):
    """A random share of the samples; the others are held out.

    Args:
        share: 0..1.
    """

    share: float

    def columns(self, signal: AnySignal, rng: np.random.Generator) -> np.ndarray:
        count = int(np.prod(shape_of(signal)[0]))
        return np.sort(rng.choice(count, max(1, round(self.share * count)), replace=False))


@dataclass(frozen=True)
class EveryNth(AllSamples):
    """Every `step`-th sample of a sound, at its own time."""

    step: int

    def columns(self, signal: AnySignal, rng: np.random.Generator) -> np.ndarray:
        return np.arange(0, shape_of(signal)[0][0], self.step)


@dataclass(frozen=True)
class Smaller(AllSamples):
    """A picture whose sides are divided by `factor`.

    Args:
        factor: see there.
        judged: what those of the picture that it is measured on are divided by.
    """

    factor: int
    judged: int = 1

    def fitted(self, signal: Signal, rng: np.random.Generator) -> Signal:
        return divided(signal, self.factor)

    def measured(self, signal: Signal) -> Signal:
        return divided(signal, self.judged)


def divided(signal: Signal, factor: int) -> Signal:
    """A picture whose sides are divided by a factor."""
    size = (signal.width // factor, signal.height // factor)
    planes = [
        np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
        for plane in np.moveaxis(signal.samples, -1, 0)
    ]
    return image_signal(np.stack(planes, axis=-1))


@dataclass(frozen=True)
class Noisy(AllSamples):
    """The signal with normal noise, clipped to its range.

    Args:
        deviation: of full scale, which is 1 for pictures and sounds alike.
    """

    deviation: float

    def fitted(self, signal: AnySignal, rng: np.random.Generator) -> AnySignal:
        noise = self.deviation * rng.standard_normal(signal.samples.shape)
        if isinstance(signal, AudioSignal):
            noisy = signal.samples / signal.full_scale + noise
            return audio_signal(np.clip(noisy, -1, 1), signal.rate_hz, signal.bit_depth)
        return image_signal(np.clip(signal.samples / signal.peak + noise, 0, 1), signal.bit_depth)
