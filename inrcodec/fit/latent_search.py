"""Integer latents moved one by one, where that lowers the cost of the file: what training leaves.

Gradient descent ends between integers, and rounding all latents at once is not the best choice of
each. A move by one changes the picture, the contexts of the latents behind it and those of the
finer level only nearby, so latents CELL apart are tried at the same time, by one evaluation, and
each is judged by the cost around it alone. The result is that of trying them one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from inrcodec.kernels import Engine

CELL = 8
# A move of latent o is felt from o - BEFORE to o - BEFORE + CELL - 1 along each axis, in units of
# its level: the context reaches 4 to the left and 3 to the right and up, the interpolation 2.5 to
# either side, two 3x3 layers 2 pixels more.
BEFORE = 3
_SLOPE_TRIALS = 16  # trials until the gradients, which give the directions, are computed anew


class LatentSearch:
    """Latents under such a search.

    Args:
        engine: evaluates latents.
        latents: [latents] float32 integers.
        theta: [parameters], as the decoder will see them.
        lmbda: weight of the rate.
    """

    def __init__(
        self, engine: Engine, latents: np.ndarray, theta: np.ndarray, lmbda: float
    ) -> None:
        self._engine, self._theta, self._lmbda = engine, engine.vector(theta), lmbda
        problem = engine.problem
        self._weight = lmbda / problem.pixels
        self._spacings = [1 << problem.first_level + i for i in range(len(problem.level_shapes))]
        sizes = [h * w for h, w in problem.level_shapes]
        self._at = np.cumsum([0, *sizes]).tolist()
        self.latents = latents.copy()
        self._squares, self._bits = self._maps(self.latents)
        self._slopes = np.zeros_like(latents)

    @property
    def rate_bpp(self) -> float:
        """Of the latents as they are now."""
        return float(self._bits.sum(dtype=np.float64)) / self._engine.problem.pixels

    @property
    def mse(self) -> float:
        """Of the latents as they are now."""
        return float(self._squares.mean(dtype=np.float64))

    def run(self, trials: int, tried_one: Callable[[], None] = lambda: None) -> int:
        """That many evaluations, fewer where no latent is left that pays.

        Args:
            trials: each tries a 64th of the latents of a level.
            tried_one: called after each.

        Returns:
            Number of trials.
        """
        in_vain = 0
        for trial, (level, oy, ox) in zip(range(trials), self._plan(), strict=False):
            if in_vain == CELL * CELL * len(self._spacings):
                return trial
            if trial % _SLOPE_TRIALS == 0:
                self._slopes = self._gradient()
            in_vain = 0 if self._try(level, oy, ox) else in_vain + 1
            tried_one()
        return trials

    def _plan(self) -> Iterator[tuple[int, int, int]]:
        """(level, offset down, offset across) for ever, fine levels more often: they hold most."""
        reach = 0
        while True:
            reach = min(reach + 1, len(self._spacings))
            for level in range(reach):
                # Offsets far from each other first: the slopes stay true for longer.
                for k in range(CELL * CELL):
                    yield level, *divmod(k * 27 % (CELL * CELL), CELL)

    def _try(self, level: int, oy: int, ox: int) -> int:
        """Tries the latents of a level at one offset in each cell; number of those moved."""
        moves = -np.sign(self._plane(self._slopes, level)[oy::CELL, ox::CELL])
        if not moves.any():
            return 0
        trial = self.latents.copy()
        self._plane(trial, level)[oy::CELL, ox::CELL] += moves
        squares, bits = self._maps(trial)
        accepted = (self._changes(level, oy, ox, squares, bits) < 0) & (moves != 0)
        if accepted.any():
            self._plane(self.latents, level)[oy::CELL, ox::CELL] += moves * accepted
            self._keep(level, oy, ox, accepted, squares, bits)
        return int(accepted.sum())

    def _changes(
        self, level: int, oy: int, ox: int, squares: np.ndarray, bits: np.ndarray
    ) -> np.ndarray:
        """[cells down, cells across]: what the trial changes of the cost in each cell."""
        rows, columns = self._cells(level, oy, ox, self._spacings[level], squares.shape)
        total = _cell_sums(squares - self._squares, rows, columns) / squares.size
        for finer in range(level + 1):
            plane = self._plane(bits, finer) - self._plane(self._bits, finer)
            rows, columns = self._cells(level, oy, ox, 1 << level - finer, plane.shape)
            total += self._weight * _cell_sums(plane, rows, columns)
        return total

    def _keep(
        self,
        level: int,
        oy: int,
        ox: int,
        accepted: np.ndarray,
        squares: np.ndarray,
        bits: np.ndarray,
    ) -> None:
        """Takes over the maps of the trial where its moves were accepted."""
        scales = {finer: 1 << level - finer for finer in range(level + 1)}
        planes = [(self._plane(self._bits, f), self._plane(bits, f), s) for f, s in scales.items()]
        for kept, new, scale in [(self._squares, squares, self._spacings[level]), *planes]:
            rows, columns = self._cells(level, oy, ox, scale, kept.shape)
            inside = np.zeros(kept.shape, bool)
            heights = np.diff([*rows, kept.shape[0]])
            widths = np.diff([*columns, kept.shape[1]])
            inside[rows[0] :, columns[0] :] = accepted.repeat(heights, 0).repeat(widths, 1)
            np.copyto(kept, new, where=inside)

    def _cells(
        self, level: int, oy: int, ox: int, scale: int, shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """First rows and columns of the cells in a plane of `scale` samples per latent."""
        height, width = self._engine.problem.level_shapes[level]
        firsts = []
        for offset, count in ((oy, height), (ox, width)):
            firsts.append(np.maximum(scale * (np.arange(offset, count, CELL) - BEFORE), 0))
        return firsts[0], firsts[1]

    def _plane(self, vector: np.ndarray, level: int) -> np.ndarray:
        """A level of a flat vector, as a view [h, w]."""
        return vector[self._at[level] : self._at[level + 1]].reshape(
            self._engine.problem.level_shapes[level]
        )

    def _maps(self, latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._engine.maps(self._engine.vector(latents), self._theta)

    def _gradient(self) -> np.ndarray:
        loss = self._engine.loss(self._engine.vector(self.latents), self._theta, self._lmbda)
        return self._engine.array(loss.grad_latents)


def _cell_sums(plane: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """[rows, columns] float64: sums from each first row and column to the next."""
    return np.add.reduceat(np.add.reduceat(plane, columns, axis=1), rows, axis=0, dtype=np.float64)
