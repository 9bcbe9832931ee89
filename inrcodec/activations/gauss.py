"""The Gaussian activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inrcodec.activations import Activation
from inrcodec.registry import register


@register("activations", "gauss", id=8)
@dataclass(frozen=True)
class Gauss(Activation):
    """exp(-x^2): Gaussian activated networks."""

    source = "GARF, Chng et al., arXiv 2204.05735; scale 5 suits narrow networks, wide ones take 30"
    field = "gauss"
    boost = 5.0
    learning_rate = 3e-2

    def __call__(self, a: Any, x: Any) -> Any:
        return a.exp(-(x * x))
