"""Squared error of pictures: PSNR of samples as a file holds them, rounded to its bit depth.

PSNR = 10 log10(peak**2 / MSE). Over several pictures there are two averages, which differ by
tenths of a dB; tables must name theirs: `mean_of_psnr_db` and `psnr_of_mean_mse_db`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.evaluate.metrics.pairs import integer_pair

# Luma weights of R, G, B in 1/10000, so that grey stays exactly without chroma in float64.
# BT.601: ITU-R BT.601-7 section 2.5.1; BT.709: ITU-R BT.709-6 section 3.
LUMA_WEIGHTS = {"bt601": (2990, 5870, 1140), "bt709": (2126, 7152, 722)}


def mse(original: np.ndarray, decoded: np.ndarray, peak: int = 255) -> float:
    """Mean squared error over all samples, with the signal scaled to [0, 1].

    Args:
        original, decoded: integer arrays of one shape, samples in [0, peak].
        peak: the value of white.

    Raises:
        BadInput: shapes differ, or samples that are no integers in [0, peak].
    """
    first, second = integer_pair(original, decoded, peak)
    return _mean_square(first, second) / peak**2


def psnr_db(original: np.ndarray, decoded: np.ndarray, peak: int = 255) -> float:
    """Peak signal-to-noise ratio over all samples and channels; infinite for equal arrays.

    Args and errors are those of `mse`.
    """
    return psnr_of_mse_db(mse(original, decoded, peak))


def psnr_of_mse_db(error: float) -> float:
    """The PSNR of a mean squared error at peak 1; infinite for 0, NaN for NaN.

    Raises:
        BadInput: it is negative, or no number.
    """
    if not isinstance(error, Real) or error < 0:
        raise BadInput(f"the mean squared error is {error!r}, expected a number from 0 on")
    return -10 * math.log10(error) if error else math.inf


def channel_psnr_db(original: np.ndarray, decoded: np.ndarray, peak: int = 255) -> list[float]:
    """The PSNR of each channel.

    Args:
        original, decoded: [height, width, channels] integers in [0, peak].
        peak: the value of white.

    Raises:
        BadInput: as `mse`, or no channel axis.
    """
    first, second = integer_pair(original, decoded, peak)
    _check_picture(first)
    errors = np.mean((first - second) ** 2, axis=(0, 1)) / peak**2
    return [psnr_of_mse_db(float(error)) for error in errors]


def yuv_psnr_db(
    original: np.ndarray, decoded: np.ndarray, peak: int = 255, matrix: str = "bt601"
) -> tuple[float, float, float, float]:
    """PSNR of Y, U and V of RGB pictures, and their 6:1:1 mean.

    Planes are full range, of full resolution and not rounded: Y = Kr R + Kg G + Kb B,
    U = Cb = (B - Y) / (2 - 2 Kb), V = Cr = (R - Y) / (2 - 2 Kr). BT.601 is the matrix of JPEG
    (JFIF, ITU-T T.871) and WebP; CompressAI and Cool-Chic convert pictures with BT.709.

    Args:
        original, decoded: [height, width, 3] integers in [0, peak].
        peak: the value of white.
        matrix: "bt601" or "bt709".

    Returns:
        PSNR in dB of Y, U, V, and (6 Y + U + V) / 8 (Ohm et al., "Comparison of the Coding
        Efficiency of Video Coding Standards", IEEE TCSVT 22(12), 2012).

    Raises:
        BadInput: as `mse`, other than 3 channels, or an unknown matrix.
    """
    first, second = integer_pair(original, decoded, peak)
    _check_picture(first)
    if first.shape[2] != 3:
        raise BadInput(f"the pictures have {first.shape[2]} channels, expected 3: red, green, blue")
    planes = zip(rgb_to_ycbcr(first, matrix), rgb_to_ycbcr(second, matrix), strict=True)
    y, u, v = (psnr_of_mse_db(_mean_square(a, b) / peak**2) for a, b in planes)
    return y, u, v, six_one_one_db(y, u, v)


def six_one_one_db(y_db: float, u_db: float, v_db: float) -> float:
    """(6 Y + U + V) / 8 of three PSNR; infinite if one of them is."""
    return (6 * y_db + u_db + v_db) / 8


def rgb_to_ycbcr(rgb: np.ndarray, matrix: str = "bt601") -> tuple[np.ndarray, ...]:
    """Y in [0, peak], Cb and Cr in [-peak/2, peak/2], full range, not rounded.

    Args:
        rgb: [..., 3] of integers, or of float64 that hold integers.
        matrix: "bt601" or "bt709".

    Raises:
        BadInput: an unknown matrix.
    """
    if not isinstance(matrix, str) or matrix not in LUMA_WEIGHTS:
        raise BadInput(f"the matrix is {matrix!r}, expected one of {', '.join(LUMA_WEIGHTS)}")
    kr, kg, kb = LUMA_WEIGHTS[matrix]
    red, green, blue = (rgb[..., c].astype(np.float64) for c in range(3))
    luma = kr * red + kg * green + kb * blue
    cb = (10000 * blue - luma) / (2 * (10000 - kb))
    cr = (10000 * red - luma) / (2 * (10000 - kr))
    return luma / 10000, cb, cr


def mean_of_psnr_db(errors: Sequence[float]) -> float:
    """The mean of the PSNR of several pictures: what CompressAI, Cool-Chic and most papers print.

    Args:
        errors: the mean squared error of each picture at peak 1, as `mse` gives it.

    Raises:
        BadInput: no picture.
    """
    _check_not_empty(errors)
    return float(np.mean([psnr_of_mse_db(error) for error in errors]))


def psnr_of_mean_mse_db(errors: Sequence[float]) -> float:
    """The PSNR of the mean squared error of several pictures; never above `mean_of_psnr_db`.

    Every picture counts the same, whatever its size. Args and errors as `mean_of_psnr_db`.
    """
    _check_not_empty(errors)
    for error in errors:
        psnr_of_mse_db(error)  # refuses what is no error
    return psnr_of_mse_db(float(np.mean(errors)))


def _check_not_empty(errors: Sequence[float]) -> None:
    if not isinstance(errors, Sequence | np.ndarray) or not len(errors):
        raise BadInput(
            f"the errors are {errors!r}, and so there is no picture to average over; expected a "
            "list with the mean squared error of one or more"
        )


def _check_picture(array: np.ndarray) -> None:
    if array.ndim != 3:
        raise BadInput(f"the pictures have shape {array.shape}, expected [height, width, channels]")


def _mean_square(first: np.ndarray, second: np.ndarray) -> float:
    error = first - second
    return float(np.mean(error * error))
