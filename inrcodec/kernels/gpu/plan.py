"""Where everything is in the flat arrays of the GPU engine, as tables that kernels read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inrcodec.entropy.context import PAD
from inrcodec.kernels import GridProblem
from inrcodec.kernels.kernel import phase_weights

TAPS = 5  # samples of a level that a native sample is interpolated from, per axis
LEVEL_COLUMNS = 8
CONTEXT_COLUMNS = 3
BAND_COLUMNS = 9


@dataclass(frozen=True)
class Banded:
    """A matrix [outputs, inputs] whose rows are zero but for a window.

    Args:
        low: [outputs] int32, where the window of each row begins.
        weights: [outputs, width] float64, zero where the window leaves the inputs.
    """

    low: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, outputs: np.ndarray, inputs: np.ndarray, values: np.ndarray, size: int) -> Banded:
        """The matrix of entries (output, input, value), each [n], added where they coincide.

        Args:
            size: number of outputs, every one of which has an entry.
        """
        low = np.full(size, np.iinfo(np.int32).max, np.int32)
        high = np.zeros(size, np.int32)
        np.minimum.at(low, outputs, inputs)
        np.maximum.at(high, outputs, inputs)
        weights = np.zeros((size, int((high - low).max()) + 1))
        np.add.at(weights, (outputs, inputs - low[outputs]), values)
        return cls(low, weights)


def interpolation(level: int, samples: int, size: int) -> tuple[Banded, Banded]:
    """The matrix [size, samples] from a level to the native grid along one axis, and its transpose.

    Args:
        level: the spacing is 2**level.
        samples: of the level, along this axis.
        size: native samples along it.
    """
    weights = phase_weights(level)
    position = np.arange(size)
    near = (position >> level)[:, None] + np.arange(TAPS) - TAPS // 2
    near = np.clip(near, 0, samples - 1)
    values = weights[position & ((1 << level) - 1)]
    used = values != 0
    here = np.broadcast_to(position[:, None], values.shape)[used]
    near, values = near[used], values[used]
    return Banded.of(here, near, values, size), Banded.of(near, here, values, samples)


@dataclass
class BandPass:
    """One interpolation along one axis of all levels, one launch of `banded.along`.

    Args:
        table: [levels, BAND_COLUMNS] int32: first block; first element, rows and columns of the
            output; first element and row distance of the source; window width; where its windows'
            starts and weights begin.
        low: flat int32; weights: flat float32.
        blocks: programs to launch.
        axis: 0 down columns, 1 along rows.
    """

    table: np.ndarray
    low: np.ndarray
    weights: np.ndarray
    blocks: int
    axis: int


@dataclass(frozen=True)
class GridPlan:
    """All tables of one problem.

    Args:
        levels: [levels, LEVEL_COLUMNS] int32: first latent, height, width; where latent (0, 0) is
            in the padded array, and the distance of rows there; the same of the parent, and the
            distance of its columns: 1, or 0 where there is no parent, but zeros.
        padded: elements of the padded array: rows end in PAD zeros, which are also the left border
            of the next row, and levels begin with PAD rows of zeros.
        contexts: [inputs, CONTEXT_COLUMNS] int32: dy, dx, and whether they are at the parent.
        across: [levels, 2] int32: first element and row distance of each level's wide rows.
        across_low: [levels, width] int32, across_weights: [TAPS, levels, width] float32: how a
            native column is interpolated from wide rows.
        wide: elements of the wide rows of all levels.
        down, adjoint_across, adjoint_down: passes from levels to wide rows, from native planes to
            gradients of wide rows, and from these to gradients of levels.
    """

    levels: np.ndarray
    padded: int
    contexts: np.ndarray
    across: np.ndarray
    across_low: np.ndarray
    across_weights: np.ndarray
    wide: int
    down: BandPass
    adjoint_across: BandPass
    adjoint_down: BandPass


def make_plan(problem: GridProblem, block: int) -> GridPlan:
    """The tables of a problem, for passes of `block` outputs per program."""
    _, height, width = problem.target.shape
    shapes = problem.level_shapes
    sizes = [h * w for h, w in shapes]
    first = np.cumsum([0, *sizes])[:-1]
    wide_sizes = [height * w for _, w in shapes]
    wide_first = np.cumsum([0, *wide_sizes])[:-1]
    vertical, horizontal = (
        [
            interpolation(problem.first_level + i, shape[axis], (height, width)[axis])
            for i, shape in enumerate(shapes)
        ]
        for axis in (0, 1)
    )
    levels, padded = _padded(shapes, first)
    contexts = [(dy, dx, 0) for dy, dx in problem.spatial_context]
    contexts += [(dy, dx, 1) for dy, dx in problem.coarse_context]

    across_low = np.stack([forward.low for forward, _ in horizontal])
    across_weights = np.zeros((TAPS, len(shapes), width), np.float32)
    for i, (forward, _) in enumerate(horizontal):
        across_weights[: forward.weights.shape[1], i] = forward.weights.T

    widths = [w for _, w in shapes]
    wide_shapes = [(height, w) for w in widths]
    planes = [i * height * width for i in range(len(shapes))]
    return GridPlan(
        levels=levels,
        padded=padded,
        contexts=np.array(contexts, np.int32).reshape(-1, CONTEXT_COLUMNS),
        across=np.array([wide_first, widths], np.int32).T.copy(),
        across_low=across_low,
        across_weights=across_weights,
        wide=sum(wide_sizes),
        down=_pass(
            [m for m, _ in vertical],
            wide_first,
            wide_shapes,
            levels[:, 3],
            levels[:, 4],
            block,
            0,
        ),
        adjoint_across=_pass(
            [m for _, m in horizontal],
            wide_first,
            wide_shapes,
            planes,
            [width] * len(shapes),
            block,
            1,
        ),
        adjoint_down=_pass([m for _, m in vertical], first, shapes, wide_first, widths, block, 0),
    )


def _padded(shapes: tuple[tuple[int, int], ...], first: np.ndarray) -> tuple[np.ndarray, int]:
    """The table of levels, and the size of the padded array, which begins with zeros."""
    nowhere = PAD * PAD
    size, places = 2 * nowhere, []
    for height, width in shapes:
        pitch = width + PAD
        places.append((size + PAD * pitch + PAD, pitch, 1))
        size += (height + PAD) * pitch + PAD
    rows = [
        (at, *shape, *place[:2], *parent)
        for at, shape, place, parent in zip(
            first, shapes, places, [*places[1:], (nowhere, 0, 0)], strict=True
        )
    ]
    return np.array(rows, np.int32), size + PAD * (shapes[-1][1] + PAD)


def _pass(
    matrices: list[Banded],
    out_at: list[int],
    out_shapes: list[tuple[int, int]],
    source_at: list[int],
    pitches: list[int],
    block: int,
    axis: int,
) -> BandPass:
    rows, blocks, low_at, weight_at = [], 0, 0, 0
    for matrix, at, shape, source, pitch in zip(
        matrices, out_at, out_shapes, source_at, pitches, strict=True
    ):
        taps = matrix.weights.shape[1]
        rows.append((blocks, at, *shape, source, pitch, taps, low_at, weight_at))
        blocks += -(-shape[0] * shape[1] // block)
        low_at += matrix.low.size
        weight_at += matrix.weights.size
    return BandPass(
        np.array(rows, np.int32),
        np.concatenate([matrix.low for matrix in matrices]),
        np.concatenate([matrix.weights.ravel() for matrix in matrices]).astype(np.float32),
        blocks,
        axis,
    )
