"""The rate term: contexts, context network, Laplace bits and all gradients in one kernel.

A program takes blocks of latents of any levels through the whole network and back; activations
stay in registers and shared memory, and so do the sums of the gradients of the networks, which are
written once per program. What a block adds to the gradients of other latents is written as rows,
one per context and one for the latents themselves, which `collect` adds up in a fixed order:
2 * 4 * (inputs + 1) bytes of traffic per latent.
"""

from __future__ import annotations

import triton
import triton.language as tl

from inrcodec.kernels import LOG_SCALE_RANGE
from inrcodec.kernels.gpu.plan import CONTEXT_COLUMNS, LEVEL_COLUMNS
from inrcodec.kernels.gpu.tiles import (
    clipped,
    matrix,
    product,
    relu,
    store_column,
    store_matrix,
    transposed,
    vector,
)

_LOWEST, _HIGHEST = (tl.constexpr(limit) for limit in LOG_SCALE_RANGE)
_LEVEL = tl.constexpr(LEVEL_COLUMNS)
_CONTEXT = tl.constexpr(CONTEXT_COLUMNS)
_LOG2_E = tl.constexpr(1.4426950408889634)


@triton.jit
def _level_of(position, levels, LEVELS: tl.constexpr):
    """The level of each latent."""
    level = position * 0
    for i in tl.static_range(1, LEVELS):
        level += (position >= tl.load(levels + i * _LEVEL)).to(tl.int32)
    return level


@triton.jit
def pad(z, padded, levels, LATENTS, LEVELS: tl.constexpr, BLOCK: tl.constexpr):
    """Copies latents [LATENTS] to the padded array, whose padding is never written."""
    p = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    valid = p < LATENTS
    entry = levels + _level_of(p, levels, LEVELS) * _LEVEL
    position = p - tl.load(entry)
    width = tl.load(entry + 2)
    y = position // width
    at = tl.load(entry + 3) + y * tl.load(entry + 4) + position - y * width
    tl.store(padded + at, tl.load(z + p, mask=valid, other=0.0), mask=valid)


@triton.jit
def _expm1(x):
    """exp(x) - 1 for x <= 0; near 0, where the difference would cancel, its Taylor series."""
    near = tl.maximum(x, -0.5)
    series = 1.0 + near * 0.125
    for i in tl.static_range(6):
        series = 1.0 + series * near * (1.0 / (7 - i))
    return tl.where(x > -0.5, series * near, tl.exp(x) - 1.0)


@triton.jit
def _laplace(y, mu, log_scale, gain):
    """(bits, d/dy, d/dlog_scale) of latents under Laplace distributions; see `laplace_bits`.

    Args:
        gain: d loss / d bits; the derivatives are of the loss.
    """
    inside = (log_scale >= _LOWEST) & (log_scale <= _HIGHEST)
    inverse = tl.exp2(-clipped(log_scale, _LOWEST, _HIGHEST))
    difference = y - mu
    d = tl.abs(difference)
    m = tl.minimum(d, 0.5)
    far = _expm1(-(0.5 + m) * inverse)
    near = _expm1((m - 0.5) * inverse)
    mass = -0.5 * (far + near)
    outer = d - m
    bits = outer * inverse * _LOG2_E - tl.log2(mass)
    share = 0.5 / mass
    slope = gain * inverse * _LOG2_E * (near - far) * share
    slope = tl.where(difference < 0.0, -slope, slope)
    change = (0.5 + m) * (far + 1.0) + (0.5 - m) * (near + 1.0)
    widening = tl.where(inside, -gain * inverse * (outer - change * share), 0.0)
    return bits, slope, widening


@triton.jit
def rate(
    z,
    theta,
    levels,
    contexts,
    rows,
    costs,
    partial,
    weight,
    LATENTS,
    STRIDE: tl.constexpr,
    LEVELS: tl.constexpr,
    INPUTS: tl.constexpr,
    HIDDEN: tl.constexpr,
    TALL: tl.constexpr,
    WIDE: tl.constexpr,
    BLOCK: tl.constexpr,
    PRECISION: tl.constexpr,
    GRADIENTS: tl.constexpr,
    ATOMIC: tl.constexpr,
):
    """Bits of all latents; where asked for, gradients of the context network and of latents.

    Args:
        z: the padded array of `plan.GridPlan`.
        theta: parameters of the context network: w1, b1, w2, b2, w3, skip, b3.
        levels, contexts: tables of `plan.GridPlan`.
        rows: [INPUTS + 1, latents] gradients by context, and of each latent itself; if ATOMIC, an
            array like z, to which they are added.
        costs: [latents], bits of each, written where no gradients are asked for.
        partial: [programs, STRIDE] sums of each program: parameters from column 0, bits in the
            last.
        weight: d loss / d bits.
        TALL: features of the tiles, >= HIDDEN; WIDE: their inputs, > INPUTS; a row of ones there
            carries the biases.
        BLOCK: latents at once.
        PRECISION: of products, see tl.dot.
    """
    b1 = theta + HIDDEN * INPUTS
    w2 = b1 + HIDDEN
    b2 = w2 + HIDDEN * HIDDEN
    w3 = b2 + HIDDEN
    skip = w3 + 2 * HIDDEN
    b3 = skip + 2 * INPUTS

    f = tl.arange(0, WIDE)
    a1 = matrix(theta, HIDDEN, INPUTS, TALL, WIDE)
    a1 += tl.where(f[None, :] == INPUTS, vector(b1, HIDDEN, TALL)[:, None], 0.0)
    a2 = matrix(w2, HIDDEN, HIDDEN, TALL, TALL)
    bias2 = vector(b2, HIDDEN, TALL)[:, None]
    mean_w = vector(w3, HIDDEN, TALL)[:, None]
    scale_w = vector(w3 + HIDDEN, HIDDEN, TALL)[:, None]
    mean_skip = vector(skip, INPUTS, WIDE) + tl.where(f == INPUTS, tl.load(b3), 0.0)
    scale_skip = vector(skip + INPUTS, INPUTS, WIDE) + tl.where(f == INPUTS, tl.load(b3 + 1), 0.0)
    mean_skip, scale_skip = mean_skip[:, None], scale_skip[:, None]

    # Unused rows see the latent itself, under weights that are zero.
    known = f < INPUTS
    dy = tl.load(contexts + f * _CONTEXT, mask=known, other=0)[:, None]
    dx = tl.load(contexts + f * _CONTEXT + 1, mask=known, other=0)[:, None]
    coarse = tl.load(contexts + f * _CONTEXT + 2, mask=known, other=0)[:, None] != 0

    if GRADIENTS:
        a1_t = transposed(theta, HIDDEN, INPUTS, TALL, WIDE)
        a2_t = transposed(w2, HIDDEN, HIDDEN, TALL, TALL)
        output = tl.arange(0, 16)[:, None]
        d_a1 = tl.zeros([TALL, WIDE], tl.float32)
        d_a2 = tl.zeros([TALL, TALL], tl.float32)
        d_b2 = tl.zeros([TALL], tl.float32)
        d_w3 = tl.zeros([16, TALL], tl.float32)
        d_skip = tl.zeros([16, WIDE], tl.float32)
    total = tl.zeros([BLOCK], tl.float32)

    for start in range(tl.program_id(0) * BLOCK, LATENTS, tl.num_programs(0) * BLOCK):
        p = start + tl.arange(0, BLOCK)
        valid = p < LATENTS
        q = tl.minimum(p, LATENTS - 1)
        entry = levels + _level_of(q, levels, LEVELS) * _LEVEL
        q -= tl.load(entry)
        width, pitch = tl.load(entry + 2), tl.load(entry + 4)
        y = q // width
        x = q - y * width
        own = tl.load(entry + 3) + y * pitch + x
        parent_pitch, parent_step = tl.load(entry + 6), tl.load(entry + 7)
        parent = tl.load(entry + 5) + (y >> 1) * parent_pitch + (x >> 1) * parent_step
        parent_pitch = tl.where((y & 1) != 0, parent_pitch, -parent_pitch)
        parent_step = tl.where((x & 1) != 0, 1, -1)
        at = tl.where(coarse, parent[None, :], own[None, :])
        at += dy * tl.where(coarse, parent_pitch[None, :], pitch[None, :])
        at += dx * tl.where(coarse, parent_step[None, :], 1)
        inputs = tl.load(z + at)
        inputs = tl.where(f[:, None] == INPUTS, 1.0, inputs)

        h = relu(product(a1, inputs, PRECISION))
        g = relu(product(a2, h, PRECISION) + bias2)
        s = h + g
        mu = tl.sum(mean_w * s, axis=0) + tl.sum(mean_skip * inputs, axis=0)
        log_scale = tl.sum(scale_w * s, axis=0) + tl.sum(scale_skip * inputs, axis=0)
        value = tl.load(z + own)
        gain = tl.where(valid, weight, 0.0)
        bits, slope, widening = _laplace(value, mu, log_scale, gain)
        total += tl.where(valid, bits, 0.0)
        if not GRADIENTS:
            tl.store(costs + p, bits, mask=valid)
        if GRADIENTS:
            d_out = tl.where(
                output == 0, -slope[None, :], tl.where(output == 1, widening[None, :], 0.0)
            )
            d_w3 += product(d_out, tl.trans(s), PRECISION)
            d_skip += product(d_out, tl.trans(inputs), PRECISION)
            d_s = scale_w * widening[None, :] - mean_w * slope[None, :]
            d_g = tl.where(g > 0.0, d_s, 0.0)
            d_a2 += product(d_g, tl.trans(h), PRECISION)
            d_b2 += tl.sum(d_g, axis=1)
            d_h = tl.where(h > 0.0, d_s + product(a2_t, d_g, PRECISION), 0.0)
            d_a1 += product(d_h, tl.trans(inputs), PRECISION)
            d_x = product(a1_t, d_h, PRECISION)
            d_x += scale_skip * widening[None, :] - mean_skip * slope[None, :]
            if ATOMIC:
                inside = known[:, None] & valid[None, :]
                tl.atomic_add(rows + at, d_x, mask=inside, sem="relaxed")
                tl.atomic_add(rows + own, slope, mask=valid, sem="relaxed")
            else:
                d_x = tl.where(f[:, None] == INPUTS, slope[None, :], d_x)
                row_at = f.to(tl.int64)[:, None] * LATENTS + p[None, :]
                tl.store(rows + row_at, d_x, mask=(f <= INPUTS)[:, None] & valid[None, :])

    partial += tl.program_id(0) * STRIDE
    tl.store(partial + STRIDE - 1, tl.sum(total))
    if GRADIENTS:
        store_matrix(partial, d_a1, HIDDEN, INPUTS, TALL, WIDE)
        partial += HIDDEN * INPUTS
        store_column(partial, d_a1, HIDDEN, INPUTS, TALL, WIDE)
        partial += HIDDEN
        store_matrix(partial, d_a2, HIDDEN, HIDDEN, TALL, TALL)
        partial += HIDDEN * HIDDEN
        hidden = tl.arange(0, TALL)
        tl.store(partial + hidden, d_b2, mask=hidden < HIDDEN)
        partial += HIDDEN
        store_matrix(partial, d_w3, 2, HIDDEN, 16, TALL)
        partial += 2 * HIDDEN
        store_matrix(partial, d_skip, 2, INPUTS, 16, WIDE)
        store_column(partial + 2 * INPUTS, d_skip, 2, INPUTS, 16, WIDE)


@triton.jit
def _collected(
    rows,
    levels,
    contexts,
    LATENTS,
    p,
    valid,
    level,
    y,
    x,
    SPATIAL: tl.constexpr,
    COARSE: tl.constexpr,
):
    """What all rows hold for latents p, at (y, x) of their levels."""
    pitch = p.to(tl.int64) * 0 + LATENTS
    total = tl.load(rows + pitch * (SPATIAL + COARSE) + p, mask=valid, other=0.0)
    entry = levels + level * _LEVEL
    first, height, width = tl.load(entry), tl.load(entry + 1), tl.load(entry + 2)
    for j in tl.static_range(SPATIAL):
        row = y - tl.load(contexts + j * _CONTEXT)
        column = x - tl.load(contexts + j * _CONTEXT + 1)
        inside = valid & (row < height) & (column >= 0) & (column < width)
        at = first + row * width + column
        total += tl.load(rows + pitch * j + at, mask=inside, other=0.0)
    finer = levels + tl.maximum(level - 1, 0) * _LEVEL
    first = tl.load(finer)
    height = tl.where(level == 0, 0, tl.load(finer + 1))  # there is nothing finer than the finest
    width = tl.load(finer + 2)
    for j in tl.static_range(SPATIAL, SPATIAL + COARSE):
        dy = tl.load(contexts + j * _CONTEXT)
        dx = tl.load(contexts + j * _CONTEXT + 1)
        for quarter in tl.static_range(4):
            row = 2 * (y - (dy if quarter // 2 else -dy)) + quarter // 2
            column = 2 * (x - (dx if quarter % 2 else -dx)) + quarter % 2
            inside = valid & (row >= 0) & (row < height) & (column >= 0) & (column < width)
            at = first + row * width + column
            total += tl.load(rows + pitch * j + at, mask=inside, other=0.0)
    return total


@triton.jit
def collect(
    gradient,
    rows,
    levels,
    contexts,
    LATENTS,
    LEVELS: tl.constexpr,
    SPATIAL: tl.constexpr,
    COARSE: tl.constexpr,
    BLOCK: tl.constexpr,
    ATOMIC: tl.constexpr,
):
    """Adds what `rate` wrote as rows to the gradients of the latents that it is of.

    Args:
        gradient: [latents], added to.
        rows, levels, contexts: as above; SPATIAL contexts, then COARSE ones. If ATOMIC, the sums in
            `rows` are set to zero for the next step.
    """
    p = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    valid = p < LATENTS
    level = _level_of(p, levels, LEVELS)
    entry = levels + level * _LEVEL
    position, width = p - tl.load(entry), tl.load(entry + 2)
    y = position // width
    x = position - y * width
    total = tl.load(gradient + p, mask=valid, other=0.0)
    if ATOMIC:
        own = rows + tl.load(entry + 3) + y * tl.load(entry + 4) + x
        total += tl.load(own, mask=valid, other=0.0)
        tl.store(own, tl.zeros([BLOCK], tl.float32), mask=valid)
    else:
        total += _collected(rows, levels, contexts, LATENTS, p, valid, level, y, x, SPATIAL, COARSE)
    tl.store(gradient + p, total, mask=valid)
