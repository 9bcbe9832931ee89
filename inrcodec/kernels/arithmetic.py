"""What coordinate networks are written in: a few element-wise functions and the affine layer.

An activation or encoding is written once, against an `Arithmetic`, and so runs in the exact
arithmetic of the decoder (promise D1: `NUMPY`, or the same bits from compiled code,
`kernels.decoding.decode_arithmetic`), in that of previews (D2: `FAST`), and in an encoder's with
gradients. Values are tiles [features, n]: one row per feature, one column per sample. Besides the
functions here only + - * / between tiles, or a tile and a number, may be used.

Nothing that a file says can spoil the exactness: where products overflow, infinities and NaN arise
at the same places on every machine, and every affine layer, the last one too, makes them finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np

from inrcodec.kernels import elementary
from inrcodec.runtime import threads as usable_threads

Array = np.ndarray

# Affine layers clamp to +- this.
BOUND = elementary.BOUND

# Doubles of one tile of the widest layer: several such planes stay in the second-level cache.
_PLANE = 1 << 15
_SMALLEST_TILE, _LARGEST_TILE = 128, 8192


class Arithmetic(Protocol):
    """Element-wise functions of tiles [features, n], and what joins and mixes their rows.

    sin, cos, exp, log and arctan take and return what `kernels.elementary` says of them; sqrt
    wants x >= 0.
    """

    name: str
    dtype: np.dtype  # of results

    def sin(self, x: Array) -> Array: ...
    def cos(self, x: Array) -> Array: ...
    def exp(self, x: Array) -> Array: ...
    def log(self, x: Array) -> Array: ...
    def arctan(self, x: Array) -> Array: ...
    def sqrt(self, x: Array) -> Array: ...
    def abs(self, x: Array) -> Array: ...
    def floor(self, x: Array) -> Array: ...

    def maximum(self, x: Array, number: float) -> Array:
        """x where it is above the number, else the number."""

    def minimum(self, x: Array, number: float) -> Array:
        """x where it is below the number, else the number."""

    def where(self, mask: Array, a: Array | float, b: Array | float) -> Array:
        """a where the mask (a comparison of tiles) is true, else b."""

    def concatenate(self, parts: Sequence[Array]) -> Array:
        """Tiles, or parameters, one below the other: along the first axis."""

    def beside(self, parts: Sequence[Array]) -> Array:
        """Parameters one beside the other: along the last axis."""

    def affine(self, weight: Array, bias: Array, h: Array) -> Array:
        """[out, n]: weight @ h + bias, clamped to +-2**40.

        The exact ones start from the bias and add weight[:, i] * h[i] for one i after the other,
        rounding every product and every sum. NaN becomes -2**40.

        Args:
            weight: [out, in]; bias: [out]; h: [in, n].
        """

    def integers(self, x: Array) -> Array:
        """int64 of whole numbers below 2**53."""

    def take(self, table: Array, index: Array) -> Array:
        """[features, n]: the rows `index` [n] of a table [entries, features], as columns."""

    def constant(self, array: Array, like: Array | None = None) -> Array:
        """Numbers in the form in which parameters are wanted, those of `like` where it is given."""

    def detached(self, x: Array) -> Array:
        """x, through which no gradient flows."""

    def array(self, x: Array) -> np.ndarray:
        """The numbers of a tile, for numpy; only of arithmetics that decode."""

    def evaluate(
        self, function: Callable[[Array], Array], coords: np.ndarray, features_out: int, width: int
    ) -> np.ndarray:
        """A function of every sample, see `evaluate` below; only of arithmetics that decode."""


class _Numpy:
    """What exact and fast arithmetic have in common: operations that IEEE 754 fixes."""

    name: str
    dtype: np.dtype
    sqrt = staticmethod(np.sqrt)
    abs = staticmethod(np.abs)
    floor = staticmethod(np.floor)
    where = staticmethod(np.where)
    concatenate = staticmethod(np.concatenate)

    def beside(self, parts: Sequence[Array]) -> Array:
        return np.concatenate(parts, axis=-1)

    def integers(self, x: Array) -> Array:
        return x.astype(np.int64)

    def take(self, table: Array, index: Array) -> Array:
        return np.ascontiguousarray(table[index].T)

    def constant(self, array: Array, like: Array | None = None) -> Array:
        return np.ascontiguousarray(array, np.float64)

    def detached(self, x: Array) -> Array:
        return x

    def array(self, x: Array) -> np.ndarray:
        return x

    def evaluate(
        self, function: Callable[[Array], Array], coords: np.ndarray, features_out: int, width: int
    ) -> np.ndarray:
        return evaluate(function, coords, features_out, self, width)


class NumpyArithmetic(_Numpy):
    """The exact arithmetic, float64, in numpy."""

    name = "numpy"
    dtype = np.dtype(np.float64)

    sin = staticmethod(elementary.sin)
    cos = staticmethod(elementary.cos)
    exp = staticmethod(elementary.exp)
    log = staticmethod(elementary.log)
    arctan = staticmethod(elementary.arctan)

    def maximum(self, x: Array, number: float) -> Array:
        # np.maximum leaves open which of 0.0 and -0.0 it returns.
        return np.where(x > number, x, number)

    def minimum(self, x: Array, number: float) -> Array:
        return np.where(x < number, x, number)

    def affine(self, weight: Array, bias: Array, h: Array) -> Array:
        out = np.empty((len(bias), h.shape[1]))
        out[:] = bias[:, None]
        product = np.empty_like(out)
        for column, row in zip(weight.T, h, strict=True):
            out += np.multiply(column[:, None], row, out=product)
        return _bounded(out)


class FastArithmetic(_Numpy):
    """Float32 with numpy's own functions and BLAS, for previews.

    Coordinates come in as float64 and stay so until a function below, but for those of `_Numpy`,
    has bounded them: the first layer's arguments reach thousands of radians.
    """

    name = "fast"
    dtype = np.dtype(np.float32)

    def sin(self, x: Array) -> Array:
        return np.sin(_single_angle(x))

    def cos(self, x: Array) -> Array:
        return np.cos(_single_angle(x))

    def exp(self, x: Array) -> Array:
        return _single(np.exp(np.clip(x, -80.0, 80.0)))

    def log(self, x: Array) -> Array:
        return _single(np.log(np.maximum(x, 2.0**-126)))

    def arctan(self, x: Array) -> Array:
        return _single(np.arctan(x))

    def maximum(self, x: Array, number: float) -> Array:
        return _single(np.maximum(x, number))

    def minimum(self, x: Array, number: float) -> Array:
        return _single(np.minimum(x, number))

    def affine(self, weight: Array, bias: Array, h: Array) -> Array:
        out = weight.astype(h.dtype, copy=False) @ h
        out += bias.astype(h.dtype, copy=False)[:, None]
        return _bounded(out)


def _single(x: Array) -> Array:
    return x.astype(np.float32, copy=False)


def _single_angle(x: Array) -> Array:
    """Radians as float32, after whole turns are taken off those that come as float64."""
    if x.dtype == np.float32:
        return x
    turns = x * (0.5 / math.pi)
    turns -= np.rint(turns)
    turns *= 2 * math.pi
    return _single(turns)


def _bounded(out: Array) -> Array:
    """The same array, clamped to +-BOUND; NaN becomes -BOUND."""
    return np.fmin(np.fmax(out, -BOUND, out=out), BOUND, out=out)


NUMPY: Arithmetic = NumpyArithmetic()
FAST: Arithmetic = FastArithmetic()


def evaluate(
    function: Callable[[Array], Array],
    coords: Array,
    features_out: int,
    arithmetic: Arithmetic,
    width: int = 64,
    threads: int | None = None,
) -> Array:
    """[features_out, n] of the arithmetic's dtype: a function of every sample, tile by tile.

    Args:
        function: of a tile of coordinates [d_in, m], returns [features_out, m]. It is called by
            several threads at once.
        coords: [d_in, n] float64.
        features_out: rows of the result.
        arithmetic: what the function computes in; where it is exact, no bit depends on tiles or
            threads.
        width: rows of the widest tile inside the function; sets the size of tiles.
        threads: how many to use, by default what `runtime.threads` says.
    """
    count = coords.shape[1]
    out = np.empty((features_out, count), arithmetic.dtype)
    step = tile_samples(width)

    def tile(start: int) -> None:
        part = np.ascontiguousarray(coords[:, start : start + step])
        with np.errstate(over="ignore", invalid="ignore"):  # files may ask for anything
            out[:, start : start + step] = function(part)

    starts = range(0, count, step)
    workers = min(threads or usable_threads(), len(starts))
    if workers < 2:
        for start in starts:
            tile(start)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(tile, starts):
                pass
    return out


def tile_samples(width: int) -> int:
    """Samples per tile of a function whose widest tile has so many rows."""
    return min(max(_PLANE // max(width, 1), _SMALLEST_TILE), _LARGEST_TILE)
