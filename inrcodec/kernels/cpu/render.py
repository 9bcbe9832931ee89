"""The exact renderer in compiled code: the operations of `kernels.render`, in the same order.

Every output is one chain of products and sums, which stays as it is written (no fused
multiply-add); what runs side by side in a vector are neighbouring outputs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from inrcodec.grid import Axis, Grid
from inrcodec.kernels.cpu.compiling import exact
from inrcodec.kernels.cpu.dense import part
from inrcodec.kernels.kernel import Taps, axis_taps
from inrcodec.kernels.render import AxisPlan, Networks
from inrcodec.runtime import threads as usable_threads

Array = np.ndarray

# Output samples of a tile: its features, 8 bytes per level each, stay in the second-level cache.
TILE_HEIGHT, TILE_WIDTH = 48, 256


@exact
def _limited(
    value: float, before: float, left: float, right: float, after: float, slack: float
) -> float:
    """One value of `kernels.kernel.limited`, where slack is 2 f (1 - f)."""
    bend_left = before - 2.0 * left + right
    bend_right = left - 2.0 * right + after
    trough = max(min(bend_left, bend_right), 0.0)
    peak = min(max(bend_left, bend_right), 0.0)
    low = min(left, right) - slack * trough
    high = max(left, right) - slack * peak
    return min(max(value, low), high)


@exact
def interpolate_plane(
    level: Array, rows: Array, row_weights: Array, row_slack: Array, columns: Array,
    column_weights: Array, column_slack: Array, gain: float, left: int, room: Array, out: Array,
) -> None:  # fmt: skip
    """Writes out [n, m]: a level at n x m positions times gain; first down, then across.

    Args:
        rows, row_weights: [taps, n]; columns, column_weights: [taps, m]; in order of summation.
        row_slack: [n] where the sums are limited, else [0]; column_slack: the same for [m].
        left, room: the first column of the level that is needed, and room for all that are.
    """
    width, m = len(room), out.shape[1]
    line = part(room, 0, width)
    for y in range(len(out)):
        for x in range(width):
            line[x] = 0.0
        for i in range(len(rows)):
            source, weight = level[rows[i, y]], row_weights[i, y]
            for x in range(width):
                line[x] += source[left + x] * weight
        if len(row_slack):
            p, q = level[rows[1, y]], level[rows[2, y]]
            r, s = level[rows[3, y]], level[rows[4, y]]
            for x in range(width):
                j = left + x
                line[x] = _limited(line[x], p[j], q[j], r[j], s[j], row_slack[y])
        target = part(out[y], 0, m)
        for x in range(m):
            target[x] = 0.0
        for i in range(len(columns)):
            index, weights = part(columns[i], 0, m), part(column_weights[i], 0, m)
            for x in range(m):
                target[x] += line[index[x] - left] * weights[x]
        if len(column_slack):
            a, b, c, d = columns[1], columns[2], columns[3], columns[4]
            for x in range(m):
                target[x] = _limited(
                    target[x], line[a[x] - left], line[b[x] - left], line[c[x] - left],
                    line[d[x] - left], column_slack[x],
                )  # fmt: skip
        for x in range(m):
            target[x] *= gain


@exact
def synthesize(
    features: Array, w1: Array, b1: Array, w2: Array, b2: Array, hidden: Array, out: Array
) -> None:
    """Writes out [channels, n, m]: the 1x1 layers of features [levels, n, m]; hidden: [m]."""
    for y in range(features.shape[1]):
        for c in range(len(out)):
            for x in range(features.shape[2]):
                out[c, y, x] = b2[c]
        for s in range(len(b1)):
            unit = part(hidden, 0, features.shape[2])
            for x in range(len(unit)):
                unit[x] = b1[s]
            for i in range(len(features)):
                feature, weight = features[i, y], w1[s, i]
                for x in range(len(unit)):
                    unit[x] += feature[x] * weight
            for x in range(len(unit)):
                unit[x] = max(unit[x], 0.0)
            for c in range(len(out)):
                target, weight = out[c, y], w2[c, s]
                for x in range(len(unit)):
                    target[x] += unit[x] * weight


@exact
def tap_layer(
    values: Array, weights: Array, bias: Array, rows: Array, columns: Array, shifted: Array,
    clip: bool, out: Array,
) -> None:  # fmt: skip
    """Writes out [channels, n, m]: a residual 3x3 layer, see `kernels.render`.

    Args:
        rows, columns: [3, n] and [3, m] int64, the positions at -1, 0 and +1 native pixel.
        shifted: room for m values.
        clip: whether to replace negative values by 0.
    """
    channels, width = len(out), out.shape[2]
    line = part(shifted, 0, width)
    for y in range(out.shape[1]):
        for c in range(channels):
            own, target, index = values[c, rows[1, y]], out[c, y], columns[1]
            for x in range(width):
                target[x] = own[index[x]] + bias[c]
        for source in range(channels):
            for dy in range(3):
                plane = values[source, rows[dy, y]]
                for dx in range(3):
                    index = columns[dx]
                    for x in range(width):
                        line[x] = plane[index[x]]
                    for c in range(channels):
                        target, weight = out[c, y], weights[c, source, dy, dx]
                        for x in range(width):
                            target[x] += line[x] * weight
        if clip:
            for c in range(channels):
                target = out[c, y]
                for x in range(width):
                    target[x] = max(target[x], 0.0)


class _Interpolation(NamedTuple):
    """`Taps` as arrays [taps, n], those without weight left out, and what limits the sums."""

    indices: Array
    weights: Array
    slack: Array  # [n], or [0] where nothing is limited

    @classmethod
    def of(cls, taps: Taps) -> _Interpolation:
        limited = taps.limit is not None and taps.limit.any()
        slack = 2.0 * taps.limit * (1.0 - taps.limit) if limited else np.empty(0)
        used = [i for i, weights in enumerate(taps.weights) if limited or weights.any()]
        indices = np.stack([taps.indices[i] for i in used])
        return cls(indices, np.stack([taps.weights[i] for i in used]), slack)


@dataclass(frozen=True)
class _Strip:
    """What the tiles of one row of tiles share along y, or those of one column along x.

    Args:
        outputs: (first, last + 1) of the grid.
        plan: the positions behind them.
        levels: how each is interpolated there.
    """

    outputs: tuple[int, int]
    plan: AxisPlan
    levels: list[_Interpolation]


def render(
    networks: Networks,
    latents: list[Array],
    first_level: int,
    size: tuple[int, int, int],
    grid: Grid,
    dtype: type = np.float64,
    threads: int | None = None,
) -> Array:
    """What `kernels.render.render` returns; float64 rounded to dtype.

    Args:
        networks, latents, first_level, size, grid, dtype: see there.
        threads: how many to use, by default what `runtime.threads` says; changes no bit.
    """
    latents = [np.ascontiguousarray(level, np.int32) for level in latents]
    out = np.empty((*grid.shape, size[2]), dtype)
    lengths = [level.shape for level in latents]
    down, across = (
        _strips(axis, networks.taps, first_level, [length[i] for length in lengths], step)
        for i, (axis, step) in enumerate(((grid.y, TILE_HEIGHT), (grid.x, TILE_WIDTH)))
    )

    def tile(task: tuple[_Strip, _Strip]) -> None:
        y, x = task
        values = _render_tile(networks, latents, y, x)
        out[slice(*y.outputs), slice(*x.outputs)] = values.transpose(1, 2, 0)

    tasks = [(y, x) for y in down for x in across]
    workers = min(threads or usable_threads(), len(tasks))
    if workers < 2:
        for task in tasks:
            tile(task)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(tile, tasks):
                pass
    return out


def _strips(
    axis: Axis, layers: int, first_level: int, lengths: list[int], step: int
) -> list[_Strip]:
    strips = []
    for first in range(0, axis.count, step):
        outputs = first, min(first + step, axis.count)
        plan = AxisPlan.of(axis.part(*outputs), layers)
        levels = [
            _Interpolation.of(axis_taps(level, plan.positions, length))
            for level, length in enumerate(lengths, first_level)
        ]
        strips.append(_Strip(outputs, plan, levels))
    return strips


def _render_tile(networks: Networks, latents: list[Array], y: _Strip, x: _Strip) -> Array:
    """[channels, rows, columns] values."""
    theta, gain = networks.theta, networks.feature_gain
    shape = len(y.plan.positions), len(x.plan.positions)
    features = np.empty((len(latents), *shape))
    for level, down, across, feature in zip(latents, y.levels, x.levels, features, strict=True):
        left = int(across.indices.min())
        room = np.empty(int(across.indices.max()) + 1 - left)
        interpolate_plane(level, *down, *across, gain, left, room, feature)
    # Clamped positions coincide: a layer may have more outputs than inputs.
    row = np.empty(max(shape[1], *(columns.shape[1] for columns in x.plan.neighbours), 1))
    values = np.empty((len(theta["syn.b2"]), *shape))
    synthesize(
        features, theta["syn.w1"], theta["syn.b1"], theta["syn.w2"], theta["syn.b2"], row, values
    )
    for k in range(networks.taps):
        rows, columns = y.plan.neighbours[k], x.plan.neighbours[k]
        filtered = np.empty((len(values), rows.shape[1], columns.shape[1]))
        tap_layer(
            values, theta[f"syn.taps{k}"], theta[f"syn.tapbias{k}"], rows, columns, row,
            k + 1 < networks.taps, filtered,
        )  # fmt: skip
        values = filtered
    return values
