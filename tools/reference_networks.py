"""Coordinate networks, as sections 11 and 12 of SPEC.md of the format write them.

Part of `reference_decoder.py`: one point after the other, one Python float after the other.
Matrices are lists of rows; numbers in comments are those of sections.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from reference_elementary import affine, arctan, cos, exp, log, maximum, rint, sin
from reference_entropy import Groups, check_end, digits, opened, parameters

Vector = list[float]
ACTIVATIONS = {  # 11.1: ranges of their options
    1: (), 2: (), 3: (), 4: (), 5: (), 6: ((1, 1023),), 7: ((0, 4095),), 8: (), 9: (),
}  # fmt: skip
WIRE = 7
ENCODINGS = {  # 11.1
    1: (),
    2: ((1, 24),),
    3: ((1, 1024), (0, 1023), (0, 63)),
    4: ((1, 1024), (1, 65535)),
    5: ((1, 16), (1, 8), (2, 20), (1, 64), (64, 255)),
    6: ((1, 1024), (0, 31), (0, 63)),
}
IDENTITY, POSITIONAL, FOURIER, LATTICE, HASH, FOURIER_WIDE = range(1, 7)
BACON, GABOR = 0, 2
PRIMES = 1, 2654435761, 805459861
GAMMA, MIX_1, MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


class NetworkField:
    """Decodes the payload, and evaluates `point` wherever it is asked to."""

    theta: dict[str, Any]

    def __init__(self, head: dict[str, Any], payload: bytes) -> None:
        self.inputs = {1: 2, 2: 1, 3: 3}[head["kind"]]
        self.outputs = head["channels"]
        self.signed = head["kind"] == 2
        self.configure(head["config_code"])
        groups: Groups = {}
        for group, name, shape in self.layout():
            groups.setdefault(group, []).append((name, shape))
        decoder, escapes = opened(payload, groups)
        integers = parameters(decoder, payload, groups, escapes)
        check_end(decoder, escapes)
        self.theta = {
            name: (v / 2.0**exponent).tolist() for name, (v, exponent) in integers.items()
        }

    def configure(self, code: int) -> None:
        """Sets the options."""
        raise NotImplementedError

    def layout(self) -> list[tuple[str, str, tuple[int, ...]]]:
        """(group, name, shape) of all tensors in their order."""
        raise NotImplementedError

    def point(self, x: Vector) -> Vector:
        """Outputs for the coordinates x, y, t."""
        raise NotImplementedError

    def points(self, axes: list[tuple[int, list[Fraction]]]) -> np.ndarray:  # 11.3
        """[*positions, channels] values at positions in native samples."""
        coords = [[float(u) * 2.0 / length - 1.0 for u in positions] for length, positions in axes]
        values = [self.point(list(reversed(at))) for at in product(*coords)]
        if not self.signed:
            values = [[(v + 1.0) * 0.5 for v in value] for value in values]
        return np.array(values).reshape(*map(len, coords), self.outputs)


class MlpField(NetworkField):  # 11
    def configure(self, code: int) -> None:
        ranges = (0, 31), (0, 31), (1, 1024), (0, 15)
        (self.activation, self.encoding, self.width, hidden), rest = digits(code, ranges)
        if self.activation not in ACTIVATIONS or self.encoding not in ENCODINGS:
            raise ValueError("an activation or encoding is unknown")
        self.last = hidden + 1
        self.options, rest = digits(rest, ACTIVATIONS[self.activation])
        self.encoded, rest = digits(rest, ENCODINGS[self.encoding])
        if rest:
            raise ValueError("the config code is too large")
        self.is_complex = self.activation == WIRE

    def layout(self) -> list[tuple[str, str, tuple[int, ...]]]:  # 11.2
        found, inputs = self.encoding_layout()
        for i in range(self.last + 1):
            outputs = self.outputs if i == self.last else self.width
            weight: tuple[int, ...] = outputs, inputs
            bias: tuple[int, ...] = (outputs,)
            if self.is_complex and i > 0:
                weight = 2, *weight
            if self.is_complex and 0 < i < self.last:
                bias = 2, *bias
            found += [(f"weight{i}", f"weight{i}", weight), ("bias", f"bias{i}", bias)]
            inputs = self.width
        return found

    def encoding_layout(self) -> tuple[list[tuple[str, str, tuple[int, ...]]], int]:
        """Tensors of the encoding, and how many features it makes."""
        if self.encoding == POSITIONAL:
            return [], self.inputs * (1 + 2 * self.encoded[0])
        if self.encoding in (FOURIER, FOURIER_WIDE):
            return [], 2 * self.encoded[0]
        if self.encoding == LATTICE:
            rows = self.encoded[0]
            shapes = ("lattice", (rows, self.inputs)), ("phase", (rows,))
            return [(name, name, shape) for name, shape in shapes], rows
        if self.encoding == HASH:
            levels, features, log2_entries = self.encoded[:3]
            sizes = [min(1 << log2_entries, side**self.inputs) for _, side in self.hash_levels]
            tables = [(f"table{i}", (size, features)) for i, size in enumerate(sizes)]
            return [(name, name, shape) for name, shape in tables], levels * features
        return [], self.inputs

    def point(self, x: Vector) -> Vector:
        h = self.features(x)
        for i in range(self.last):
            h = self.activated(affine(*self.layer(i), h))
        return affine(*self.layer(self.last), h)

    def layer(self, i: int) -> tuple[list[Vector], Vector]:  # 11.6
        weight, bias = self.theta[f"weight{i}"], self.theta[f"bias{i}"]
        if not self.is_complex:
            return weight, bias
        if i == 0:
            zeros = [[0.0] * len(row) for row in weight]
            return weight + zeros, bias + [0.0] * len(bias)
        real, imaginary = weight
        top = [a + [-v for v in b] for a, b in zip(real, imaginary, strict=True)]
        if i == self.last:
            return top, bias
        bottom = [b + a for a, b in zip(real, imaginary, strict=True)]
        return top + bottom, bias[0] + bias[1]

    def activated(self, h: Vector) -> Vector:  # 11.5
        if self.is_complex:
            pairs = zip(h[: self.width], h[self.width :], strict=True)
            waves = [wavelet(a, b, self.options[0] / 48) for a, b in pairs]
            return [a for a, _ in waves] + [b for _, b in waves]
        return [activation(self.activation, self.options, x) for x in h]

    def features(self, x: Vector) -> Vector:  # 11.4
        if self.encoding == POSITIONAL:
            octaves = [v * (math.pi * 2.0**i) for i in range(self.encoded[0]) for v in x]
            return x + [sin(v) for v in octaves] + [cos(v) for v in octaves]
        if self.encoding in (FOURIER, FOURIER_WIDE):
            phase = affine(self.frequencies, [0.0] * len(self.frequencies), x)
            return [sin(v) for v in phase] + [cos(v) for v in phase]
        if self.encoding == LATTICE:
            weight = [[k * (math.pi / 2) for k in row] for row in self.theta["lattice"]]
            return [sin(v) for v in affine(weight, self.theta["phase"], x)]
        if self.encoding == HASH:
            levels = enumerate(self.hash_levels)
            return [v for i, (scale, side) in levels for v in self.hashed(i, scale, side, x)]
        return x

    @cached_property
    def frequencies(self) -> list[Vector]:  # 11.4, fourier and fourier-wide
        rows, wide, seed = self.encoded
        sigma = wide / 8 if self.encoding == FOURIER else 2.0**wide
        normal = normals(rows * self.inputs, seed)
        values = [2 * math.pi * (rint(v * sigma * 256) / 256) for v in normal]
        return [values[i : i + self.inputs] for i in range(0, len(values), self.inputs)]

    @cached_property
    def hash_levels(self) -> list[tuple[float, int]]:  # 11.4, hash
        """(scale, vertices along an axis) of each level."""
        levels, _, _, coarsest, growth_64ths = self.encoded
        found, size = [], float(coarsest)
        for _ in range(levels):
            found.append((size - 1.0, math.ceil(size - 1.0) + 1))
            size = size * (growth_64ths / 64)
        return found

    def hashed(self, level: int, scale: float, side: int, x: Vector) -> Vector:
        table = self.theta[f"table{level}"]
        at = [(v + 1.0) * 0.5 * scale + 0.5 for v in x]
        corner = [math.floor(p) for p in at]
        share = [p - c for p, c in zip(at, corner, strict=True)]
        total: Vector | None = None
        for offset in product((0, 1), repeat=len(x)):
            factors = [s if o else 1.0 - s for s, o in zip(share, offset, strict=True)]
            weight = factors[0]
            for factor in factors[1:]:
                weight = weight * factor
            vertex = [c + o for c, o in zip(corner, offset, strict=True)]
            part = [v * weight for v in table[entry(vertex, side, len(table))]]
            total = part if total is None else [a + b for a, b in zip(total, part, strict=True)]
        return total or []


def entry(vertex: list[int], side: int, entries: int) -> int:
    """Which row of a table a vertex has."""
    if side ** len(vertex) <= entries:
        return sum(v % side * side**d for d, v in enumerate(vertex))
    index = 0
    for v, prime in zip(vertex, PRIMES, strict=False):
        index ^= v * prime & 0xFFFFFFFF
    return index % entries


def normals(count: int, seed: int) -> Vector:
    """Normal numbers of splitmix64, by Box and Muller."""
    uniform = []
    for i in range(1, 2 * count + 1):
        z = seed + i * GAMMA & 0xFFFFFFFFFFFFFFFF
        z = (z ^ z >> 30) * MIX_1 & 0xFFFFFFFFFFFFFFFF
        z = (z ^ z >> 27) * MIX_2 & 0xFFFFFFFFFFFFFFFF
        z ^= z >> 31
        uniform.append((float(z >> 11) + 0.5) * 2.0**-53)
    pairs = zip(uniform[::2], uniform[1::2], strict=True)
    return [math.sqrt(-2.0 * log(u)) * cos(2 * math.pi * v) for u, v in pairs]


def activation(number: int, options: list[int], x: float) -> float:  # 11.5
    if number == 1:
        return sin(x)
    if number == 2:
        return sin(x) * math.sqrt(abs(x))
    if number == 3:
        return sin(x) * arctan(x)
    if number == 4:
        return sin(x) * log(abs(x))
    if number == 5:
        return sin(x) * math.sqrt(maximum(x, 0.0))
    if number == 6:
        return sin((abs(x) * (1 / options[0]) + 1.0) * x)
    if number == 8:
        return exp(-(x * x))
    return maximum(x, 0.0)


def wavelet(real: float, imaginary: float, ratio: float) -> tuple[float, float]:  # 11.5, wire
    envelope = exp(-(real * real) - imaginary * imaginary - imaginary * ratio)
    phase = real * ratio
    return envelope * cos(phase), envelope * sin(phase)


class SympowerField(MlpField):  # 11.7
    def layout(self) -> list[tuple[str, str, tuple[int, ...]]]:
        return [*super().layout(), ("curve", "curve", (3,))]

    def point(self, x: Vector) -> Vector:
        low, high = (level * (1 / 1024) for level in self.theta["curve"][:2])
        power = max(self.theta["curve"][2], 0.0) * (1 / 256)
        shares = [min(max((y + 1.0) * 0.5, 2.0**-60), 1.0) for y in super().point(x)]
        return [exp(log(share) * power) * (high - low) + low for share in shares]


class MfnField(NetworkField):  # 12.1
    def configure(self, code: int) -> None:
        ranges = (0, 2), (1, 1024), (1, 8), (0, 127)
        (self.filters, self.width, self.last, early), rest = digits(code, ranges)
        if rest:
            raise ValueError("the config code is too large")
        self.with_output = {i for i in range(1, self.last) if early >> (i - 1) & 1} | {self.last}

    def layout(self) -> list[tuple[str, str, tuple[int, ...]]]:
        found: list[tuple[str, str, tuple[int, ...]]] = []
        width, scale = self.width, 0
        for i in range(self.last + 1):
            found.append((f"frequency.{scale}", f"frequency{i}", (width, self.inputs)))
            found.append((f"phase.{scale}", f"phase{i}", (width,)))
            if self.filters == GABOR:
                found.append((f"centre.{scale}", f"centre{i}", (width, self.inputs)))
                found.append((f"gamma.{scale}", f"gamma{i}", (width,)))
            if i:
                found.append((f"weight{i}", f"weight{i}", (width, width)))
                found.append((f"bias.{scale}", f"bias{i}", (width,)))
            if i in self.with_output:
                found.append((f"output.{scale}", f"output{i}", (self.outputs, width)))
                found.append((f"bias.{scale}", f"offset{i}", (self.outputs,)))
                scale += 1
        return found

    def point(self, x: Vector) -> Vector:
        z = self.filtered(0, x)
        for i in range(1, self.last + 1):
            mixed = affine(self.theta[f"weight{i}"], self.theta[f"bias{i}"], z)
            z = [g * m for g, m in zip(self.filtered(i, x), mixed, strict=True)]
        return affine(self.theta[f"output{self.last}"], self.theta[f"offset{self.last}"], z)

    def filtered(self, i: int, x: Vector) -> Vector:
        frequency = self.theta[f"frequency{i}"]
        if self.filters == BACON:
            frequency = [[k * math.pi for k in row] for row in frequency]
        sines = [sin(v) for v in affine(frequency, self.theta[f"phase{i}"], x)]
        if self.filters != GABOR:
            return sines
        found = []
        centres, gammas = self.theta[f"centre{i}"], self.theta[f"gamma{i}"]
        for sine, centre, gamma in zip(sines, centres, gammas, strict=True):
            distance = 0.0
            for v, c in zip(x, centre, strict=True):
                distance = distance + (v - c) * (v - c)
            found.append(sine * exp(distance * (gamma * -0.5)))
        return found


class LoeField(NetworkField):  # 12.2
    def configure(self, code: int) -> None:
        ranges = (1, 1024), (0, 15), (1, 4), (0, 15), (0, 1)
        (self.width, hidden, self.tile, coarsest, downwards), rest = digits(code, ranges)
        if rest:
            raise ValueError("the config code is too large")
        self.levels = list(range(coarsest, coarsest + hidden + 1))
        if downwards:
            self.levels.reverse()

    def layout(self) -> list[tuple[str, str, tuple[int, ...]]]:
        found: list[tuple[str, str, tuple[int, ...]]] = []
        inputs, last = self.inputs, len(self.levels)
        for i in range(last):
            for tile in range(self.tile**self.inputs):
                found.append((f"weight{i}", f"weight{i}.{tile}", (self.width, inputs)))
            found.append(("bias", f"bias{i}", (self.width,)))
            inputs = self.width
        found.append((f"weight{last}", f"weight{last}", (self.outputs, inputs)))
        found.append(("bias", f"bias{last}", (self.outputs,)))
        return found

    def point(self, x: Vector) -> Vector:
        h, last = x, len(self.levels)
        for i, level in enumerate(self.levels):
            cells = [math.floor((v + 1.0) * (0.5 * 2**level)) % self.tile for v in x]
            tile = sum(cell * self.tile**d for d, cell in enumerate(cells))
            h = [sin(v) for v in affine(self.theta[f"weight{i}.{tile}"], self.theta[f"bias{i}"], h)]
        return affine(self.theta[f"weight{last}"], self.theta[f"bias{last}"], h)
