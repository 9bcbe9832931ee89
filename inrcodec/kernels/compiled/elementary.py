"""The exact arithmetic of `kernels.arithmetic` in compiled code: the same bits, quicker."""

from __future__ import annotations

import numpy as np

from inrcodec.kernels.arithmetic import NumpyArithmetic
from inrcodec.kernels.compiled.entries import Entry

Array = np.ndarray

# Sums of the affine layer that it has room for: they, and the inputs they want, stay in the
# first-level cache.
SUMS = 512

_LOOPS = "inrcodec.kernels.compiled.elementary_loops"
_sin, _cos, _exp, _log, _arctan = (
    Entry(_LOOPS, name, "f8[:] f8[:]") for name in ("sin", "cos", "exp", "log", "arctan")
)
_affine = Entry(_LOOPS, "affine", "f8[:] f8[:] f8[:] i8 i8 f8[:] f8[:]")


def _plain(x: Array) -> Array:
    """x as the kind of array that the functions are compiled for."""
    return np.require(x, np.float64, "CA")


def _applied(loop: Entry, x: Array) -> Array:
    x = _plain(x)
    out = np.empty_like(x)
    loop(x.reshape(-1), out.reshape(-1))
    return out


class CompiledArithmetic(NumpyArithmetic):
    """The exact arithmetic, compiled; numpy does what it does exactly and quickly itself."""

    name = "compiled"

    def sin(self, x: Array) -> Array:
        return _applied(_sin, x)

    def cos(self, x: Array) -> Array:
        return _applied(_cos, x)

    def exp(self, x: Array) -> Array:
        return _applied(_exp, x)

    def log(self, x: Array) -> Array:
        return _applied(_log, x)

    def arctan(self, x: Array) -> Array:
        return _applied(_arctan, x)

    def affine(self, weight: Array, bias: Array, h: Array) -> Array:
        weight, bias, h = _plain(weight), _plain(bias), _plain(h)
        out = np.empty((len(bias), h.shape[1]))
        _affine(
            weight.reshape(-1), bias, h.reshape(-1), len(h), h.shape[1], np.empty(SUMS),
            out.reshape(-1),
        )  # fmt: skip
        return out


COMPILED = CompiledArithmetic()
