"""Video from arrays of RGB or grey frames, as people have them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.signal.colour import BT709, Colour, chroma_shape, frame_of_rgb, luma_weights
from inrcodec.signal.video import VideoSignal, check_depth, dtype_of, positive_fraction


def video_signal(
    array: np.ndarray,
    rate: Fraction | int | float,
    bit_depth: int | None = None,
    *,
    subsampling: str = "4:4:4",
    full_range: bool = False,
    times_seconds: Sequence[Fraction] | None = None,
) -> VideoSignal:
    """A VideoSignal from an array of RGB or grey frames, by the matrix of BT.709.

    Args:
        array: [frames, height, width, 3] RGB, or [frames, height, width] or [..., 1] grey; uint8,
            uint16, or floating point in [0, 1]. Grey samples are kept, as full-range luma.
        rate: frames per second.
        bit_depth: 8..16; by default 8, or 16 for uint16.
        subsampling: "4:4:4" keeps chroma at every pixel, "4:2:0" halves it as most video has it.
        full_range: whether planes of RGB span all levels, or [16, 235] as most players expect.
        times_seconds: when each frame is shown, where the rate varies.

    Raises:
        BadInput: another dtype or shape; NaN, infinity or values outside [0, 1] in a float array;
            integers beyond the bit depth.
    """
    samples, depth = _integers(np.asarray(array), bit_depth)
    rate = positive_fraction("rate", rate)
    if subsampling not in ("4:4:4", "4:2:0"):
        raise BadInput(f"subsampling is {subsampling!r}, expected '4:4:4' or '4:2:0'")
    if samples.ndim == 4 and samples.shape[3] == 1:
        samples = samples[..., 0]
    if samples.ndim == 3 and samples.size:
        planes, subsampling = (np.ascontiguousarray(samples),), "4:0:0"
        colour = Colour(full_range=True)
    elif samples.ndim == 4 and samples.shape[3] == 3 and samples.size:
        colour = Colour(BT709, BT709, BT709, full_range)
        planes = rgb_planes(samples, depth, subsampling, colour)
    else:
        raise BadInput(
            f"the array has shape {samples.shape}, expected [frames, height, width] or "
            "[frames, height, width, 3] with at least one pixel"
        )
    ticks, base = (None, None) if times_seconds is None else ticks_of(times_seconds)
    return VideoSignal(planes, rate, depth, subsampling, colour, ticks, base)


def rgb_planes(
    rgb: np.ndarray, bit_depth: int, subsampling: str, colour: Colour
) -> tuple[np.ndarray, ...]:
    """The planes Y, Cb, Cr of RGB frames [frames, height, width, 3], each [frames, rows, columns].

    Args:
        rgb: uint8 or uint16, in [0, 2**bit_depth - 1].
        bit_depth: 8..16.
        subsampling: "4:4:4" or "4:2:0".
        colour: matrix, range and chroma location of the planes.
    """
    frames, height, width, _ = rgb.shape
    shapes = [(height, width)] + 2 * [chroma_shape(height, width, subsampling)]
    planes = tuple(np.empty((frames, *shape), rgb.dtype) for shape in shapes)
    weights = luma_weights(colour, height, width)
    for i, frame in enumerate(rgb):
        parts = frame_of_rgb(frame, bit_depth, subsampling, colour, weights)
        for plane, part in zip(planes, parts, strict=True):
            plane[i] = part
    return planes


def ticks_of(times_seconds: Sequence[Fraction]) -> tuple[np.ndarray, Fraction]:
    """Times as whole ticks [frames] int64 of the longest time base that fits them all.

    Raises:
        BadInput: a time is no number, negative, or the times have no common base in 64 bits.
    """
    try:
        times = [Fraction(time) for time in times_seconds]
    except (TypeError, ValueError, OverflowError):
        raise BadInput("times_seconds are not all numbers; pass Fractions or integers") from None
    denominator = math.lcm(*(time.denominator for time in times))
    if denominator >= 2**31 or any(not 0 <= time * denominator < 2**62 for time in times):
        raise BadInput(
            "times_seconds have no common time base of at least 2**-31 seconds, or are negative; "
            "pass Fractions over one denominator, such as 90000"
        )
    ticks = np.array([int(time * denominator) for time in times], np.int64)
    return ticks, Fraction(1, denominator)


def _integers(array: np.ndarray, bit_depth: int | None) -> tuple[np.ndarray, int]:
    """Samples as uint8 or uint16, and their depth."""
    if bit_depth is not None:
        check_depth(bit_depth)
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            raise BadInput(
                f"the array holds {int((~np.isfinite(array)).sum())} NaN or infinite values, "
                "expected finite values in [0, 1]; clean it first, for example with np.nan_to_num"
            )
        if array.size and (array.min() < 0 or array.max() > 1):
            raise BadInput(
                f"a float array spans [{array.min():g}, {array.max():g}], expected [0, 1]; "
                "scale it, or pass uint8 or uint16"
            )
        depth = int(bit_depth or 8)
        return np.rint(array * ((1 << depth) - 1)).astype(dtype_of(depth)), depth
    if array.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        raise BadInput(f"the array is {array.dtype}, expected uint8, uint16 or floating point")
    depth = int(bit_depth or 8 * array.dtype.itemsize)
    if array.size and int(array.max()) >> depth:
        raise BadInput(
            f"largest sample is {array.max()}, above {(1 << depth) - 1} (bit_depth {depth}); "
            "scale it, or pass a larger bit_depth"
        )
    return array.astype(dtype_of(depth), copy=False), depth
