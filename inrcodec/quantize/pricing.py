"""What rounding and bits of weights do to a network while it is fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from inrcodec.entropy.parameters import Layout


class CodedWeights:
    """What rounding and bits of weights do to a fit, for given steps.

    Rounding is uniform noise of one step's width (Balle et al., arXiv 1611.01704). Bits are those
    of a Laplace distribution of each group's own width, so their slope is that of an L1 norm.

    Args:
        layout: groups and shapes.
        exponents: group -> e; steps are 2**-e.
        bit_price: what one bit adds to the cost.
        rate: share of the learning rate that is left for this phase.
    """

    def __init__(
        self, layout: Layout, exponents: Mapping[str, int], bit_price: float, rate: float
    ) -> None:
        self.rate = rate
        self._bit_price = bit_price
        self._steps = np.concatenate(
            [np.full(math.prod(shape), 2.0 ** -exponents[g]) for g, shape in layout.values()]
        )
        names = list(dict.fromkeys(g for g, _ in layout.values()))
        self._group = np.concatenate(
            [np.full(math.prod(shape), names.index(g)) for g, shape in layout.values()]
        )

    def perturbed(self, theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Parameters with the noise that rounding will be."""
        return theta + self._steps * rng.uniform(-0.5, 0.5, len(theta))

    def rate_of(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """(bits, slope of their cost): Laplace of the widths that the groups have now."""
        counts = np.bincount(self._group)
        width = np.bincount(self._group, np.abs(theta)) / counts
        width = np.maximum(width[self._group], 0.3 * self._steps)
        bits = np.abs(theta) / (width * math.log(2)) + np.log2(2 * width / self._steps)
        return float(bits.sum()), self._bit_price * np.sign(theta) / (width * math.log(2))
