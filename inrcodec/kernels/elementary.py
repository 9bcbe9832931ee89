"""sin, cos, exp, log and arctan with the same bits on every machine (promise D1).

The libraries' own functions differ between versions, processors and vector widths. These use only
operations whose result IEEE 754 fixes (+ - * /, comparisons, selection, and the bit pattern of a
double), one by one in the order in which they are written here, so there is nothing left to
choose. `bitstreams/SPEC.md` says the same in formulas.

Every function is defined for every double. An argument beyond its bounds counts as the bound, NaN
as the lower one; only arctan hands NaN on.

The polynomials are those of fdlibm (Sun Microsystems 1993, https://www.netlib.org/fdlibm/), except
for exp, which is a Taylor sum. No function has a branch or a loop, so that the very same source
serves numpy arrays here, vectors of compiled code in `kernels.compiled` and tensors on a GPU
in `kernels.gpu.exact`; the four functions at the end are what each of them brings.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np

Array = np.ndarray

# Beyond this an argument means nothing (neighbouring doubles are 2**-12 apart), and up to this its
# reduction cannot go wrong. Every affine layer clamps to it.
BOUND = float.fromhex("0x1p+40")

# t = v + _ROUND is v rounded to an integer, half to even, for |v| <= 2**51; the integer stands in
# the lowest bits of t, and t - _ROUND is it as a number.
_ROUND = float.fromhex("0x1.8p+52")
_ROUND_BITS = 0x4338000000000000

_TWO_OVER_PI = float.fromhex("0x1.45f306dc9c883p-1")
# pi / 2 in three parts (Cody and Waite 1980). The first two have 22 bits at most: their products
# with integers up to 2**31 are exact, and so are the differences from an argument up to there.
_PI_1 = float.fromhex("0x1.921fbp+0")
_PI_2 = float.fromhex("0x1.5110bp-22")
_PI_3 = float.fromhex("0x1.18469898cc517p-44")

# sin(r) and cos(r) on +-pi/4: fdlibm's k_sin.c and k_cos.c.
_S1 = float.fromhex("-0x1.5555555555549p-3")
_S2 = float.fromhex("0x1.111111110f8a6p-7")
_S3 = float.fromhex("-0x1.a01a019c161d5p-13")
_S4 = float.fromhex("0x1.71de357b1fe7dp-19")
_S5 = float.fromhex("-0x1.ae5e68a2b9cebp-26")
_S6 = float.fromhex("0x1.5d93a5acfd57cp-33")
_C1 = float.fromhex("0x1.555555555554cp-5")
_C2 = float.fromhex("-0x1.6c16c16c15177p-10")
_C3 = float.fromhex("0x1.a01a019cb1590p-16")
_C4 = float.fromhex("-0x1.27e4f809c52adp-22")
_C5 = float.fromhex("0x1.1ee9ebdb4b1c4p-29")
_C6 = float.fromhex("-0x1.8fae9be8838d4p-37")

# Between these limits exp(x) is a normal number, and far from the largest.
_EXP_BOUND = 708.0
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
# ln 2 in two parts; the first has 32 bits, so its products with exponents are exact.
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
# 1 / k! for k = 2 .. 13. The next term is below 5e-18 on +-ln(2)/2.
_E2 = float.fromhex("0x1p-1")
_E3 = float.fromhex("0x1.5555555555555p-3")
_E4 = float.fromhex("0x1.5555555555555p-5")
_E5 = float.fromhex("0x1.1111111111111p-7")
_E6 = float.fromhex("0x1.6c16c16c16c17p-10")
_E7 = float.fromhex("0x1.a01a01a01a01ap-13")
_E8 = float.fromhex("0x1.a01a01a01a01ap-16")
_E9 = float.fromhex("0x1.71de3a556c734p-19")
_E10 = float.fromhex("0x1.27e4fb7789f5cp-22")
_E11 = float.fromhex("0x1.ae64567f544e4p-26")
_E12 = float.fromhex("0x1.1eed8eff8d898p-29")
_E13 = float.fromhex("0x1.6124613a86d09p-33")

_SMALLEST_NORMAL = float.fromhex("0x1p-1022")
_LARGEST = float.fromhex("0x1.fffffffffffffp+1023")
# The bit pattern of sqrt(1/2). A positive x has x / 2**n in sqrt(1/2) .. sqrt(2), where n is what
# its pattern has above this one in the exponent field.
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
# log(1 + f) there: fdlibm's e_log.c.
_L1 = float.fromhex("0x1.5555555555593p-1")
_L2 = float.fromhex("0x1.999999997fa04p-2")
_L3 = float.fromhex("0x1.2492494229359p-2")
_L4 = float.fromhex("0x1.c71c51d8e78afp-3")
_L5 = float.fromhex("0x1.7466496cb03dep-3")
_L6 = float.fromhex("0x1.39a09d078c69fp-3")
_L7 = float.fromhex("0x1.2f112df3e5244p-3")

# tan(pi/8) and tan(3 pi/8): between them arctan is taken around 1, beyond around infinity.
_TAN_1 = float.fromhex("0x1.a827999fcef32p-2")
_TAN_3 = float.fromhex("0x1.3504f333f9de6p+1")
# pi / 4 and pi / 2, and what they lack.
_QUARTER_HIGH = float.fromhex("0x1.921fb54442d18p-1")
_QUARTER_LOW = float.fromhex("0x1.1a62633145c07p-55")
_HALF_HIGH = float.fromhex("0x1.921fb54442d18p+0")
_HALF_LOW = float.fromhex("0x1.1a62633145c07p-54")
# arctan(t) on +-7/16: fdlibm's s_atan.c.
_A0 = float.fromhex("0x1.555555555550dp-2")
_A1 = float.fromhex("-0x1.999999998ebc4p-3")
_A2 = float.fromhex("0x1.24924920083ffp-3")
_A3 = float.fromhex("-0x1.c71c6fe231671p-4")
_A4 = float.fromhex("0x1.745cdc54c206ep-4")
_A5 = float.fromhex("-0x1.3b0f2af749a6dp-4")
_A6 = float.fromhex("0x1.10d66a0d03d51p-4")
_A7 = float.fromhex("-0x1.dde2d52defd9ap-5")
_A8 = float.fromhex("0x1.97b4b24760debp-5")
_A9 = float.fromhex("-0x1.2b4442c6a6c2fp-5")
_A10 = float.fromhex("0x1.0ad3ae322da11p-6")


def sin(x: Array) -> Array:
    """Sine of radians, within 2e-16 up to +-2**31 and 1e-4 up to +-2**40.

    Args:
        x: [*] float64; clamped to +-2**40.
    """
    return turned(x, 0)


def cos(x: Array) -> Array:
    """Cosine of radians; arguments and errors like those of `sin`."""
    return turned(x, 1)


def exp(x: Array) -> Array:
    """Exponential, relative error below 3e-16.

    Args:
        x: [*] float64; clamped to +-708, so that the result is a normal number.
    """
    x = clamped(x, -_EXP_BOUND, _EXP_BOUND)
    t = x * _LOG2_E + _ROUND
    n = t - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = ((((_E13 * r + _E12) * r + _E11) * r + _E10) * r + _E9) * r + _E8
    p = (((((p * r + _E7) * r + _E6) * r + _E5) * r + _E4) * r + _E3) * r + _E2
    power = number_of((bits_of(t) - (_ROUND_BITS - 1023)) << 52)
    return power * (1.0 + (r + (r * r) * p))


def log(x: Array) -> Array:
    """Natural logarithm, relative error below 3e-16.

    Args:
        x: [*] float64; clamped to the positive normal numbers, 2**-1022 and more.
    """
    bits = bits_of(clamped(x, _SMALLEST_NORMAL, _LARGEST))
    n = (bits - _SQRT_HALF_BITS) >> 52
    f = number_of(bits - (n << 52)) - 1.0
    n = number_of(n + _ROUND_BITS) - _ROUND
    s = f / (2.0 + f)
    z = s * s
    p = (((((_L7 * z + _L6) * z + _L5) * z + _L4) * z + _L3) * z + _L2) * z + _L1
    h = (0.5 * f) * f
    return n * _LN2_HIGH - ((h - (s * (h + p * z) + n * _LN2_LOW)) - f)


def arctan(x: Array) -> Array:
    """Arc tangent in radians, in -pi/2 .. pi/2, relative error below 3e-16.

    Args:
        x: [*] float64.
    """
    a = selected(x < 0.0, -x, x)
    near_one, far = a > _TAN_1, a > _TAN_3
    over = selected(far, -1.0, selected(near_one, a - 1.0, a))
    under = selected(far, a, selected(near_one, a + 1.0, 1.0))
    high = selected(far, _HALF_HIGH, selected(near_one, _QUARTER_HIGH, 0.0))
    low = selected(far, _HALF_LOW, selected(near_one, _QUARTER_LOW, 0.0))
    t = over / under
    z = t * t
    p = (((((_A10 * z + _A9) * z + _A8) * z + _A7) * z + _A6) * z + _A5) * z + _A4
    p = (((p * z + _A3) * z + _A2) * z + _A1) * z + _A0
    y = high - ((t * (z * p) - low) - t)
    return selected(x < 0.0, -y, y)


def turned(x: Array, quarters: int) -> Array:
    """sin(x + quarters * pi/2)."""
    x = clamped(x, -BOUND, BOUND)
    t = x * _TWO_OVER_PI + _ROUND
    n = t - _ROUND
    r = ((x - n * _PI_1) - n * _PI_2) - n * _PI_3
    z = r * r
    p = (((_S6 * z + _S5) * z + _S4) * z + _S3) * z + _S2
    sine = r + (z * r) * (z * p + _S1)
    p = ((((_C6 * z + _C5) * z + _C4) * z + _C3) * z + _C2) * z + _C1
    cosine = 1.0 - (0.5 * z - (z * z) * p)
    quadrant = bits_of(t) + quarters
    y = selected((quadrant & 1) != 0, cosine, sine)
    return selected((quadrant & 2) != 0, -y, y)


@singledispatch
def clamped(x: Array, low: float, high: float) -> Array:
    """x, or the bound it is beyond; low for NaN. The bounds are not zero."""
    return np.fmin(np.fmax(x, low), high)


@singledispatch
def selected(mask: Array, a: Array | float, b: Array | float) -> Array:
    """a where the mask is true, else b."""
    return np.where(mask, a, b)


@singledispatch
def bits_of(x: Array) -> Array:
    """The bit patterns of doubles as int64."""
    return x.view(np.int64)


@singledispatch
def number_of(bits: Array) -> Array:
    """The doubles of bit patterns."""
    return bits.view(np.float64)
