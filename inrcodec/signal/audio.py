"""The samples of one sound and what is needed to write them back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from numbers import Integral
from typing import ClassVar

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.signal.metadata import check_metadata

MAX_BIT_DEPTH = 24
MAX_CHANNELS = 255
# What a WAV header and libsndfile can say.
MAX_RATE_HZ = 2**31 - 1


@dataclass(frozen=True, eq=False)
class AudioSignal:
    """One sound: signed integer samples with their rate and depth.

    Args:
        samples: [frames, channels] int16 (bit_depth <= 16) or int32, C-contiguous; 1 to 255
            channels in the order of the file.
        rate_hz: frames per second, 1..2**31 - 1.
        bit_depth: 1..24; samples lie in [-2**(bit_depth - 1), 2**(bit_depth - 1) - 1].
        metadata: opaque payloads kept verbatim, by name; see METADATA_NAMES.

    Raises:
        BadInput: shape, dtype, rate, depth or range do not fit together.
    """

    samples: np.ndarray
    rate_hz: int
    bit_depth: int = 16
    metadata: dict[str, bytes] = field(default_factory=dict)
    kind: ClassVar[str] = "audio"

    def __post_init__(self) -> None:
        s = self.samples
        if not isinstance(s, np.ndarray):
            raise BadInput(f"samples are a {type(s).__name__}, expected a numpy array")
        _check_depth(self.bit_depth)
        if not isinstance(self.rate_hz, Integral) or not 1 <= self.rate_hz <= MAX_RATE_HZ:
            raise BadInput(
                f"rate_hz is {self.rate_hz!r}, expected a whole number from 1 to {MAX_RATE_HZ}"
            )
        # Integers of numpy could overflow in what is computed from them.
        object.__setattr__(self, "bit_depth", int(self.bit_depth))
        object.__setattr__(self, "rate_hz", int(self.rate_hz))
        if s.ndim != 2 or 0 in s.shape or s.shape[1] > MAX_CHANNELS:
            raise BadInput(
                f"samples have shape {s.shape}, expected [frames, channels] with at least one "
                f"frame and 1 to {MAX_CHANNELS} channels"
            )
        if s.dtype != dtype_of(self.bit_depth):
            raise BadInput(
                f"samples are {s.dtype}, expected {dtype_of(self.bit_depth).name} "
                f"for bit_depth {self.bit_depth}"
            )
        _check_range(s, self.bit_depth, "the depth of the signal")
        check_metadata(self.metadata)

    @property
    def frames(self) -> int:
        return self.samples.shape[0]

    @property
    def channels(self) -> int:
        return self.samples.shape[1]

    @property
    def full_scale(self) -> int:
        """What stands for 1.0: 2**(bit_depth - 1), one above the largest sample."""
        return 1 << (self.bit_depth - 1)

    @property
    def duration_seconds(self) -> Fraction:
        return Fraction(self.frames, self.rate_hz)

    def floats(self) -> np.ndarray:
        """[frames, channels] float32 in [-1, 1): the samples over `full_scale`, exactly."""
        return self.samples.astype(np.float32) / np.float32(self.full_scale)

    def part(self, begin: int, end: int) -> AudioSignal:
        """Frames begin..end-1 of this signal."""
        return replace(self, samples=self.samples[begin:end])

    def stripped(self) -> AudioSignal:
        """This signal without its metadata."""
        return replace(self, metadata={})

    def __repr__(self) -> str:
        return (
            f"AudioSignal({self.frames} frames x {self.channels} at {self.rate_hz} Hz, "
            f"{float(self.duration_seconds):.3f} s, {self.bit_depth} bit)"
        )


def dtype_of(bit_depth: int) -> np.dtype:
    """The type of the samples of that depth: int16 up to 16 bits, int32 above."""
    return np.dtype(np.int16 if bit_depth <= 16 else np.int32)


def quantized(floats: np.ndarray, bit_depth: int) -> np.ndarray:
    """Floats in [-1, 1] as samples: `round(x * 2**(bit_depth - 1))`, 1.0 as the largest sample.

    The scale is a power of two, so that floats that were made from integers give them back.

    Args:
        floats: any shape, finite; what lies outside [-1, 1] is clipped.
        bit_depth: 1..24.
    """
    scale = 1 << (bit_depth - 1)
    levels = np.rint(floats.astype(np.float64) * scale)
    return np.clip(levels, -scale, scale - 1).astype(dtype_of(bit_depth))


def audio_signal(array: np.ndarray, rate_hz: int, bit_depth: int | None = None) -> AudioSignal:
    """An AudioSignal from an array as people have them.

    Args:
        array: [frames] or [frames, channels]; int8, uint8 (128 is silence, as in WAV files),
            int16, int32, or floating point in [-1, 1].
        rate_hz: frames per second.
        bit_depth: depth of the samples, 1..24; by default 8 for 8-bit integers, 16 for int16, 24
            for int32 and floating point.

    Raises:
        BadInput: another dtype or shape; NaN, infinity or values outside [-1, 1] in a float
            array; integers beyond the bit depth.
    """
    try:
        array = np.asarray(array)
    except ValueError as error:
        raise BadInput(f"the sound is no array: {error}; expected one row per frame") from None
    if bit_depth is not None:
        _check_depth(bit_depth)
        bit_depth = int(bit_depth)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim == 2 and array.shape[1] > MAX_CHANNELS >= array.shape[0]:
        raise BadInput(
            f"the array has shape {array.shape}, expected [frames, channels]; "
            "it looks like [channels, frames]: transpose it"
        )
    if np.issubdtype(array.dtype, np.floating):
        check_floats(array)
        depth = bit_depth or MAX_BIT_DEPTH
        return AudioSignal(np.ascontiguousarray(quantized(array, depth)), rate_hz, depth)
    depths = {"int8": 8, "uint8": 8, "int16": 16, "int32": MAX_BIT_DEPTH}
    name = array.dtype.newbyteorder("=").name
    if name not in depths:
        raise BadInput(
            f"the array is {array.dtype}, expected int8, uint8, int16, int32 or floating point"
        )
    depth = bit_depth or depths[name]
    if name == "uint8":
        array = array.astype(np.int16) - np.int16(128)
    _check_range(array, depth, "the depth asked for; scale it, or pass a larger bit_depth")
    samples = np.ascontiguousarray(array.astype(dtype_of(depth), copy=False))
    return AudioSignal(samples, rate_hz, depth)


def check_floats(array: np.ndarray) -> None:
    """Refuses floats that are no samples.

    Raises:
        BadInput: NaN, infinity, or values outside [-1, 1].
    """
    check_finite(array)
    if array.size and (array.min() < -1 or array.max() > 1):
        raise BadInput(
            f"a float array spans [{array.min():g}, {array.max():g}], expected [-1, 1]; "
            "scale it, or pass int16 or int32"
        )


def check_finite(array: np.ndarray) -> None:
    """Refuses floats of which some are no numbers.

    Raises:
        BadInput: NaN or infinity.
    """
    if not np.isfinite(array).all():
        raise BadInput(
            f"the sound holds {int((~np.isfinite(array)).sum())} NaN or infinite values, "
            "expected finite values in [-1, 1]; clean it first, for example with np.nan_to_num"
        )


def _check_depth(bit_depth: object) -> None:
    if not isinstance(bit_depth, Integral) or not 1 <= bit_depth <= MAX_BIT_DEPTH:
        raise BadInput(
            f"bit_depth is {bit_depth!r}, expected a whole number from 1 to {MAX_BIT_DEPTH}"
        )


def _check_range(samples: np.ndarray, bit_depth: int, what: str) -> None:
    top = 1 << (bit_depth - 1)
    if samples.size and (int(samples.max()) >= top or int(samples.min()) < -top):
        raise BadInput(
            f"samples span [{samples.min()}, {samples.max()}], expected [{-top}, {top - 1}] for "
            f"{bit_depth} bits, {what}"
        )
