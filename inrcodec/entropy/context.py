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

import numpy as np

from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.tables import FRACTIONS, REACH, SCALE_BIAS, SCALES, SYMBOLS, cost_bits
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
        self._p: dict[str, np.ndarray] = {}
        for name in ("w1", "b1", "w2", "b2", "w3", "skip", "b3"):
            e = exponents[f"arm.{name}"]
            fixed = np.ldexp(theta_hat[f"arm.{name}"].astype(np.float64), FRACTION_BITS - e)
            if e > FRACTION_BITS or np.abs(fixed).max(initial=0) > MAX_WEIGHT:
                raise CorruptFile(
                    f"context model parameter {name} exceeds +-64 or is finer than 2**-12"
                )
            self._p[name] = fixed

    def rows(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Table rows for contexts x [in_features, n] of float64 integers.

        Returns:
            Integer mean m, fraction index (0..31) and scale index (0..95), each [n] int64.
        """
        p, one = self._p, float(1 << FRACTION_BITS)
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


class LatentCoder:
    """Codes latent grids, coarsest first, each in wavefront order."""

    def __init__(self, model: ContextModel) -> None:
        self._model = model
        self._context = model.context

    def level_rows(
        self, level: np.ndarray, parent: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Table rows of a whole known grid in raster order; each [h*w] int64."""
        h, w = level.shape
        padded = np.pad(level, ((PAD, 0), (PAD, PAD)))
        planes = coarse_planes(parent, level.shape, self._context)
        parts = []
        step = max(1, _CHUNK // w)
        for top in range(0, h, step):
            n = min(step, h - top)
            x = np.empty((len(self._context.spatial) + len(planes), n, w))
            for row, (dy, dx) in zip(x, self._context.spatial, strict=False):
                row[:] = padded[PAD + top + dy : PAD + top + dy + n, PAD + dx : PAD + dx + w]
            x[len(self._context.spatial) :] = planes[:, top : top + n]
            parts.append(self._model.rows(x.reshape(len(x), n * w)))
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    def plan(self, levels: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        """(symbols, scale, fraction, escapes) of all latents in coding order.

        `escapes` holds |residual| - 32 of each latent beyond the reach of the table.
        """
        columns: list[tuple[np.ndarray, ...]] = []
        for i in reversed(range(len(levels))):
            parent = levels[i + 1] if i + 1 < len(levels) else None
            mean, fraction, scale = self.level_rows(levels[i], parent)
            order = wavefront_order(levels[i].shape, self._context.slope)
            residual = levels[i].ravel().astype(np.int64) - mean
            columns.append((residual[order], scale[order], fraction[order]))
        residual, scale, fraction = (np.concatenate(c) for c in zip(*columns, strict=True))
        symbols = np.clip(residual + REACH + 1, 0, SYMBOLS - 1)
        escapes = np.abs(residual[(symbols == 0) | (symbols == SYMBOLS - 1)]) - (REACH + 1)
        return symbols, scale, fraction, escapes

    def rate_bits(self, levels: list[np.ndarray]) -> float:
        """Bits that the range coder will spend on the latents, escapes left out."""
        symbols, scale, fraction, _ = self.plan(levels)
        return float(cost_bits()[scale, fraction, symbols].sum())

    def encode(self, encoder: Encoder, plan: tuple[np.ndarray, ...]) -> None:
        """Writes what `plan` returned, escapes excepted."""
        symbols, scale, fraction, _ = plan
        encoder.symbols(symbols, scale, fraction)

    def decode(
        self, decoder: Decoder, shapes: list[tuple[int, int]], queue: EscapeQueue
    ) -> list[np.ndarray]:
        """The int32 grids of the given shapes, finest first.

        Raises:
            CorruptFile: the stream does not decode or goes on, or the escapes do not fit it.
        """
        levels: list[np.ndarray] = []
        for shape in reversed(shapes):
            parent = levels[0] if levels else None
            levels.insert(0, self._decode_level(decoder, shape, parent, queue))
        queue.check_empty()
        decoder.check_end()
        return levels

    def _decode_level(
        self,
        decoder: Decoder,
        shape: tuple[int, int],
        parent: np.ndarray | None,
        queue: EscapeQueue,
    ) -> np.ndarray:
        h, w = shape
        slope = self._context.slope
        stride = w + 2 * PAD
        inner_step = max(1, w - slope)  # a diagonal of a narrower grid holds one latent
        grid = np.zeros((h + PAD, stride), np.int32)
        flat = grid.ravel()
        planes = coarse_planes(parent, shape, self._context).reshape(-1, h * w)
        offsets = [dy * stride + dx for dy, dx in self._context.spatial]
        n_spatial = len(offsets)
        x = np.zeros((n_spatial + len(planes), h))
        for d, first, last in diagonals(shape, slope):
            n = last - first
            # Along a diagonal y grows by 1 and x shrinks by `slope`: one strided slice.
            begin = (first + PAD) * stride + d - slope * first + PAD
            step = stride - slope
            end = begin + step * (n - 1) + 1
            for row, offset in enumerate(offsets):
                x[row, :n] = flat[begin + offset : end + offset : step]
            inner = first * w + d - slope * first
            x[n_spatial:, :n] = planes[:, inner : inner + inner_step * (n - 1) + 1 : inner_step]
            mean, fraction, scale = self._model.rows(x[:, :n])
            symbols = decoder.symbols(scale, fraction).astype(np.int64)
            values = mean + queue.residuals(symbols)
            if np.abs(values).max() > MAX_LATENT:
                raise CorruptFile(f"a latent decodes to {int(np.abs(values).max())}, above 65536")
            flat[begin:end:step] = values
        return np.ascontiguousarray(grid[PAD:, PAD : PAD + w])


class EscapeQueue:
    """Magnitudes of the residuals that the table does not reach, in coding order."""

    def __init__(self, magnitudes: np.ndarray) -> None:
        self._magnitudes = magnitudes
        self._next = 0

    def residuals(self, symbols: np.ndarray) -> np.ndarray:
        """Residuals of symbols 0..64; takes one magnitude from the queue per escape."""
        residuals = symbols - (REACH + 1)
        where = np.flatnonzero((symbols == 0) | (symbols == SYMBOLS - 1))
        if where.size:
            taken = self._magnitudes[self._next : self._next + where.size]
            if taken.size < where.size:
                raise CorruptFile("the payload holds fewer escaped residuals than it asks for")
            self._next += where.size
            residuals[where] = np.sign(residuals[where]) * (taken + REACH + 1)
        return residuals

    def check_empty(self) -> None:
        if self._next != self._magnitudes.size:
            raise CorruptFile("the payload holds more escaped residuals than it asks for")
