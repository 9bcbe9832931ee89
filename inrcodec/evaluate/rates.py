"""Sample rates: band-limited resampling, and decodes brought back to the original's shape."""

from __future__ import annotations

import math

import numpy as np

from inrcodec.signal import AudioSignal
from inrcodec.signal.audio import quantized

# So far from both ends the ringing of a sharp filter has died away.
_MARGIN_FRAMES = 4096


def resampled(
    samples: np.ndarray, rate_hz: int, wanted_hz: int, centred: bool = False
) -> np.ndarray:
    """Sound at another rate, band-limited.

    By the spectrum of the whole, so that nothing below the lower Nyquist frequency changes; the
    ends are continued by point reflection, as a jump there would ring.

    Args:
        samples: [frames, channels] real.
        rate_hz, wanted_hz: frames per second.
        centred: samples stand for the middle of their time, as for our fields, and begin together;
            else for its beginning, as for other codecs, and the first one stays at time 0.

    Returns:
        [ceil(frames * wanted_hz / rate_hz), channels] float64.
    """
    if rate_hz == wanted_hz:
        return samples.astype(np.float64)
    step = rate_hz // math.gcd(rate_hz, wanted_hz)
    frames = len(samples)
    wanted = -(-frames * wanted_hz // rate_hz)
    before = -(-_MARGIN_FRAMES // step) * step
    after = before + -frames % step
    padded = np.pad(samples.astype(np.float64), ((before, after), (0, 0)), **_continued(frames))
    spectrum = np.fft.rfft(padded, axis=0)
    length = len(padded) * wanted_hz // rate_hz
    bins = min(len(spectrum), length // 2 + 1)
    kept = np.zeros((length // 2 + 1, samples.shape[1]), complex)
    # Not the bin at the lower Nyquist frequency, of which half belongs to its alias.
    kept[: bins - 1] = spectrum[: bins - 1]
    if centred:
        later_seconds = 0.5 / wanted_hz - 0.5 / rate_hz
        frequencies_hz = np.fft.rfftfreq(length, 1 / wanted_hz)
        kept *= np.exp(2j * np.pi * frequencies_hz * later_seconds)[:, None]
    out = np.fft.irfft(kept, length, axis=0) * (length / len(padded))
    start = before * wanted_hz // rate_hz
    return out[start : start + wanted]


def _continued(frames: int) -> dict[str, str]:
    return {"mode": "edge"} if frames < 2 else {"mode": "reflect", "reflect_type": "odd"}


def like_original(samples: np.ndarray, rate_hz: int, like: AudioSignal) -> AudioSignal:
    """Decoded sound with the rate, length and depth of another.

    Args:
        samples: [frames, channels] real, full scale 1, from the same time on as `like`. What is
            longer is cut, as encoders pad their last frame; what is shorter ends in silence.
        rate_hz: of the samples.
        like: whose form to take.
    """
    found = resampled(samples, rate_hz, like.rate_hz)[: like.frames]
    whole = np.zeros((like.frames, found.shape[1]))
    whole[: len(found)] = found
    return AudioSignal(quantized(whole, like.bit_depth), like.rate_hz, like.bit_depth)
