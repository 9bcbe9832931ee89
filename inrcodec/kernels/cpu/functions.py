"""Exponentials, logarithms and noise of one float32, free of branches and calls.

LLVM turns loops over these into vector code, which it cannot do with the functions of libm. The
polynomials are Chebyshev fits in float64 (relative error below 3e-8 before rounding); measured
over their ranges the functions are right to 3e-7 relative.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from inrcodec.kernels.cpu.compiling import formula
from inrcodec.kernels.cpu.emitting import bit_cast

_f = np.float32
_ONE = _f(1)
_TWO = _f(2)
_HALF = _f(0.5)
_LOG2_E = _f(1.44269504088896)
# ln 2 in two parts; the first has 9 significant bits, so its products with integers are exact.
_LN2_HIGH, _LN2_LOW = _f(0.693359375), _f(-2.12194440054690583e-4)
# (exp(f) - 1) / f on +-ln(2)/2
_E0, _E1, _E2, _E3, _E4, _E5 = (
    _f(c) for c in (1.0, 0.5, 0.166665052, 0.0416663529, 0.00836915098, 0.00139411109)
)  # fmt: skip
# (2**f - 1) / f on +-1/2
_P0, _P1, _P2, _P3, _P4, _P5 = (
    _f(c) for c in (
        0.693147188, 0.240226509, 0.0555035710, 0.00961805667, 0.00133908674, 0.000154614475,
    )
)  # fmt: skip
# log2(1 + f) / f on 1/sqrt(2) - 1 .. sqrt(2) - 1
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8 = (
    _f(c) for c in (
        1.44269500376, -0.72134733336, 0.48091060995, -0.36070482810, 0.28791832446,
        -0.23892033981, 0.21566985911, -0.20742103514, 0.12614846599,
    )
)  # fmt: skip
# cos(2 pi sqrt(v)) on 0 .. 1/4
_C0, _C1, _C2, _C3, _C4, _C5, _C6 = (
    _f(c) for c in (
        0.99999998906, -19.7392044995, 64.9391174599, -85.4501395308, 60.1676309503,
        -25.9675992463, 6.52865815860,
    )
)  # fmt: skip
_SQRT_HALF_BITS = np.int32(0x3F3504F3)
_BIAS = np.int32(127)
_MANTISSA = np.int32(23)


def _llvm_function(name: str) -> object:
    @intrinsic
    def call(typing, x):  # noqa: ANN202
        def emit(context: object, builder: ir.IRBuilder, signature: object, args: tuple) -> object:
            function = builder.module.declare_intrinsic(name, [ir.FloatType()])
            return builder.call(function, args)

        return types.float32(types.float32), emit

    return call


nearest = _llvm_function("llvm.nearbyint")
floor = _llvm_function("llvm.floor")
sqrt = _llvm_function("llvm.sqrt")


_bits = bit_cast(types.float32, types.int32)
_from_bits = bit_cast(types.int32, types.float32)


@formula
def _power_of_two(n: float) -> float:
    """2**n of an integral n in -126 .. 127."""
    return _from_bits(np.int32((np.int32(n) + _BIAS) << _MANTISSA))


@formula
def exp2(x: float) -> float:
    """2**x for x in -126 .. 127."""
    n = nearest(x)
    f = x - n
    p = ((((_P5 * f + _P4) * f + _P3) * f + _P2) * f + _P1) * f + _P0
    return _power_of_two(n) * (_ONE + f * p)


@formula
def expm1(x: float) -> float:
    """exp(x) - 1 for x in -87 .. 87, precise near 0."""
    n = nearest(x * _LOG2_E)
    f = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = ((((_E5 * f + _E4) * f + _E3) * f + _E2) * f + _E1) * f + _E0
    scale = _power_of_two(n)
    return scale * (f * p) + (scale - _ONE)


@formula
def log2(x: float) -> float:
    """log2 of a normal x > 0, precise near 1."""
    bits = _bits(x)
    n = np.int32((bits - _SQRT_HALF_BITS) >> _MANTISSA)
    f = _from_bits(np.int32(bits - (n << _MANTISSA))) - _ONE
    p = (((_L8 * f + _L7) * f + _L6) * f + _L5) * f + _L4
    p = (((p * f + _L3) * f + _L2) * f + _L1) * f + _L0
    return _f(n) + f * p


@formula
def tanh(x: float) -> float:
    """tanh of any x."""
    e = expm1(min(max(_TWO * x, _f(-40)), _f(40)))
    return e / (e + _TWO)


@formula
def _scrambled(x: int) -> int:
    """A bijection of 32 bits without visible pattern ("lowbias32", C. Wellons 2018)."""
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x7FEB352D))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@formula
def normal(index: int, key: int, second_key: int) -> float:
    """Normal noise that depends on the index and the keys (uint32) only; Box and Muller 1958."""
    first = _scrambled(np.uint32(np.uint32(index) + key))
    radius = _scrambled(np.uint32(first ^ second_key))
    angle = _scrambled(np.uint32(first + second_key))
    u = (_f(np.int32(radius >> np.uint32(8))) + _ONE) * _f(2.0**-24)
    turn = _f(np.int32(angle)) * _f(2.0**-32)
    v = turn * turn
    cosine = (((((_C6 * v + _C5) * v + _C4) * v + _C3) * v + _C2) * v + _C1) * v + _C0
    return sqrt(_f(-2 * np.log(2.0)) * log2(u)) * cosine
