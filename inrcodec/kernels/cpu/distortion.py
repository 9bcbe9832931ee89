"""The distortion term of one band of rows: interpolation, synthesis, 3x3 layers and all gradients.

A band computes its picture with `taps` times two extra rows on either side, so that bands need
nothing of each other. Pictures have rows of `pitch` samples with MARGIN columns left of the image
and some more to the right; a run of them is one row of a dense layer, and the nine shifts of a 3x3
layer are nine distances. The margins are set after each layer: copies of the border (replicate
padding) in forward planes, zeros in gradients.

```
 levels ─across─► wide rows ─down─► features ─dense─► hidden ─dense─► plane 0 ─3x3─► ... plane taps
        ◄────────            ◄─────          ◄──────         ◄──────         ◄────  difference
```
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from inrcodec.kernels.cpu.compiling import compiled, inlined, kernel
from inrcodec.kernels.cpu.dense import dense, dots, masked, part
from inrcodec.kernels.cpu.interpolation import (
    MARGIN,
    ROW,
    RUN,
    across,
    across_adjoint,
    down,
    down_adjoint,
)
from inrcodec.kernels.cpu.rate import flush

Array = np.ndarray

# float32 sums of gradients are moved to float64 after so many samples or rows
_FLUSH_SAMPLES = 16384
_FLUSH_ROWS = 16

_f = np.float32
_ZERO, _ONE = _f(0), _f(1)
_LINEAR = _f(-np.inf)


class PictureBand(NamedTuple):
    """Rows first .. last of the picture, and where its scratch is.

    Args:
        height, width: of the picture; pitch: of planes; wide_pitch: of wide rows.
        channels, hidden, taps: sizes of the synthesis.
        features_at, hidden_at, planes_at, line_at: parts of the scratch.
        plane: elements of a channel plane; row 0 of a plane is row `top` of the picture.
    """

    first: int
    last: int
    height: int
    width: int
    pitch: int
    wide_pitch: int
    channels: int
    hidden: int
    taps: int
    features_at: int
    hidden_at: int
    planes_at: int
    line_at: int
    plane: int
    top: int


@kernel
def _set_margins(s: Array, band: PictureBand, at: int, first: int, last: int, copy: bool) -> None:
    """Fills the columns outside the image of rows first .. last from its border, or with 0."""
    for c in range(band.channels):
        for y in range(first, last):
            row = part(s, at + c * band.plane + (y - band.top) * band.pitch, band.pitch)
            end = MARGIN + band.width
            left = row[MARGIN] if copy else _ZERO
            right = row[end - 1] if copy else _ZERO
            for i in range(MARGIN):
                row[i] = left
            for i in range(end, band.pitch):
                row[i] = right


@kernel
def _add(s: Array, target_at: int, source_at: int, count: int, keep: bool) -> None:
    """Copies a stretch of scratch to another, or adds it if `keep`."""
    target, source = part(s, target_at, count), part(s, source_at, count)
    for i in range(count):
        target[i] = target[i] + source[i] if keep else source[i]


@inlined
def _copy_border_rows(s: Array, band: PictureBand, at: int) -> None:
    """Fills the row above and below the image, where the band reaches them, from its border."""
    for c in range(band.channels):
        top = at + c * band.plane - band.top * band.pitch
        if band.first - 2 * band.taps <= 0:
            _add(s, top - band.pitch, top, band.pitch, False)
        if band.last + 2 * band.taps >= band.height:
            end = top + band.height * band.pitch
            _add(s, end, end - band.pitch, band.pitch, False)


@kernel
def _clear_border_rows(s: Array, band: PictureBand, at: int) -> None:
    """Sets the two rows above and below the image, where the band reaches them, to 0."""
    count = 2 * band.pitch
    for c in range(band.channels):
        top = at + c * band.plane - band.top * band.pitch
        if band.first - 2 * band.taps <= 0:
            rows = part(s, top - count, count)
            for i in range(count):
                rows[i] = _ZERO
        if band.last + 2 * band.taps >= band.height:
            rows = part(s, top + band.height * band.pitch, count)
            for i in range(count):
                rows[i] = _ZERO


@kernel
def _fold_margins(s: Array, band: PictureBand, at: int, first: int, last: int) -> None:
    """Adds the gradients of replicated borders to those of the border (adjoint of padding)."""
    for c in range(band.channels):
        top = at + c * band.plane - band.top * band.pitch
        if first == 0:
            _add(s, top, top - band.pitch, band.pitch, True)
        if last == band.height:
            end = top + band.height * band.pitch
            _add(s, end - band.pitch, end, band.pitch, True)
        for y in range(first, last):
            left = top + y * band.pitch + MARGIN
            s[left] += s[left - 1]
            right = left + band.width
            s[right - 1] += s[right]


@kernel
def _keep_squares(differences: Array, squares: Array, add: bool) -> None:
    """Squares of a channel's row, added to those of the channels before."""
    for i in range(len(squares)):
        square = differences[i] * differences[i]
        squares[i] = squares[i] + square if add else square


@kernel
def _difference(
    s: Array,
    target: Array,
    band: PictureBand,
    at: int,
    first: int,
    last: int,
    clip: bool,
    scale: float,
    squares: Array,
) -> float:
    """The squared error of the band's rows; turns rows first .. last into gradients.

    Of a clipped picture, which needs a scale of 1, it leaves the error of each pixel in squares.
    """
    total = 0.0
    lowest, highest = (_ZERO, _ONE) if clip else (_LINEAR, -_LINEAR)
    for c in range(band.channels):
        for y in range(first, last):
            row = part(s, at + c * band.plane + (y - band.top) * band.pitch + MARGIN, band.width)
            wanted = part(target, (c * band.height + y) * band.width, band.width)
            error = _ZERO
            for i in range(band.width):
                difference = min(max(row[i], lowest), highest) - wanted[i]
                error += difference * difference
                row[i] = scale * difference
            if band.first <= y < band.last:
                total += np.float64(error)
                if clip:
                    _keep_squares(row, part(squares, y * band.width, band.width), c > 0)
    return total


@inlined
def _synthesis(
    z: Array,
    s: Array,
    kernels: Array,
    levels: Array,
    band: PictureBand,
    weights: tuple[Array, ...],
    rows: tuple[Array, ...],
    y: int,
    column: int,
    n: int,
) -> None:
    """Features and hidden layer of a run of row y."""
    down(z, s, kernels, levels, band, y, column, n)
    features = len(levels)
    dense(
        s, band.hidden_at, ROW, weights[0], band.hidden, features, s, band.features_at, rows[0], n,
        _ZERO,
    )  # fmt: skip


@inlined
def _planes(
    z: Array,
    s: Array,
    kernels: Array,
    levels: Array,
    band: PictureBand,
    weights: tuple[Array, ...],
    rows: tuple[Array, ...],
) -> None:
    """All planes, each on the rows that the next one needs."""
    for i in range(len(levels)):
        if levels[i].spacing > 1:
            across(z, s, kernels, levels[i], band)
    reach = 2 * band.taps
    first, last = max(band.first - reach, 0), min(band.last + reach, band.height)
    for y in range(first, last):
        for column in range(0, band.pitch, RUN):
            n = min(RUN, band.pitch - column)
            _synthesis(z, s, kernels, levels, band, weights, rows, y, column, n)
            out = band.planes_at + (y - band.top) * band.pitch + column
            dense(
                s, out, band.plane, weights[1], band.channels, band.hidden, s, band.hidden_at,
                rows[0], n, _LINEAR,
            )  # fmt: skip
    for k in range(band.taps):
        at = band.planes_at + k * band.channels * band.plane
        _set_margins(s, band, at, first, last, True)
        _copy_border_rows(s, band, at)
        reach -= 1
        first, last = max(band.first - reach, 0), min(band.last + reach, band.height)
        x0 = at + (first - band.top) * band.pitch
        size = (1 + 9 * band.channels) * band.channels
        dense(
            s, x0 + band.channels * band.plane, band.plane, weights[2][k * size : (k + 1) * size],
            band.channels, 9 * band.channels, s, x0, rows[1], (last - first) * band.pitch,
            _ZERO if k + 1 < band.taps else _LINEAR,
        )  # fmt: skip


@compiled
def picture_forward(
    z: Array,
    target: Array,
    kernels: Array,
    levels: Array,
    band: PictureBand,
    weights: tuple[Array, ...],
    rows: tuple[Array, ...],
    s: Array,
    clip: bool,
    scale: float,
    squares: Array,
) -> float:
    """Sum of squared errors of a band; leaves the planes and the picture's gradient in scratch.

    Args:
        z: all levels as in `rate`.
        target: [channels * height * width].
        kernels: interpolation weights of all levels, flat.
        levels: [levels] LEVEL_PART.
        weights: packed matrices: features to hidden, hidden to channels, 3x3 layers, their
            adjoints, and the adjoints of the first two.
        rows: row starts: consecutive rows of scratch; nine shifts of each plane; planes.
        s: scratch.
        clip: whether the picture is clipped to [0, 1].
        scale: d loss / d picture is scale times the difference; 1 where the picture is clipped.
        squares: [height * width] squared error of each pixel, where the picture is clipped.
    """
    ones = part(s, band.features_at + len(levels) * ROW, RUN)
    hidden_ones = part(s, band.hidden_at + band.hidden * ROW, RUN)
    for i in range(RUN):
        ones[i] = _ONE
        hidden_ones[i] = _ONE
    _planes(z, s, kernels, levels, band, weights, rows)
    at = band.planes_at + band.taps * band.channels * band.plane
    first = max(band.first - band.taps, 0)
    last = min(band.last + band.taps, band.height)
    error = _difference(s, target, band, at, first, last, clip, scale, squares)
    _set_margins(s, band, at, first, last, False)
    _clear_border_rows(s, band, at)
    return error


@compiled
def taps_backward(
    s: Array,
    band: PictureBand,
    weights: tuple[Array, ...],
    rows: tuple[Array, ...],
    accs: tuple[Array, ...],
    totals: tuple[Array, ...],
) -> None:
    """Turns planes into their gradients, last to first; adds to those of the 3x3 layers.

    Args: as above, and accs: three arrays for `dots`; totals: float64 sums of gradients for the
        first two matrices with their biases, 3x3 layers, and their biases.
    """
    channels, plane, pitch = band.channels, band.plane, band.pitch
    shifts = 9 * channels
    sums = channels * shifts
    size = (1 + shifts) * channels
    start = (band.first - band.top) * pitch
    samples = (band.last - band.first) * pitch
    for k in range(band.taps - 1, -1, -1):
        at = band.planes_at + k * channels * plane
        above = at + channels * plane
        for run in range(start, start + samples, _FLUSH_SAMPLES):
            n = min(_FLUSH_SAMPLES, start + samples - run)
            dots(
                accs[2], s, above + run, plane, channels, s, at + run, rows[1], shifts, n
            )  # fmt: skip
            flush(accs[2], totals[2][k * sums :], sums)
        for c in range(channels):
            for row in range(above + c * plane + start, above + c * plane + start + samples, pitch):
                samples_of_row = part(s, row, pitch)
                bias = _ZERO
                for i in range(pitch):
                    bias += samples_of_row[i]
                totals[3][k * channels + c] += np.float64(bias)
        first, last = max(band.first - k, 0), min(band.last + k, band.height)
        low = first - 1 if first == 0 else first
        high = last + 1 if last == band.height else last
        x0 = above + (low - band.top) * pitch
        out = at + (low - band.top) * pitch
        n = (high - low) * pitch
        a = weights[3][k * size : (k + 1) * size]
        if k == 0:
            dense(s, out, plane, a, channels, shifts, s, x0, rows[1], n, _LINEAR)
        else:
            masked(s, out, plane, a, channels, shifts, s, x0, rows[1], n, s, out, plane)
        _fold_margins(s, band, at, first, last)
        _set_margins(s, band, at, first, last, False)
        _clear_border_rows(s, band, at)


@compiled
def synthesis_backward(
    z: Array,
    s: Array,
    kernels: Array,
    levels: Array,
    band: PictureBand,
    weights: tuple[Array, ...],
    rows: tuple[Array, ...],
    accs: tuple[Array, ...],
    totals: tuple[Array, ...],
    gradient: Array,
) -> None:
    """Adds to the gradients of the synthesis and of latents, from the gradient of plane 0.

    Args: as above, and gradient: sums of the gradients of latents.
    """
    features, hidden, channels = len(levels), band.hidden, band.channels
    for i in range(features):
        if levels[i].spacing > 1:
            at = levels[i].adjoint_at
            wide = part(s, at, levels[i].rows * band.wide_pitch)
            for j in range(len(wide)):
                wide[j] = _ZERO
    for y in range(band.first, band.last):
        for column in range(0, band.pitch, RUN):
            n = min(RUN, band.pitch - column)
            _synthesis(z, s, kernels, levels, band, weights, rows, y, column, n)
            at = band.planes_at + (y - band.top) * band.pitch + column
            h_at, f_at = band.hidden_at, band.features_at
            dots(
                accs[1], s, at, band.plane, channels, s, h_at, rows[0], hidden + 1, n
            )  # fmt: skip
            masked(
                s, h_at, ROW, weights[4], hidden, channels, s, at, rows[2], n, s, h_at, ROW
            )  # fmt: skip
            dots(
                accs[0], s, h_at, ROW, hidden, s, f_at, rows[0], features + 1, n
            )  # fmt: skip
            dense(s, f_at, ROW, weights[5], features, hidden, s, h_at, rows[0], n, _LINEAR)
            down_adjoint(s, kernels, levels, band, y, column, n, gradient)
        if (y + 1 - band.first) % _FLUSH_ROWS == 0 or y + 1 == band.last:
            flush(accs[0], totals[0], len(totals[0]))
            flush(accs[1], totals[1], len(totals[1]))
    for i in range(features):
        if levels[i].spacing > 1:
            across_adjoint(s, kernels, levels[i], band, gradient)
