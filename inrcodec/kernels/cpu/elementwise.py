"""Activations in compiled code, made by running them.

An activation is called with an arithmetic whose numbers write vector instructions and carry their
derivatives with them (forward-mode differentiation): so the formula in the activation's own file
becomes a loop that computes values and slopes at once, and nothing has to be written twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from inrcodec.kernels.cpu import vectors
from inrcodec.kernels.cpu.emitting import LANES, VECTOR, Emitter, addresses
from inrcodec.kernels.cpu.vectors import Mask, Vector

_TINY = 1e-30  # as the reference has it: square roots and logarithms are of nothing smaller

Slopes = tuple[Vector | None, ...]  # derivatives by each of the inputs; None is zero


class Dual:
    """A vector and its derivatives.

    Args:
        value: the vector.
        slopes: its derivatives by each input that is followed; none if no input is.
    """

    def __init__(self, value: Vector, slopes: Slopes) -> None:
        self.value = value
        self.slopes = slopes

    def __add__(self, other: Dual | float) -> Dual:
        other = self._of(other)
        return Dual(self.value + other.value, _sum(self.slopes, other.slopes))

    def __sub__(self, other: Dual | float) -> Dual:
        return self + -self._of(other)

    def __mul__(self, other: Dual | float) -> Dual:
        if not isinstance(other, Dual):
            return Dual(self.value * other, _scaled(self.slopes, other))
        slopes = _sum(_scaled(self.slopes, other.value), _scaled(other.slopes, self.value))
        return Dual(self.value * other.value, slopes)

    def __truediv__(self, other: Dual | float) -> Dual:
        if not isinstance(other, Dual):
            return self * (1.0 / other)
        quotient = self.value / other.value
        change = _sum(self.slopes, _scaled(other.slopes, -quotient))
        return Dual(quotient, _scaled(change, 1.0 / other.value))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, number: float) -> Dual:
        return -self + number

    def __rtruediv__(self, number: float) -> Dual:
        return self._of(number) / self

    def __neg__(self) -> Dual:
        return Dual(-self.value, _scaled(self.slopes, -1.0))

    def __lt__(self, other: Dual | float) -> Mask:
        return self.value < self._of(other).value

    def __le__(self, other: Dual | float) -> Mask:
        return self.value <= self._of(other).value

    def __gt__(self, other: Dual | float) -> Mask:
        return self.value > self._of(other).value

    def __ge__(self, other: Dual | float) -> Mask:
        return self.value >= self._of(other).value

    def _of(self, other: Dual | float) -> Dual:
        if isinstance(other, Dual):
            return other
        return Dual(self.value.constant(other), (None,) * len(self.slopes))


class Rows:
    """The parts of complex numbers: a tile that has as many rows as parts."""

    def __init__(self, rows: Sequence[Dual]) -> None:
        self.rows = tuple(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: slice) -> Dual:
        (row,) = self.rows[chosen]
        return row


def _sum(a: Slopes, b: Slopes) -> Slopes:
    return tuple(y if x is None else x if y is None else x + y for x, y in zip(a, b, strict=True))


def _scaled(slopes: Slopes, factor: Vector | float) -> Slopes:
    return tuple(None if slope is None else slope * factor for slope in slopes)


def _selected(mask: Mask, a: Slopes, b: Slopes) -> Slopes:
    def one(x: Vector | None, y: Vector | None) -> Vector | None:
        if x is None:
            return None if y is None else y.constant(0.0).select(mask, y)
        return x.select(mask, 0.0 if y is None else y)

    return tuple(one(x, y) for x, y in zip(a, b, strict=True))


class DualArithmetic:
    """What activations are written in, see `kernels.arithmetic`, with the reference's slopes."""

    name = "dual"

    def sin(self, x: Dual) -> Dual:
        sine, cosine = vectors.sin_cos(x.value)
        return Dual(sine, _scaled(x.slopes, cosine))

    def cos(self, x: Dual) -> Dual:
        sine, cosine = vectors.sin_cos(x.value)
        return Dual(cosine, _scaled(x.slopes, -sine))

    def exp(self, x: Dual) -> Dual:
        value = vectors.exp(x.value)
        return Dual(value, _scaled(x.slopes, value))

    def log(self, x: Dual) -> Dual:
        x = self.maximum(x, _TINY)
        return Dual(vectors.log(x.value), _scaled(x.slopes, 1.0 / x.value))

    def arctan(self, x: Dual) -> Dual:
        return Dual(vectors.arctan(x.value), _scaled(x.slopes, 1.0 / (x.value * x.value + 1.0)))

    def sqrt(self, x: Dual) -> Dual:
        x = self.maximum(x, _TINY)
        root = vectors.sqrt(x.value)
        return Dual(root, _scaled(x.slopes, 0.5 / root))

    def abs(self, x: Dual) -> Dual:
        one = x.value.constant(1.0)
        sign = (-one).select(x.value < 0.0, one.select(x.value > 0.0, 0.0))
        return Dual(vectors.absolute(x.value), _scaled(x.slopes, sign))

    def floor(self, x: Dual) -> Dual:
        return Dual(vectors.floor(x.value), (None,) * len(x.slopes))

    def detached(self, x: Dual) -> Dual:
        return Dual(x.value, (None,) * len(x.slopes))

    def maximum(self, x: Dual, number: float) -> Dual:
        return self.where(x < number, number, x)

    def minimum(self, x: Dual, number: float) -> Dual:
        return self.where(x > number, number, x)

    def where(self, mask: Mask, a: Dual | float, b: Dual | float) -> Dual:
        like = a if isinstance(a, Dual) else b
        a, b = like._of(a), like._of(b)
        return Dual(a.value.select(mask, b.value), _selected(mask, a.slopes, b.slopes))

    def concatenate(self, parts: Sequence[Dual]) -> Rows:
        return Rows(parts)


DUAL = DualArithmetic()


class Formula(NamedTuple):
    """An elementwise function of tiles, of `parts` rows at a time, and its fingerprint."""

    function: Callable[[Any, Any], Any]
    parts: int
    fingerprint: str

    def written(self, vectors_in: Sequence[Vector], with_slopes: bool) -> list[Dual]:
        """Its results, one for each part, written where the vectors were."""
        followed = len(vectors_in) if with_slopes else 0
        one = [v.constant(1.0) for v in vectors_in]
        inputs = [
            Dual(v, tuple(one[i] if i == j else None for j in range(followed)))
            for i, v in enumerate(vectors_in)
        ]
        result = self.function(DUAL, inputs[0] if self.parts == 1 else Rows(inputs))
        return [result] if self.parts == 1 else list(result.rows)


@cache
def formula(function: Callable[[Any, Any], Any], parts: int) -> Formula | None:
    """What compiled code wants to know of an activation; None if it asks for more than there is.

    Args:
        function: of an arithmetic and a tile; hashable.
        parts: rows that belong together.
    """
    module = ir.Module()
    kind = ir.FunctionType(ir.VoidType(), [VECTOR] * parts)
    body = ir.Function(module, kind, "formula")
    builder = ir.IRBuilder(body.append_basic_block())
    try:
        found = Formula(function, parts, "").written([Vector(builder, a) for a in body.args], True)
        if len(found) != parts:
            return None
    except (AttributeError, TypeError, ValueError):
        return None
    builder.ret_void()
    values = [str(v.value) for d in found for v in (d.value, *d.slopes) if v is not None]
    text = "\n".join([str(body), *values])
    return Formula(function, parts, hashlib.sha256(text.encode()).hexdigest()[:12])


def loop(formula: Formula, with_slopes: bool) -> Callable:
    """A function for compiled code: values of a formula, and its slopes if asked for.

    It takes (s, x_at, out_at, slope_at, features, row, samples). Row m of part i of x is at
    `x_at + (i * features + m) * row` in s, of out the same; the derivative of part j by part i at
    `slope_at + ((j * parts + i) * features + m) * row`. Out may be x.
    """
    parts = formula.parts

    def emit(context: object, builder: ir.IRBuilder, signature: object, args: tuple) -> ir.Value:
        e = Emitter(builder)
        s, x_at, out_at, slope_at, features, row, samples = addresses(
            context, builder, signature, args
        )
        plane = e.mul(features, row)
        with e.loop(features) as m, e.loop(samples, LANES) as t:
            start = e.add(e.mul(m, row), t)
            xs = [e.load(s, e.add(x_at, e.mul(plane, i), start)) for i in range(parts)]
            results = formula.written([Vector(builder, x) for x in xs], with_slopes)
            for j, result in enumerate(results):
                e.store(result.value.value, s, e.add(out_at, e.mul(plane, j), start))
                for i, slope in enumerate(result.slopes):
                    value = ir.Constant(VECTOR, None) if slope is None else slope.value
                    at = e.add(slope_at, e.mul(plane, j * parts + i), start)
                    e.store(value, s, at)
        return context.get_dummy_value()

    @intrinsic
    def values(typing, s, x_at, out_at, slope_at, features, row, samples):  # noqa: ANN202
        n = types.intp
        return types.void(s, n, n, n, n, n, n), emit

    return values


def chain(parts: int) -> Callable:
    """A function for compiled code: takes (s, d_at, slope_at, features, row, samples).

    Replaces derivatives d by the values of a formula with those by its arguments; see `loop`.
    """

    def emit(context: object, builder: ir.IRBuilder, signature: object, args: tuple) -> ir.Value:
        e = Emitter(builder)
        s, d_at, slope_at, features, row, samples = addresses(context, builder, signature, args)
        plane = e.mul(features, row)
        with e.loop(features) as m, e.loop(samples, LANES) as t:
            start = e.add(e.mul(m, row), t)
            places = [e.add(d_at, e.mul(plane, i), start) for i in range(parts)]
            ds = [Vector(builder, e.load(s, place)) for place in places]
            for i, place in enumerate(places):
                total = None
                for j, d in enumerate(ds):
                    at = e.add(slope_at, e.mul(plane, j * parts + i), start)
                    product = d * Vector(builder, e.load(s, at))
                    total = product if total is None else total + product
                e.store(total.value, s, place)
        return context.get_dummy_value()

    @intrinsic
    def multiply(typing, s, d_at, slope_at, features, row, samples):  # noqa: ANN202
        n = types.intp
        return types.void(s, n, n, n, n, n), emit

    return multiply
