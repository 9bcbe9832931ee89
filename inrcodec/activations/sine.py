"""The activation of SIREN, and its initialisation, which others use too."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from inrcodec.activations import FIRST, Activation, default_bias, uniform
from inrcodec.registry import register


class SineLike(Activation):
    """What is initialised as SIREN is: section 3.2 of arXiv 2006.09661, as the authors' code."""

    boost = 30.0
    learning_rate = 1e-2

    def initial(
        self, rng: np.random.Generator, shape: tuple[int, ...], layer: str, boost: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """First U(+-1/inputs), others U(+-sqrt(6/inputs)/omega_0), biases U(+-1/sqrt(inputs))."""
        inputs = shape[-1]
        bound = 1 / inputs if layer == FIRST else math.sqrt(6 / inputs) / (boost or self.boost)
        return uniform(rng, shape, bound), default_bias(rng, shape, layer)


@register("activations", "sine", id=1)
@dataclass(frozen=True)
class Sine(SineLike):
    """sin(x): sinusoidal representation networks."""

    source = "SIREN, Sitzmann et al., arXiv 2006.09661, eq. 1"
    field = "siren"
    half_turn = math.pi

    def __call__(self, a: Any, x: Any) -> Any:
        return a.sin(x)
