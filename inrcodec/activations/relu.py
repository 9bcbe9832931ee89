"""The rectifier, which shows spectral bias at its plainest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inrcodec.activations import Activation
from inrcodec.registry import register


@register("activations", "relu", id=9)
@dataclass(frozen=True)
class Relu(Activation):
    """max(x, 0): piecewise linear networks."""

    learning_rate = 0.1
    source = "Rahaman et al., arXiv 1806.08734, as the baseline of all remedies"
    field = "relu"

    def __call__(self, a: Any, x: Any) -> Any:
        return a.maximum(x, 0.0)
