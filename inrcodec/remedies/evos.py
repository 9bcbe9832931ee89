"""EVOS: the samples that are fitted worst, and some of the others."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute

import numpy as np

from inrcodec.registry import register
from inrcodec.remedies import RESIDUAL, SAMPLING, Fitting, Remedy, Sampler

# Steps between two looks at all samples, at the beginning and at the end (the authors'
# img_sampling_trainer.py, of 5,000 steps): as shares of the steps.
FIRST_INTERVAL, LAST_INTERVAL = 0.02, 0.01


@register("remedies", "evos")
@dataclass(frozen=True)
class Evolutionary(Remedy):
    """Steps on the samples of largest error, mixed with random others: EVOS.

    Between two looks at all samples the fittest are kept: of share * N samples half have the
    largest squared error, the others are drawn from the rest in every step. Where a step has fewer
    samples than that, it draws from both halves alike. The source's crossover with the error of
    a Laplacian is left out.

    Args:
        share: of the samples that take part in a step.
        mutation: share of these that are drawn from the rest.
    """

    source = "EVOS, Zhang et al., CVPR 2025, arXiv 2412.10153, section 3"
    cost = "1.4 times"
    combines = "all but what changes the residual"
    takes = frozenset({SAMPLING, RESIDUAL})

    share: float = attribute(default=0.5, metadata={"range": (0.01, 1)})
    mutation: float = attribute(default=0.5, metadata={"range": (0, 1)})

    def sampler(self, fitting: Fitting) -> Sampler:
        return _Selection(self, fitting)


class _Selection:
    """Columns of every step, and what they are chosen from."""

    def __init__(self, remedy: Evolutionary, fitting: Fitting) -> None:
        self._remedy, self._fitting = remedy, fitting
        self._next = 0
        self._ranked: list[np.ndarray] = []

    def __call__(self, step: int, theta: np.ndarray) -> list[np.ndarray]:
        fitting = self._fitting
        if step >= self._next:
            self._ranked = self._rank(theta)
            progress = step / max(1, fitting.steps)
            share = FIRST_INTERVAL + (LAST_INTERVAL - FIRST_INTERVAL) * progress
            self._next = step + max(2, round(share * fitting.steps))
        total = sum(len(ranked) for ranked in self._ranked)
        fraction = min(1.0, (fitting.batch or total) / (self._remedy.share * total))
        return [self._drawn(ranked, fraction) for ranked in self._ranked]

    def _rank(self, theta: np.ndarray) -> list[np.ndarray]:
        """For each part its columns, the worst fitted first."""
        values = self._fitting.engine.values(theta)
        parts = self._fitting.problem.samples
        errors = [
            np.square(v - part.target).sum(axis=0) for v, part in zip(values, parts, strict=True)
        ]
        return [np.argsort(-e, kind="stable") for e in errors]

    def _drawn(self, ranked: np.ndarray, fraction: float) -> np.ndarray:
        """The columns of one step; `fraction` of those that the shares say."""
        rng = self._fitting.rng
        wanted = self._remedy.share * len(ranked)
        kept = max(1, round(wanted * (1 - self._remedy.mutation)))
        best, rest = ranked[:kept], ranked[kept:]
        others = min(len(rest), round(wanted * self._remedy.mutation * fraction))
        chosen = best if fraction == 1 else rng.choice(best, max(1, round(kept * fraction)))
        if not others:
            return np.sort(chosen)
        return np.sort(np.concatenate([chosen, rng.choice(rest, others)]))
