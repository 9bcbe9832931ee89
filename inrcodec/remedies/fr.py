"""Fourier reparameterised training: hidden matrices as combinations of fixed waves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import Any

import numpy as np

from inrcodec.registry import register
from inrcodec.remedies import (
    INITIALISATION,
    PARAMETERS,
    Fitting,
    NetworkStart,
    Remedy,
    Trained,
    is_of_sines,
    refusal_of_grid,
)
from inrcodec.remedies.factored import Factor, Factored
from inrcodec.signal import AnySignal

# Waves hardly ever agree: behind encodings and of rectifiers 5 is best of 1 to 60, and sines lose
# by anything faster than 1 (results/remedies/fr.tsv).
SINE_RATE, OTHER_RATE = 1.0, 5.0


@register("remedies", "fr")
@dataclass(frozen=True)
class FourierReparameterised(Remedy):
    """Hidden matrices W = L B with fixed waves B, of which L is trained: FR.

    Row (f, p) of B is alpha cos(f z + 2 pi p / phases), z equally spaced on [-T/2, T/2], where the
    lowest frequency has the period T. Hidden biases begin at 0. The last phase, which makes weights
    cheap, trains L B itself.

    Args:
        low, high: numbers of frequencies j/low and 1..high.
        phases: of each.
        alpha: height of the waves. The source has 0.001 for ReLU, 0.05 behind a positional
            encoding and 0.01 for sines; here it changes nothing, as both the weights that L begins
            with and its learning rate are measured by B.
        rate: how fast waves move; at 1 all together, if they agreed, would move W as fast as it
            moves by itself. 0 chooses: 1 for sines, 5 for others.
    """

    source = "FR, Shi et al., CVPR 2024, eq. 6 to 8, and the authors' modules.py"
    cost = "15.8 times: every step makes the matrices anew"
    takes = frozenset({PARAMETERS, INITIALISATION})

    low: int = attribute(default=128, metadata={"range": (1, 1024)})
    high: int = attribute(default=128, metadata={"range": (0, 1024)})
    phases: int = attribute(default=32, metadata={"range": (1, 64)})
    alpha: float = attribute(default=0.01, metadata={"range": (1e-6, 10)})
    rate: float = attribute(default=0.0, metadata={"range": (0, 1e4)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if not hasattr(config, "activation"):
            return refusal_of_grid(config) or "it is for multilayer perceptrons"
        if config.activation.parts > 1:
            return "its matrices are real, and those of the activation are complex"
        if not config.hidden_layers:
            return "it changes hidden layers, and the network has none; add --hidden-layers"
        return None

    def basis(self, inputs: int) -> np.ndarray:
        """B [(low + high) * phases, inputs]."""
        frequencies = [j / self.low for j in range(1, self.low + 1)]
        frequencies += [float(j) for j in range(1, self.high + 1)]
        half = math.pi * self.low  # of T = 2 pi / (1 / low)
        z = np.linspace(-half, half, inputs)
        shifts = 2 * math.pi * np.arange(self.phases) / self.phases
        waves = np.outer(frequencies, z)[:, None, :] + shifts[:, None]
        return self.alpha * np.cos(waves).reshape(-1, inputs)

    def begin(
        self, start: NetworkStart, signal: AnySignal, rng: np.random.Generator
    ) -> NetworkStart:
        hidden = {f"bias{i}" for i in range(1, start.config.hidden_layers + 1)}
        theta = {
            name: np.zeros_like(values) if name in hidden else values
            for name, values in start.theta.items()
        }
        return replace(start, theta=theta)

    def trained(self, plain: Trained, fitting: Fitting) -> Trained:
        config = fitting.start.config
        basis = self.basis(config.hidden_features)
        rate = self.rate or (SINE_RATE if is_of_sines(config) else OTHER_RATE)
        names = [f"weight{i}" for i in range(1, config.hidden_layers + 1)]
        return Factored(plain, {name: _Waves(basis, rate, fitting.rng) for name in names})


class _Waves(Factor):
    """W = L B."""

    def __init__(self, basis: np.ndarray, rate: float, rng: np.random.Generator) -> None:
        self._basis, self._rate, self._rng = basis, rate, rng

    def begin(self, weight: np.ndarray, speed: np.ndarray) -> tuple[dict, dict]:
        # Folded with its boost, a layer of sines has the bound without omega_0.
        norms = np.linalg.norm(self._basis, axis=1)
        bound = math.sqrt(6 / len(norms)) / np.maximum(norms, 1e-12)
        values = self._rng.uniform(-1, 1, (len(weight), len(norms))) * bound
        rate = self._rate * float(speed.flat[0]) / np.abs(self._basis).sum(axis=0).mean()
        return {"waves": values}, {"waves": np.full(values.shape, rate)}

    def product(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        return parts["waves"] @ self._basis

    def pullback(
        self, parts: Mapping[str, np.ndarray], gradient: np.ndarray
    ) -> dict[str, np.ndarray]:
        return {"waves": gradient @ self._basis.T}
