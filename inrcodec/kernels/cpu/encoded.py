"""Encodings as rows of sines: what the fused network knows of them.

All encodings but the hash grid are, row by row, bare coordinates or sin(w . x + b). They are called
with an arithmetic whose tiles remember w, b and the parameters that these came from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray


class Origin(NamedTuple):
    """The parameter that numbers are a multiple of."""

    name: str
    factor: float


class Parameter:
    """A parameter, times a number."""

    def __init__(self, values: Array, origin: Origin) -> None:
        self.values = values
        self.origin = origin

    def __mul__(self, number: float) -> Parameter:
        origin = self.origin
        return Parameter(self.values * number, Origin(origin.name, origin.factor * number))


@dataclass(frozen=True)
class Phases:
    """Affine functions of coordinates.

    Args:
        weight: [rows, in_features] float64.
        bias: [rows] float64.
        weight_origin, bias_origin: where they come from, None for constants.
    """

    weight: Array
    bias: Array
    weight_origin: Origin | None = None
    bias_origin: Origin | None = None

    def __len__(self) -> int:
        return len(self.bias)

    def __mul__(self, number: float) -> Phases:
        if self.weight_origin or self.bias_origin:
            raise TypeError("only constant phases are multiplied")
        return replace(self, weight=self.weight * number, bias=self.bias * number)


@dataclass(frozen=True)
class Encoded:
    """Rows of an encoding: bare coordinates, if there are any, then sines of phases.

    Args:
        bare: whether the coordinates come first.
        sines: the phases behind them.
    """

    bare: bool
    sines: tuple[Phases, ...] = field(default=())

    def weight(self, in_features: int) -> Array:
        """[rows, in_features] of all sines."""
        return np.concatenate([np.zeros((0, in_features)), *(p.weight for p in self.sines)])

    def bias(self) -> Array:
        return np.concatenate([np.zeros(0), *(p.bias for p in self.sines)])

    @property
    def trainable(self) -> bool:
        return any(p.weight_origin or p.bias_origin for p in self.sines)

    def add_gradient(self, slopes: Array, gradient: Mapping[str, Array]) -> None:
        """Adds to the gradients of parameters.

        Args:
            slopes: [rows, in_features + 1], the derivatives by weight and, last, by bias.
            gradient: name -> array of each parameter.
        """
        start = 0
        for p in self.sines:
            own = slopes[start : start + len(p)]
            for origin, part in ((p.weight_origin, own[:, :-1]), (p.bias_origin, own[:, -1])):
                if origin is not None:
                    gradient[origin.name][...] += origin.factor * part
            start += len(p)


class _EncodingArithmetic:
    """What encodings are written in, see `kernels.arithmetic`, as far as they are rows of sines."""

    name = "encoding"

    def affine(self, weight: Parameter | Array, bias: Parameter | Array, h: Phases) -> Phases:
        if not _is_bare(h):
            raise TypeError("only coordinates have phases")
        values, origins = zip(*map(_value_and_origin, (weight, bias)), strict=True)
        return Phases(*values, *origins)

    def sin(self, x: Phases) -> Encoded:
        return Encoded(False, (x,))

    def cos(self, x: Phases) -> Encoded:
        return Encoded(False, (replace(x, bias=x.bias + math.pi / 2),))

    def constant(self, array: Array, like: Phases) -> Array:
        return np.asarray(array, np.float64)

    def concatenate(self, parts: Sequence[Phases | Encoded]) -> Encoded:
        first, *others = map(_as_encoded, parts)
        if any(other.bare for other in others):
            raise TypeError("bare coordinates come first")
        return Encoded(first.bare, first.sines + sum((other.sines for other in others), ()))


def _value_and_origin(operand: Parameter | Array) -> tuple[Array, Origin | None]:
    if isinstance(operand, Parameter):
        return operand.values, operand.origin
    return operand, None


def _is_bare(x: Phases) -> bool:
    return (
        x.weight_origin is None
        and np.array_equal(x.weight, np.eye(x.weight.shape[1]))
        and not x.bias.any()
    )


def _as_encoded(x: Phases | Encoded) -> Encoded:
    if isinstance(x, Encoded):
        return x
    if not _is_bare(x):
        raise TypeError("only bare coordinates go without a sine")
    return Encoded(True)


_ARITHMETIC = _EncodingArithmetic()


def encoded(encoding: Any, theta: Mapping[str, Array], in_features: int) -> Encoded | None:
    """The rows of an encoding at these parameters; None if they are not all of that kind.

    Args:
        encoding: see `encodings.Encoding`.
        theta: name -> float64 array of its parameters.
        in_features: number of coordinates.
    """
    parameters = {name: Parameter(values, Origin(name, 1.0)) for name, values in theta.items()}
    coords = Phases(np.eye(in_features), np.zeros(in_features))
    try:
        return _as_encoded(encoding(_ARITHMETIC, parameters, coords))
    except (AttributeError, TypeError):
        return None
