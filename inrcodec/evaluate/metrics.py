"""Quality of a decoded image against its original."""

from __future__ import annotations

import math

import numpy as np


def mse(original: np.ndarray, decoded: np.ndarray, peak: int = 255) -> float:
    """Mean squared error over all samples, with the signal scaled to [0, 1].

    Args:
        original, decoded: integer arrays of one shape.
        peak: the value of white.
    """
    error = (original.astype(np.float64) - decoded) / peak
    return float(np.mean(error * error))


def psnr_db(original: np.ndarray, decoded: np.ndarray, peak: int = 255) -> float:
    """Peak signal-to-noise ratio over all samples and channels; infinite for equal arrays."""
    error = mse(original, decoded, peak)
    return -10 * math.log10(error) if error else math.inf
