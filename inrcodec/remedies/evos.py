"""EVOS: the samples that are fitted worst, and some of the others."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute

import numpy as np

from inrcodec.kernels.network import Samples
from inrcodec.registry import register
from inrcodec.remedies import RESIDUAL, SAMPLING, Fitting, Remedy, Sampler, Trained
from inrcodec.remedies.laplacian import grey_of, grey_shares, laplacian

# Steps between two looks at all samples, at the beginning and at the end (the authors'
# img_sampling_trainer.py, of 5,000 steps): as shares of the steps.
FIRST_INTERVAL, LAST_INTERVAL = 0.02, 0.01


@register("remedies", "evos")
@dataclass(frozen=True)
class Evolutionary(Remedy):
    """Steps on the samples of largest error, mixed with random others: EVOS.

    Between two looks at all samples the fittest are kept: of share * N samples half are the
    fittest, the others are drawn from the rest in every step. Where a step has fewer samples than
    that, it draws from both halves alike.

    Of pictures the fittest are a crossover: those among the n of largest squared error e and among
    the n of largest squared error l of the grey picture's Laplacian; the places left are shared
    mean(e) to mean(l) between the largest of either alone. In the first steps the mean of l over
    the samples of the step is added to the loss. Other signals have e alone, as in the source.

    The source takes neighbours of a step's samples from the last look at all of them, here they are
    the network's own.

    Args:
        share: of the samples that take part in a step.
        mutation: share of these that are drawn from the rest.
        laplacian: factor of l, of grey from 0 to 255; e is of values on [-1, 1]. 0 leaves l out.
        supervised: share of the steps that have l in their loss.
    """

    source = (
        "EVOS, Zhang et al., CVPR 2025, arXiv 2412.10153, section 3; the authors' "
        "img_sampling_trainer.py (crossover select)"
    )
    cost = "4 times at 384x256: some steps look at all samples"
    takes = frozenset({SAMPLING, RESIDUAL})

    share: float = attribute(default=0.5, metadata={"range": (0.01, 1)})
    mutation: float = attribute(default=0.5, metadata={"range": (0, 1)})
    laplacian: float = attribute(default=1e-5, metadata={"range": (0, 1)})
    supervised: float = attribute(default=0.3, metadata={"range": (0, 1)})

    def sampler(self, fitting: Fitting) -> Sampler:
        return _Selection(self, fitting)

    def trained(self, plain: Trained, fitting: Fitting) -> Trained:
        parts = fitting.problem.samples
        if not self.laplacian or not self.supervised or len(parts[0].shape) != 2:
            return plain
        return _Supervised(plain, parts[0], self.laplacian, round(self.supervised * fitting.steps))


def laplacian_errors(part: Samples, values: np.ndarray) -> np.ndarray:
    """[n] errors of the Laplacian of a picture's grey, from 0 to 255, for values [channels, n]."""
    inside = np.clip(values, -1, 1) - part.target
    return laplacian(127.5 * grey_of(inside).reshape(part.shape)).ravel()


def crossed(low: np.ndarray, high: np.ndarray, kept: int) -> np.ndarray:
    """[n] columns, the fittest first: `kept` by both errors, then the others by the first.

    Args:
        low, high: [n] errors.
        kept: how many are the fittest, at most n.
    """
    by_low, by_high = (np.argsort(-errors, kind="stable") for errors in (low, high))
    among = np.zeros((2, len(low)), bool)
    among[0, by_low[:kept]] = among[1, by_high[:kept]] = True
    both = among.all(axis=0)
    left = kept - int(both.sum())
    total = low.mean() + high.mean()
    of_low = round(left * float(low.mean() / total)) if total > 0 else left
    chosen = both.copy()
    for order, count in ((by_low, of_low), (by_high, left - of_low)):
        alone = order[:kept][~both[order[:kept]]]
        chosen[alone[:count]] = True
    return np.concatenate([by_low[chosen[by_low]], by_low[~chosen[by_low]]])


class _Selection:
    """Columns of every step, and what they are chosen from."""

    def __init__(self, remedy: Evolutionary, fitting: Fitting) -> None:
        self._remedy, self._fitting = remedy, fitting
        self._next = 0
        self._ranked: list[np.ndarray] = []

    def __call__(self, step: int, theta: np.ndarray) -> list[np.ndarray]:
        fitting = self._fitting
        if step >= self._next:
            values = fitting.engine.values(theta)
            parts = zip(fitting.problem.samples, values, strict=True)
            self._ranked = [self._rank(part, v) for part, v in parts]
            progress = step / max(1, fitting.steps)
            share = FIRST_INTERVAL + (LAST_INTERVAL - FIRST_INTERVAL) * progress
            self._next = step + max(2, round(share * fitting.steps))
        total = sum(len(ranked) for ranked in self._ranked)
        fraction = min(1.0, (fitting.batch or total) / (self._remedy.share * total))
        return [self._drawn(ranked, fraction) for ranked in self._ranked]

    def _rank(self, part: Samples, values: np.ndarray) -> np.ndarray:
        """Columns of a part, the fittest first."""
        errors = np.square(values - part.target).mean(axis=0)
        if not self._remedy.laplacian or len(part.shape) != 2:
            return np.argsort(-errors, kind="stable")
        high = self._remedy.laplacian * np.square(laplacian_errors(part, values))
        return crossed(errors, high, self._kept(len(errors)))

    def _kept(self, n: int) -> int:
        return max(1, round(self._remedy.share * n * (1 - self._remedy.mutation)))

    def _drawn(self, ranked: np.ndarray, fraction: float) -> np.ndarray:
        """The columns of one step; `fraction` of those that the shares say."""
        rng = self._fitting.rng
        kept = self._kept(len(ranked))
        best, rest = ranked[:kept], ranked[kept:]
        wanted = self._remedy.share * len(ranked) * self._remedy.mutation
        others = min(len(rest), round(wanted * fraction))
        some = [
            rng.choice(part, count, replace=False, shuffle=False)
            for part, count in ((best, max(1, round(kept * fraction))), (rest, others))
        ]
        return np.sort(np.concatenate(some))


class _Supervised(Trained):
    """The loss with the error of the Laplacian in it, for the first steps.

    Args:
        plain: what is trained.
        part: the picture.
        weight: of squared errors of grey from 0 to 255.
        steps: how many have it.
    """

    def __init__(self, plain: Trained, part: Samples, weight: float, steps: int) -> None:
        super().__init__(plain.shapes, plain.values, plain.speeds, plain.engine)
        self._plain, self._part, self._weight, self._left = plain, part, weight, steps

    def theta(self, values: np.ndarray) -> np.ndarray:
        return self._plain.theta(values)

    def loss(
        self,
        values: np.ndarray,
        columns: list[np.ndarray] | None,
        targets: list[np.ndarray] | None,
    ) -> tuple[float, np.ndarray]:
        if columns is None or not self._left:
            return self._plain.loss(values, columns, targets)
        self._left -= 1
        (output,) = self.engine.values(self.theta(values))
        part = self._part
        shift = self._weight * shift_of(part, output, columns[0])
        moved = [(part.target - shift).astype(np.float32)]
        _, gradient = self._plain.loss(values, columns, moved)
        error = np.square(output[:, columns[0]] - part.target[:, columns[0]], dtype=np.float64)
        return float(error.mean()), gradient


def shift_of(part: Samples, values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """[channels, n] to add to residuals, so that their squares have the slope of l too.

    l is the mean over `columns` of the squared errors of the Laplacian of grey from 0 to 255.

    Args:
        part: the picture.
        values: [channels, n] of the network.
        columns: of the step.
    """
    errors = laplacian_errors(part, values)
    here = np.zeros(len(errors))
    here[columns] = errors[columns]
    # The Laplacian is its own adjoint.
    slope = 127.5 * laplacian(here.reshape(part.shape)).ravel()
    shares = grey_shares(len(values))[:, None]
    return len(values) * shares * np.where(np.abs(values) < 1, slope, 0)
