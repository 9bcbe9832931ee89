"""Plain Adam: what most sources train with, so the measure of other optimisers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

import numpy as np

from inrcodec.registry import register
from inrcodec.remedies import OPTIMIZER, Remedy, refusal_of_grid


@register("remedies", "adam")
@dataclass(frozen=True)
class AdamRemedy(Remedy):
    """Plain Adam instead of SOAP: what most of the sources train with.

    Args:
        rate: factor of the learning rates, which are tuned for SOAP.
    """

    source = "Adam, Kingma and Ba, arXiv 1412.6980, algorithm 1"
    cost = "0.8 times"
    takes = frozenset({OPTIMIZER})

    rate: float = attribute(default=1.0, metadata={"range": (1e-6, 1e3)})

    def optimizer(self, shapes: Mapping[str, tuple[int, ...]]) -> Adam:
        return Adam(self.rate)

    def refusal(self, kind: str, config: Any) -> str | None:
        return refusal_of_grid(config)


class Adam:
    """Updates of a flat parameter vector.

    Args:
        rate: factor of the learning rate.
        beta1, beta2: decay of the first and the second moment.
        epsilon: added to the root of the second moment.
    """

    def __init__(
        self, rate: float = 1.0, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-15
    ) -> None:
        self._rate, self._beta1, self._beta2, self._epsilon = rate, beta1, beta2, epsilon
        self._step = 0
        self._first: np.ndarray | float = 0.0
        self._second: np.ndarray | float = 0.0

    def update(self, theta: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Moves theta [parameters] in place, down the gradient [parameters], both float64."""
        self._step += 1
        self._first = self._beta1 * self._first + (1 - self._beta1) * gradient
        self._second = self._beta2 * self._second + (1 - self._beta2) * gradient * gradient
        root = np.sqrt(self._second / (1 - self._beta2**self._step)) + self._epsilon
        theta -= rate * self._rate * self._first / (1 - self._beta1**self._step) / root
