"""Grids as rows of equal blocks."""

from __future__ import annotations

import numpy as np


def blocked(values: np.ndarray, side: int, fill: float = 0) -> np.ndarray:
    """[channels, blocks, samples of a block] of [channels, *shape].

    Args:
        values: a signal on a grid.
        side: samples along each side of a block.
        fill: what stands where blocks reach beyond the grid.
    """
    channels, *shape = values.shape
    counts = [-(-n // side) for n in shape]
    padding = [(0, count * side - n) for count, n in zip(counts, shape, strict=True)]
    padded = np.pad(values, [(0, 0), *padding], constant_values=fill)
    padded = padded.reshape(channels, *(k for count in counts for k in (count, side)))
    axes = range(1, padded.ndim, 2)
    padded = padded.transpose(0, *axes, *(axis + 1 for axis in axes))
    return padded.reshape(channels, int(np.prod(counts)), -1)


def unblocked(values: np.ndarray, shape: tuple[int, ...], side: int) -> np.ndarray:
    """[channels, *shape] of what `blocked` gave."""
    counts = [-(-n // side) for n in shape]
    grid = values.reshape(len(values), *counts, *[side] * len(shape))
    axes = len(shape)
    order = [axis for k in range(axes) for axis in (1 + k, 1 + axes + k)]
    whole = grid.transpose(0, *order).reshape(len(values), *(c * side for c in counts))
    return whole[(slice(None), *(slice(0, n) for n in shape))]
