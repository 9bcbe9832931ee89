"""Vectors of float32 that write their own arithmetic: instructions for LLVM, free of branches.

Whoever calculates with a `Vector` while a compiled function is being made adds the instructions
for it to that function. Polynomials without a remark are those of Cephes (S. Moshier 1992,
https://www.netlib.org/cephes/), single precision; measured against float64 the functions are right
to 2e-7: sin and cos absolutely up to |x| = 1e5, arctan absolutely, exp and log relatively.
"""

from __future__ import annotations

import math

from llvmlite import ir
from numba.core import cgutils

from inrcodec.kernels.cpu.emitting import LANES, VECTOR

_INTEGERS = ir.VectorType(ir.IntType(32), LANES)
# Sums and products may be fused, nothing else may change: precision lies in the order.
_FUSED = ("contract",)

_ONE_OVER_PI = 1 / math.pi
# pi as the sum of two float32. A fused subtraction of whole multiples of the first is exact.
_PI_HIGH, _PI_LOW = float.fromhex("0x1.921fb6p+1"), float.fromhex("-0x1.777a5cp-24")
# (sin r - r) / r^3 and (cos r - 1) / r^2 in r^2 on +-pi/2, minimax: right to 5e-9 and 6e-8.
_SINE = (2.59990325e-6, -1.98065471e-4, 8.33301636e-3, -1.66666571e-1)
_COSINE = (2.31928279e-5, -1.38558626e-3, 4.16639815e-2, -4.99999320e-1)
_ARCTAN = (8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1)
_TAN_PI_8, _TAN_3_PI_8 = math.tan(math.pi / 8), math.tan(3 * math.pi / 8)
_LOG2_E = 1.44269504088896
# ln 2 in two parts; the first has 9 significant bits, so its products with integers are exact.
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
_EXP = (
    1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
    5.0000001201e-1,
)  # fmt: skip
_LOG = (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
_EXP_MOST = 88.0
# Less than 1e-26 is nothing beside float32 sums, and its products would be denormal: a hundred
# times as slow.
_EXP_LEAST = -60.0
_SQRT_HALF_BITS = 0x3F3504F3


class Mask:
    """Which lanes a comparison holds for."""

    def __init__(self, value: ir.Value) -> None:
        self.value = value


class Vector:
    """LANES float32 in a function that is being written.

    Args:
        builder: where instructions go.
        value: what was computed so far.
    """

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder = builder
        self.value = value

    def constant(self, number: float) -> Vector:
        """A vector of one number."""
        return Vector(self.builder, ir.Constant(VECTOR, [float(number)] * LANES))

    def of(self, other: Vector | float) -> Vector:
        """The other operand as a vector."""
        return other if isinstance(other, Vector) else self.constant(other)

    def __add__(self, other: Vector | float) -> Vector:
        return self._new(self.builder.fadd(self.value, self.of(other).value, flags=_FUSED))

    def __sub__(self, other: Vector | float) -> Vector:
        return self._new(self.builder.fsub(self.value, self.of(other).value, flags=_FUSED))

    def __mul__(self, other: Vector | float) -> Vector:
        return self._new(self.builder.fmul(self.value, self.of(other).value, flags=_FUSED))

    def __truediv__(self, other: Vector | float) -> Vector:
        return self._new(self.builder.fdiv(self.value, self.of(other).value))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, number: float) -> Vector:
        return self.constant(number) - self

    def __rtruediv__(self, number: float) -> Vector:
        return self.constant(number) / self

    def __neg__(self) -> Vector:
        return self.constant(-0.0) - self

    def __lt__(self, other: Vector | float) -> Mask:
        return self._compared("<", other)

    def __le__(self, other: Vector | float) -> Mask:
        return self._compared("<=", other)

    def __gt__(self, other: Vector | float) -> Mask:
        return self._compared(">", other)

    def __ge__(self, other: Vector | float) -> Mask:
        return self._compared(">=", other)

    def select(self, mask: Mask, other: Vector | float) -> Vector:
        """This where the mask holds, else the other."""
        return self._new(self.builder.select(mask.value, self.value, self.of(other).value))

    def _compared(self, sign: str, other: Vector | float) -> Mask:
        return Mask(self.builder.fcmp_ordered(sign, self.value, self.of(other).value))

    def _new(self, value: ir.Value) -> Vector:
        return Vector(self.builder, value)

    def called(self, name: str, *others: Vector) -> Vector:
        """What an LLVM function of vectors of float32 makes of this and other operands."""
        kind = ir.FunctionType(VECTOR, [VECTOR] * (1 + len(others)))
        function = cgutils.get_or_insert_function(
            self.builder.module, kind, f"llvm.{name}.v{LANES}f32"
        )
        return self._new(self.builder.call(function, [self.value, *(o.value for o in others)]))

    def whole(self) -> ir.Value:
        """The lanes, which hold whole numbers, as int32."""
        return self.builder.fptosi(self.value, _INTEGERS)

    def bits(self) -> ir.Value:
        return self.builder.bitcast(self.value, _INTEGERS)

    def with_bits(self, bits: ir.Value) -> Vector:
        return self._new(self.builder.bitcast(bits, VECTOR))

    def polynomial(self, coefficients: tuple[float, ...]) -> Vector:
        """Of this, the highest power's coefficient first."""
        total = self.constant(coefficients[0])
        for coefficient in coefficients[1:]:
            total = total * self + coefficient
        return total


def _integer(number: int) -> ir.Constant:
    return ir.Constant(_INTEGERS, [number] * LANES)


def floor(x: Vector) -> Vector:
    return x.called("floor")


def absolute(x: Vector) -> Vector:
    return x.called("fabs")


def sqrt(x: Vector) -> Vector:
    """The square root of x >= 0."""
    return x.called("sqrt")


def sin_cos(x: Vector) -> tuple[Vector, Vector]:
    """(sin x, cos x), from half turns and polynomials on +-pi/2."""
    b = x.builder
    turns = (x * _ONE_OVER_PI).called("rint")
    r = (-turns).called("fma", x.constant(_PI_HIGH), x)
    r = (-turns).called("fma", x.constant(_PI_LOW), r)
    z = r * r
    sine = z.polynomial(_SINE) * (z * r) + r
    cosine = z.polynomial(_COSINE) * z + 1.0
    sign = b.shl(turns.whole(), _integer(31))  # set after an odd number of them
    return tuple(x.with_bits(b.xor(y.bits(), sign)) for y in (sine, cosine))


def exp(x: Vector) -> Vector:
    """exp of x: of 88 for more, 0 for less than -60."""
    small = x < _EXP_LEAST
    x = x.constant(_EXP_MOST).select(x > _EXP_MOST, x)
    n = (x * _LOG2_E).called("rint")
    f = (x - n * _LN2_HIGH) - n * _LN2_LOW
    mantissa = f.polynomial(_EXP) * (f * f) + f + 1.0
    b = x.builder
    value = mantissa * x.with_bits(b.shl(b.add(n.whole(), _integer(127)), _integer(23)))
    return x.constant(0.0).select(small, value)


def log(x: Vector) -> Vector:
    """log of a normal x > 0."""
    b = x.builder
    exponent = b.ashr(b.sub(x.bits(), _integer(_SQRT_HALF_BITS)), _integer(23))
    f = x.with_bits(b.sub(x.bits(), b.shl(exponent, _integer(23)))) - 1.0
    n = Vector(b, b.sitofp(exponent, VECTOR))
    z = f * f
    tail = f.polynomial(_LOG) * z * f + n * _LN2_LOW - 0.5 * z
    # The exponent of NaN looks like a number.
    return ((f + tail) + n * _LN2_HIGH).select(x <= math.inf, x)


def arctan(x: Vector) -> Vector:
    """arctan of any x, from that of a number below tan(pi/8) and a multiple of pi/4."""
    size = absolute(x)
    large, middle = size > _TAN_3_PI_8, size > _TAN_PI_8
    top = x.constant(-1.0).select(large, (size - 1.0).select(middle, size))
    bottom = size.select(large, (size + 1.0).select(middle, 1.0))
    start = x.constant(math.pi / 2).select(large, x.constant(math.pi / 4).select(middle, 0.0))
    r = top / bottom
    z = r * r
    positive = start + (z.polynomial(_ARCTAN) * z * r + r)
    return (-positive).select(x < 0.0, positive)
