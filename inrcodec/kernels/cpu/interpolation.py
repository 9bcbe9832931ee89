"""Interpolation of levels to features on the native grid, and its adjoint.

Separable: latent rows near the band are stretched along x once (wide rows), then each row of
features combines four of them. `distortion` explains bands, margins and runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inrcodec.kernels.cpu.compiling import kernel
from inrcodec.kernels.cpu.dense import part

if TYPE_CHECKING:
    from inrcodec.kernels.cpu.distortion import PictureBand

MARGIN = 2  # columns left of the picture in wide rows and planes
RUN = 512  # samples that go through a layer at a time
ROW = np.int64(RUN + 16)  # distance of rows in scratch; a power of two would crowd a few cache sets
_KERNEL = 5  # interpolation taps in a table row
_ZERO = np.float32(0)

Array = np.ndarray

# One record per level and band; all *_at are indices into flat arrays.
#   spacing, height, width of the level
#   level_at, pitch: latent (0, 0) and distance of rows
#   kernel_at: the level's weights [spacing, 5] in the kernels
#   first, rows: latent row of the band's first wide row (may be negative), and their number
#   wide_at, adjoint_at: wide rows and their gradients in scratch
#   gradient_at: where the gradient of latent (0, 0) would be summed; only rows near the band exist
LEVEL_PART = np.dtype(
    [
        (name, np.int64)
        for name in (
            "spacing", "height", "width", "level_at", "pitch", "kernel_at", "first", "rows",
            "wide_at", "adjoint_at", "gradient_at",
        )
    ]
)  # fmt: skip


@kernel
def across(z: Array, s: Array, kernels: Array, level: np.record, band: PictureBand) -> None:
    """Interpolates the level's rows near the band along x, into wide rows."""
    spacing, width = level.spacing, level.width
    line = part(s, band.line_at, width + 4)
    for row in range(level.rows):
        y = min(max(level.first + row, 0), level.height - 1)
        source = part(z, level.level_at + y * level.pitch, width)
        inner = part(s, band.line_at + 2, width)
        for i in range(width):
            inner[i] = source[i]
        for i in range(2):
            line[i] = source[0]
            line[2 + width + i] = source[width - 1]
        for p in range(spacing):
            w = part(kernels, level.kernel_at + p * _KERNEL, _KERNEL)
            w0, w1, w2, w3, w4 = w[0], w[1], w[2], w[3], w[4]
            wide = part(s, level.wide_at + row * band.wide_pitch + MARGIN + p, width * spacing)
            for i in range(width):
                wide[i * spacing] = (
                    w0 * line[i] + w1 * line[i + 1] + w2 * line[i + 2] + w3 * line[i + 3]
                    + w4 * line[i + 4]
                )  # fmt: skip


@kernel
def across_adjoint(
    s: Array, kernels: Array, level: np.record, band: PictureBand, gradient: Array
) -> None:
    """Adds the gradients of wide rows to those of the level's latents."""
    spacing, width = level.spacing, level.width
    line = part(s, band.line_at, width + 4)
    phase = part(s, band.line_at + width + 4, width + 8)
    inner = part(s, band.line_at + width + 8, width)
    for i in range(width + 8):
        phase[i] = _ZERO
    first, last = band.first // spacing - 2, (band.last - 1) // spacing + 3
    for row in range(first, last):
        for i in range(width + 4):
            line[i] = _ZERO
        at = level.adjoint_at + (row - level.first) * band.wide_pitch + MARGIN
        for p in range(spacing):
            wide = part(s, at + p, width * spacing)
            for i in range(width):
                inner[i] = wide[i * spacing]
            w = part(kernels, level.kernel_at + p * _KERNEL, _KERNEL)
            w0, w1, w2, w3, w4 = w[0], w[1], w[2], w[3], w[4]
            for i in range(width + 4):
                line[i] += (
                    w0 * phase[i + 4] + w1 * phase[i + 3] + w2 * phase[i + 2] + w3 * phase[i + 1]
                    + w4 * phase[i]
                )  # fmt: skip
        y = min(max(row, 0), level.height - 1)
        target = part(gradient, level.gradient_at + y * width, width)
        middle = part(s, band.line_at + 2, width)
        for i in range(width):
            target[i] += middle[i]
        target[0] += line[0] + line[1]
        target[width - 1] += line[2 + width] + line[3 + width]


@kernel
def down(
    z: Array,
    s: Array,
    kernels: Array,
    levels: Array,
    band: PictureBand,
    y: int,
    column: int,
    n: int,
) -> None:
    """Interpolates along y: features of row y, columns column .. column + n of the planes."""
    for i in range(len(levels)):
        level = levels[i]
        feature = part(s, band.features_at + i * ROW, n)
        if level.spacing == 1:
            source = part(z, level.level_at + y * level.pitch + column - MARGIN, n)
            for t in range(n):
                feature[t] = source[t]
        else:
            phase = y % level.spacing
            k = 0 if 2 * phase < level.spacing else 1
            at = level.wide_at + (y // level.spacing - 2 + k - level.first) * band.wide_pitch
            r0, r1 = part(s, at + column, n), part(s, at + column + band.wide_pitch, n)
            at += 2 * band.wide_pitch
            r2, r3 = part(s, at + column, n), part(s, at + column + band.wide_pitch, n)
            w = part(kernels, level.kernel_at + phase * _KERNEL + k, 4)
            w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
            for t in range(n):
                feature[t] = w0 * r0[t] + w1 * r1[t] + w2 * r2[t] + w3 * r3[t]


@kernel
def down_adjoint(
    s: Array,
    kernels: Array,
    levels: Array,
    band: PictureBand,
    y: int,
    column: int,
    n: int,
    gradient: Array,
) -> None:
    """Adds the gradients of features to those of wide rows, or of latents at spacing 1."""
    for i in range(len(levels)):
        level = levels[i]
        if level.spacing == 1:
            left = max(column, MARGIN)
            count = min(column + n, MARGIN + band.width) - left
            feature = part(s, band.features_at + i * ROW + left - column, count)
            target = part(gradient, level.gradient_at + y * level.width + left - MARGIN, count)
            for t in range(count):
                target[t] += feature[t]
        else:
            feature = part(s, band.features_at + i * ROW, n)
            phase = y % level.spacing
            first = 0 if 2 * phase < level.spacing else 1
            for k in range(first, first + 4):
                row = y // level.spacing - 2 + k - level.first
                wide = part(s, level.adjoint_at + row * band.wide_pitch + column, n)
                weight = kernels[level.kernel_at + phase * _KERNEL + k]
                for t in range(n):
                    wide[t] += weight * feature[t]
