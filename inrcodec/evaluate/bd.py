"""Bjontegaard's deltas: the mean difference between two rate-distortion curves.

G. Bjontegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33 (2001), with
piecewise cubic Hermite interpolation (PCHIP) of log rate over quality as in the JCT-VC reporting
template, or Akima's. Quality may be anything in which a step means about the same everywhere:
PSNR in dB, or MS-SSIM in dB rather than as it is.

Over several pictures there are two averages. The mean of the deltas of each picture lets every
picture count the same; the delta of the mean curve lets those count most that need most bits, and
is what most papers print. They differ by percents, so tables must name theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.evaluate.interpolation import curve_integral

Curve = Sequence[tuple[float, float]]


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


@dataclass(frozen=True)
class BdSummary:
    """BD-rates of a set of pictures, in percent.

    Args:
        per_image_percent: by picture.
        overlap_percent: by picture.
        mean_percent: the mean over pictures.
        low_percent, high_percent: 95% confidence interval of that mean, over the choice of
            pictures; None for a single picture, which says nothing of others.
        of_mean_curve_percent: the BD-rate of the curves averaged over pictures, setting by setting;
            None if the pictures do not have the same number of settings.
    """

    per_image_percent: dict[str, float]
    overlap_percent: dict[str, float]
    mean_percent: float
    low_percent: float | None
    high_percent: float | None
    of_mean_curve_percent: float | None


def bd_rate_summary(
    anchors: Mapping[str, Curve],
    tests: Mapping[str, Curve],
    method: str = "pchip",
    seed: int = 0,
) -> BdSummary:
    """The BD-rate of each picture, both averages, and how sure the mean is.

    Args:
        anchors, tests: a curve for each picture, of the same pictures.
        method: "pchip" or "akima".
        seed: of the bootstrap.

    Raises:
        BadInput: no picture, other pictures in both, or a curve that `bd_rate_percent` refuses,
            named.
        BadOption: an unknown method.
    """
    if not anchors or anchors.keys() != tests.keys():
        raise BadInput(
            f"there are curves of {len(anchors)} pictures for the anchor and of {len(tests)} for "
            f"the test (in one only: {sorted(anchors.keys() ^ tests.keys())[:5]}); "
            "expected the same pictures for both, at least one"
        )
    found = {}
    for image, anchor in anchors.items():
        try:
            found[image] = bd_rate_percent(anchor, tests[image], method)
        except BadInput as error:
            raise BadInput(f"{image}: {error}") from error
    rates = {image: rate for image, (rate, _) in found.items()}
    low, high = bootstrap_interval(list(rates.values()), seed=seed)
    return BdSummary(
        per_image_percent=rates,
        overlap_percent={image: overlap for image, (_, overlap) in found.items()},
        mean_percent=float(np.mean(list(rates.values()))),
        low_percent=low,
        high_percent=high,
        of_mean_curve_percent=_of_mean_curves(anchors, tests, method),
    )


def mean_curve(curves: Sequence[Curve]) -> list[tuple[float, float]]:
    """The mean rate and mean quality of each setting over pictures.

    Args:
        curves: one per picture, each with its points in the same order of settings.

    Raises:
        BadInput: no curve, or curves with different numbers of points.
    """
    lengths = {len(curve) for curve in curves}
    if len(lengths) != 1:
        raise BadInput(
            f"the curves have {sorted(lengths)} points, expected at least one curve and as many "
            "points in each; measure every picture at the same settings"
        )
    rate, quality = np.mean(np.array(curves, np.float64), axis=0).T
    return list(zip(rate.tolist(), quality.tolist(), strict=True))


def bootstrap_interval(
    values: Sequence[float], confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float] | tuple[None, None]:
    """Confidence interval of a mean: percentiles of the means of samples drawn with replacement.

    B. Efron, "Bootstrap methods: another look at the jackknife", Ann. Statist. 7(1), 1979. It says
    how the mean varies with the choice of pictures from a larger set, not how well either codec was
    tuned; below about 10 values it is too narrow.

    Args:
        values: one per picture, finite.
        confidence: 0..1, exclusive.
        resamples: how many means.
        seed: the same seed gives the same interval.

    Returns:
        Its low and high end; None twice for a single value, which says nothing of others.

    Raises:
        BadInput: no values, values that are not finite, or arguments out of range.
    """
    given = np.asarray(values, np.float64)
    if given.ndim != 1 or not given.size or not np.isfinite(given).all():
        raise BadInput(
            f"the values are {list(values)[:5]}..., expected finite numbers, one or more"
        )
    if not 0 < confidence < 1 or resamples < 1:
        raise BadInput(
            f"confidence is {confidence} with {resamples} resamples, "
            "expected a confidence between 0 and 1 and at least one resample"
        )
    if given.size < 2:
        return None, None
    chosen = np.random.default_rng(seed).integers(given.size, size=(resamples, given.size))
    tail = 50 * (1 - confidence)
    low, high = np.percentile(given[chosen].mean(axis=1), [tail, 100 - tail])
    return float(low), float(high)


def _of_mean_curves(
    anchors: Mapping[str, Curve], tests: Mapping[str, Curve], method: str
) -> float | None:
    if any(len({len(c) for c in curves.values()}) > 1 for curves in (anchors, tests)):
        return None
    anchor = mean_curve([anchors[image] for image in anchors])
    return bd_rate_percent(anchor, mean_curve([tests[image] for image in anchors]), method)[0]


def _points(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    if len(curve) < 4:
        raise BadInput(f"a rate-distortion curve has {len(curve)} points, expected at least 4")
    rate, quality = np.array(sorted(curve), np.float64).T
    if not (np.isfinite(rate).all() and np.isfinite(quality).all() and rate[0] > 0):
        raise BadInput(
            f"a rate-distortion curve has points {sorted(curve)}, expected finite ones with rates "
            "above 0; leave out those without any error"
        )
    if (np.diff(quality) <= 0).any() or (np.diff(rate) <= 0).any():
        raise BadInput(f"quality does not rise with rate along the curve: {sorted(curve)}")
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
