"""Plain gradient descent: what theories of training are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute

import numpy as np

from inrcodec.registry import register
from inrcodec.remedies import OPTIMIZER, Remedy


@register("remedies", "sgd")
@dataclass(frozen=True)
class GradientDescent(Remedy):
    """Plain gradient descent instead of SOAP, for what is shown of it: `iga.variant=1`.

    A weight as papers have it, with omega_0 outside, moves by its slope times the square of the
    learning rate that other optimisers have for it, times `rate`: their steps have the length of
    their rate, these have the slope's.

    Args:
        rate: see above. A fit that diverges says so, and fouriernet does at the default: it needs
            less. Of 1,000, 3,000 and 10,000 the cheapest for siren, pe and relu together
            (results/remedies/sgd.tsv).
    """

    source = "Robbins and Monro, A stochastic approximation method, 1951"
    cost = "0.8 times"
    takes = frozenset({OPTIMIZER})

    rate: float = attribute(default=3e3, metadata={"range": (1e-6, 1e12)})

    def optimizer(self, shapes: Mapping[str, tuple[int, ...]]) -> Descent:
        return Descent(self.rate)


class Descent:
    """Updates of a flat parameter vector.

    Args:
        rate: factor of the learning rate.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def update(self, theta: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Moves theta [parameters] in place, down the gradient [parameters], both float64."""
        theta -= rate * self._rate * gradient
