"""Bjontegaard's deltas: the mean difference between two rate-distortion curves.

G. Bjontegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33 (2001), with
piecewise cubic Hermite interpolation (PCHIP) of log rate over quality as in the JCT-VC reporting
template, or Akima's. Quality may be anything in which a step means about the same everywhere:
PSNR in dB, or MS-SSIM in dB rather than as it is.

Over several signals there are two averages. The mean of the deltas of each signal lets every
signal count the same; the delta of the mean curve lets those count most that need most bits, and
is what most papers print. They differ by percents, so tables must name theirs.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.evaluate.cubics import curve_integral

Curve = Sequence[tuple[float, float]]
# Of a curve: cubics through fewer say more of their ends than of the codec.
MIN_POINTS = 4


def bd_rate_percent(anchor: Curve, test: Curve, method: str = "pchip") -> tuple[float, float]:
    """Mean rate difference of `test` against `anchor` over the qualities that both reach.

    Args:
        anchor, test: (rate, quality in dB) points, at least 4 each, in any order.
        method: "pchip" or "akima".

    Returns:
        The difference in percent (negative: `test` needs fewer bits), and the overlap: the common
        range of qualities as a percentage of the shorter curve's range.

    Raises:
        BadInput: too few points, quality that does not rise with rate, or no common quality.
        BadOption: an unknown method.
    """
    (rate_a, quality_a), (rate_b, quality_b) = _points(anchor), _points(test)
    difference, overlap = _mean_difference(
        (quality_a, np.log(rate_a)), (quality_b, np.log(rate_b)), method, "quality", "{:.2f} dB"
    )
    return 100 * float(np.expm1(difference)), overlap


def bd_quality(anchor: Curve, test: Curve, method: str = "pchip") -> tuple[float, float]:
    """Mean quality difference of `test` against `anchor` over the rates that both reach: BD-PSNR.

    Args and errors as `bd_rate_percent`.

    Returns:
        The difference in the unit of the quality, dB (positive: `test` is better), and the overlap:
        the common range of log rates as a percentage of the shorter curve's range.
    """
    (rate_a, quality_a), (rate_b, quality_b) = _points(anchor), _points(test)
    return _mean_difference(
        (np.log(rate_a), quality_a), (np.log(rate_b), quality_b), method, "log rate", "{:.3f}"
    )


def mean_curve(curves: Sequence[Curve]) -> list[tuple[float, float]]:
    """The mean rate and mean quality of each setting over signals.

    Args:
        curves: one per signal, each with its points in the same order of settings.

    Raises:
        BadInput: no curve, curves with different numbers of points, or no numbers in them.
    """
    try:
        lengths = {len(curve) for curve in curves}
        points = np.array(curves, np.float64) if len(lengths) == 1 else None
    except (TypeError, ValueError):
        points = np.empty(0)
    if points is None:
        raise BadInput(
            f"the curves have {sorted(lengths)} points, expected at least one curve and as many "
            "points in each; measure every signal at the same settings"
        )
    if points.ndim != 3 or points.shape[2] != 2:
        raise BadInput(
            f"the curves are {reprlib.repr(curves)}, expected lists of (rate, quality) pairs"
        )
    rate, quality = points.mean(axis=0).T
    return list(zip(rate.tolist(), quality.tolist(), strict=True))


def bootstrap_interval(
    values: Sequence[float], confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float] | tuple[None, None]:
    """Confidence interval of a mean: percentiles of the means of samples drawn with replacement.

    B. Efron, "Bootstrap methods: another look at the jackknife", Ann. Statist. 7(1), 1979. It says
    how the mean varies with the choice of signals from a larger set, not how well either codec was
    tuned; below about 10 values it is too narrow.

    Args:
        values: one per signal, finite.
        confidence: 0..1, exclusive.
        resamples: how many means.
        seed: the same seed gives the same interval.

    Returns:
        Its low and high end; None twice for a single value, which says nothing of others.

    Raises:
        BadInput: no values, values that are not finite, or arguments out of range.
    """
    try:
        given = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        given = np.empty(0)
    if given.ndim != 1 or not given.size or not np.isfinite(given).all():
        raise BadInput(
            f"the values are {reprlib.repr(values)}, expected a list of finite numbers, one or "
            "more; leave out signals without one"
        )
    fits = isinstance(confidence, Real) and 0 < confidence < 1
    if not (fits and all(isinstance(x, Integral) for x in (resamples, seed))) or (
        resamples < 1 or seed < 0
    ):
        raise BadInput(
            f"confidence is {confidence!r} with {resamples!r} resamples and seed {seed!r}, "
            "expected a confidence between 0 and 1, one resample or more, and a seed from 0 on"
        )
    if given.size < 2:
        return None, None
    chosen = np.random.default_rng(seed).integers(given.size, size=(resamples, given.size))
    tail = 50 * (1 - confidence)
    low, high = np.percentile(given[chosen].mean(axis=1), [tail, 100 - tail])
    return float(low), float(high)


def rising(curve: Curve) -> list[tuple[float, float]]:
    """The points of a curve, by rate, that are better than all cheaper ones, and finite.

    Args:
        curve: (rate, quality) points in any order.

    Raises:
        BadInput: it does not consist of pairs of numbers.
    """
    kept: list[tuple[float, float]] = []
    for rate, quality in sorted(_pairs(curve), key=lambda point: (point[0], -point[1])):
        if math.isfinite(quality) and (not kept or quality > kept[-1][1]):
            kept.append((rate, quality))
    return kept


def _pairs(curve: Curve) -> list[tuple[float, float]]:
    """The points of a curve, by rate, if that is what it consists of."""
    try:
        pairs = [(rate, quality) for rate, quality in curve]
    except (TypeError, ValueError):
        pairs = [("", "")]
    if not all(isinstance(number, Real) for pair in pairs for number in pair):
        raise BadInput(
            f"a rate-distortion curve is {reprlib.repr(curve)}, expected a list of "
            "(rate, quality) pairs of numbers"
        )
    return sorted((float(rate), float(quality)) for rate, quality in pairs)


def _points(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    pairs = _pairs(curve)
    if len(pairs) < MIN_POINTS:
        raise BadInput(
            f"a rate-distortion curve has {len(pairs)} points, expected at least {MIN_POINTS}; "
            "measure more settings"
        )
    rate, quality = np.array(pairs, np.float64).T
    if not (np.isfinite(rate).all() and np.isfinite(quality).all() and (rate > 0).all()):
        raise BadInput(
            f"a rate-distortion curve has points {pairs}, expected finite ones with rates "
            "above 0; leave out those without any error"
        )
    if (np.diff(quality) <= 0).any() or (np.diff(rate) <= 0).any():
        raise BadInput(
            f"quality does not rise with rate along the curve {pairs}, expected both to rise; "
            "leave out the points that cost more for no more, as `rising` does"
        )
    return rate, quality


def _mean_difference(
    anchor: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    method: str,
    axis: str,
    form: str,
) -> tuple[float, float]:
    """Mean of test - anchor over the common range of x, and that range in percent."""
    x_a, x_b = anchor[0], test[0]
    low, high = max(x_a[0], x_b[0]), min(x_a[-1], x_b[-1])
    if high <= low:
        ranges = [f"{form.format(x[0])}..{form.format(x[-1])}" for x in (x_a, x_b)]
        raise BadInput(
            f"the curves have no {axis} in common: {' against '.join(ranges)}; "
            "measure settings that meet"
        )
    areas = [curve_integral(x, y, low, high, method) for x, y in (anchor, test)]
    shorter = min(x_a[-1] - x_a[0], x_b[-1] - x_b[0])
    return (areas[1] - areas[0]) / (high - low), 100 * float((high - low) / shorter)
