"""The exact renderer in compiled code: the operations of `kernels.render`, in the same order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from inrcodec.grid import Axis, Grid
from inrcodec.kernels.compiled.entries import Entry
from inrcodec.kernels.kernel import Taps, axis_taps
from inrcodec.kernels.render import AxisPlan, Networks
from inrcodec.runtime import threads as usable_threads

Array = np.ndarray

# Output samples of a tile: its features, 8 bytes per level each, stay in the second-level cache.
TILE_HEIGHT, TILE_WIDTH = 48, 256

_LOOPS = "inrcodec.kernels.compiled.render_loops"
_interpolate_plane = Entry(
    _LOOPS,
    "interpolate_plane",
    "i4[:,:] i8[:,:] f8[:,:] f8[:] i8[:,:] f8[:,:] f8[:] f8[:] i8 f8[:] f8[:,:]",
)
_synthesize = Entry(_LOOPS, "synthesize", "f8[:,:,:] f8[:,:] f8[:] f8[:,:] f8[:] f8[:] f8[:,:,:]")
_tap_layer = Entry(
    _LOOPS, "tap_layer", "f8[:,:,:] f8[:,:,:,:] f8[:] i8[:,:] i8[:,:] f8[:] i8 f8[:,:,:]"
)
ENTRIES = (_interpolate_plane, _synthesize, _tap_layer)


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
    theta, gain = networks.theta, np.array([networks.feature_gain], np.float64)
    shape = len(y.plan.positions), len(x.plan.positions)
    features = np.empty((len(latents), *shape))
    for level, down, across, feature in zip(latents, y.levels, x.levels, features, strict=True):
        left = int(across.indices.min())
        room = np.empty(int(across.indices.max()) + 1 - left)
        _interpolate_plane(level, *down, *across, gain, left, room, feature)
    # Clamped positions coincide: a layer may have more outputs than inputs.
    row = np.empty(max(shape[1], *(columns.shape[1] for columns in x.plan.neighbours), 1))
    values = np.empty((len(theta["syn.b2"]), *shape))
    _synthesize(
        features, theta["syn.w1"], theta["syn.b1"], theta["syn.w2"], theta["syn.b2"], row, values
    )
    for k in range(networks.taps):
        rows, columns = y.plan.neighbours[k], x.plan.neighbours[k]
        filtered = np.empty((len(values), rows.shape[1], columns.shape[1]))
        _tap_layer(
            values, theta[f"syn.taps{k}"], theta[f"syn.tapbias{k}"], rows, columns, row,
            k + 1 < networks.taps, filtered,
        )  # fmt: skip
        values = filtered
    return values
