"""Parts of kernels: matrices of parameters as padded tiles, products, sums of programs."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def matrix(at, ROWS: tl.constexpr, COLUMNS: tl.constexpr, TALL: tl.constexpr, WIDE: tl.constexpr):
    """[TALL, WIDE]: a matrix [ROWS, COLUMNS], padded with zeros."""
    row = tl.arange(0, TALL)[:, None]
    column = tl.arange(0, WIDE)[None, :]
    return tl.load(at + row * COLUMNS + column, mask=(row < ROWS) & (column < COLUMNS), other=0.0)


@triton.jit
def transposed(
    at, ROWS: tl.constexpr, COLUMNS: tl.constexpr, TALL: tl.constexpr, WIDE: tl.constexpr
):
    """[WIDE, TALL]: the transpose of a matrix [ROWS, COLUMNS], padded with zeros."""
    row = tl.arange(0, TALL)[None, :]
    column = tl.arange(0, WIDE)[:, None]
    return tl.load(at + row * COLUMNS + column, mask=(row < ROWS) & (column < COLUMNS), other=0.0)


@triton.jit
def vector(at, COUNT: tl.constexpr, LONG: tl.constexpr):
    """[LONG]: a vector [COUNT], padded with zeros."""
    i = tl.arange(0, LONG)
    return tl.load(at + i, mask=i < COUNT, other=0.0)


@triton.jit
def store_matrix(
    at, tile, ROWS: tl.constexpr, COLUMNS: tl.constexpr, TALL: tl.constexpr, WIDE: tl.constexpr
):
    """Writes the part [ROWS, COLUMNS] of a tile."""
    row = tl.arange(0, TALL)[:, None]
    column = tl.arange(0, WIDE)[None, :]
    tl.store(at + row * COLUMNS + column, tile, mask=(row < ROWS) & (column < COLUMNS))


@triton.jit
def store_column(
    at, tile, ROWS: tl.constexpr, COLUMN: tl.constexpr, TALL: tl.constexpr, WIDE: tl.constexpr
):
    """Writes one column of a tile as a vector [ROWS]."""
    row = tl.arange(0, TALL)[:, None]
    column = tl.arange(0, WIDE)[None, :]
    tl.store(at + row + column * 0, tile, mask=(row < ROWS) & (column == COLUMN))


@triton.jit
def relu(x):
    """max(x, 0), and not a number where x is none: else a fit that diverges would go on."""
    return tl.maximum(x, 0.0, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def clipped(x, low, high):
    """x between low and high, and not a number where x is none."""
    x = tl.maximum(x, low, propagate_nan=tl.PropagateNan.ALL)
    return tl.minimum(x, high, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def product(a, b, PRECISION: tl.constexpr):
    """The matrix product of two float32 tiles."""
    return tl.dot(a, b, input_precision=PRECISION)


@triton.jit
def add_programs(
    partial,
    sums,
    losses,
    counter,
    values,
    PROGRAMS: tl.constexpr,
    PARAMETERS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Adds the sums of all programs: gradients, squared error and bits.

    Args:
        partial: [PROGRAMS, PARAMETERS + 2] float32.
        sums: [PARAMETERS] float32, gradients of the networks.
        losses: [steps, 2] float64; row `counter[0]` is written.
        counter: [1] int32.
        values: of the signal, by which the squared error is divided.
    """
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros([ROWS, COLUMNS], tl.float64)
    for start in range(0, PROGRAMS, ROWS):
        row = start + tl.arange(0, ROWS)
        known = (row < PROGRAMS)[:, None] & (column < PARAMETERS + 2)[None, :]
        at = row[:, None] * (PARAMETERS + 2) + column[None, :]
        total += tl.load(partial + at, mask=known, other=0.0).to(tl.float64)
    result = tl.sum(total, axis=0)
    tl.store(sums + column, result.to(tl.float32), mask=column < PARAMETERS)
    loss = (column >= PARAMETERS) & (column < PARAMETERS + 2)
    result = tl.where(column == PARAMETERS, result / values, result)
    tl.store(losses + tl.load(counter) * 2 + column - PARAMETERS, result, mask=loss)
