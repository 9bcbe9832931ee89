"""Weight scaling: larger weights at the start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import Any

import numpy as np

from inrcodec.registry import register
from inrcodec.remedies import INITIALISATION, NetworkStart, Remedy, is_of_sines
from inrcodec.signal import AnySignal


@register("remedies", "ws")
@dataclass(frozen=True)
class WeightScaling(Remedy):
    """All starting weights but the last layer's times alpha: WS-SIREN.

    Args:
        alpha: 1 changes nothing; the source has 2.5 for a width of 512.
    """

    source = "Weight scaling, Yeom et al., ICLR 2025, and the authors' weight_scaling.py"
    cost = "1.0 times"
    takes = frozenset({INITIALISATION})

    alpha: float = attribute(default=2.5, metadata={"range": (0.01, 100)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if is_of_sines(config):
            return None
        return "it is for networks of sines, which this is not; try --field siren"

    def begin(
        self, start: NetworkStart, signal: AnySignal, rng: np.random.Generator
    ) -> NetworkStart:
        last = f"weight{len(start.config.layers) - 1}"
        theta = {
            name: self.alpha * values if name.startswith("weight") and name != last else values
            for name, values in start.theta.items()
        }
        return replace(start, theta=theta)
