"""The interpolation kernels of the `grid` field, as functions of continuous positions.

Level 0 passes through its samples (six-point cubic convolution, Keys 1981, section VI:
interpolating, of fourth order), so at native positions it is the identity. Coarser levels are cubic
B-splines (Unser 1999, eq. 11): smooth, positive, without ringing.

All weights are evaluated in float64 with the operations in the order written, which is normative.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def bspline_weights(f: Array) -> list[Array]:
    """Weights of samples i-1, i, i+1, i+2 at position i + f, 0 <= f < 1."""
    g = 1.0 - f
    f2 = f * f
    g2 = g * g
    return [
        g2 * g / 6.0,
        (4.0 - 6.0 * f2 + 3.0 * f2 * f) / 6.0,
        (4.0 - 6.0 * g2 + 3.0 * g2 * g) / 6.0,
        f2 * f / 6.0,
    ]


def keys6_weights(f: Array) -> list[Array]:
    """Weights of samples i-2 .. i+3 at position i + f, 0 <= f < 1.

    Keys' kernel u(s): 4/3 s^3 - 7/3 s^2 + 1 on [0, 1]; -7/12 s^3 + 3 s^2 - 59/12 s + 15/6 on
    [1, 2]; 1/12 s^3 - 2/3 s^2 + 21/12 s - 3/2 on [2, 3].
    """

    def near(s: Array) -> Array:
        return ((4.0 * s - 7.0) * s * s + 3.0) / 3.0

    def middle(s: Array) -> Array:
        return (((36.0 - 7.0 * s) * s - 59.0) * s + 30.0) / 12.0

    def far(s: Array) -> Array:
        return (((s - 8.0) * s + 21.0) * s - 18.0) / 12.0

    g = 1.0 - f
    return [far(2.0 + f), middle(1.0 + f), near(f), near(g), middle(1.0 + g), far(2.0 + g)]


def axis_weights(level: int, positions: Array, length: int) -> tuple[list[Array], list[Array]]:
    """Indices and weights that interpolate a latent grid along one axis.

    Args:
        level: the grid's samples lie at native positions (i + 0.5) * 2**level.
        positions: [n] float64 native positions.
        length: number of samples of the grid on this axis; indices beyond are clamped.

    Returns:
        One [n] int64 array and one [n] float64 array per tap, in the order of summation.
    """
    t = positions / float(1 << level) - 0.5
    base = np.floor(t)
    f = t - base
    weights, first = (keys6_weights(f), -2) if level == 0 else (bspline_weights(f), -1)
    index = base.astype(np.int64)
    indices = [np.clip(index + (first + k), 0, length - 1) for k in range(len(weights))]
    return indices, weights


def phase_weights(level: int) -> Array:
    """[2**level, 5] float64: weights of samples i-2..i+2 at native sample i * 2**level + p.

    The same kernel as `axis_weights`, laid out for fitting on the native grid; level 0 is [[1]]
    in the middle.
    """
    if level == 0:
        return np.array([[0.0, 0.0, 1.0, 0.0, 0.0]])
    spacing = 1 << level
    t = (np.arange(spacing) + 0.5) / spacing - 0.5
    base = np.floor(t).astype(np.int64)  # -1 or 0
    table = np.zeros((spacing, 5))
    rows = np.arange(spacing)
    for k, weight in enumerate(bspline_weights(t - base)):
        table[rows, base + 1 + k] += weight
    return table
