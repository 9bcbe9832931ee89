"""Encoding to a size: lambda is searched until the finished file is as large as was asked for.

The first lambda is where a transform coder's file would have that size. Quick fits of little effort
come next where the wanted effort is slow; then fits of that effort, each corrected by the slope
between those before. Sizes of networks follow lambda in coarse steps, so that they stay once a file
is near, and lambda alone moves on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from inrcodec.encoded import Encoded
from inrcodec.errors import BadOption
from inrcodec.fields import family_of
from inrcodec.fields.network import NetworkField
from inrcodec.fit import EncodeOptions
from inrcodec.fit.presets import HIGHEST_LMBDA, LOWEST_LMBDA
from inrcodec.fit.sizes import sizes_of
from inrcodec.signal import AnySignal

# A file is near enough that is smaller than was asked for by at most this share, or these bytes.
TOLERANCE, TOLERANCE_BYTES = 0.05, 8
AIM = 0.975  # share of the bytes that were asked for
# Quick fits say the size of slow ones within some 10%, and how it moves with lambda.
TRIAL_EFFORT, LEAST_EFFORT_WITH_TRIALS, TRIALS, TRIAL_TOLERANCE = 1, 3, 3, 0.04
FITS, MOST_FITS = 6, 10  # of the wanted effort: to be near enough, and to find any file that fits
KEPT_SHAPE = 0.1  # logarithm of sizes from which on networks get another size
SHAPES = 3  # how often they do at one effort
# Of log bytes over log lambda, downwards: what is plausible, and that of a network that keeps its
# size, where nothing is known yet.
SLOPES, KEPT_SLOPES, NETWORK_SLOPE = (0.3, 2.0), (0.08, 2.0), 0.2
MOST_STEP = 4.0  # of log lambda
# Sizes of fits scatter by some percent, so that slopes are fitted to attempts with sizes within a
# factor of two, and held to what was known before as if by that much variation of log lambda.
LOCAL, PRIOR = 0.7, 0.02
FURTHER = 0.01  # lower for each attempt, as long as all are too large
KNOTS = np.geomspace(LOWEST_LMBDA, HIGHEST_LMBDA, 33)
LEAST_BYTES = 60  # of a file without content


@dataclass(frozen=True)
class Attempt:
    """One fit of a search.

    Args:
        lmbda: weight of the rate.
        shape_lmbda: by which networks got their sizes.
        effort: of the fit.
        file_bytes: of the finished file.
    """

    lmbda: float
    shape_lmbda: float
    effort: int
    file_bytes: int


@dataclass(frozen=True)
class Sized:
    """A file of the size that was asked for.

    Args:
        encoded: the file.
        options: that it was made with.
        attempts: all fits of the search, in their order.
    """

    encoded: Encoded
    options: EncodeOptions
    attempts: tuple[Attempt, ...]


def check_target(target_bytes: Any) -> None:
    """Refuses what is no size of a file.

    Raises:
        BadOption: it is no whole number from 1 on.
    """
    if not isinstance(target_bytes, Integral) or target_bytes < 1:
        raise BadOption(f"target_bytes is {target_bytes!r}, expected a whole number from 1 on")


def encode_to_size(
    target_bytes: int,
    options: EncodeOptions,
    encode: Callable[[EncodeOptions], Encoded],
    signals: Iterable[AnySignal],
) -> Sized:
    """The best file found of at most that many bytes; as a rule at most 5% smaller.

    Args:
        target_bytes: size of the whole file, metadata included.
        options: of the encode; lmbda is what is searched for.
        encode: makes the file of the signal with other options.
        signals: the signal, or its segments; their metadata do not count.

    Raises:
        BadOption: no lambda gives a file of that size.
    """
    check_target(target_bytes)
    search = _Search(int(target_bytes), options, encode, signals)
    if options.effort >= LEAST_EFFORT_WITH_TRIALS:
        for _ in range(TRIALS):
            if not search.try_next(TRIAL_EFFORT) or search.is_close():
                break
    for fits in range(1, MOST_FITS + 1):
        if not search.try_next(options.effort) or search.is_near_enough():
            break
        if fits >= FITS and search.best is not None:
            break
    return search.result()


class _Search:
    """What was tried, and which lambda is next.

    Args:
        target_bytes, options, encode, signals: as for `encode_to_size`.
    """

    def __init__(
        self,
        target_bytes: int,
        options: EncodeOptions,
        encode: Callable[[EncodeOptions], Encoded],
        signals: Iterable[AnySignal],
    ) -> None:
        self.attempts: list[Attempt] = []
        self.best: Sized | None = None
        self._target_bytes, self._options, self._encode = target_bytes, options, encode
        self._is_network = issubclass(family_of(options.field).part, NetworkField)
        sizes = np.full(len(KNOTS), float(LEAST_BYTES))
        for signal in signals:
            sizes += sizes_of(signal, KNOTS)
        self._log_sizes, self._log_knots = np.log(sizes), np.log(KNOTS)

    def try_next(self, effort: int) -> bool:
        """Makes a file at that effort; False where nothing new is left to try."""
        lmbda, shape_lmbda = self.proposal(effort)
        tried = {(a.lmbda, a.shape_lmbda, a.effort) for a in self.attempts}
        if (lmbda, shape_lmbda, effort) in tried:
            return False
        if self._options.reporter is not None:
            self._options.reporter.attempt(len(self.attempts) + 1)
        options = replace(self._options, lmbda=lmbda, shape_lmbda=shape_lmbda, effort=effort)
        encoded = self._encode(options)
        size = len(encoded.data)
        self.attempts.append(Attempt(lmbda, shape_lmbda, effort, size))
        # Of files that fit the best one counts: a larger one that networks of another size reach
        # only at a lambda that is not theirs may be worse.
        error = math.inf if self.best is None else self.best.encoded.mse
        fits = effort == self._options.effort and size <= self._target_bytes
        if fits and encoded.mse < error:
            self.best = Sized(encoded, options, ())
        return True

    def result(self) -> Sized:
        """The best file.

        Raises:
            BadOption: there is none, or the finest one is much smaller.
        """
        mine = [a for a in self.attempts if a.effort == self._options.effort]
        target = f"target_bytes is {self._target_bytes}, and the"
        if self.best is None:
            least = min(mine, key=lambda a: a.file_bytes)
            raise BadOption(
                f"{target} smallest file that was found, at lmbda {least.lmbda:g}, has "
                f"{least.file_bytes} bytes; ask for at least that"
            )
        most = max(mine, key=lambda a: a.file_bytes)
        ended = any(a.lmbda == LOWEST_LMBDA for a in mine)
        if ended and most.file_bytes <= self._target_bytes and not self._fills(most):
            raise BadOption(
                f"{target} largest file that was found, at lmbda {most.lmbda:g}, has "
                f"{most.file_bytes} bytes; ask for at most that"
            )
        return replace(self.best, attempts=tuple(self.attempts))

    def is_close(self) -> bool:
        """Whether the last attempt is as near as trials need to be."""
        return abs(self.off(self.attempts[-1])) < TRIAL_TOLERANCE

    def is_near_enough(self) -> bool:
        """Whether the last attempt needs no further search."""
        return self._fills(self.attempts[-1])

    def _fills(self, attempt: Attempt) -> bool:
        missing = self._target_bytes - attempt.file_bytes
        return 0 <= missing <= max(TOLERANCE * self._target_bytes, TOLERANCE_BYTES)

    def off(self, attempt: Attempt) -> float:
        """Logarithm of its size over the one that is aimed at."""
        return math.log(attempt.file_bytes / (AIM * self._target_bytes))

    def proposal(self, effort: int) -> tuple[float, float]:
        """(lmbda, shape_lmbda) of the next attempt at an effort."""
        mine = [a for a in self.attempts if a.effort == effort]
        known = mine or self.attempts
        if not known:
            aim = math.log(AIM * self._target_bytes)
            lmbda = _bounded(np.interp(aim, self._log_sizes[::-1], self._log_knots[::-1]))
            return lmbda, lmbda
        free = [a for a in known if a.shape_lmbda == a.lmbda]
        near = self._nearest(known)
        if abs(self.off(near)) > KEPT_SHAPE and len(free) < SHAPES:
            lmbda = self._solved(free or [near], kept=False)
            return lmbda, lmbda
        alike = [a for a in known if a.shape_lmbda == near.shape_lmbda]
        lmbda = self._solved(alike, kept=True)
        at_end = lmbda in (LOWEST_LMBDA, HIGHEST_LMBDA)
        return lmbda, lmbda if at_end else near.shape_lmbda

    def _nearest(self, attempts: Sequence[Attempt]) -> Attempt:
        """The attempt whose size is nearest to the one that is aimed at; of several the last."""
        return min(reversed(attempts), key=lambda a: abs(self.off(a)))

    def _solved(self, line: Sequence[Attempt], kept: bool) -> float:
        """The lambda at which attempts of one effort lead to the size that is aimed at.

        Args:
            line: the attempts; of networks that have one size, or each its own.
            kept: whether the next network has the size of the nearest one.
        """
        near = self._nearest(line)
        above = [math.log(a.lmbda) for a in line if a.file_bytes > self._target_bytes]
        below = [math.log(a.lmbda) for a in line if a.file_bytes <= self._target_bytes]
        off = self.off(near) + (0 if below else FURTHER * len(above))
        step = off / self._slope(line, near, kept)
        x = math.log(near.lmbda) + min(max(step, -MOST_STEP), MOST_STEP)
        if above and below and max(above) < min(below) and not max(above) < x < min(below):
            x = (max(above) + min(below)) / 2
        return _bounded(x)

    def _slope(self, line: Sequence[Attempt], near: Attempt, kept: bool) -> float:
        """How fast log bytes fall with log lambda, near an attempt of a line."""
        trials = [a for a in self.attempts if a.effort != near.effort]
        low, high = KEPT_SLOPES if kept else SLOPES
        if kept and self._is_network:
            slope = NETWORK_SLOPE
            trials = [a for a in trials if a.shape_lmbda == near.shape_lmbda]
        else:
            at = math.log(near.lmbda)
            left, right = np.interp([at - 0.3, at + 0.3], self._log_knots, self._log_sizes)
            slope = min(max((left - right) / 0.6, low), high)
        for attempts in (trials, line):
            ranked = sorted(attempts, key=lambda a: abs(self.off(a)))
            local = [a for i, a in enumerate(ranked) if i < 2 or abs(self.off(a)) < LOCAL]
            if local:
                x = np.log([a.lmbda for a in local])
                y = np.log([a.file_bytes for a in local])
                x, y = x - x.mean(), y - y.mean()
                slope = min(max((PRIOR * slope - x @ y) / (PRIOR + x @ x), low), high)
        return slope


def _bounded(log_lmbda: float) -> float:
    return float(min(max(math.exp(log_lmbda), LOWEST_LMBDA), HIGHEST_LMBDA))
