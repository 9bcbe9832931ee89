"""Interpolation of all levels along one axis, and its adjoint: products with banded matrices."""

from __future__ import annotations

import triton
import triton.language as tl

from inrcodec.kernels.gpu.plan import BAND_COLUMNS

_COLUMNS = tl.constexpr(BAND_COLUMNS)


@triton.jit
def along(
    source,
    out,
    table,
    low,
    weights,
    LEVELS: tl.constexpr,
    AXIS: tl.constexpr,
    OUTPUTS: tl.constexpr,
    TAPS: tl.constexpr,
):
    """Every output is the weighted sum of a window of the source in its row or column.

    Args:
        source, out: flat float32 arrays of all levels.
        table, low, weights: of a `plan.BandPass`.
        LEVELS: rows of the table.
        AXIS: 0 for windows down a column, 1 for windows along a row.
        OUTPUTS: per program; TAPS: of a window at once.
    """
    # Coarse levels, with the widest windows, come last in the table and take longest: they begin.
    block = tl.num_programs(0) - 1 - tl.program_id(0)
    level = 0
    for i in tl.static_range(1, LEVELS):
        level += (block >= tl.load(table + i * _COLUMNS)).to(tl.int32)
    entry = table + level * _COLUMNS
    rows, columns = tl.load(entry + 2), tl.load(entry + 3)
    source += tl.load(entry + 4)
    pitch, taps = tl.load(entry + 5), tl.load(entry + 6)
    o = (block - tl.load(entry)) * OUTPUTS + tl.arange(0, OUTPUTS)
    valid = o < rows * columns
    row = o // columns
    column = o - row * columns
    band = column if AXIS == 1 else row
    begin = tl.load(low + tl.load(entry + 7) + band, mask=valid, other=0)
    at = row * pitch + begin if AXIS == 1 else begin * pitch + column
    step = 1 if AXIS == 1 else pitch
    weight_at = tl.load(entry + 8) + band * taps
    total = tl.zeros([OUTPUTS], tl.float32)
    if taps == 1:  # latents at native samples, most of all
        total += tl.load(source + at, mask=valid, other=0.0) * tl.load(
            weights + weight_at, mask=valid, other=0.0
        )
    else:
        for first in range(0, taps, TAPS):
            t = first + tl.arange(0, TAPS)
            known = valid[:, None] & (t < taps)[None, :]
            weight = tl.load(weights + weight_at[:, None] + t[None, :], mask=known, other=0.0)
            inside = known & (weight != 0.0)
            value = tl.load(source + at[:, None] + t[None, :] * step, mask=inside, other=0.0)
            total += tl.sum(weight * value, axis=1)
    tl.store(out + tl.load(entry + 1) + o, total, mask=valid)
