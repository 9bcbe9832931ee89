"""The exact renderer of a `grid` field (promise D1): float64, elementwise, in a fixed order.

Every sample is computed by the same IEEE 754 operations in the same order wherever it is asked
for: no BLAS, no fused multiply-add, no transcendental function. So tiles, regions, thread counts
and machines agree bit for bit, before any rounding.

A 3x3 tap needs the network's output one native pixel to each side. The positions that a tile needs
are therefore widened by one native pixel per tap layer, clamped to the outermost native sample
centres (replicate padding), and evaluated once each: at native size or at a whole-number scale
neighbours coincide with positions that are there already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from inrcodec.grid import Axis, Grid
from inrcodec.kernels.kernel import axis_taps

# Positions per tile: a [tile] float64 plane of half a megabyte stays in the second-level cache.
TILE = 1 << 16


@dataclass(frozen=True)
class Networks:
    """The synthesis parameters "syn.*" as float64, number of tap layers, gain of the latents."""

    theta: dict[str, np.ndarray]
    taps: int
    feature_gain: float


@dataclass(frozen=True)
class AxisPlan:
    """Positions along one axis, from those of the features to those of the output.

    Args:
        positions: [n] float64 native positions at which features are needed, all between the
            outermost native sample centres.
        neighbours: per tap layer, [3, m]: where each of its m positions, moved by -1, 0 and +1
            native pixel, stands among the positions of the layer before.
    """

    positions: np.ndarray
    neighbours: list[np.ndarray]

    @classmethod
    def of(cls, axis: Axis, layers: int) -> AxisPlan:
        low, high = axis.den // 2, axis.den * axis.length - axis.den // 2
        current = np.clip(axis.numerators, low, high)
        neighbours: list[np.ndarray] = []
        for _ in range(layers):
            around = np.clip(current + axis.den * np.array([[-1], [0], [1]]), low, high)
            current, inverse = np.unique(around, return_inverse=True)
            neighbours.insert(0, inverse.reshape(around.shape))
        return cls(current / np.float64(axis.den), neighbours)


def render(
    networks: Networks,
    latents: list[np.ndarray],
    first_level: int,
    size: tuple[int, int, int],
    grid: Grid,
    dtype: type = np.float64,
) -> np.ndarray:
    """Values of the field on a grid.

    Args:
        networks: synthesis parameters.
        latents: one [h_l, w_l] integer array per level, finest first.
        first_level: level of the first of them.
        size: native (height, width, channels).
        grid: where; its axes have the native lengths.
        dtype: np.float64, or np.float32 for a preview (promise D2: off by one level at most).

    Returns:
        [grid height, grid width, channels] of dtype, unclipped.
    """
    theta = {name: values.astype(dtype) for name, values in networks.theta.items()}
    networks = replace(networks, theta=theta)
    out = np.empty((*grid.shape, size[2]), dtype)
    for rows, columns in tiles(grid):
        part = grid.part(rows, columns)
        tile = _render_tile(networks, latents, first_level, part)
        out[rows[0] : rows[1], columns[0] : columns[1]] = tile.transpose(1, 2, 0)
    return out


def tiles(grid: Grid) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Output (rows, columns) ranges that cover a grid with at most TILE samples each."""
    height, width = grid.shape
    tile_width = min(width, 1 << 10)
    tile_height = max(1, TILE // tile_width)
    for top in range(0, height, tile_height):
        for left in range(0, width, tile_width):
            yield (
                (top, min(height, top + tile_height)),
                (left, min(width, left + tile_width)),
            )


def _render_tile(
    networks: Networks, latents: list[np.ndarray], first_level: int, grid: Grid
) -> np.ndarray:
    """[channels, rows, columns] values on a small grid."""
    y, x = AxisPlan.of(grid.y, networks.taps), AxisPlan.of(grid.x, networks.taps)
    theta = networks.theta
    hidden_bias, out_bias = theta["syn.b1"], theta["syn.b2"]
    dtype = out_bias.dtype
    gain = dtype.type(networks.feature_gain)
    features = [
        _interpolate(level, first_level + i, y.positions, x.positions, dtype) * gain
        for i, level in enumerate(latents)
    ]
    values = np.empty((len(out_bias), *features[0].shape), dtype)
    values[:] = out_bias[:, None, None]
    product = np.empty_like(features[0])
    for s, bias in enumerate(hidden_bias):
        hidden = np.full_like(features[0], bias)
        for feature, weight in zip(features, theta["syn.w1"][s], strict=True):
            hidden += np.multiply(feature, weight, out=product)
        np.maximum(hidden, 0.0, out=hidden)
        for c, weight in enumerate(theta["syn.w2"][:, s]):
            values[c] += np.multiply(hidden, weight, out=product)
    for k in range(networks.taps):
        values = _tap_layer(
            values,
            theta[f"syn.taps{k}"],
            theta[f"syn.tapbias{k}"],
            y.neighbours[k],
            x.neighbours[k],
        )
        if k + 1 < networks.taps:
            np.maximum(values, 0.0, out=values)
    return values


def _interpolate(
    level: np.ndarray, index: int, y: np.ndarray, x: np.ndarray, dtype: np.dtype
) -> np.ndarray:
    """[len(y), len(x)]: one latent grid at positions y, x; first down, then across."""
    rows = axis_taps(index, y, level.shape[0])
    columns = axis_taps(index, x, level.shape[1])
    # Only the columns that some position needs.
    left = min(int(c.min()) for c in columns.indices)
    right = max(int(c.max()) for c in columns.indices) + 1
    source = level[:, left:right]
    tall = rows.interpolate(lambda i: source[i].astype(dtype), axis=0)
    return columns.interpolate(lambda i: np.take(tall, i - left, axis=1), axis=1)


def _tap_layer(
    values: np.ndarray, weights: np.ndarray, bias: np.ndarray, y: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """A residual 3x3 layer: own value plus bias, then taps by input channel, row and column.

    Args:
        values: [channels, n, m] at the positions of the layer before.
        weights: [channels, channels, 3, 3]; bias: [channels].
        y, x: [3, rows] and [3, columns] indices of the positions at -1, 0 and +1 native pixel.
    """
    out = values[:, y[1]][:, :, x[1]]
    product = np.empty_like(out[0])
    for c, plane in enumerate(out):
        plane += bias[c]
    for source in range(len(values)):
        for dy in range(3):
            tall = values[source][y[dy]]
            for dx in range(3):
                shifted = np.take(tall, x[dx], axis=1)
                for c, plane in enumerate(out):
                    plane += np.multiply(shifted, weights[c, source, dy, dx], out=product)
    return out
