"""SSIM and MS-SSIM: the numbers of `pytorch-msssim` 1.0.0, which CompressAI reports.

Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
TIP 13(4), 2004; Z. Wang, E. Simoncelli and A. Bovik, "Multi-scale structural similarity for image
quality assessment", Asilomar 2003. Gaussian window of 11 samples and sigma 1.5, only where it fits
("valid"), K1 = 0.01, K2 = 0.03, biased variances, mean over channels.
"""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.evaluate.metrics.pairs import integer_pair

WINDOW_PX, WINDOW_SIGMA_PX = 11, 1.5
K1, K2 = 0.01, 0.03
# Exponents of the five scales, from fine to coarse (Wang et al. 2003, section 3.2).
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
# Shorter sides leave no room for the window at the coarsest scale.
MS_SSIM_MIN_SIDE_PX = (WINDOW_PX - 1) * 2 ** (len(SCALE_WEIGHTS) - 1) + 1


def ssim(reference: np.ndarray, decoded: np.ndarray, peak: int = 255) -> float:
    """Structural similarity, -1..1; NaN where a side is below WINDOW_PX (11).

    Args:
        reference, decoded: [height, width, channels] or [height, width] integers in [0, peak].
        peak: the value of white.

    Raises:
        BadInput: shapes differ, are not those of a picture, or samples outside [0, peak].
    """
    first, second = _planes(reference, decoded, peak)
    if min(first.shape[1:]) < WINDOW_PX:
        return math.nan
    return float(_similarity(first, second, peak)[0].mean())


def ms_ssim(reference: np.ndarray, decoded: np.ndarray, peak: int = 255) -> float:
    """Multi-scale structural similarity, 0..1; NaN where a side is below 161 pixels.

    Scales are halved by means of 2 x 2; before an odd side one line of zeros is counted in, and
    negative terms are 0, both as in pytorch-msssim. Args and errors as `ssim`.
    """
    first, second = _planes(reference, decoded, peak)
    if min(first.shape[1:]) < MS_SSIM_MIN_SIDE_PX:
        return math.nan
    product = np.ones(first.shape[0])
    for weight in SCALE_WEIGHTS[:-1]:
        contrast = _similarity(first, second, peak)[1]
        product *= np.maximum(contrast, 0) ** weight
        first, second = _halved(first), _halved(second)
    whole = _similarity(first, second, peak)[0]
    return float((product * np.maximum(whole, 0) ** SCALE_WEIGHTS[-1]).mean())


def ms_ssim_db(value: float) -> float:
    """An MS-SSIM on the scale of CompressAI's plots: -10 log10(1 - value), infinite for 1.

    Raises:
        BadInput: it is no number.
    """
    if not isinstance(value, Real):
        raise BadInput(f"the MS-SSIM is {value!r}, expected a number up to 1")
    return math.inf if value >= 1 else -10 * math.log10(1 - value)


def _planes(reference: np.ndarray, decoded: np.ndarray, peak: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = integer_pair(reference, decoded, peak)
    if first.ndim == 2:
        first, second = first[:, :, None], second[:, :, None]
    if first.ndim != 3:
        raise BadInput(f"the pictures have shape {first.shape}, expected [height, width, channels]")
    return first.transpose(2, 0, 1), second.transpose(2, 0, 1)


def _similarity(x: np.ndarray, y: np.ndarray, peak: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean of SSIM, and of its contrast and structure term alone, of each plane [planes, h, w]."""
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    mean_x, mean_y = _blurred(x), _blurred(y)
    xx, yy, xy = mean_x * mean_x, mean_y * mean_y, mean_x * mean_y
    # In this order equal planes give exactly 1.
    variances = (_blurred(x * x) - xx) + (_blurred(y * y) - yy)
    contrast = (2 * (_blurred(x * y) - xy) + c2) / (variances + c2)
    whole = (2 * xy + c1) / (xx + yy + c1) * contrast
    return whole.mean(axis=(1, 2)), contrast.mean(axis=(1, 2))


def _blurred(planes: np.ndarray) -> np.ndarray:
    offsets = np.arange(WINDOW_PX) - WINDOW_PX // 2
    window = np.exp(-(offsets**2) / (2 * WINDOW_SIGMA_PX**2))
    window /= window.sum()
    height, width = planes.shape[1] - WINDOW_PX + 1, planes.shape[2] - WINDOW_PX + 1
    rows = sum(w * planes[:, i : i + height] for i, w in enumerate(window))
    return sum(w * rows[:, :, i : i + width] for i, w in enumerate(window))


def _halved(planes: np.ndarray) -> np.ndarray:
    padded = np.pad(planes, ((0, 0), *((side % 2, 0) for side in planes.shape[1:])))
    height, width = (side // 2 for side in padded.shape[1:])
    return padded.reshape(-1, height, 2, width, 2).mean(axis=(2, 4))
