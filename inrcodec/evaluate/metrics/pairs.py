"""What two signals must have in common before a number can compare them."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np

from inrcodec.errors import BadInput


def real_pair(reference: np.ndarray, decoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays in float64.

    Args:
        reference, decoded: real or integer arrays of one shape, not empty.

    Raises:
        BadInput: shapes differ, no samples, or samples that are not finite real numbers.
    """
    arrays = _array("reference", reference), _array("reconstruction", decoded)
    if arrays[0].shape != arrays[1].shape:
        raise BadInput(
            f"the reference has shape {arrays[0].shape}, the reconstruction {arrays[1].shape}; "
            "both must have the same: decode at native size, or crop or resample one of them"
        )
    for name, array in zip(("reference", "reconstruction"), arrays, strict=True):
        if not array.size:
            raise BadInput(f"the {name} has shape {array.shape}, expected at least one sample")
        if array.dtype.kind not in "buif":
            raise BadInput(f"the {name} holds {array.dtype}, expected integers or real numbers")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise BadInput(
                f"the {name} holds {int((~np.isfinite(array)).sum())} NaN or infinite samples, "
                "expected finite ones; clean it first, for example with np.nan_to_num"
            )
    return arrays[0].astype(np.float64), arrays[1].astype(np.float64)


def _array(name: str, given: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(given)
    except ValueError as error:
        raise BadInput(
            f"the {name} is no array: {error}; expected rows of the same length"
        ) from None


def check_rate(rate_hz: float) -> None:
    """Refuses what is no sample rate.

    Raises:
        BadInput: it is no positive finite number.
    """
    if not (isinstance(rate_hz, Real) and math.isfinite(rate_hz) and rate_hz > 0):
        raise BadInput(f"the sample rate is {rate_hz!r} Hz, expected a positive number")


def integer_pair(
    reference: np.ndarray, decoded: np.ndarray, peak: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays of integer samples in float64, which holds them exactly.

    Integers, because a file holds those: a metric of unrounded values flatters the codec.

    Args:
        reference, decoded: integer arrays of one shape with samples in [0, peak].
        peak: the value of white, 1..2**32.

    Raises:
        BadInput: shapes differ, floating point samples, or samples outside [0, peak].
    """
    if not isinstance(peak, Integral) or peak < 1:
        raise BadInput(f"peak is {peak!r}, expected a whole number: 255 for samples of 8 bits")
    for name, given in (("reference", reference), ("reconstruction", decoded)):
        array = _array(name, given)
        if array.dtype.kind not in "bui":
            raise BadInput(
                f"the {name} holds {array.dtype}, expected integers; round it to the samples that "
                f"a file would hold first, for example with np.rint(x * {peak}).astype(np.uint16)"
            )
        if array.size and not 0 <= int(array.min()) <= int(array.max()) <= peak:
            raise BadInput(
                f"samples of the {name} span [{array.min()}, {array.max()}], expected "
                f"[0, {peak}]; pass the value of white as peak"
            )
    return real_pair(reference, decoded)


def sound_pair(reference: np.ndarray, decoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as [samples, channels] in float64.

    Args:
        reference, decoded: [samples] or [samples, channels] of one shape.

    Raises:
        BadInput: shapes differ or are not those of sound, or samples are not finite.
    """
    first, second = real_pair(reference, decoded)
    if first.ndim not in (1, 2):
        raise BadInput(
            f"the sounds have shape {first.shape}, expected [samples] or [samples, channels]"
        )
    return first.reshape(len(first), -1), second.reshape(len(second), -1)
