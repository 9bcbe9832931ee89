"""One band of samples through a coordinate network: values, loss and all gradients.

A tile of TILE samples goes forward and backward through all layers while its activations stay in
the cache. Planes lie in scratch row by row, one row per feature, and every plane that a layer reads
ends in a row of ones, which makes the gradient of biases that of one more weight.

```
 coords 1 | target | features 1 | x | h 1, slopes (of every layer) | d, d
 coords ─sines─► features ─dense─► x ─activation─► h, slopes ─dense─► ... ─dense─► d
                                            d ◄─ times slopes ◄─dense─ ... ◄─dense─ values - target
```
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from inrcodec.kernels.cpu.compiling import compiled, kernel
from inrcodec.kernels.cpu.dense import LANES, UNIT, dense, dots, part
from inrcodec.kernels.cpu.elementwise import Formula, chain, formula, loop
from inrcodec.kernels.cpu.rate import flush

Array = np.ndarray

TILE = 256  # 192 to 512 are equally quick at widths 16 to 64; small second-level caches hold this
ROW = np.int64(TILE + 16)  # distance of rows; a power of two would crowd a few cache sets
_FLUSH_TILES = 32  # float32 sums of gradients are moved to float64 after so many tiles

_ZERO = np.float32(0)
_LINEAR = np.float32(-np.inf)
_START = np.int64(0)  # typed: numba compiles anew for every literal integer


class Shape(NamedTuple):
    """Sizes of a network, and where its planes are in scratch.

    Args:
        coords: number of coordinates; bare: how many of them enter the first layer as they are.
        sines: rows of sines of the encoding; trainable: whether their phases have gradients.
        width: features of a layer; parts: 2 if they are complex; layers: with an activation.
        outputs: of the network.
    """

    coords: int
    bare: int
    sines: int
    trainable: int
    width: int
    parts: int
    layers: int
    outputs: int
    target_at: int
    features_at: int
    sine_slopes_at: int
    x_at: int
    layers_at: int
    d_at: int
    other_at: int
    end: int

    @classmethod
    def of(
        cls, coords: int, bare: int, sines: int, trainable: int, width: int, parts: int,
        layers: int, outputs: int,
    ) -> Shape:  # fmt: skip
        features, wide = bare + sines, width * parts
        per_layer = wide + 1 + parts * wide
        d = max(wide, outputs, sines)
        sizes = (
            coords + 1, outputs, features + 1, trainable * sines, max(wide, sines),
            layers * per_layer, d, d,
        )  # fmt: skip
        places = np.cumsum([rows * int(ROW) for rows in sizes]).tolist()
        return cls(coords, bare, sines, trainable, width, parts, layers, outputs, *places)

    @property
    def matrices(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of the sines, and of every layer."""
        wide = self.width * self.parts
        inputs = [self.bare + self.sines, *[wide] * self.layers]
        outputs = [*[wide] * self.layers, self.outputs]
        return [(self.sines, self.coords), *zip(outputs, inputs, strict=True)]

    def ones(self) -> list[int]:
        """Where the rows of ones are."""
        wide = self.width * self.parts
        first = [self.coords * int(ROW), self.features_at + (self.bare + self.sines) * int(ROW)]
        per_layer = (wide + 1 + self.parts * wide) * int(ROW)
        return first + [
            self.layers_at + i * per_layer + wide * int(ROW) for i in range(self.layers)
        ]


@kernel
def _load(
    s: Array, at: int, source: Array, rows: int, count: int, columns: Array, first: int, run: int,
    samples: int,
) -> None:  # fmt: skip
    """Fills rows of scratch with a run of samples of the source [rows, count], then zeros."""
    for k in range(rows):
        row, line = part(s, at + k * ROW, samples), part(source, k * count, count)
        if len(columns) > 0:
            chosen = part(columns, first, run)
            for t in range(run):
                row[t] = line[chosen[t]]
        else:
            line = part(line, first, run)
            for t in range(run):
                row[t] = line[t]
        for t in range(run, samples):
            row[t] = _ZERO


@kernel
def _copy(s: Array, to: int, at: int, rows: int, samples: int) -> None:
    for k in range(rows):
        target, source = part(s, to + k * ROW, samples), part(s, at + k * ROW, samples)
        for t in range(samples):
            target[t] = source[t]


@kernel
def _compare(s: Array, shape: Shape, channel: int, channels: int, run: int, samples: int) -> float:
    """Sum of squared differences; values of these channels become differences, others zero."""
    total = 0.0
    for c in range(shape.outputs):
        d = part(s, shape.d_at + c * ROW, samples)
        if channel <= c < channel + channels:
            target = part(s, shape.target_at + (c - channel) * ROW, samples)
            squares = 0.0
            for t in range(run):
                d[t] -= target[t]
                squares += np.float64(d[t]) * np.float64(d[t])
            total += squares
            for t in range(run, samples):
                d[t] = _ZERO
        else:
            for t in range(samples):
                d[t] = _ZERO
    return total


@kernel
def _store(s: Array, at: int, out: Array, rows: int, count: int, first: int, run: int) -> None:
    for c in range(rows):
        target, source = part(out, c * count + first, run), part(s, at + c * ROW, run)
        for t in range(run):
            target[t] = source[t]


class _Sine:
    """What encodings are made of."""

    def __call__(self, a: Any, x: Any) -> Any:
        return a.sin(x)


_sine = formula(_Sine(), 1)
_sines, _sines_and_slopes = loop(_sine, False), loop(_sine, True)
_multiply = chain(1)


@kernel
def _encode(s: Array, shape: Shape, weights: Array, rows: Array, samples: int) -> None:
    """Fills the features that enter the first layer."""
    _copy(s, shape.features_at, _START, shape.bare, samples)
    if shape.sines == 0:
        return
    a = part(weights, _START, (shape.coords + 1) * shape.sines)
    dense(s, shape.x_at, ROW, a, shape.sines, shape.coords, s, _START, rows, samples, _LINEAR)
    at = shape.features_at + shape.bare * ROW
    if shape.trainable:
        slopes_at = shape.sine_slopes_at
        _sines_and_slopes(s, shape.x_at, at, slopes_at, shape.sines, ROW, samples)
    else:
        _sines(s, shape.x_at, at, _START, shape.sines, ROW, samples)


@kernel
def _flush_all(acc: Array, totals: Array) -> None:
    flush(acc, totals, len(totals))


def _layers_forward(formula: Formula) -> Callable:
    activate = loop(formula, True)

    def forward(s: Array, shape: Shape, weights: Array, rows: Array, samples: int) -> None:
        """All layers, from the features; values are left where the differences will be."""
        wide = shape.width * shape.parts
        inputs, at = shape.bare + shape.sines, shape.features_at
        w_at = (shape.coords + 1) * shape.sines
        h_at = shape.layers_at
        for _ in range(shape.layers):
            a = part(weights, w_at, (inputs + 1) * wide)
            dense(s, shape.x_at, ROW, a, wide, inputs, s, at, rows, samples, _LINEAR)
            slopes_at = h_at + (wide + 1) * ROW
            activate(s, shape.x_at, h_at, slopes_at, shape.width, ROW, samples)
            w_at += (inputs + 1) * wide
            inputs, at = wide, h_at
            h_at = slopes_at + shape.parts * wide * ROW
        a = part(weights, w_at, (inputs + 1) * shape.outputs)
        dense(s, shape.d_at, ROW, a, shape.outputs, inputs, s, at, rows, samples, _LINEAR)

    return kernel(_named(forward, formula.fingerprint))


def _layers_backward(parts: int) -> Callable:
    multiply = chain(parts)

    def backward(
        s: Array, shape: Shape, weights: Array, rows: Array, acc: Array, samples: int
    ) -> None:
        """Adds the gradients of all weights, from the differences.

        Args:
            weights: of the transposed layers, the last first.
            acc: sums for the matrices, the last first.
        """
        wide, features = shape.width * shape.parts, shape.bare + shape.sines
        per_layer = (wide + 1 + shape.parts * wide) * ROW
        d_at, other_at, outputs = shape.d_at, shape.other_at, shape.outputs
        w_at = acc_at = _START
        for i in range(shape.layers, -1, -1):
            h_at = shape.layers_at + (i - 1) * per_layer
            inputs, at = (wide, h_at) if i > 0 else (features, shape.features_at)
            size = outputs * (inputs + 1) * LANES
            sums = part(acc, acc_at, size)
            dots(sums, s, d_at, ROW, outputs, s, at, rows, inputs + 1, samples)
            acc_at += size
            if i > 0:
                a = part(weights, w_at, (outputs + 1) * inputs)
                dense(s, other_at, ROW, a, inputs, outputs, s, d_at, rows, samples, _LINEAR)
                slopes_at = h_at + (wide + 1) * ROW
                multiply(s, other_at, slopes_at, shape.width, ROW, samples)
                w_at += (outputs + 1) * inputs
            elif shape.trainable:
                a = part(weights, w_at, (outputs + 1) * shape.sines)
                dense(s, other_at, ROW, a, shape.sines, outputs, s, d_at, rows, samples, _LINEAR)
                _multiply(s, other_at, shape.sine_slopes_at, shape.sines, ROW, samples)
                sums = part(acc, acc_at, shape.sines * (shape.coords + 1) * LANES)
                dots(
                    sums, s, other_at, ROW, shape.sines, s, _START, rows, shape.coords + 1, samples
                )  # fmt: skip
            outputs = wide
            d_at, other_at = other_at, d_at

    return kernel(_named(backward, parts))


@cache
def band_function(formula: Formula) -> Callable:
    """The compiled function that works on one band of samples, for an activation.

    It returns the sum of squared errors of samples first .. last and takes

        coords: [coords * count], target: [channels * count] float32, flat.
        columns: int64, which of the `count` columns the samples are; empty for all, in order.
        count, first, last, channel, channels: int64; target is of outputs from `channel` on.
        shape: Shape.
        forward, backward: packed weights.
        rows: [*] int64, multiples of ROW.
        s: scratch.
        acc, totals: sums of gradients, float32 vectors and float64; empty for none.
        out: [channels * count] float32 to write values to, or empty.
    """
    forward_layers = _layers_forward(formula)
    backward_layers = _layers_backward(formula.parts)

    def band(
        coords: Array, target: Array, columns: Array, count: int, first: int, last: int,
        channel: int, channels: int, shape: Shape, forward: Array, backward: Array, rows: Array,
        s: Array, acc: Array, totals: Array, out: Array,
    ) -> float:  # fmt: skip
        total, pending = 0.0, 0
        for start in range(first, last, TILE):
            run = min(TILE, last - start)
            samples = (run + UNIT - 1) // UNIT * UNIT
            _load(s, _START, coords, shape.coords, count, columns, start, run, samples)
            _load(s, shape.target_at, target, channels, count, columns, start, run, samples)
            _encode(s, shape, forward, rows, samples)
            forward_layers(s, shape, forward, rows, samples)
            if len(out) > 0:
                _store(s, shape.d_at + channel * ROW, out, channels, count, start, run)
            total += _compare(s, shape, channel, channels, run, samples)
            if len(totals) > 0:
                backward_layers(s, shape, backward, rows, acc, samples)
                pending += 1
                if pending == _FLUSH_TILES:
                    _flush_all(acc, totals)
                    pending = 0
        if pending > 0:
            _flush_all(acc, totals)
        return total

    return compiled(_named(band, formula.fingerprint))


def _named(function: Callable, kind: object) -> Callable:
    """The function under a name of its own, by which its compiled form is kept."""
    function.__qualname__ = f"{function.__name__}-{kind}"
    return function
