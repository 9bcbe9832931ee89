"""The distortion term: synthesis, 3x3 layers, difference to the target, and their adjoints.

The hidden features of the synthesis stay in registers and are computed again by the backward pass.
What goes through memory, which for pictures of a megapixel and less is the level 2 cache, are per
pixel: the channels of each plane and of its gradient, written once and read about once per layer,
and the gradients of the features, one float per level; 4 * (2 * channels * (3 + 3 * taps) + 2 *
levels) bytes of traffic, some 270 with two layers.
"""

from __future__ import annotations

import triton
import triton.language as tl

from inrcodec.kernels.gpu.plan import TAPS as _SUPPORT
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

_REACH = tl.constexpr(_SUPPORT)


@triton.jit
def _features(
    wide,
    across,
    low,
    weights,
    p,
    valid,
    WIDTH,
    GAIN,
    LEVELS: tl.constexpr,
    FEATURES: tl.constexpr,
):
    """[FEATURES, pixels]: levels interpolated at native pixels p, and a row of ones after them."""
    i = tl.arange(0, FEATURES)[:, None]
    y = p // WIDTH
    x = p - y * WIDTH
    known = (i < LEVELS) & valid[None, :]
    first = tl.load(across + 2 * i, mask=i < LEVELS, other=0)
    pitch = tl.load(across + 2 * i + 1, mask=i < LEVELS, other=0)
    column = i * WIDTH + x[None, :]
    at = first + y[None, :] * pitch + tl.load(low + column, mask=known, other=0)
    features = tl.zeros([FEATURES, p.shape[0]], tl.float32)
    for tap in tl.static_range(_REACH):
        weight = tl.load(weights + tap * LEVELS * WIDTH + column, mask=known, other=0.0)
        features += weight * tl.load(wide + at + tap, mask=known & (weight != 0.0), other=0.0)
    return tl.where(i == LEVELS, 1.0, features * GAIN)


@triton.jit
def _difference(picture, target, plane, at, known, scale, CLIP: tl.constexpr):
    """The squared differences of pixels to the target; writes the gradient of the picture.

    Args:
        picture: a tile, of which `known` are pixels, at `at` in the planes.
        scale: d loss / d picture is scale times the difference.
        CLIP: whether the picture is clipped to [0, 1], for the error alone.
    """
    if CLIP:
        picture = clipped(picture, 0.0, 1.0)
    wanted = tl.load(target + at, mask=known, other=0.0)
    difference = tl.where(known, picture - wanted, 0.0)
    if not CLIP:
        tl.store(plane + at, difference * scale, mask=known)
    return difference * difference


@triton.jit
def synthesis(
    wide,
    across,
    low,
    weights,
    theta,
    plane,
    target,
    partial,
    scale,
    gain,
    WIDTH,
    PIXELS,
    STRIDE: tl.constexpr,
    LEVELS: tl.constexpr,
    HIDDEN: tl.constexpr,
    CHANNELS: tl.constexpr,
    TALL: tl.constexpr,
    BLOCK: tl.constexpr,
    PRECISION: tl.constexpr,
    LAST: tl.constexpr,
    CLIP: tl.constexpr,
):
    """Plane 0 of the picture; if LAST the gradient of the picture instead, or if CLIP the mean
    squared error of each pixel, in the first channel.

    Args:
        wide: wide rows of all levels; across, low, weights: tables of `plan.GridPlan`.
        theta: parameters of the synthesis: w1, b1, w2, b2.
        plane: [CHANNELS, PIXELS], written.
        target, partial, scale: of the last layer, see `_difference`; the squared error of a program
            goes to column STRIDE - 2 of its row.
        gain: factor between latents and features.
        TALL: features of the tiles, >= HIDDEN.
        BLOCK: pixels at once.
        PRECISION: of products, see tl.dot.
    """
    b1 = theta + HIDDEN * LEVELS
    w2 = b1 + HIDDEN
    b2 = w2 + CHANNELS * HIDDEN
    f = tl.arange(0, 16)[None, :]
    c = tl.arange(0, 16)[:, None]
    a1 = matrix(theta, HIDDEN, LEVELS, TALL, 16)
    a1 += tl.where(f == LEVELS, vector(b1, HIDDEN, TALL)[:, None], 0.0)
    a2 = matrix(w2, CHANNELS, HIDDEN, 16, TALL)
    bias2 = vector(b2, CHANNELS, 16)[:, None]
    error = tl.zeros([BLOCK], tl.float32)
    for start in range(tl.program_id(0) * BLOCK, PIXELS, tl.num_programs(0) * BLOCK):
        p = start + tl.arange(0, BLOCK)
        valid = p < PIXELS
        features = _features(wide, across, low, weights, p, valid, WIDTH, gain, LEVELS, 16)
        h = relu(product(a1, features, PRECISION))
        y = product(a2, h, PRECISION) + bias2
        at = c * PIXELS + p[None, :]
        known = (c < CHANNELS) & valid[None, :]
        if LAST:
            squares = tl.sum(_difference(y, target, plane, at, known, scale, CLIP), axis=0)
            error += squares
            if CLIP:
                tl.store(plane + p, squares / CHANNELS, mask=valid)
        else:
            tl.store(plane + at, y, mask=known)
    if LAST:
        tl.store(partial + tl.program_id(0) * STRIDE + STRIDE - 2, tl.sum(error))


@triton.jit
def synthesis_adjoint(
    wide,
    across,
    low,
    weights,
    theta,
    d_plane,
    d_features,
    partial,
    gain,
    WIDTH,
    PIXELS,
    STRIDE: tl.constexpr,
    LEVELS: tl.constexpr,
    HIDDEN: tl.constexpr,
    CHANNELS: tl.constexpr,
    TALL: tl.constexpr,
    BLOCK: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Gradients of the synthesis and of the features, from those of plane 0.

    Args: as of `synthesis`, and
        d_plane: [CHANNELS, PIXELS].
        d_features: [LEVELS, PIXELS], written: the gradients of interpolated latents.
        partial: where the sums of the first program begin.
    """
    b1 = theta + HIDDEN * LEVELS
    w2 = b1 + HIDDEN
    f = tl.arange(0, 16)
    c = tl.arange(0, 16)[:, None]
    a1 = matrix(theta, HIDDEN, LEVELS, TALL, 16)
    a1 += tl.where(f[None, :] == LEVELS, vector(b1, HIDDEN, TALL)[:, None], 0.0)
    a1_t = transposed(theta, HIDDEN, LEVELS, TALL, 16)
    a2_t = transposed(w2, CHANNELS, HIDDEN, 16, TALL)
    d_a1 = tl.zeros([TALL, 16], tl.float32)
    d_a2 = tl.zeros([16, TALL], tl.float32)
    d_b2 = tl.zeros([16], tl.float32)
    for start in range(tl.program_id(0) * BLOCK, PIXELS, tl.num_programs(0) * BLOCK):
        p = start + tl.arange(0, BLOCK)
        valid = p < PIXELS
        features = _features(wide, across, low, weights, p, valid, WIDTH, gain, LEVELS, 16)
        h = relu(product(a1, features, PRECISION))
        known = (c < CHANNELS) & valid[None, :]
        d_y = tl.load(d_plane + c * PIXELS + p[None, :], mask=known, other=0.0)
        d_a2 += product(d_y, tl.trans(h), PRECISION)
        d_b2 += tl.sum(d_y, axis=1)
        d_h = tl.where(h > 0.0, product(a2_t, d_y, PRECISION), 0.0)
        d_a1 += product(d_h, tl.trans(features), PRECISION)
        d_f = product(a1_t, d_h, PRECISION) * gain
        at = f[:, None] * PIXELS + p[None, :]
        tl.store(d_features + at, d_f, mask=(f < LEVELS)[:, None] & valid[None, :])
    partial += tl.program_id(0) * STRIDE
    store_matrix(partial, d_a1, HIDDEN, LEVELS, TALL, 16)
    partial += HIDDEN * LEVELS
    store_column(partial, d_a1, HIDDEN, LEVELS, TALL, 16)
    partial += HIDDEN
    store_matrix(partial, d_a2, CHANNELS, HIDDEN, 16, TALL)
    channel = tl.arange(0, 16)
    tl.store(partial + CHANNELS * HIDDEN + channel, d_b2, mask=channel < CHANNELS)


@triton.jit
def _clamped(index, size):
    return tl.minimum(tl.maximum(index, 0), size - 1)


@triton.jit
def layer(
    below,
    above,
    theta,
    target,
    partial,
    scale,
    HEIGHT,
    WIDTH,
    STRIDE: tl.constexpr,
    CHANNELS: tl.constexpr,
    BLOCK: tl.constexpr,
    LAST: tl.constexpr,
    CLIP: tl.constexpr,
):
    """A residual 3x3 layer with copied borders, from plane to plane; ReLU after all but the last.

    Args:
        below, above: [CHANNELS, HEIGHT * WIDTH]; if LAST, above is what `synthesis` then writes.
        theta: parameters of the layer: [CHANNELS, CHANNELS, 3, 3] weights and biases.
        target, partial, scale: of the last layer, see `synthesis`.
    """
    pixels = HEIGHT * WIDTH
    error = tl.zeros([BLOCK], tl.float32)
    for start in range(tl.program_id(0) * BLOCK, pixels, tl.num_programs(0) * BLOCK):
        p = start + tl.arange(0, BLOCK)
        valid = p < pixels
        row = p // WIDTH
        column = p - row * WIDTH
        squares = tl.zeros([BLOCK], tl.float32)
        for c in tl.static_range(CHANNELS):
            y = tl.load(below + c * pixels + p, mask=valid, other=0.0)
            y += tl.load(theta + 9 * CHANNELS * CHANNELS + c)
            for tap in tl.static_range(9):
                source = _clamped(row + (tap // 3 - 1), HEIGHT) * WIDTH
                source += _clamped(column + (tap % 3 - 1), WIDTH)
                for channel in tl.static_range(CHANNELS):
                    value = tl.load(below + channel * pixels + source, mask=valid, other=0.0)
                    y += tl.load(theta + (c * CHANNELS + channel) * 9 + tap) * value
            at = c * pixels + p
            if LAST:
                squares += _difference(y, target, above, at, valid, scale, CLIP)
            else:
                tl.store(above + at, relu(y), mask=valid)
        if LAST:
            error += squares
            if CLIP:
                tl.store(above + p, squares / CHANNELS, mask=valid)
    if LAST:
        tl.store(partial + tl.program_id(0) * STRIDE + STRIDE - 2, tl.sum(error))


@triton.jit
def _read_by(value, kernel, row, column, HEIGHT, WIDTH, PLACE: tl.constexpr):
    """What pixels at (row, column) add to a gradient `value` of the layer's output beside them.

    Args:
        kernel: [9] weights.
        PLACE: 0..8, where the output is: 4 at the pixel itself, 0 above and left of it.
    """
    total = value * 0.0
    for tap in tl.static_range(9):
        # The opposite tap of the layer reads the pixel. At a border so do taps that look beyond it.
        if (PLACE // 3 == 1 or tap // 3 == 2 - PLACE // 3) and (
            PLACE % 3 == 1 or tap % 3 == 2 - PLACE % 3
        ):
            read = value
            if PLACE // 3 == 1 and tap // 3 != 1:
                read = tl.where(row == tap // 6 * (HEIGHT - 1), read, 0.0)
            if PLACE % 3 == 1 and tap % 3 != 1:
                read = tl.where(column == tap % 3 // 2 * (WIDTH - 1), read, 0.0)
            total += tl.load(kernel + tap) * read
    return total


@triton.jit
def layer_adjoint(
    below,
    d_above,
    d_below,
    theta,
    partial,
    HEIGHT,
    WIDTH,
    STRIDE: tl.constexpr,
    CHANNELS: tl.constexpr,
    INPUTS: tl.constexpr,
    BLOCK: tl.constexpr,
    PRECISION: tl.constexpr,
    FIRST: tl.constexpr,
):
    """Gradients of a 3x3 layer and of the plane below, from those of what the layer adds up.

    Args:
        below: the plane below, after its ReLU unless FIRST.
        d_above: gradients of the sums; d_below: the same of the plane below, written.
        partial: where the sums of the first program begin.
        INPUTS: of the tiles, > 9 * CHANNELS; a row of ones there carries the biases.
    """
    pixels = HEIGHT * WIDTH
    o = tl.arange(0, 16)[:, None]
    j = tl.arange(0, INPUTS)[:, None]
    sums = tl.zeros([16, INPUTS], tl.float32)
    for start in range(tl.program_id(0) * BLOCK, pixels, tl.num_programs(0) * BLOCK):
        p = start + tl.arange(0, BLOCK)
        valid = p < pixels
        row = p // WIDTH
        column = p - row * WIDTH

        source = j // 9 * pixels + _clamped(row[None, :] + (j % 9 // 3 - 1), HEIGHT) * WIDTH
        source += _clamped(column[None, :] + (j % 3 - 1), WIDTH)
        wanted = (j < 9 * CHANNELS) & valid[None, :]
        inputs = tl.load(below + source, mask=wanted, other=0.0)
        inputs = tl.where(j == 9 * CHANNELS, 1.0, inputs)
        known = (o < CHANNELS) & valid[None, :]
        d_y = tl.load(d_above + o * pixels + p[None, :], mask=known, other=0.0)
        sums += product(d_y, tl.trans(inputs), PRECISION)

        for c in tl.static_range(CHANNELS):
            at = c * pixels + p
            d_x = tl.load(d_above + at, mask=valid, other=0.0)
            for place in tl.static_range(9):
                inside = valid & (row >= 1 - place // 3) & (row <= HEIGHT - place // 3)
                inside = inside & (column >= 1 - place % 3) & (column <= WIDTH - place % 3)
                there = p + (place // 3 - 1) * WIDTH + (place % 3 - 1)
                for channel in tl.static_range(CHANNELS):
                    value = tl.load(d_above + channel * pixels + there, mask=inside, other=0.0)
                    kernel = theta + (channel * CHANNELS + c) * 9
                    d_x += _read_by(value, kernel, row, column, HEIGHT, WIDTH, place)
            if not FIRST:
                d_x = tl.where(tl.load(below + at, mask=valid, other=0.0) > 0.0, d_x, 0.0)
            tl.store(d_below + at, d_x, mask=valid)
    partial += tl.program_id(0) * STRIDE
    store_matrix(partial, sums, CHANNELS, 9 * CHANNELS, 16, INPUTS)
    store_column(partial + 9 * CHANNELS * CHANNELS, sums, CHANNELS, 9 * CHANNELS, 16, INPUTS)
