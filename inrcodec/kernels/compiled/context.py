"""The context network in compiled code: what `entropy.context` computes, on the same integers.

The latents of a level are kept by diagonal, x + slope * y = d, in a ring of as many diagonals as
the spatial context reaches back. On a diagonal y counts up, so every neighbour of a run of latents
is a run in an earlier diagonal, and the network reads it where it lies. Places outside of the grid
stay zero.

```
 z       ring of diagonals, values clipped to [-255, 255] | coarse | h | g | mu, octaves
 table   starts in z of the rows that a layer reads:  h | spatial | coarse | (any, with weight 0)
```

Integers are carried in float64, which any order of summation leaves exact; `entropy.context` has
the bounds.
"""

from __future__ import annotations

import numpy as np

from inrcodec.entropy.context import (
    Context,
    ContextModel,
    check_magnitude,
    diagonals,
    wavefront_order,
)
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.tables import FRACTIONS
from inrcodec.kernels.compiled.entries import Entry

Array = np.ndarray

PAD = 4
MAX_INPUT = 255

RUN = 256  # latents that go through all layers at a time, so that their values stay in the cache
UNIT = 32  # runs are rounded up to a multiple, which LLVM turns into whole vectors
STEP = 4  # inputs that a layer adds at a time; their number is rounded up

# What `geometry` holds, followed by (distance in diagonals, dy) of each spatial neighbour and by
# the directions (y, x) of each coarse one.
_GEOMETRY = ("height", "width", "slope", "ring", "pitch", "spatial", "coarse", "hidden")
FIELDS = len(_GEOMETRY)

_LOOPS = "inrcodec.kernels.compiled.context_loops"
_diagonal_rows = Entry(
    _LOOPS, "diagonal_rows", "f8[:] f8[:] i8[:] i8[:] i2[:,:] i8[:] i8[:] i8 i8 i8"
)
_put_diagonal = Entry(_LOOPS, "put_diagonal", "f8[:] i8[:] i4[:,:] i8[:] i8 i8 i8")
_store_diagonal = Entry(
    _LOOPS, "store_diagonal", "f8[:] i8[:] i4[:,:] i8[:] i8[:] i4[:] i8[:] i8[:] i8 i8 i8 i8"
)
ENTRIES = (_diagonal_rows, _put_diagonal, _store_diagonal)


class CompiledContextEngine:
    """The context engine of `entropy.context`, compiled."""

    def __init__(self, model: ContextModel) -> None:
        self._context = model.context
        p, one = model.fixed_point, 2.0**12
        self._hidden = len(p["w1"])
        self._weights = np.concatenate(
            [
                _packed(p["b1"], p["w1"]),
                _packed(p["b2"] * one, p["w2"]),
                _packed(p["b3"] * one, np.concatenate([p["w3"], p["skip"] * one], axis=1)),
            ]
        )

    def level_rows(self, level: Array, parent: Array | None) -> tuple[Array, Array, Array]:
        wavefront = self.wavefront(level.shape, parent)
        order = wavefront_order(level.shape, self._context.slope)
        known = level.ravel()[order].astype(np.int64)
        mean, row = np.empty((2, level.size), np.int64)
        begin = 0
        for diagonal in diagonals(level.shape, self._context.slope):
            end = begin + diagonal[2] - diagonal[1]
            row[order[begin:end]] = wavefront.rows(diagonal)
            mean[order[begin:end]] = wavefront.mean[: end - begin]
            wavefront.put(diagonal, known[begin:end])
            begin = end
        scale, fraction = np.divmod(row, FRACTIONS)
        return mean, fraction, scale

    def wavefront(self, shape: tuple[int, int], parent: Array | None) -> CompiledWavefront:
        geometry = _geometry(self._context, shape, self._hidden)
        ring, pitch, spatial, coarse = geometry[3:7].tolist()
        z = np.zeros(ring * pitch + (coarse + 2 * self._hidden + 2) * RUN)
        table = np.zeros(self._hidden + spatial + coarse + STEP, np.int64)
        if parent is None:
            padded = np.zeros((shape[0] // 2 + 3, shape[1] // 2 + 3), np.int16)
        else:
            padded = np.pad(np.clip(parent, -MAX_INPUT, MAX_INPUT).astype(np.int16), 1)
        return CompiledWavefront((z, self._weights, geometry, table, padded), shape)


class CompiledWavefront:
    """A level of `CompiledContextEngine`.

    Args:
        state: z, weights, geometry, table and parent of the compiled functions.
        shape: of the level.
    """

    def __init__(self, state: tuple[Array, ...], shape: tuple[int, int]) -> None:
        self.grid = np.empty(shape, np.int32)
        self.mean, self._row, self._values = np.empty((3, shape[0]), np.int64)
        self._symbols, self._found = np.empty(shape[0], np.int32), np.zeros(2, np.int64)
        z, _, geometry, _, _ = state
        self._rows = _diagonal_rows.bind(*state, self.mean, self._row)
        self._latents = z, geometry, self.grid, self._values
        self._put = _put_diagonal.bind(*self._latents)
        self._queue, self._store = None, None

    def rows(self, diagonal: tuple[int, int, int]) -> Array:
        _, first, last = diagonal
        self._rows(*diagonal)
        return self._row[: last - first]

    def store(self, diagonal: tuple[int, int, int], symbols: Array, queue: EscapeQueue) -> None:
        if queue is not self._queue:
            self._queue = queue
            self._store = _store_diagonal.bind(
                *self._latents, self.mean, self._symbols, queue.magnitudes, self._found
            )
        self._symbols[: len(symbols)] = symbols
        self._store(*diagonal, queue.taken)
        taken, largest = self._found.tolist()
        if taken > queue.taken:
            queue.take(taken - queue.taken)
        check_magnitude(largest)

    def put(self, diagonal: tuple[int, int, int], values: Array) -> None:
        """Takes the known latents [n] int64 of a diagonal."""
        self._values[: len(values)] = values
        self._put(*diagonal)


def _packed(bias: Array, weights: Array) -> Array:
    """Bias and weights [outputs, inputs] of each output in turn, inputs filled up to STEP."""
    fill = np.zeros((len(weights), -weights.shape[1] % STEP))
    return np.concatenate([bias[:, None], weights, fill], axis=1).ravel()


def _geometry(context: Context, shape: tuple[int, int], hidden: int) -> Array:
    """The vector `geometry` of a level."""
    slope = context.slope
    neighbours = [(-(dx + slope * dy), dy) for dy, dx in context.spatial]
    ring = 1 + max((distance for distance, _ in neighbours), default=0)
    if shape[1] < slope:
        # Some diagonals are empty, and keep what an older one left at x >= ring: out of reach.
        ring += slope + PAD
    pitch = PAD + shape[0] + UNIT
    fields = (*shape, slope, ring, pitch, len(neighbours), len(context.coarse), hidden)
    pairs = [*neighbours, *context.coarse]
    return np.array([*fields, *(value for pair in pairs for value in pair)], np.int64)
