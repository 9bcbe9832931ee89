"""Pictures and sounds as experiments take them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inrcodec.media.image import load_image
from inrcodec.signal import AudioSignal, Signal, audio_signal, image_signal


def shrunk(path: Path, factor: int) -> Signal:
    """A picture at a whole part of its width and height; as it is at 1."""
    if factor == 1:
        return load_image(path.read_bytes(), path.name)
    picture = Image.open(path)
    size = (picture.width // factor, picture.height // factor)
    return image_signal(np.asarray(picture.resize(size, Image.Resampling.LANCZOS)))


def first_second(signal: AudioSignal, seconds: int = 1) -> AudioSignal:
    """The beginning of a sound, one channel."""
    samples = signal.samples[: seconds * signal.rate_hz, :1]
    return audio_signal(samples / signal.full_scale, signal.rate_hz)


def loudest(signal: AudioSignal, seconds: float) -> AudioSignal:
    """The piece of a sound of that length with the most energy; all of a shorter one."""
    length = min(signal.frames, max(1, round(seconds * signal.rate_hz)))
    energy = np.square(signal.samples, dtype=np.float64).sum(axis=1)
    total = np.concatenate([[0.0], np.cumsum(energy)])
    begin = int(np.argmax(total[length:] - total[:-length]))
    return signal.part(begin, begin + length)
