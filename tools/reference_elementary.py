"""The functions of coordinate networks as section 8 of SPEC.md of the format writes them.

Part of `reference_decoder.py`; one Python float at a time, whose + - * / are those of IEEE 754.
"""

from __future__ import annotations

import math

f = float.fromhex
BOUND = f("0x1p+40")

S = [f(c) for c in (
    "-0x1.5555555555549p-3", "0x1.111111110f8a6p-7", "-0x1.a01a019c161d5p-13",
    "0x1.71de357b1fe7dp-19", "-0x1.ae5e68a2b9cebp-26", "0x1.5d93a5acfd57cp-33",
)]  # fmt: skip
C = [f(c) for c in (
    "0x1.555555555554cp-5", "-0x1.6c16c16c15177p-10", "0x1.a01a019cb1590p-16",
    "-0x1.27e4f809c52adp-22", "0x1.1ee9ebdb4b1c4p-29", "-0x1.8fae9be8838d4p-37",
)]  # fmt: skip
E = [f(c) for c in (
    "0x1.0000000000000p-1", "0x1.5555555555555p-3", "0x1.5555555555555p-5",
    "0x1.1111111111111p-7", "0x1.6c16c16c16c17p-10", "0x1.a01a01a01a01ap-13",
    "0x1.a01a01a01a01ap-16", "0x1.71de3a556c734p-19", "0x1.27e4fb7789f5cp-22",
    "0x1.ae64567f544e4p-26", "0x1.1eed8eff8d898p-29", "0x1.6124613a86d09p-33",
)]  # fmt: skip
L = [f(c) for c in (
    "0x1.5555555555593p-1", "0x1.999999997fa04p-2", "0x1.2492494229359p-2",
    "0x1.c71c51d8e78afp-3", "0x1.7466496cb03dep-3", "0x1.39a09d078c69fp-3",
    "0x1.2f112df3e5244p-3",
)]  # fmt: skip
A = [f(c) for c in (
    "0x1.555555555550dp-2", "-0x1.999999998ebc4p-3", "0x1.24924920083ffp-3",
    "-0x1.c71c6fe231671p-4", "0x1.745cdc54c206ep-4", "-0x1.3b0f2af749a6dp-4",
    "0x1.10d66a0d03d51p-4", "-0x1.dde2d52defd9ap-5", "0x1.97b4b24760debp-5",
    "-0x1.2b4442c6a6c2fp-5", "0x1.0ad3ae322da11p-6",
)]  # fmt: skip

TWO_OVER_PI = f("0x1.45f306dc9c883p-1")
PI_PARTS = f("0x1.921fb00000000p+0"), f("0x1.5110b00000000p-22"), f("0x1.18469898cc517p-44")
LOG2_E, LN2 = f("0x1.71547652b82fep+0"), (f("0x1.62e42fee00000p-1"), f("0x1.a39ef35793c76p-33"))
SQRT_HALF, LARGEST = f("0x1.6a09e667f3bcdp-1"), f("0x1.fffffffffffffp+1023")
TAN_1, TAN_3 = f("0x1.a827999fcef32p-2"), f("0x1.3504f333f9de6p+1")
HALF_PI = f("0x1.921fb54442d18p+0"), f("0x1.1a62633145c07p-54")
QUARTER_PI = f("0x1.921fb54442d18p-1"), f("0x1.1a62633145c07p-55")


def clamp(x: float, a: float, b: float) -> float:
    y = x if x > a else a
    return y if y < b else b


def maximum(x: float, number: float) -> float:
    return x if x > number else number


def poly(z: float, coefficients: list[float]) -> float:
    total = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * z + c
    return total


def rint(v: float) -> float:
    return float(round(v))


def turned(x: float, quarters: int) -> float:
    x = clamp(x, -BOUND, BOUND)
    n = rint(x * TWO_OVER_PI)
    r = ((x - n * PI_PARTS[0]) - n * PI_PARTS[1]) - n * PI_PARTS[2]
    z = r * r
    sine = r + (z * r) * (z * poly(z, S[1:]) + S[0])
    cosine = 1.0 - (0.5 * z - (z * z) * poly(z, C))
    m = (int(n) + quarters) % 4
    y = cosine if m % 2 else sine
    return y if m < 2 else -y


def sin(x: float) -> float:
    return turned(x, 0)


def cos(x: float) -> float:
    return turned(x, 1)


def exp(x: float) -> float:
    x = clamp(x, -708.0, 708.0)
    n = rint(x * LOG2_E)
    r = (x - n * LN2[0]) - n * LN2[1]
    return 2.0 ** int(n) * (1.0 + (r + (r * r) * poly(r, E)))


def log(x: float) -> float:
    fraction, n = math.frexp(clamp(x, 2.0**-1022, LARGEST))
    if fraction < SQRT_HALF:
        fraction, n = 2.0 * fraction, n - 1
    g = fraction - 1.0
    s = g / (2.0 + g)
    z = s * s
    p = poly(z, L)
    h = (0.5 * g) * g
    return n * LN2[0] - ((h - (s * (h + p * z) + n * LN2[1])) - g)


def arctan(x: float) -> float:
    a = -x if x < 0.0 else x
    if a > TAN_3:
        t, (high, low) = -1.0 / a, HALF_PI
    elif a > TAN_1:
        t, (high, low) = (a - 1.0) / (a + 1.0), QUARTER_PI
    else:
        t, (high, low) = a, (0.0, 0.0)
    z = t * t
    y = high - ((t * (z * poly(z, A)) - low) - t)
    return -y if x < 0.0 else y


def affine(weight: list[list[float]], bias: list[float], h: list[float]) -> list[float]:
    found = []
    for row, total in zip(weight, bias, strict=True):
        for w, value in zip(row, h, strict=True):
            total = total + w * value
        found.append(clamp(total, -BOUND, BOUND))
    return found
