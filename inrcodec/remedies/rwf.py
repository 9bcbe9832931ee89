"""Random weight factorisation: a scale for every neuron."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

import numpy as np

from inrcodec.registry import register
from inrcodec.remedies import PARAMETERS, Fitting, Remedy, Trained, refusal_of_grid
from inrcodec.remedies.factored import Factor, Factored


@register("remedies", "rwf")
@dataclass(frozen=True)
class RandomWeightFactorised(Remedy):
    """Matrices W = diag(exp(s)) V, of which s and V are trained: RWF.

    Training begins with the same W as without it. The last phase, which makes weights cheap, trains
    the product itself.

    Args:
        mean, deviation: of the normal s at the start.
    """

    source = "Random weight factorization, Wang et al., arXiv 2210.01274, section 3"
    cost = "1.2 times"
    takes = frozenset({PARAMETERS})

    mean: float = attribute(default=0.5, metadata={"range": (-5, 5)})
    deviation: float = attribute(default=0.1, metadata={"range": (0, 5)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if not hasattr(config, "activation"):
            return refusal_of_grid(config) or "it is for multilayer perceptrons"
        return None

    def trained(self, plain: Trained, fitting: Fitting) -> Trained:
        scales = _Scales(self.mean, self.deviation, fitting.rng)
        return Factored(plain, {n: scales for n in plain.shapes if n.startswith("weight")})


class _Scales(Factor):
    """W = diag(exp(s)) V; rows are the axis before the last."""

    def __init__(self, mean: float, deviation: float, rng: np.random.Generator) -> None:
        self._mean, self._deviation, self._rng = mean, deviation, rng

    def begin(self, weight: np.ndarray, speed: np.ndarray) -> tuple[dict, dict]:
        s = self._mean + self._deviation * self._rng.standard_normal((*weight.shape[:-1], 1))
        values = {"scale": s, "direction": weight / np.exp(s)}
        # V moves as W would; s is a logarithm, which the boost folded into W does not touch.
        rate = float(speed.flat[0])
        unit = rate / max(float(np.abs(weight).max()), 1e-12)
        return values, {"scale": np.full(s.shape, unit), "direction": np.full(weight.shape, rate)}

    def product(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.exp(parts["scale"]) * parts["direction"]

    def pullback(
        self, parts: Mapping[str, np.ndarray], gradient: np.ndarray
    ) -> dict[str, np.ndarray]:
        grown = np.exp(parts["scale"])
        along = (gradient * parts["direction"]).sum(axis=-1, keepdims=True)
        return {"scale": grown * along, "direction": grown * gradient}
