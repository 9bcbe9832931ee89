"""Any-resolution points: coded at one resolution, judged at another.

At factor n = 2, 3 .. the signal is reduced n times, coded, and brought back to its full size: by
our own codec, which renders any size, and by resampling the decodes of other codecs. At factor 1/n
the signal is coded whole, and judged against its own reduction.

| kind | reduced by | brought back by |
|---|---|---|
| image | means of n x n pixels | bicubic, lanczos |
| audio | band-limited resampling | linear, bandlimited |
| video | keeping every n-th frame | repeat, blend |

Samples of pictures and sounds stand for the middles of their cells, so a reduced signal begins and
ends where the whole one does. Frames of a video stand for their beginnings, and our codec, whose
fields have them in the middle, renders those between them accordingly, and leaves frames out as
others do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.rates import resampled
from inrcodec.signal import AnySignal, AudioSignal, Signal, VideoSignal
from inrcodec.signal.audio import quantized

_MOST = 16


def parse_resolution(text: str) -> Fraction:
    """The factor that a text such as "2" or "0.5" stands for.

    Raises:
        BadOption: neither n nor 1/n for a whole n of 2 to 16.
    """
    try:
        factor = Fraction(text).limit_denominator(100)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        factor = Fraction(0)
    if 1 not in (factor.numerator, factor.denominator) or not 2 <= _steps(factor) <= _MOST:
        raise BadOption(
            f"resolution {text!r} is neither a whole number from 2 to {_MOST} nor one over it, "
            "for example 2, 4 or 0.5"
        )
    return factor


def _steps(factor: Fraction) -> int:
    return max(factor.numerator, factor.denominator)


def reduced(signal: AnySignal, n: int) -> AnySignal:
    """A signal of one n-th of the samples, across each axis of a picture.

    Raises:
        BadInput: it is smaller than one sample of the result.
    """
    whole = divisible(signal, n)
    return signal if n == 1 else _REDUCED[signal.kind](whole, n)


def divisible(signal: AnySignal, n: int) -> AnySignal:
    """The signal without the rows, columns or frames at its end that n does not divide.

    Raises:
        BadInput: nothing would be left.
    """
    if isinstance(signal, Signal):
        height, width = signal.height // n * n, signal.width // n * n
        _check(min(height, width), signal, n)
        return replace(signal, samples=np.ascontiguousarray(signal.samples[:height, :width]))
    frames = signal.frames // n * n
    _check(frames, signal, n)
    if isinstance(signal, AudioSignal) and signal.rate_hz % n:
        raise BadInput(f"{n} does not divide the rate of {signal!r}; leave this resolution out")
    return signal.part(0, frames)


def _check(length: int, signal: AnySignal, n: int) -> None:
    if not length:
        raise BadInput(f"{signal!r} is too small to be reduced {n} times; leave it out")


def _area_mean(signal: Signal, n: int) -> Signal:
    s = signal.samples
    blocks = s.reshape(s.shape[0] // n, n, s.shape[1] // n, n, s.shape[2]).astype(np.uint32)
    total = blocks.sum(axis=(1, 3))
    means = (2 * total + n * n) // (2 * n * n)
    return Signal(means.astype(s.dtype), signal.bit_depth)


def _lower_rate(signal: AudioSignal, n: int) -> AudioSignal:
    rate_hz = signal.rate_hz // n
    samples = resampled(signal.samples / signal.full_scale, signal.rate_hz, rate_hz, centred=True)
    return AudioSignal(quantized(samples, signal.bit_depth), rate_hz, signal.bit_depth)


def _every_nth(signal: VideoSignal, n: int) -> VideoSignal:
    planes = tuple(np.ascontiguousarray(plane[::n]) for plane in signal.planes)
    return replace(signal, planes=planes, rate=signal.rate / n, ticks=None, time_base=None)


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution with a = -1/2 (IEEE Trans. ASSP 29(6), 1981)."""
    d = np.abs(distance)
    near, far = 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


def _lanczos(distance: np.ndarray) -> np.ndarray:
    """The sinc function under its own main lobe, three zeros wide."""
    return np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0.0)


def _upscaled(kernel: Callable[[np.ndarray], np.ndarray]) -> Callable[[Signal, Signal], Signal]:
    def stretch(decoded: Signal, target: Signal) -> Signal:
        values = decoded.samples.astype(np.float64)
        values = np.tensordot(_weights(kernel, target.height, decoded.height), values, (1, 0))
        values = np.tensordot(_weights(kernel, target.width, decoded.width), values, (1, 1))
        samples = np.clip(np.rint(values.swapaxes(0, 1)), 0, decoded.peak)
        return replace(decoded, samples=np.ascontiguousarray(samples.astype(target.samples.dtype)))

    return stretch


def _weights(kernel: Callable[[np.ndarray], np.ndarray], wanted: int, given: int) -> np.ndarray:
    """[wanted, given]: what each given sample counts in each wanted one; rows sum to 1.

    Samples are centres of equal cells over the same extent. Beyond the edge there is nothing: what
    is left of the kernel is scaled up, as Pillow does.
    """
    places = (np.arange(wanted) + 0.5) * given / wanted - 0.5
    weights = kernel(places[:, None] - np.arange(given))
    return weights / weights.sum(axis=1, keepdims=True)


def _between_samples(decoded: AudioSignal, target: AudioSignal) -> AudioSignal:
    times = (np.arange(target.frames) + 0.5) * (decoded.rate_hz / target.rate_hz) - 0.5
    floats = decoded.samples / decoded.full_scale
    at = np.arange(decoded.frames)
    samples = np.stack([np.interp(times, at, channel) for channel in floats.T], axis=1)
    return replace(target, samples=quantized(samples, target.bit_depth))


def _at_rate(decoded: AudioSignal, target: AudioSignal) -> AudioSignal:
    floats = decoded.samples / decoded.full_scale
    samples = resampled(floats, decoded.rate_hz, target.rate_hz, centred=True)
    return replace(target, samples=quantized(samples[: target.frames], target.bit_depth))


def _frames_at(decoded: VideoSignal, target: VideoSignal, blend: bool) -> VideoSignal:
    places = np.arange(target.frames) * float(decoded.rate / target.rate)
    before = np.floor(places).astype(int)
    after = np.minimum(before + 1, decoded.frames - 1)
    share = (places - before if blend else np.zeros(len(places)))[:, None, None]
    planes = tuple(
        np.rint((1 - share) * plane[before] + share * plane[after]).astype(plane.dtype)
        for plane in decoded.planes
    )
    return replace(target, planes=planes)


def _smaller(decoded: AnySignal, target: AnySignal) -> AnySignal:
    if isinstance(decoded, Signal):
        return reduced(decoded, round(decoded.height / target.height))
    return reduced(decoded, round(decoded.frames / target.frames))


_REDUCED: dict[str, Callable[[Any, int], Any]] = {
    "image": _area_mean,
    "audio": _lower_rate,
    "video": _every_nth,
}
# How a decode becomes as large as the target, or as small: by kind of signal and name.
STRETCHES: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "image": {"bicubic": _upscaled(_cubic), "lanczos": _upscaled(_lanczos)},
    "audio": {"linear": _between_samples, "bandlimited": _at_rate},
    "video": {
        "repeat": lambda decoded, target: _frames_at(decoded, target, blend=False),
        "blend": lambda decoded, target: _frames_at(decoded, target, blend=True),
    },
}
SHRINKS: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "image": {"area": _smaller},
    "audio": {"bandlimited": _smaller},
    "video": {"drop": _smaller},
}


def methods(kind: str, factor: Fraction) -> dict[str, Callable[[Any, Any], Any]]:
    """How decodes of a codec that does not render get from coded to judged size, by name."""
    return STRETCHES[kind] if factor > 1 else SHRINKS[kind]
