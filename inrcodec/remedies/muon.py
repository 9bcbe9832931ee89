"""Muon: momentum whose singular values are made equal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute

import numpy as np

from inrcodec.kernels.network import split
from inrcodec.registry import register
from inrcodec.remedies import OPTIMIZER, Remedy
from inrcodec.remedies.adam import Adam

MOMENTUM = 0.95
# Of the quintic iteration, and how often (Jordan 2024, "Muon", the author's muon.py).
COEFFICIENTS, ITERATIONS = (3.4445, -4.7750, 2.0315), 5
# Root mean square of an update of Adam, which an orthogonal one is scaled to (Liu et al.,
# arXiv 2502.16982, section 2.2), so that both have one learning rate.
ADAM_RMS = 0.2
FIRST = "weight0"


@register("remedies", "muon")
@dataclass(frozen=True)
class MuonRemedy(Remedy):
    """Orthogonalised momentum for square matrices, Adam for all else.

    Args:
        rate: factor of the learning rates, which are tuned for SOAP.
    """

    source = "Muon for INRs, arXiv 2512.14366; Jordan 2024"
    cost = "1.0 times"
    takes = frozenset({OPTIMIZER})

    rate: float = attribute(default=1.0, metadata={"range": (1e-6, 1e3)})

    def optimizer(self, shapes: Mapping[str, tuple[int, ...]]) -> Muon:
        return Muon(shapes, self.rate)


class Muon:
    """Updates of a flat parameter vector.

    First and last layers, biases and tables get Adam, as the source has it, and so do vectors that
    a weight is factored with.

    Args:
        shapes: name -> shape of each tensor in the vector.
        rate: factor of the learning rate.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], rate: float = 1.0) -> None:
        self._shapes, self._rate = shapes, rate
        self._adam = Adam(rate)
        self._names = _hidden_matrices(shapes)
        self._momentum = {name: np.zeros(shapes[name]) for name in self._names}

    def update(self, theta: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Moves theta [parameters] in place, down the gradient [parameters], both float64."""
        gradients, parameters = split(gradient, self._shapes), split(theta, self._shapes)
        hidden = {name: parameters[name].copy() for name in self._names}
        self._adam.update(theta, gradient, rate)
        for name, before in hidden.items():
            momentum, slope = self._momentum[name], gradients[name]
            momentum += (1 - MOMENTUM) * (slope - momentum)
            ahead = slope + MOMENTUM * (momentum - slope)  # Nesterov
            matrices = ahead.reshape(-1, *ahead.shape[-2:])
            scale = ADAM_RMS * math.sqrt(max(matrices.shape[1:]))
            move = np.stack([orthogonal(m) for m in matrices]).reshape(ahead.shape)
            parameters[name][...] = before - rate * self._rate * scale * move


def orthogonal(matrix: np.ndarray) -> np.ndarray:
    """A matrix with its singular values brought near 1 by Newton and Schulz's iteration."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (np.linalg.norm(x) + 1e-30)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def _hidden_matrices(shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Names of the matrices of all layers but the first and the last.

    Where weights are trained as products, their factors are named `weight1.direction`. Of
    multiplicative networks all are hidden: their first layers are frequencies, their last outputs.
    """
    layers = {name: name.split(".")[0] for name in shapes if name.startswith("weight")}
    in_order = list(layers.values())
    ends = {FIRST, in_order[-1]} if FIRST in in_order else set()
    return [
        name
        for name, layer in layers.items()
        if layer not in ends and len(shapes[name]) > 1 and min(shapes[name][-2:]) > 1
    ]
