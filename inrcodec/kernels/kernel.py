"""The interpolation kernels of the `grid` field, as functions of continuous positions.

Level 0 passes through its samples (six-point cubic convolution, Keys 1981, section VI, sharpened),
so at native positions it is the identity. Beside an edge that kernel would ring; `limited` keeps it
within its two neighbours, but for the crest of a bump that the samples on both sides agree on.
Coarser levels are cubic B-splines (Unser 1999, eq. 11): smooth, positive, without ringing.

All weights are evaluated in float64 with the operations in the order written, which is normative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

    A pixel is a mean over its area, so what lies between pixels is sharper than what passes through
    them: the way that Keys' kernel departs from the straight line is taken 1.25 times, which
    `limited` keeps from ringing (results/design/ringing.tsv). Keys' kernel u(s):
    4/3 s^3 - 7/3 s^2 + 1 on [0, 1]; -7/12 s^3 + 3 s^2 - 59/12 s + 15/6 on [1, 2];
    1/12 s^3 - 2/3 s^2 + 21/12 s - 3/2 on [2, 3].
    """

    def near(s: Array) -> Array:
        return ((4.0 * s - 7.0) * s * s + 3.0) / 3.0

    def middle(s: Array) -> Array:
        return (((36.0 - 7.0 * s) * s - 59.0) * s + 30.0) / 12.0

    def far(s: Array) -> Array:
        return (((s - 8.0) * s + 21.0) * s - 18.0) / 12.0

    g = 1.0 - f
    weights = [far(2.0 + f), middle(1.0 + f), near(f), near(g), middle(1.0 + g), far(2.0 + g)]
    sharper = [1.25 * weight for weight in weights]
    sharper[2] -= 0.25 * g
    sharper[3] -= 0.25 * f
    return sharper


def limited(values: Array, samples: list[Array], f: Array) -> Array:
    """Interpolated values without what the kernel adds beside an edge.

    A value stays between its two neighbours. Where the second differences at both have one sign,
    samples around a peak or a trough, it may lie beyond them by four times what the parabola of
    the smaller one does (results/design/ringing.tsv: what that costs and what it saves).

    Args:
        values: between samples i and i + 1, at the distance f from the first.
        samples: those at i-1, i, i+1, i+2, each of the shape of `values`.
        f: 0 <= f < 1, broadcast to that shape.
    """
    before, left, right, after = samples
    bend_left = before - 2.0 * left + right
    bend_right = left - 2.0 * right + after
    slack = 2.0 * f * (1.0 - f)
    trough = np.maximum(np.minimum(bend_left, bend_right), 0.0)
    peak = np.minimum(np.maximum(bend_left, bend_right), 0.0)
    low = np.minimum(left, right) - slack * trough
    high = np.maximum(left, right) - slack * peak
    return np.minimum(np.maximum(values, low), high)


@dataclass(frozen=True)
class Taps:
    """How n positions along one axis are interpolated from the samples of a grid.

    Args:
        indices: per tap, in the order of summation: [n] int64, which sample.
        weights: per tap: [n] float64.
        limit: None, or [n] float64 distances from sample i: the sums are `limited` by taps 1 to 4.
    """

    indices: list[Array]
    weights: list[Array]
    limit: Array | None

    def interpolate(self, take: Callable[[Array], Array], axis: int) -> Array:
        """Values at the n positions along one axis of a plane.

        Args:
            take: [n] indices to the plane's samples there, n rows (axis 0) or columns (axis 1).
            axis: along which the positions lie.
        """

        def along(vector: Array, dtype: np.dtype) -> Array:
            return np.expand_dims(vector, 1 - axis).astype(dtype)

        limit = self.limit is not None and self.limit.any()
        # Adding nothing changes no bit: at native positions one tap is enough.
        used = [limit or weight.any() for weight in self.weights]
        taken = [take(i) for i, use in zip(self.indices, used, strict=True) if use]
        weights = [w for w, use in zip(self.weights, used, strict=True) if use]
        values = np.zeros_like(taken[0])
        for samples, weight in zip(taken, weights, strict=True):
            values += samples * along(weight, values.dtype)
        return limited(values, taken[1:5], along(self.limit, values.dtype)) if limit else values


def axis_taps(level: int, positions: Array, length: int) -> Taps:
    """How a latent grid is interpolated along one axis.

    Args:
        level: the grid's samples lie at native positions (i + 0.5) * 2**level.
        positions: [n] float64 native positions.
        length: number of samples of the grid on this axis; indices beyond are clamped.
    """
    t = positions / float(1 << level) - 0.5
    base = np.floor(t)
    f = t - base
    weights, first = (keys6_weights(f), -2) if level == 0 else (bspline_weights(f), -1)
    index = base.astype(np.int64)
    indices = [np.clip(index + (first + k), 0, length - 1) for k in range(len(weights))]
    return Taps(indices, weights, f if level == 0 else None)


def phase_weights(level: int) -> Array:
    """[2**level, 5] float64: weights of samples i-2..i+2 at native sample i * 2**level + p.

    The same kernel as `axis_taps`, laid out for fitting on the native grid; level 0 is [[1]]
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
