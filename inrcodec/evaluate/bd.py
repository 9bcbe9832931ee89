"""Bjontegaard's delta rate: the mean difference in rate at equal quality.

G. Bjontegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33 (2001), with
piecewise cubic Hermite interpolation (PCHIP, Fritsch and Butland 1984) of log rate over quality, as
in the JCT-VC reporting template.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inrcodec.errors import BadInput


def bd_rate_percent(
    anchor: Sequence[tuple[float, float]], test: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """Mean rate difference of `test` against `anchor` over the qualities that both reach.

    Args:
        anchor, test: (rate, quality in dB) points, at least 4 each, in any order.

    Returns:
        The difference in percent (negative: `test` needs fewer bits), and the overlap: the common
        range of qualities as a percentage of the shorter curve's range.

    Raises:
        BadInput: too few points, quality that does not rise with rate, or no common quality.
    """
    (rate_a, quality_a), (rate_b, quality_b) = _curve(anchor), _curve(test)
    low, high = max(quality_a[0], quality_b[0]), min(quality_a[-1], quality_b[-1])
    if high <= low:
        raise BadInput(
            f"the curves have no quality in common: {quality_a[0]:.2f}..{quality_a[-1]:.2f} dB "
            f"against {quality_b[0]:.2f}..{quality_b[-1]:.2f} dB"
        )
    area_a = _pchip_integral(quality_a, np.log(rate_a), low, high)
    area_b = _pchip_integral(quality_b, np.log(rate_b), low, high)
    shorter = min(quality_a[-1] - quality_a[0], quality_b[-1] - quality_b[0])
    difference = np.exp((area_b - area_a) / (high - low)) - 1
    return 100 * float(difference), 100 * float((high - low) / shorter)


def _curve(points: Sequence[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    if len(points) < 4:
        raise BadInput(f"a rate-distortion curve has {len(points)} points, expected at least 4")
    rate, quality = np.array(sorted(points), np.float64).T
    if (np.diff(quality) <= 0).any() or (np.diff(rate) <= 0).any():
        raise BadInput(f"quality does not rise with rate along the curve: {sorted(points)}")
    return rate, quality


def _pchip_integral(x: np.ndarray, y: np.ndarray, low: float, high: float) -> float:
    """Integral from low to high of the monotone cubic through (x, y)."""
    slopes = _pchip_slopes(x, y)
    total = 0.0
    for i, h in enumerate(np.diff(x)):
        a, b = max(low, x[i]), min(high, x[i + 1])
        if b <= a:
            continue
        delta = (y[i + 1] - y[i]) / h
        c2 = (3 * delta - 2 * slopes[i] - slopes[i + 1]) / h
        c3 = (slopes[i] + slopes[i + 1] - 2 * delta) / h**2
        antiderivative = np.polynomial.Polynomial([y[i], slopes[i], c2, c3]).integ()
        total += antiderivative(b - x[i]) - antiderivative(a - x[i])
    return float(total)


def _pchip_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Derivatives at the knots: weighted harmonic means inside, three-point formula at the ends."""
    h, delta = np.diff(x), np.diff(y) / np.diff(x)
    slopes = np.zeros(len(x))
    same_sign = delta[:-1] * delta[1:] > 0
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    inner = np.flatnonzero(same_sign)
    slopes[inner + 1] = (w1 + w2)[inner] / (w1 / delta[:-1] + w2 / delta[1:])[inner]
    slopes[0] = _end_slope(h[0], h[1], delta[0], delta[1])
    slopes[-1] = _end_slope(h[-1], h[-2], delta[-1], delta[-2])
    return slopes


def _end_slope(h0: float, h1: float, d0: float, d1: float) -> float:
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    if np.sign(slope) != np.sign(d0):
        return 0.0
    if np.sign(d0) != np.sign(d1) and abs(slope) > 3 * abs(d0):
        return 3 * d0
    return slope
