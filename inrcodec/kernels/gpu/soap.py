"""SOAP on the device: one program per tensor, all of an update in one launch.

The update is that of `remedies.soap.Soap` after clipping of the whole gradient, in float32. A power
iteration refreshes the bases in the same launch, so that one captured graph serves every step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import triton
import triton.language as tl

from inrcodec.kernels.gpu.update import CONSTANTS

PART_COLUMNS = 6
# No longer side of a matrix occurs in a `grid` field; longer ones would not fit into a tile.
LARGEST_SIDE = 64
_CONSTANTS = tl.constexpr(CONSTANTS)
_PART = tl.constexpr(PART_COLUMNS)


@dataclass(frozen=True)
class Parts:
    """How a flat parameter vector is cut into tiles.

    Args:
        table: [parts, PART_COLUMNS] int32: first element, rows, columns, elements, and whether the
            rows' and the columns' side have a preconditioner.
        side: of the tiles.
    """

    table: np.ndarray
    side: int

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> Parts:
        """Tensors of more than one axis as matrices [shape[0], rest], others as rows of tiles.

        Raises:
            ValueError: a side of a matrix is longer than LARGEST_SIDE.
        """
        matrices = [_matrix(shape) for shape in shapes.values() if len(shape) > 1]
        longest = max((max(sides) for sides in matrices), default=1)
        if longest > LARGEST_SIDE:
            raise ValueError(f"a matrix has a side of {longest}, expected at most {LARGEST_SIDE}")
        side = max(16, 1 << (longest - 1).bit_length())
        rows, begin = [], 0
        for shape in shapes.values():
            count = math.prod(shape)
            if len(shape) > 1:
                rows.append((begin, *_matrix(shape), count, 1, 1))
            else:
                for at in range(0, count, side * side):
                    n = min(side * side, count - at)
                    rows.append((begin + at, -(-n // side), side, n, 0, 0))
            begin += count
        return cls(np.array([row for row in rows if row[3]], np.int32), side)

    def begin(self, gradient: np.ndarray, weight: float) -> tuple[np.ndarray, np.ndarray]:
        """(moments, bases) after the first gradient, as `remedies.soap` has them.

        Args:
            gradient: [parameters] float64, clipped.
            weight: of a gradient in the moments.

        Returns:
            Each [parts, 2, side, side] float32.
        """
        moments = np.zeros((len(self.table), 2, self.side, self.side))
        bases = np.zeros_like(moments) + np.eye(self.side)
        for part, (at, rows, columns, count, *sides) in enumerate(self.table):
            if not any(sides):
                continue
            g = gradient[at : at + count].reshape(rows, columns)
            for side, (outer, n) in enumerate(((g @ g.T, rows), (g.T @ g, columns))):
                moment = weight * outer
                moments[part, side, :n, :n] = moment
                # The smallest diagonal keeps eigenvectors of an all-zero gradient well defined.
                bases[part, side, :n, :n] = np.linalg.eigh(moment + 1e-12 * np.eye(n))[1]
        return moments.astype(np.float32), bases.astype(np.float32)


def _matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    return shape[0], math.prod(shape[1:])


@triton.jit
def _orthogonal(a, SIDE: tl.constexpr):
    """The orthogonal factor of a QR decomposition, by Householder reflections.

    Columns below 1e-15, for entries of at most 1, hold nothing but rounding and are left out.
    """
    i = tl.arange(0, SIDE)
    q = tl.where(i[:, None] == i[None, :], 1.0, 0.0)
    for k in range(SIDE):
        column = tl.sum(tl.where(i[None, :] == k, a, 0.0), axis=1)
        v = tl.where(i >= k, column, 0.0)
        norm = tl.sqrt(tl.sum(v * v))
        head = tl.sum(tl.where(i == k, v, 0.0))
        v += tl.where(i == k, tl.where(head < 0.0, -norm, norm), 0.0)
        scale = tl.where(norm > 1e-15, 1.0 / (norm * (norm + tl.abs(head)) + 1e-37), 0.0)
        a -= v[:, None] * (tl.sum(v[:, None] * a, axis=0) * scale)[None, :]
        q -= (tl.sum(q * v[None, :], axis=1) * scale)[:, None] * v[None, :]
    return q


@triton.jit
def _refreshed(basis, moment, n, SIDE: tl.constexpr):
    """(basis after one power iteration, permutation by which its columns were sorted first).

    Args:
        basis, moment: tiles of which the first n rows and columns are in use.
    """
    i = tl.arange(0, SIDE)
    turned = tl.dot(moment, basis, input_precision="ieee")
    size = tl.where(i < n, tl.sum(basis * turned, axis=0), float("-inf"))
    smaller = size[None, :] > size[:, None]
    later = (size[None, :] == size[:, None]) & (i[None, :] < i[:, None])
    place = tl.sum((smaller | later).to(tl.int32), axis=1)
    permutation = tl.where(place[:, None] == i[None, :], 1.0, 0.0)
    a = tl.dot(turned, permutation, input_precision="ieee")
    a = a / tl.maximum(tl.max(tl.max(tl.abs(a), axis=1), axis=0), 1e-37)
    unused = (i[:, None] == i[None, :]) & (i >= n)[:, None]
    return _orthogonal(tl.where(unused, 1.0, a), SIDE), permutation


@triton.jit
def soap(
    theta,
    gradient,
    parts,
    first,
    second,
    moments,
    bases,
    constants,
    counter,
    largest_norm,
    beta1,
    beta2,
    epsilon,
    PARAMETERS: tl.constexpr,
    ALL: tl.constexpr,
    SIDE: tl.constexpr,
):
    """Moves one part of theta; clips the gradient of all of it to `largest_norm` before.

    Args:
        theta, gradient: [PARAMETERS] float32; ALL: a power of two, >= PARAMETERS.
        parts: table of `Parts`.
        first, second: [parts, SIDE, SIDE]; moments, bases: [parts, 2, SIDE, SIDE].
        constants, counter: see `update`.
    """
    part = tl.program_id(0)
    row = constants + tl.load(counter) * _CONSTANTS
    rate, scale, refresh = tl.load(row + 4), tl.load(row + 6), tl.load(row + 7)
    everything = tl.arange(0, ALL)
    whole = tl.load(gradient + everything, mask=everything < PARAMETERS, other=0.0)
    norm = tl.sqrt(tl.sum(whole * whole))

    entry = parts + part * _PART
    rows, columns = tl.load(entry + 1), tl.load(entry + 2)
    r = tl.arange(0, SIDE)[:, None]
    c = tl.arange(0, SIDE)[None, :]
    at = r * columns + c
    known = (r < rows) & (c < columns) & (at < tl.load(entry + 3))
    at += tl.load(entry)
    tile = r * SIDE + c
    first += part * SIDE * SIDE + tile
    second += part * SIDE * SIDE + tile
    moments += 2 * part * SIDE * SIDE + tile
    bases += 2 * part * SIDE * SIDE + tile
    other = SIDE * SIDE

    g = tl.load(gradient + at, mask=known, other=0.0)
    g *= tl.minimum(largest_norm / (norm + 1e-12), 1.0)
    m = tl.load(first)
    m += (1.0 - beta1) * (g - m)
    tl.store(first, m)
    left, right = tl.load(bases), tl.load(bases + other)
    left_t, right_t = tl.trans(left), tl.trans(right)
    turned = tl.dot(left_t, g, input_precision="ieee")
    turned = tl.dot(turned, right, input_precision="ieee")
    v = tl.load(second)
    v += (1.0 - beta2) * (turned * turned - v)
    turned = tl.dot(left_t, m, input_precision="ieee")
    turned = tl.dot(turned, right, input_precision="ieee")
    move = turned * rate / (tl.sqrt(v * scale) + epsilon)
    move = tl.dot(left, move, input_precision="ieee")
    move = tl.dot(move, right_t, input_precision="ieee")
    value = tl.load(theta + at, mask=known, other=0.0)
    tl.store(theta + at, value - move, mask=known)

    if tl.load(entry + 4) != 0:
        g_t = tl.trans(g)
        moment = tl.load(moments)
        moment += (1.0 - beta2) * (tl.dot(g, g_t, input_precision="ieee") - moment)
        tl.store(moments, moment)
        other_moment = tl.load(moments + other)
        outer = tl.dot(g_t, g, input_precision="ieee")
        other_moment += (1.0 - beta2) * (outer - other_moment)
        tl.store(moments + other, other_moment)
        if refresh != 0.0:
            left, permutation = _refreshed(left, moment, rows, SIDE)
            tl.store(bases, left)
            v = tl.dot(tl.trans(permutation), v, input_precision="ieee")
            right, permutation = _refreshed(right, other_moment, columns, SIDE)
            tl.store(bases + other, right)
            v = tl.dot(v, permutation, input_precision="ieee")
    tl.store(second, v)
