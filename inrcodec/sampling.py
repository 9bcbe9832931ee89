"""A field on a grid of samples: means over cells, clipping, rounding.

The same for every field, and the same bits however a decode is cut into regions and stripes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from inrcodec.grid import Grid

# Points that are rendered at once: bounds the memory of a decode.
STRIPE = 1 << 20


class Renderer(Protocol):
    """A field, or several of them one behind the other in time."""

    def render(self, grid: Grid, fast: bool = False) -> np.ndarray:
        """[*grid.shape, channels] values on a grid; see `fields.Field`."""


@dataclass(frozen=True)
class Levels:
    """How values become samples: clipped, scaled, rounded half up.

    Args:
        lowest: the smallest value, 0.0 or -1.0; the largest is 1.0.
        scale: the sample that stands for 1.0.
        highest: the largest sample, `scale` or less.
        dtype: of the samples.
    """

    lowest: float
    scale: float
    highest: int
    dtype: np.dtype

    @classmethod
    def unsigned(cls, bit_depth: int) -> Levels:
        """0 to 2**bit_depth - 1 for values from 0 to 1, in 8 bits up to that depth."""
        peak = (1 << bit_depth) - 1
        return cls(0.0, float(peak), peak, np.dtype(np.uint8 if bit_depth <= 8 else np.uint16))

    def samples(self, values: np.ndarray) -> np.ndarray:
        """The samples of values, still as floating point; overwrites the values."""
        np.clip(values, self.lowest, 1.0, out=values)
        values *= self.scale
        values += 0.5
        np.floor(values, out=values)
        return np.minimum(values, self.highest, out=values)


def samples_of(
    field: Renderer,
    grid: Grid,
    levels: Levels,
    outputs: slice = slice(None),
    fast: bool = False,
) -> np.ndarray:
    """[*grid.shape, outputs] samples of a field.

    Tile by tile, so that the field's floating-point values never exist all at once.

    Args:
        field: what is sampled.
        grid: where.
        levels: how values become samples.
        outputs: which of the field's channels.
        fast: allow float32.
    """
    samples: np.ndarray | None = None
    for tile in _tiles(grid):
        values = _means(field, grid.part(*tile), fast)[..., outputs]
        if samples is None:
            samples = np.empty((*grid.shape, values.shape[-1]), levels.dtype)
        samples[tuple(slice(*span) for span in tile)] = levels.samples(values)
    if samples is None:
        raise AssertionError("a grid has at least one sample")
    return samples


def _tiles(grid: Grid) -> Iterator[tuple[tuple[int, int], ...]]:
    """Spans of samples along each axis that cover a grid, with some STRIPE points each."""
    rest = math.prod(grid.refined().shape[1:])
    if rest > STRIPE and len(grid.axes) > 2:
        for i in range(grid.shape[0]):
            for tile in _tiles(Grid(grid.axes[1:])):
                yield (i, i + 1), *tile
        return
    stripe = max(1, STRIPE // rest)
    for begin in range(0, grid.shape[0], stripe):
        end = min(grid.shape[0], begin + stripe)
        yield (begin, end), *((0, count) for count in grid.shape[1:])


def _means(field: Renderer, grid: Grid, fast: bool) -> np.ndarray:
    """[*grid.shape, channels]: the field at each sample, or its mean over a sample's cell.

    Sums run along the first axis, then the next, one by one, so that their bits do not depend on
    how a decode is cut. Points are rendered side by side, not one offset after the other: they
    share what taps need.
    """
    points = grid.refined()
    if points.shape == grid.shape:
        return field.render(grid, fast)
    spacing = [axis.oversampling for axis in grid.axes]
    sums = _sums_of_first_axis(field, grid, points, fast)
    for axis, k in enumerate(spacing[1:], 1):
        before = sums
        sums = np.zeros((*sums.shape[:axis], grid.shape[axis], *sums.shape[axis + 1 :]))
        for offset in range(k):
            sums += before[(slice(None),) * axis + (slice(offset, None, k),)]
    sums /= math.prod(spacing)
    return sums


def _sums_of_first_axis(field: Renderer, grid: Grid, points: Grid, fast: bool) -> np.ndarray:
    """[samples of the first axis, points of the others ..., channels]: sums over each cell."""
    k = grid.axes[0].oversampling
    whole = [(0, count) for count in points.shape[1:]]
    block = max(1, STRIPE // math.prod(points.shape[1:]))
    block = block // k * k or block  # the points of one sample alone can be too many
    sums: np.ndarray | None = None
    for begin in range(0, points.shape[0], block):
        end = min(points.shape[0], begin + block)
        values = field.render(points.part((begin, end), *whole), fast)
        if sums is None:
            sums = np.zeros((grid.shape[0], *values.shape[1:]))
        if block >= k:
            for offset in range(k):
                sums[begin // k : end // k] += values[offset::k]
        else:
            for i, row in enumerate(values, begin):
                sums[i // k] += row
    if sums is None:
        raise AssertionError("a grid has at least one point")
    return sums
