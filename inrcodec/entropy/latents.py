"""Latent grids to symbols and back, coarsest first, each in wavefront order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.context import (
    ContextEngine,
    ContextModel,
    NumpyContextEngine,
    diagonals,
    wavefront_order,
)
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.tables import REACH, SYMBOLS, cost_bits


class LatentCoder:
    """Codes latent grids.

    Args:
        model: the context model.
        engine: what runs it; makes no difference but in time.
    """

    def __init__(
        self,
        model: ContextModel,
        engine: Callable[[ContextModel], ContextEngine] = NumpyContextEngine,
    ) -> None:
        self._slope = model.context.slope
        self._engine = engine(model)

    def plan(self, levels: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        """(symbols, scale, fraction, escapes) of all latents in coding order.

        `escapes` holds |residual| - 32 of each latent beyond the reach of the table.
        """
        columns: list[tuple[np.ndarray, ...]] = []
        for i in reversed(range(len(levels))):
            parent = levels[i + 1] if i + 1 < len(levels) else None
            mean, fraction, scale = self._engine.level_rows(levels[i], parent)
            order = wavefront_order(levels[i].shape, self._slope)
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
        """One grid; what it took besides is free again before the next, which is four times it."""
        wavefront = self._engine.wavefront(shape, parent)
        for diagonal in diagonals(shape, self._slope):
            symbols = decoder.symbols_of_rows(wavefront.rows(diagonal))
            wavefront.store(diagonal, symbols, queue)
        return np.ascontiguousarray(wavefront.grid)
