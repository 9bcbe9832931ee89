"""Copying between the vector of latents and padded levels, and adding partial gradients."""

from __future__ import annotations

import numpy as np

from inrcodec.kernels.cpu.compiling import compiled
from inrcodec.kernels.cpu.dense import part

Array = np.ndarray


@compiled
def pad_rows(
    latents: Array, at: int, z: Array, z_at: int, first: int, last: int, width: int, pitch: int
) -> None:
    """Copies rows first .. last of one level from the vector to its padded place."""
    for y in range(first, last):
        target = part(z, z_at + y * pitch, width)
        source = part(latents, at + y * width, width)
        for x in range(width):
            target[x] = source[x]


@compiled
def add_parts(
    partial: Array, parts: Array, gradient: Array, at: int, first: int, last: int, width: int
) -> None:
    """Sums rows first .. last of one level's gradient over its parts, in their order.

    Args:
        partial: all partial gradients.
        parts: [n, 4] int64: first row, last row, index of the first row, distance of rows.
        gradient: vector to write; row 0 of the level begins at `at`.
    """
    for y in range(first, last):
        target = part(gradient, at + y * width, width)
        empty = True
        for j in range(len(parts)):
            if parts[j, 0] <= y < parts[j, 1]:
                source = part(partial, parts[j, 2] + (y - parts[j, 0]) * parts[j, 3], width)
                if empty:
                    for x in range(width):
                        target[x] = source[x]
                else:
                    for x in range(width):
                        target[x] += source[x]
                empty = False
