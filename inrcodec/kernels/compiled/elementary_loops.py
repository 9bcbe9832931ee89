"""The loops of `elementary`, for numba.

The formulas are those of `kernels.elementary` themselves, compiled for one number; LLVM turns the
loops over them into vector code. No operation is fused or reordered: what runs side by side are
samples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import types
from numba.extending import overload, register_jitable

from inrcodec.kernels import elementary
from inrcodec.kernels.compiled.elementary import SUMS
from inrcodec.kernels.cpu.compiling import exact
from inrcodec.kernels.cpu.dense import part
from inrcodec.kernels.cpu.emitting import bit_cast
from inrcodec.kernels.elementary import clamped

Array = np.ndarray

_BOUND = elementary.BOUND
# Samples of a run of the affine layer.
_RUN = SUMS // 4


_bits_of = bit_cast(types.float64, types.int64)
_number_of = bit_cast(types.int64, types.float64)


@overload(elementary.bits_of, strict=False)
def _overload_bits_of(x: types.Type) -> Callable:
    return lambda x: _bits_of(x)


@overload(elementary.number_of, strict=False)
def _overload_number_of(bits: types.Type) -> Callable:
    return lambda bits: _number_of(bits)


@overload(elementary.selected, strict=False)
def _overload_selected(mask: types.Type, a: types.Type, b: types.Type) -> Callable:
    return lambda mask, a, b: a if mask else b


@overload(elementary.clamped, strict=False)
def _overload_clamped(x: types.Type, low: types.Type, high: types.Type) -> Callable:
    def clamped(x: float, low: float, high: float) -> float:
        x = x if x > low else low
        return x if x < high else high

    return clamped


register_jitable(elementary.turned)


def _loop(formula: Callable) -> Callable:
    """The compiled loop of a formula over two flat arrays: from x to out."""
    register_jitable(formula)

    def loop(x: Array, out: Array) -> None:
        count = len(x)
        x, out = part(x, 0, count), part(out, 0, count)
        for i in range(count):
            out[i] = formula(x[i])

    loop.__qualname__ = formula.__name__  # under which it is kept
    return exact(loop)


sin, cos = _loop(elementary.sin), _loop(elementary.cos)
exp, log = _loop(elementary.exp), _loop(elementary.log)
arctan = _loop(elementary.arctan)


@exact
def _add_four(
    sums: Array, weight: Array, at: int, inputs: int, h: Array, h_at: int, stride: int, count: int
) -> None:
    """Adds the products with four inputs, one after the other, to the sums of four outputs.

    Args:
        sums: [4 * _RUN].
        weight: [*] flat; that of output m and input k is at `at + m * inputs + k`.
        h: [*] flat; sample t of input k is at `h_at + k * stride + t`.
    """
    x0, x1 = part(h, h_at, count), part(h, h_at + stride, count)
    x2, x3 = part(h, h_at + 2 * stride, count), part(h, h_at + 3 * stride, count)
    w = part(weight, at, 4)
    a0, a1, a2, a3 = w[0], w[1], w[2], w[3]
    w = part(weight, at + inputs, 4)
    b0, b1, b2, b3 = w[0], w[1], w[2], w[3]
    w = part(weight, at + 2 * inputs, 4)
    c0, c1, c2, c3 = w[0], w[1], w[2], w[3]
    w = part(weight, at + 3 * inputs, 4)
    d0, d1, d2, d3 = w[0], w[1], w[2], w[3]
    s = part(sums, 0, 4 * _RUN)
    for t in range(count):
        y0, y1, y2, y3 = x0[t], x1[t], x2[t], x3[t]
        s[t] = (((s[t] + a0 * y0) + a1 * y1) + a2 * y2) + a3 * y3
        s[_RUN + t] = (((s[_RUN + t] + b0 * y0) + b1 * y1) + b2 * y2) + b3 * y3
        s[2 * _RUN + t] = (((s[2 * _RUN + t] + c0 * y0) + c1 * y1) + c2 * y2) + c3 * y3
        s[3 * _RUN + t] = (((s[3 * _RUN + t] + d0 * y0) + d1 * y1) + d2 * y2) + d3 * y3


@exact
def _add_one(sums: Array, weight: float, h: Array, h_at: int, count: int) -> None:
    """Adds the products with one input to the sums of one output."""
    x, s = part(h, h_at, count), part(sums, 0, count)
    for t in range(count):
        s[t] = s[t] + weight * x[t]


@exact
def affine(
    weight: Array, bias: Array, h: Array, inputs: int, samples: int, sums: Array, out: Array
) -> None:
    """Writes out; see `kernels.arithmetic.Arithmetic.affine`. All arrays are flat.

    Args:
        sums: room for as many as there are in the SUMS of `elementary`.
    """
    for start in range(0, samples, _RUN):
        count = min(_RUN, samples - start)
        for first in range(0, len(bias), 4):
            height = min(4, len(bias) - first)
            for m in range(height):
                s = part(sums, m * _RUN, count)
                for t in range(count):
                    s[t] = bias[first + m]
            k = 0
            if height == 4:
                while k + 4 <= inputs:
                    h_at = k * samples + start
                    _add_four(sums, weight, first * inputs + k, inputs, h, h_at, samples, count)
                    k += 4
            while k < inputs:
                for m in range(height):
                    s = part(sums, m * _RUN, count)
                    _add_one(s, weight[(first + m) * inputs + k], h, k * samples + start, count)
                k += 1
            for m in range(height):
                s = part(sums, m * _RUN, count)
                y = part(out, (first + m) * samples + start, count)
                for t in range(count):
                    y[t] = clamped(s[t], -_BOUND, _BOUND)
