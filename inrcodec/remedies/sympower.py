"""Symmetric power transform: values whose distribution is even about the middle."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inrcodec.fields.mlp import MlpConfig, MlpField
from inrcodec.fields.sympower import EXPONENT_UNIT, LEVEL_UNIT, SympowerField
from inrcodec.kernels.network import Samples
from inrcodec.registry import register
from inrcodec.remedies import TARGET, NetworkStart, Remedy, refusal_of_grid
from inrcodec.signal import AnySignal, AudioSignal, Signal
from inrcodec.signal.spectrum import colours_of

# The authors' transform.py and its defaults: a histogram from the smallest to the largest value,
# and how many of its outermost bins say how heavy its ends are, for the range (their alpha) and for
# g (their beta).
BINS = 256
END_BINS, DEVIATION_BINS, DEVIATION_SHARE = 2, 12, 0.05
MOST = 5.0  # of the exponent, and one over it


@register("remedies", "sympower")
@dataclass(frozen=True)
class SymmetricPower(Remedy):
    """Fits 2 ((y - low) / (high - low))^g - 1 instead of y, and writes the way back: sym-power.

    g = ln 0.5 / ln q brings the median to the middle of the values' range, where it is the share q.
    How far g lies from 1, or below 1 how far 1/g does, then shrinks by the factor 1 - d: d is how
    many more values g would push into the 5% of the range at the end that it moves them to, over 5%
    and at most 1. g stays within 1/5 and 5. Beyond the smallest and the largest value the range
    grows by the share of values in the lowest and the highest 1% of it, so that the curve is not
    steep where many values lie. It is the one remedy that a decoder must know: the file says low,
    high and 1/g.
    """

    source = "Symmetric power transformation, Zhang et al., AAAI 2025; the authors' transform.py"
    cost = "1.0 times"
    takes = frozenset({TARGET})
    decoder = True

    def refusal(self, kind: str, config: Any) -> str | None:
        if isinstance(config, MlpConfig):
            return None
        return refusal_of_grid(config) or "it is for multilayer perceptrons"

    def begin(
        self, start: NetworkStart, signal: AnySignal, rng: np.random.Generator
    ) -> NetworkStart:
        values = _values(signal)
        low, high, power = chosen_curve(values)
        numbers = np.rint([LEVEL_UNIT * low, LEVEL_UNIT * high, EXPONENT_UNIT * power])
        return replace(
            start,
            family=SympowerField,
            theta={**start.theta, "curve": numbers},
            speeds={**start.speeds, "curve": 0.0},
            targets=lambda samples: tuple(bent(part, numbers) for part in start.targets(samples)),
            function=MlpField.network,
            error_scale=start.error_scale * _slope(values, numbers),
        )


def _values(signal: AnySignal) -> np.ndarray:
    """What the curve is chosen by, on [-1, 1]: all channels, which all are bent; of videos luma."""
    if isinstance(signal, Signal):
        return signal.samples * (2 / signal.peak) - 1
    values = colours_of(signal)
    return values if isinstance(signal, AudioSignal) else 2 * values - 1


def chosen_curve(values: np.ndarray) -> tuple[float, float, float]:
    """(low, high, 1/g) for values on [-1, 1]."""
    least, most = float(values.min()), float(values.max())
    span = most - least
    if not span:
        return least - 1 / BINS, most + 1 / BINS, 1.0
    shares = (values - least) / span
    ends = _histogram(shares)
    low = least - 2 * float(ends[:END_BINS].sum())
    high = most + 2 * float(ends[-END_BINS:].sum())
    return low, high, 1 / exponent_of(shares)


def exponent_of(shares: np.ndarray) -> float:
    """g for values on [0, 1] that reach both ends."""
    before = _histogram(shares)
    median = np.searchsorted(np.cumsum(before), 0.5) / BINS
    median = min(max(float(median), 1 / BINS), 1 - 1 / BINS)
    power = math.log(0.5) / math.log(median)
    after = _histogram(shares**power)
    end = slice(DEVIATION_BINS) if power > 1 else slice(-DEVIATION_BINS, None)
    deviation = float(after[end].sum() - before[end].sum()) / DEVIATION_SHARE
    kept = 1 - min(max(deviation, 0.0), 1.0)
    power = 1 + (power - 1) * kept if power > 1 else 1 / (1 + (1 / power - 1) * kept)
    return min(max(power, 1 / MOST), MOST)


def _histogram(shares: np.ndarray) -> np.ndarray:
    """[BINS] shares of values in equal bins of [0, 1]."""
    counts, _ = np.histogram(shares, BINS, (0, 1))
    return counts / shares.size


def bent(part: Samples, numbers: np.ndarray) -> Samples:
    """Samples as the network is to have them, for the curve's numbers in the file."""
    low, high, power = numbers / (LEVEL_UNIT, LEVEL_UNIT, EXPONENT_UNIT)
    share = np.clip((part.target - low) / (high - low), 0, 1)
    return replace(part, target=(2 * share ** (1 / power) - 1).astype(np.float32))


def _slope(values: np.ndarray, numbers: np.ndarray) -> float:
    """Mean square of what an error of the network's output becomes in the values."""
    low, high, power = numbers / (LEVEL_UNIT, LEVEL_UNIT, EXPONENT_UNIT)
    share = np.clip((values - low) / (high - low), 1e-3, None)
    slopes = 0.5 * (high - low) * power * share ** (1 - 1 / power)
    return float(np.mean(slopes * slopes))
