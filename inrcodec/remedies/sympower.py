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
from inrcodec.signal import AnySignal
from inrcodec.signal.spectrum import waveform_of

BINS = 256
MOST = 5.0  # of the exponent, and one over it


@register("remedies", "sympower")
@dataclass(frozen=True)
class SymmetricPower(Remedy):
    """Fits 2 ((y - low) / (high - low))^g - 1 instead of y, and writes the way back: sym-power.

    g = ln 0.5 / ln q brings the median q of the values to the middle, within 1/5 and 5. Beyond the
    smallest and the largest value the range grows by the share of values in the lowest and the
    highest 1% of it, so that the curve is not steep where many values lie. The source's shrinking
    of g by its deviation is left out. It is the one remedy that a decoder must know: the file says
    low, high and 1/g.
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
        waveform = waveform_of(signal)
        low, high, power = chosen_curve(waveform)
        numbers = np.rint([LEVEL_UNIT * low, LEVEL_UNIT * high, EXPONENT_UNIT * power])
        return replace(
            start,
            family=SympowerField,
            theta={**start.theta, "curve": numbers},
            speeds={**start.speeds, "curve": 0.0},
            targets=lambda samples: tuple(bent(part, numbers) for part in start.targets(samples)),
            function=MlpField.network,
            error_scale=start.error_scale * _slope(waveform, numbers),
        )


def chosen_curve(values: np.ndarray) -> tuple[float, float, float]:
    """(low, high, 1/g) for values on [-1, 1]."""
    least, most = float(values.min()), float(values.max())
    span = most - least
    if not span:
        return least - 1 / BINS, most + 1 / BINS, 1.0
    below = float((values <= least + 0.01 * span).mean())
    above = float((values >= most - 0.01 * span).mean())
    low, high = least - 2 * below, most + 2 * above
    median = (float(np.median(values)) - low) / (high - low)
    median = min(max(median, 1 / BINS), 1 - 1 / BINS)
    power = math.log(0.5) / math.log(median)
    return low, high, 1 / min(max(power, 1 / MOST), MOST)


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
