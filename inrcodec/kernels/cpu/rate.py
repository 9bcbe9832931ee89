"""The rate term of one band of latents: contexts, context network, Laplace bits and all gradients.

Latents of all levels lie in one flat array, rows ending in PAD zeros that also serve as the left
border of the next row. So a neighbour is a fixed distance away, and a run of samples crosses rows
without special cases: positions in the padding get weight zero. A run of RUN samples goes through
all layers while its activations stay in the cache.

```
 scratch rows    x [inputs]  1    | o [2]  h [hidden] | g [hidden] | s [hidden] | valid
 forward         contexts    ones | mu, log_scale  h  | g          | h + g      | 0 or 1
 backward        d x              | d mu, d ls    d h | d g        |
```
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from inrcodec.kernels.cpu.compiling import compiled, inlined, kernel
from inrcodec.kernels.cpu.dense import LANES, UNIT, dense, dots, masked, part
from inrcodec.kernels.cpu.functions import exp2, expm1, log2

Array = np.ndarray

PAD = 4  # reach of the spatial context to either side and upwards
RUN = 256
ROW = np.int64(RUN + 16)  # distance of rows in scratch; a power of two would crowd a few cache sets
_FLUSH_RUNS = 128  # float32 sums of gradients are moved to float64 after so many runs

_f = np.float32
_ZERO, _HALF, _ONE = _f(0), _f(0.5), _f(1)
_LOG2_E = _f(1.44269504088896)
_LINEAR = _f(-np.inf)
# Typed, because numba compiles a function anew for every literal integer that it is called with.
_START, _OUTPUTS = np.int64(0), np.int64(2)


class RateBand(NamedTuple):
    """Rows first .. last of one level; all *_at are indices into flat arrays.

    Args:
        width, pitch: latents in a row, and distance of rows.
        level_at, parent_at: latent (0, 0) of this level and of its parent.
        parent_pitch: distance of rows in the parent.
        own_at: where the gradient of latent (first, 0) is summed.
        parent_gradient_at: the same for latent (0, 0) of the parent; only rows near the band's
            parents exist.
    """

    first: int
    last: int
    width: int
    pitch: int
    level_at: int
    parent_at: int
    parent_pitch: int
    own_at: int
    parent_gradient_at: int


def scratch_size(inputs: int, hidden: int) -> int:
    """Elements of scratch."""
    return (inputs + 1 + 2 + 3 * hidden + 1) * ROW


def row_tables(inputs: int, hidden: int) -> tuple[np.ndarray, ...]:
    """Row starts for the layers: consecutive; h and 1; s and x; g and o."""
    one = inputs
    o = one + 1
    h, g, s = o + 2, o + 2 + hidden, o + 2 + 2 * hidden
    tables = (
        range(max(inputs + 1, hidden + 2)),
        [*range(h, h + hidden), one],
        [*range(s, s + hidden), *range(inputs)],
        [*range(g, g + hidden), o, o + 1],
    )
    return tuple(np.array(table, np.int64) * ROW for table in tables)


@kernel
def _gather(
    z: Array,
    s: Array,
    band: RateBand,
    spatial: Array,
    coarse: Array,
    start: int,
    run: int,
    valid_at: int,
) -> None:
    """Fills the context rows x and the row `valid` for the run that starts at `start`."""
    samples = (run + UNIT - 1) // UNIT * UNIT
    for j in range(len(spatial)):
        row = part(s, j * ROW, samples)
        source = part(z, band.level_at + start + spatial[j], samples)
        for t in range(samples):
            row[t] = source[t]
    base = len(spatial) * ROW
    valid = part(s, valid_at, samples)
    for t in range(samples):
        valid[t] = _ZERO
    rest = part(s, base, len(coarse) * ROW)
    for t in range(len(coarse) * ROW):
        rest[t] = _ZERO
    t = 0
    while t < run:
        y = (start + t) // band.pitch
        x = start + t - y * band.pitch
        n = min(band.width - x, run - t)
        valid = part(s, valid_at + t, n)
        for i in range(n):
            valid[i] = _ONE
        for j in range(len(coarse)):
            even, odd = _parent_distances(band, y, x, coarse[j, 0], coarse[j, 1])
            row = part(s, base + j * ROW + t, n)
            first, second = part(z, band.parent_at + even, n), part(z, band.parent_at + odd, n)
            for i in range(n >> 1):
                row[2 * i] = first[i]
                row[2 * i + 1] = second[i]
            if n & 1 and n > 0:
                row[n - 1] = first[n >> 1]
        t += max(n, 0) + band.pitch - max(band.width, x)


@inlined
def _parent_distances(
    band: RateBand, y: int, x: int, direction_y: int, direction_x: int
) -> tuple[int, int]:
    """Distances from the parent of latent (0, 0) to the context of (y, x) and of (y, x + 1)."""
    row = (y >> 1) + (direction_y if y & 1 else -direction_y)
    at = row * band.parent_pitch + (x >> 1)
    if x & 1:
        return at + direction_x, at + 1 - direction_x
    return at - direction_x, at + direction_x


@kernel
def _scatter(
    gradient: Array, s: Array, band: RateBand, spatial: Array, coarse: Array, start: int, run: int
) -> None:
    """Adds the rows d x to the gradients of the latents they were gathered from."""
    own = band.own_at + start - band.first * band.pitch
    for j in range(len(spatial)):
        target = part(gradient, own + spatial[j], run)
        row = part(s, j * ROW, run)
        for t in range(run):
            target[t] += row[t]
    base = len(spatial) * ROW
    t = 0
    while t < run:
        y = (start + t) // band.pitch
        x = start + t - y * band.pitch
        n = min(band.width - x, run - t)
        for j in range(len(coarse)):
            even, odd = _parent_distances(band, y, x, coarse[j, 0], coarse[j, 1])
            row = part(s, base + j * ROW + t, n)
            first = part(gradient, band.parent_gradient_at + even, n)
            second = part(gradient, band.parent_gradient_at + odd, n)
            for i in range((n + 1) >> 1):
                first[i] += row[2 * i]
            for i in range(n >> 1):
                second[i] += row[2 * i + 1]
        t += max(n, 0) + band.pitch - max(band.width, x)


@kernel
def _laplace(
    z: Array,
    z_at: int,
    s: Array,
    o_at: int,
    valid_at: int,
    samples: int,
    weight: float,
    lowest: float,
    highest: float,
    gradient: Array,
    own_at: int,
    with_gradients: bool,
) -> float:
    """Bits of a run; replaces mu and log_scale by their gradients and adds that of the latents.

    Without gradients it adds the bits of each latent in the place of its gradient.

    P = (1 - exp(-(1/2 + m)/b) + 1 - exp(-(1/2 - m)/b)) / 2 * exp(-(d - m)/b) with d = |y - mu|,
    m = min(d, 1/2) is the Laplace mass of [y - 1/2, y + 1/2] inside and outside of it.
    """
    y, mu, log_scales = part(z, z_at, samples), part(s, o_at, samples), part(s, o_at + ROW, samples)
    valid, own = part(s, valid_at, samples), part(gradient, own_at, samples)
    bits = _ZERO
    for t in range(samples):
        log_scale = log_scales[t]
        inside = lowest <= log_scale <= highest
        inverse = exp2(-min(max(log_scale, lowest), highest))
        difference = y[t] - mu[t]
        d = abs(difference)
        m = min(d, _HALF)
        far = expm1(-(_HALF + m) * inverse)
        near = expm1((m - _HALF) * inverse)
        mass = -_HALF * (far + near)
        outer = d - m
        value = valid[t] * (outer * inverse * _LOG2_E - log2(mass))
        bits += value
        gain = valid[t] * weight
        share = _HALF / mass
        slope = gain * inverse * _LOG2_E * (near - far) * share
        slope = -slope if difference < _ZERO else slope
        change = (_HALF + m) * (far + _ONE) + (_HALF - m) * (near + _ONE)
        mu[t] = -slope
        log_scales[t] = -gain * inverse * (outer - change * share) if inside else _ZERO
        own[t] += slope if with_gradients else value
    return bits


@kernel
def flush(acc: Array, total: Array, count: int) -> None:
    """Moves sums held as vectors of LANES float32 to float64: total [count] += acc, acc = 0."""
    for i in range(count):
        lanes = part(acc, i * LANES, LANES)
        value = _ZERO
        for j in range(LANES):
            value += lanes[j]
            lanes[j] = _ZERO
        total[i] += np.float64(value)


@compiled
def rate_band(
    z: Array,
    band: RateBand,
    spatial: Array,
    coarse: Array,
    hidden: int,
    weights: tuple[Array, ...],
    rows: tuple[Array, ...],
    s: Array,
    accs: tuple[Array, ...],
    lowest: float,
    highest: float,
    weight: float,
    gradient: Array,
    totals: tuple[Array, ...],
    with_gradients: bool,
) -> float:
    """Bits of a band; adds to the gradients of latents and networks where asked for.

    Without gradients, those of the latents become the bits of each.

    Args:
        z: all levels, see above.
        spatial: [n] int64 distances of the neighbours, pad columns counted.
        coarse: [q, 2] int64 directions (y, x).
        hidden: features of the hidden layers.
        weights: six packed matrices in the order of their use below.
        rows: tables of row starts in scratch: consecutive; h and 1; s and x; g and o.
        s: scratch; accs: three arrays for `dots`; totals: three float64 arrays for their sums.
        lowest, highest: range of log_scale, to which it is clipped.
        weight: d loss / d bits.
        gradient: sums of the gradients of latents.
    """
    inputs = len(spatial) + len(coarse)
    w_h, w_g, w_o, w_dg, w_dh, w_dx = weights
    steps, rows_h, rows_sx, rows_go = rows
    o_at = (inputs + 1) * ROW
    h_at = o_at + 2 * ROW
    g_at = h_at + hidden * ROW
    s_at = g_at + hidden * ROW
    valid_at = s_at + hidden * ROW
    for t in range(RUN):
        s[inputs * ROW + t] = _ONE
    bits = 0.0
    runs = 0
    for start in range(band.first * band.pitch, band.last * band.pitch, RUN):
        run = min(RUN, band.last * band.pitch - start)
        n = (run + UNIT - 1) // UNIT * UNIT
        _gather(z, s, band, spatial, coarse, start, run, valid_at)
        dense(s, h_at, ROW, w_h, hidden, inputs, s, _START, steps, n, _ZERO)
        dense(s, g_at, ROW, w_g, hidden, hidden, s, _START, rows_h, n, _ZERO)
        for i in range(0, hidden * ROW, ROW):
            h, g, both = part(s, h_at + i, n), part(s, g_at + i, n), part(s, s_at + i, n)
            for t in range(n):
                both[t] = h[t] + g[t]
        dense(s, o_at, ROW, w_o, _OUTPUTS, hidden + inputs, s, _START, rows_sx, n, _LINEAR)
        own = band.own_at + start - band.first * band.pitch
        bits += np.float64(
            _laplace(
                z, band.level_at + start, s, o_at, valid_at, n, weight, lowest, highest,
                gradient, own, with_gradients,
            )
        )  # fmt: skip
        if with_gradients:
            dots(accs[2], s, o_at, ROW, _OUTPUTS, s, s_at, steps, hidden, n)
            masked(s, g_at, ROW, w_dg, hidden, _OUTPUTS, s, o_at, steps, n, s, g_at, ROW)
            dots(accs[1], s, g_at, ROW, hidden, s, _START, rows_h, hidden + 1, n)
            masked(s, h_at, ROW, w_dh, hidden, hidden + 2, s, _START, rows_go, n, s, h_at, ROW)
            dots(accs[0], s, o_at, ROW, hidden + 2, s, _START, steps, inputs + 1, n)
            dense(s, _START, ROW, w_dx, inputs, hidden + 2, s, o_at, steps, n, _LINEAR)
            _scatter(gradient, s, band, spatial, coarse, start, run)
            runs += 1
            if runs % _FLUSH_RUNS == 0:
                for k in range(3):
                    flush(accs[k], totals[k], len(totals[k]))
    for k in range(3):
        flush(accs[k], totals[k], len(totals[k]))
    return bits
