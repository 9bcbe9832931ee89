"""The context model of the latents, in integers (promise D0).

The network is that of `fit`, on fixed-point numbers: weights and hidden values are integers over
2**12, inputs are the latents themselves. Integers are carried in float64: every product and every
sum stays below 2**53, so any order of summation, on any device, gives the same result.

```
x = causal neighbours and coarser values, clipped to [-255, 255]
h = relu(W1 x + b1);  h = h + (relu(W2 h + b2 2**12) rounded to 2**-12)
mu in 1/32 units, scale index  <-  W3 h + (S x + b3) 2**12, rounded
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.tables import FRACTIONS, SCALE_BIAS, SCALES
from inrcodec.errors import CorruptFile

FRACTION_BITS = 12
MAX_WEIGHT = 2.0**18  # |weight| <= 64
MAX_HIDDEN = 2.0**23  # hidden values are clipped to 2048
MAX_INPUT = 255
MAX_MEAN = 2.0**20  # |mu| <= 32768
MAX_LATENT = 1 << 16
PAD = 4  # zeros around each grid: the reach of the spatial context
_CHUNK = 1 << 15


@dataclass(frozen=True)
class Context:
    """Which already coded latents the network sees.

    Args:
        spatial: causal neighbours (dy, dx) in the same grid.
        coarse: directions (y, x) at the parent in the next coarser grid: 0 its own row or column,
            1 towards the side on which the latent lies, -1 away from it.
    """

    spatial: tuple[tuple[int, int], ...]
    coarse: tuple[tuple[int, int], ...]

    @property
    def slope(self) -> int:
        """Smallest k for which x + k y of every neighbour is less than the latent's own."""
        return max([1] + [dx // -dy + 1 for dy, dx in self.spatial if dy < 0 and dx > 0])


class ContextModel:
    """The integer network: contexts to rows of the probability table.

    Args:
        context: its inputs.
        theta_hat: "arm.w1" [h, n], "arm.b1", "arm.w2" [h, h], "arm.b2", "arm.w3" [2, h],
            "arm.skip" [2, n], "arm.b3" as integers.
        exponents: name -> e, at most 12: a parameter is its integer times 2**-e.

    Raises:
        CorruptFile: a weight is so large, or so finely quantized, that sums would not be exact.
    """

    def __init__(
        self, context: Context, theta_hat: dict[str, np.ndarray], exponents: dict[str, int]
    ) -> None:
        self.context = context
        self.fixed_point: dict[str, np.ndarray] = {}  # float64 integers, units of 2**-12
        for name in ("w1", "b1", "w2", "b2", "w3", "skip", "b3"):
            e = exponents[f"arm.{name}"]
            fixed = np.ldexp(theta_hat[f"arm.{name}"].astype(np.float64), FRACTION_BITS - e)
            if e > FRACTION_BITS or np.abs(fixed).max(initial=0) > MAX_WEIGHT:
                raise CorruptFile(
                    f"context model parameter {name} exceeds +-64 or is finer than 2**-12"
                )
            self.fixed_point[name] = fixed

    def rows(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Table rows for contexts x [in_features, n] of float64 integers.

        Returns:
            Integer mean m, fraction index (0..31) and scale index (0..95), each [n] int64.
        """
        p, one = self.fixed_point, float(1 << FRACTION_BITS)
        x = np.clip(x, -MAX_INPUT, MAX_INPUT)
        h = np.clip(p["w1"] @ x + p["b1"][:, None], 0, MAX_HIDDEN)
        g = np.maximum(p["w2"] @ h + p["b2"][:, None] * one, 0)
        h = np.minimum(h + np.floor((g + one / 2) / one), MAX_HIDDEN)
        out = p["w3"] @ h + (p["skip"] @ x + p["b3"][:, None]) * one
        # 24 fraction bits to units of 1/32 and of 1/8 octave, rounded half up.
        mu = np.clip(np.floor((out[0] + 2.0**18) / 2.0**19), -MAX_MEAN, MAX_MEAN).astype(np.int64)
        octaves = np.floor((out[1] + 2.0**20) / 2.0**21)
        scale = np.clip(octaves + SCALE_BIAS, 0, SCALES - 1).astype(np.int64)
        mean = (mu + FRACTIONS // 2) >> 5
        fraction = mu + FRACTIONS // 2 - (mean << 5)
        return mean, fraction, scale


def coarse_planes(
    parent: np.ndarray | None, shape: tuple[int, int], context: Context
) -> np.ndarray:
    """[coarse, h, w] int16: the coarser values that each latent sees; zeros without a parent."""
    h, w = shape
    planes = np.zeros((len(context.coarse), h, w), np.int16)
    if parent is None:
        return planes
    padded = np.pad(np.clip(parent, -MAX_INPUT, MAX_INPUT), 1)
    y, x = np.arange(h), np.arange(w)
    for plane, (fy, fx) in zip(planes, context.coarse, strict=True):
        row = (y >> 1) + 1 + np.where(y & 1, fy, -fy)
        column = (x >> 1) + 1 + np.where(x & 1, fx, -fx)
        plane[:] = padded[row[:, None], column]
    return planes


def diagonals(shape: tuple[int, int], slope: int) -> Iterator[tuple[int, int, int]]:
    """The wavefront x + slope * y = d: for each d, (d, first y, last y + 1)."""
    h, w = shape
    for d in range(w + slope * (h - 1)):
        first = max(0, -((w - 1 - d) // slope))
        last = min(h, d // slope + 1)
        if first < last:
            yield d, first, last


def wavefront_order(shape: tuple[int, int], slope: int) -> np.ndarray:
    """[h*w] flat indices in coding order: by diagonal, then by row."""
    h, w = shape
    diagonal = np.arange(w, dtype=np.int64)[None, :] + slope * np.arange(h, dtype=np.int64)[:, None]
    return np.argsort(diagonal.ravel(), kind="stable")


class Wavefront(Protocol):
    """A level while it is decoded, diagonal by diagonal; see `diagonals`."""

    grid: np.ndarray  # [h, w] int32, complete after the last diagonal

    def rows(self, diagonal: tuple[int, int, int]) -> np.ndarray:
        """[n] int64: the rows of the probability table, scale * 32 + fraction, of its latents."""

    def store(
        self, diagonal: tuple[int, int, int], symbols: np.ndarray, queue: EscapeQueue
    ) -> None:
        """Takes the symbols that were decoded under those rows.

        Raises:
            CorruptFile: a latent is beyond the format, or an escape has no magnitude.
        """


class ContextEngine(Protocol):
    """What a ContextModel says of the latents of whole levels."""

    def level_rows(
        self, level: np.ndarray, parent: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, fraction and scale of a known grid in raster order; each [h*w] int64."""

    def wavefront(self, shape: tuple[int, int], parent: np.ndarray | None) -> Wavefront:
        """A level that is about to be decoded."""


class NumpyContextEngine:
    """The context engine that runs everywhere; others give the same numbers."""

    def __init__(self, model: ContextModel) -> None:
        self._model = model

    def level_rows(
        self, level: np.ndarray, parent: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        h, w = level.shape
        context = self._model.context
        padded = np.pad(level, ((PAD, 0), (PAD, PAD)))
        planes = coarse_planes(parent, level.shape, context)
        parts = []
        step = max(1, _CHUNK // w)
        for top in range(0, h, step):
            n = min(step, h - top)
            x = np.empty((len(context.spatial) + len(planes), n, w))
            for row, (dy, dx) in zip(x, context.spatial, strict=False):
                row[:] = padded[PAD + top + dy : PAD + top + dy + n, PAD + dx : PAD + dx + w]
            x[len(context.spatial) :] = planes[:, top : top + n]
            parts.append(self._model.rows(x.reshape(len(x), n * w)))
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def wavefront(self, shape: tuple[int, int], parent: np.ndarray | None) -> Wavefront:
        return _NumpyWavefront(self._model, shape, parent)


class _NumpyWavefront:
    """Along a diagonal y grows by 1 and x shrinks by the slope: one strided slice of a grid."""

    def __init__(
        self, model: ContextModel, shape: tuple[int, int], parent: np.ndarray | None
    ) -> None:
        h, w = shape
        context = model.context
        self._model, self._slope, self._width, self._stride = model, context.slope, w, w + 2 * PAD
        padded = np.zeros((h + PAD, self._stride), np.int32)
        self.grid, self._flat = padded[PAD:, PAD : PAD + w], padded.ravel()
        self._planes = coarse_planes(parent, shape, context).reshape(-1, h * w)
        self._offsets = [dy * self._stride + dx for dy, dx in context.spatial]
        self._x = np.zeros((len(self._offsets) + len(self._planes), h))
        self._mean = np.zeros(0, np.int64)

    def rows(self, diagonal: tuple[int, int, int]) -> np.ndarray:
        d, first, last = diagonal
        n = last - first
        own = self._slice(diagonal)
        for row, offset in enumerate(self._offsets):
            shifted = slice(own.start + offset, own.stop + offset, own.step)
            self._x[row, :n] = self._flat[shifted]
        begin = first * self._width + d - self._slope * first
        step = max(1, self._width - self._slope)  # a diagonal of a narrower grid holds one latent
        self._x[len(self._offsets) :, :n] = self._planes[
            :, begin : begin + step * (n - 1) + 1 : step
        ]
        self._mean, fraction, scale = self._model.rows(self._x[:, :n])
        return scale * FRACTIONS + fraction

    def store(
        self, diagonal: tuple[int, int, int], symbols: np.ndarray, queue: EscapeQueue
    ) -> None:
        values = self._mean + queue.residuals(symbols.astype(np.int64))
        check_magnitude(int(np.abs(values).max()))
        self._flat[self._slice(diagonal)] = values

    def _slice(self, diagonal: tuple[int, int, int]) -> slice:
        d, first, last = diagonal
        begin = (first + PAD) * self._stride + d - self._slope * first + PAD
        step = self._stride - self._slope
        return slice(begin, begin + step * (last - first - 1) + 1, step)


def check_magnitude(largest: int) -> None:
    """Refuses latents beyond the format.

    Raises:
        CorruptFile: the largest magnitude is.
    """
    if largest > MAX_LATENT:
        raise CorruptFile(f"a latent decodes to {largest}, above {MAX_LATENT}")
