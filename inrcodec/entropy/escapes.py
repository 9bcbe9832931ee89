"""The residuals beyond the reach of the probability table."""

from __future__ import annotations

import numpy as np

from inrcodec.entropy.tables import REACH, SYMBOLS
from inrcodec.errors import CorruptFile


class EscapeQueue:
    """Magnitudes of the residuals that the table does not reach, in coding order.

    Args:
        magnitudes: [n] int64: |residual| - 32 of each.
    """

    def __init__(self, magnitudes: np.ndarray) -> None:
        self.magnitudes = magnitudes
        self.taken = 0

    def residuals(self, symbols: np.ndarray) -> np.ndarray:
        """Residuals of symbols 0..64; takes one magnitude from the queue per escape."""
        residuals = symbols - (REACH + 1)
        where = np.flatnonzero((symbols == 0) | (symbols == SYMBOLS - 1))
        if where.size:
            magnitudes = self.take(where.size)
            residuals[where] = np.sign(residuals[where]) * (magnitudes + REACH + 1)
        return residuals

    def take(self, count: int) -> np.ndarray:
        """The next magnitudes.

        Raises:
            CorruptFile: the queue holds fewer.
        """
        first, self.taken = self.taken, self.taken + count
        if self.taken > self.magnitudes.size:
            raise CorruptFile("the payload holds fewer escaped residuals than it asks for")
        return self.magnitudes[first : self.taken]

    def check_empty(self) -> None:
        if self.taken != self.magnitudes.size:
            raise CorruptFile("the payload holds more escaped residuals than it asks for")
