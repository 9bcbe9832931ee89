"""The probability of each integer, from a committed table of integers.

A latent y is coded as its residual r = y - m, where the context model's mean in 1/32 units is
mu = 32 m + f - 16, 0 <= f < 32. Symbols 1..63 stand for r = -31..31; 0 and 64 say that r lies below
or above (an escape, whose magnitude is sent apart). The scale index s picks the Laplace scale
b_s = 2**((s - 36) / 8). Frequencies are differences of the table `survival[s, j]`, the mass beyond
j/32 from the centre out of 2**24, so they are integers that sum to 2**24.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np

PRECISION_BITS = 24
SCALES = 96
FRACTIONS = 32  # mu is a multiple of 1/32
REACH = 31  # largest |residual| with a symbol of its own
SYMBOLS = 2 * REACH + 3
SCALE_BIAS = 36  # index of b = 1


@cache
def survival() -> np.ndarray:
    """[96, 1025] int64: mass beyond j/32 from the centre, out of 2**24, for each scale."""
    with resources.as_file(resources.files("inrcodec.entropy") / "laplace.npz") as path:
        return np.load(path)["survival"].astype(np.int64)


@cache
def frequencies() -> np.ndarray:
    """[96, 32, 65] int64: frequency of each symbol by scale and fraction; sums are 2**24."""
    table = survival()
    lower = 32 * np.arange(-REACH, REACH + 2)[None, :] - np.arange(FRACTIONS)[:, None]
    mass = table[:, np.abs(lower)]  # [scales, fractions, cuts]
    below = np.where(lower < 0, mass, (1 << PRECISION_BITS) - mass)
    edges = np.zeros((SCALES, FRACTIONS, 1), np.int64)
    cumulative = np.concatenate([edges, below, edges + (1 << PRECISION_BITS)], axis=2)
    return np.diff(cumulative, axis=2)


@cache
def probabilities() -> np.ndarray:
    """[96, 32, 65] float64: the frequencies over 2**24, exact."""
    return np.ldexp(frequencies().astype(np.float64), -PRECISION_BITS)


@cache
def cost_bits() -> np.ndarray:
    """[96, 32, 65] float64: bits that the range coder spends on each symbol."""
    # The coder gives every symbol one extra count so that none is impossible.
    free = (1 << PRECISION_BITS) - SYMBOLS
    return -np.log2(probabilities() * (free / (1 << PRECISION_BITS)) + 2.0**-PRECISION_BITS)
