"""A field on a grid of samples: means over cells, clipping, rounding.

The same for every field, and the same bits however a decode is cut into regions and stripes.
"""

from __future__ import annotations

import numpy as np

from inrcodec.fields import Field
from inrcodec.grid import Grid

# Output samples that are rendered at once: bounds the memory of a decode.
STRIPE = 1 << 20


def samples_of(
    field: Field, grid: Grid, channels: int, depth: int, fast: bool = False
) -> np.ndarray:
    """[height, width, channels] integers: clipped, scaled to the peak, rounded half up.

    Stripe by stripe, so that the field's floating-point values never exist all at once.
    """
    height, width = grid.shape
    samples = np.empty((height, width, channels), np.uint8 if depth <= 8 else np.uint16)
    stripe = max(1, STRIPE // grid.refined().shape[1])
    for top in range(0, height, stripe):
        rows = (top, min(height, top + stripe))
        values = _means(field, grid.part(rows, (0, width)), channels, fast)
        np.clip(values, 0.0, 1.0, out=values)
        values *= (1 << depth) - 1
        values += 0.5
        samples[slice(*rows)] = np.floor(values, out=values)
    return samples


def _means(field: Field, grid: Grid, channels: int, fast: bool) -> np.ndarray:
    """[height, width, channels]: the field at each sample, or its mean over a sample's cell.

    Sums run down, then across, one by one, so that their bits do not depend on how a decode is cut.
    Points are rendered side by side, not one offset after the other: they share what taps need.
    """
    points = grid.refined()
    rows, columns = points.shape
    if (rows, columns) == grid.shape:
        return field.render(grid, fast)
    ky, kx = grid.y.oversampling, grid.x.oversampling
    tall = np.zeros((grid.shape[0], columns, channels))
    block = max(1, STRIPE // columns)  # the points of one sample alone can be too many
    for top in range(0, rows, block):
        part = points.part((top, min(rows, top + block)), (0, columns))
        for y, row in enumerate(field.render(part, fast), top):
            tall[y // ky] += row
    means = np.zeros((*grid.shape, channels))
    for dx in range(kx):
        means += tall[:, dx::kx]
    means /= ky * kx
    return means
