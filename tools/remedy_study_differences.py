"""Differences of paired numbers: means, intervals, and how likely chance alone is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """The mean of paired differences, with what Student's t says of it.

    Args:
        count: how many pairs.
        mean: of the differences.
        low, high: of its 95% interval.
        p: how likely a mean this far from 0 is by chance, two-sided.
    """

    count: int
    mean: float
    low: float
    high: float
    p: float


def difference(
    first: Mapping[str, float], second: Mapping[str, float], least: int
) -> Difference | None:
    """First less second, over the keys that both have; None of fewer than `least`, from 2 on."""
    both = first.keys() & second.keys()
    if len(both) < least:
        return None
    return of_values([first[key] - second[key] for key in sorted(both)])


def of_values(values: Sequence[float]) -> Difference:
    """The mean of two or more differences."""
    mean, error = fmean(values), stdev(values) / math.sqrt(len(values))
    freedom = len(values) - 1
    half = _t_of(CONFIDENCE, freedom) * error
    t = abs(mean) / error if error else (math.inf if mean else 0.0)
    return Difference(len(values), mean, mean - half, mean + half, 1 - share_within(t, freedom))


def holm(ps: Sequence[float]) -> list[float]:
    """The p of each test among all of them, so that any false one at all is as unlikely.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6(2),
    1979.
    """
    adjusted, floor = [0.0] * len(ps), 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        floor = max(floor, min(1.0, (len(ps) - rank) * ps[i]))
        adjusted[i] = floor
    return adjusted


def share_within(t: float, freedom: int) -> float:
    """How likely Student's t is within -t..t, of whole degrees of freedom.

    Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    is_odd = freedom % 2
    term = math.sin(angle) * (math.cos(angle) if is_odd else 1)
    total = 0.0
    for k in range(1 + is_odd, freedom, 2):
        total += term
        term *= math.cos(angle) ** 2 * k / (k + 1)
    return 2 / math.pi * (angle + total) if is_odd else total


def _t_of(share: float, freedom: int) -> float:
    """The t within which that share lies."""
    low, high = 0.0, 1.0
    while share_within(high, freedom) < share:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if share_within(middle, freedom) < share else (low, middle)
    return high
