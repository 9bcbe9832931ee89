"""The loops of `context`, for numba: the context network over the latents of a diagonal.

`context` shows what z and table hold. Constants of `entropy.context` are named again here, because
the cache of compiled code is keyed by the sources of these folders only; a test compares them.
"""

from __future__ import annotations

import numpy as np

from inrcodec.kernels.compiled.context import FIELDS, MAX_INPUT, PAD, RUN, STEP, UNIT
from inrcodec.kernels.cpu.compiling import exact, kernel_in_order
from inrcodec.kernels.cpu.dense import part

Array = np.ndarray

MAX_HIDDEN = 2.0**23
MAX_MEAN = 2.0**20
FRACTIONS = 32
SCALES, SCALE_BIAS = 96, 36
REACH = 31

# Typed, because numba compiles a function anew for every literal integer that it is called with.
_START, _OUTPUTS = np.int64(0), np.int64(2)


@kernel_in_order
def _layer(
    z: Array, out_at: int, outputs: int, w: Array, w_at: int, table: Array, table_at: int,
    inputs: int, n: int,
) -> int:  # fmt: skip
    """Row out_at + m * RUN = bias + weights of output m times the rows in the table, for all m.

    Two outputs at a time, to read the inputs half as often; an odd last one twice over.

    Args:
        w: from w_at on, for each output its bias and its weights, `inputs` rounded up to STEP.
        table, table_at: the rows, from table_at on.

    Returns:
        Where the weights of the next layer begin.
    """
    size = 1 + (inputs + STEP - 1) // STEP * STEP
    for m in range(0, outputs, 2):
        other = min(m + 1, outputs - 1)
        a, b = part(z, out_at + m * RUN, n), part(z, out_at + other * RUN, n)
        a_at, b_at = w_at + m * size, w_at + other * size
        for t in range(n):
            a[t] = w[a_at]
            b[t] = w[b_at]
        for k in range(0, inputs, STEP):
            x0, x1 = part(z, table[table_at + k], n), part(z, table[table_at + k + 1], n)
            x2, x3 = part(z, table[table_at + k + 2], n), part(z, table[table_at + k + 3], n)
            a0, a1, a2, a3 = w[a_at + k + 1], w[a_at + k + 2], w[a_at + k + 3], w[a_at + k + 4]
            b0, b1, b2, b3 = w[b_at + k + 1], w[b_at + k + 2], w[b_at + k + 3], w[b_at + k + 4]
            for t in range(n):
                # Both sums before either is stored: they may be one row.
                p = a[t] + (a0 * x0[t] + a1 * x1[t] + a2 * x2[t] + a3 * x3[t])
                q = b[t] + (b0 * x0[t] + b1 * x1[t] + b2 * x2[t] + b3 * x3[t])
                a[t] = p
                b[t] = q
    return w_at + outputs * size


@kernel_in_order
def _inputs(
    z: Array, geometry: Array, table: Array, parent: Array, d: int, first: int, last: int
) -> None:
    """Lists the inputs of rows first .. last of diagonal d in the table; fills the coarse ones."""
    slope, spatial, coarse = geometry[2], geometry[5], geometry[6]
    start = geometry[7]
    for k in range(spatial):
        distance, dy = geometry[FIELDS + 2 * k], geometry[FIELDS + 2 * k + 1]
        table[start + k] = (d - distance) % geometry[3] * geometry[4] + PAD + first + dy
    start += spatial
    at = geometry[3] * geometry[4]
    for k in range(coarse + STEP):
        table[start + k] = at + min(k, coarse) * RUN
    directions = part(geometry, FIELDS + 2 * spatial, 2 * coarse)
    for t in range(last - first):
        y = first + t
        x = d - slope * y
        side_y, side_x = 2 * (y & 1) - 1, 2 * (x & 1) - 1
        row, column = (y >> 1) + 1, (x >> 1) + 1
        for j in range(coarse):
            z[at + j * RUN + t] = parent[
                row + side_y * directions[2 * j], column + side_x * directions[2 * j + 1]
            ]


@kernel_in_order
def _clip_hidden(z: Array, at: int, count: int, n: int) -> None:
    """The activation of the first layer."""
    for m in range(count):
        h = part(z, at + m * RUN, n)
        for t in range(n):
            h[t] = min(max(h[t], 0.0), MAX_HIDDEN)


@kernel_in_order
def _add_residual(z: Array, at: int, count: int, n: int) -> None:
    """The activation of the second layer, added to the first; `count` rows each."""
    for m in range(count):
        h, g = part(z, at + m * RUN, n), part(z, at + (count + m) * RUN, n)
        for t in range(n):
            rounded = np.floor((max(g[t], 0.0) + 2.0**11) * 2.0**-12)
            h[t] = min(h[t] + rounded, MAX_HIDDEN)


@kernel_in_order
def _places(z: Array, at: int, mean: Array, row: Array, start: int, n: int) -> None:
    """Writes integer mean and row of the probability table of a run, from `start` on."""
    for t in range(n):
        mu = np.floor((z[at + t] + 2.0**18) * 2.0**-19)
        shifted = np.int64(min(max(mu, -MAX_MEAN), MAX_MEAN)) + FRACTIONS // 2
        octaves = np.floor((z[at + RUN + t] + 2.0**20) * 2.0**-21)
        scale = np.int64(min(max(octaves + SCALE_BIAS, 0.0), SCALES - 1.0))
        mean[start + t] = shifted >> 5
        row[start + t] = scale * FRACTIONS + (shifted & 31)


@exact
def diagonal_rows(
    z: Array, w: Array, geometry: Array, table: Array, parent: Array, mean: Array, row: Array,
    d: int, first: int, last: int,
) -> None:  # fmt: skip
    """Writes mean and row of the probability table of the latents on a diagonal, from 0 on."""
    coarse, hidden = geometry[6], geometry[7]
    inputs = geometry[5] + coarse
    h_at = geometry[3] * geometry[4] + coarse * RUN
    g_at = h_at + hidden * RUN
    out_at = g_at + hidden * RUN
    for m in range(hidden):
        table[m] = h_at + m * RUN
    for start in range(first, last, RUN):
        stop = min(start + RUN, last)
        n = (stop - start + UNIT - 1) // UNIT * UNIT
        _inputs(z, geometry, table, parent, d, start, stop)
        w_at = _layer(z, h_at, hidden, w, _START, table, hidden, inputs, n)
        _clip_hidden(z, h_at, hidden, n)
        w_at = _layer(z, g_at, hidden, w, w_at, table, _START, hidden, n)
        _add_residual(z, h_at, hidden, n)
        _layer(z, out_at, _OUTPUTS, w, w_at, table, _START, hidden + inputs, n)
        _places(z, out_at, mean, row, start - first, stop - start)


@exact
def put_diagonal(
    z: Array, geometry: Array, grid: Array, values: Array, d: int, first: int, last: int
) -> None:
    """Puts the latents of a diagonal into the grid, and into the ring in place of an older one."""
    height, width, slope = geometry[0], geometry[1], geometry[2]
    old = d - geometry[3]
    at = d % geometry[3] * geometry[4] + PAD
    if old >= 0:
        for y in range(max(0, -((width - 1 - old) // slope)), min(height, old // slope + 1)):
            z[at + y] = 0.0
    for y in range(first, last):
        value = values[y - first]
        grid[y, d - slope * y] = value
        z[at + y] = min(max(value, -MAX_INPUT), MAX_INPUT)


@exact
def store_diagonal(
    z: Array, geometry: Array, grid: Array, values: Array, mean: Array, symbols: Array,
    magnitudes: Array, found: Array, d: int, first: int, last: int, taken: int,
) -> None:  # fmt: skip
    """Puts the latents of a diagonal that symbols stand for.

    Args:
        values: room for them.
        found: [2]. Gets how many magnitudes of escapes are taken then, which may be more than there
            are, and the largest magnitude of a latent.
    """
    largest = np.int64(0)
    for t in range(last - first):
        residual = np.int64(symbols[t]) - (REACH + 1)
        if abs(residual) == REACH + 1:
            more = magnitudes[taken] if taken < len(magnitudes) else 0
            residual += more if residual > 0 else -more
            taken += 1
        values[t] = mean[t] + residual
        largest = max(largest, abs(values[t]))
    put_diagonal(z, geometry, grid, values, d, first, last)
    found[0], found[1] = taken, largest
