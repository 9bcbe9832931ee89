"""The hot loops of fitting and rendering a `grid` field, behind one interface.

`reference` is the truth: torch autograd, any device. Other engines compute the same numbers faster
and are tested against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

# log2 of the Laplace scale: the range of the committed table (entropy/tables.py).
LOG_SCALE_RANGE = (-4.5, 7.375)


@dataclass(frozen=True)
class GridProblem:
    """What an engine must know of one fit.

    Args:
        target: [channels, height, width] float32 in [0, 1], the signal.
        first_level: latents of entry i have spacing 2**(first_level + i) native samples.
        level_shapes: (h_l, w_l) per entry, finest first.
        spatial_context: causal neighbours (dy, dx).
        coarse_context: directions (y, x) at the parent in the next coarser level.
        layout: name -> shape of every network parameter; flat vectors hold them in this order.
        taps: number of residual 3x3 layers.
        feature_gain: factor between latents and synthesis inputs.
    """

    target: np.ndarray
    first_level: int
    level_shapes: tuple[tuple[int, int], ...]
    spatial_context: tuple[tuple[int, int], ...]
    coarse_context: tuple[tuple[int, int], ...]
    layout: dict[str, tuple[int, ...]]
    taps: int
    feature_gain: float

    @property
    def latent_count(self) -> int:
        return sum(h * w for h, w in self.level_shapes)

    @property
    def parameter_count(self) -> int:
        return sum(int(np.prod(shape)) for shape in self.layout.values())

    @property
    def pixels(self) -> int:
        return self.target.shape[1] * self.target.shape[2]


@dataclass
class Loss:
    """One evaluation: distortion and rate, and where asked for their gradients.

    Args:
        mse: mean squared error over samples and channels, signal in [0, 1].
        bits: ideal code length of all latents.
        grad_latents: [latent_count] gradient of mse + lmbda * bits / pixels, or None.
        grad_theta: [parameter_count] the same for the networks, or None.
    """

    mse: float
    bits: float
    grad_latents: object = None
    grad_theta: object = None


class Engine(Protocol):
    """Loss, gradients and updates of one GridProblem.

    Vectors are float32 of the engine's own kind: `vector` makes one from numpy, `array` turns one
    back.
    """

    name: str
    problem: GridProblem

    def vector(self, values: np.ndarray) -> object: ...

    def array(self, vector: object) -> np.ndarray: ...

    def loss(self, latents: object, theta: object, lmbda: float) -> Loss:
        """Loss and gradients at given (already perturbed or rounded) latents."""

    def evaluate(self, latents: object, theta: object) -> Loss:
        """Loss without gradients at integer latents; the picture is clipped to [0, 1]."""

    def maps(self, latents: object, theta: object) -> tuple[np.ndarray, np.ndarray]:
        """What `evaluate` sums: squared error of each pixel [height, width], the mean of its
        channels, and bits of each latent [latent_count].
        """

    def perturb(
        self, latents: object, temperature: float, sigma: float, seed: int
    ) -> tuple[object, object]:
        """(z, dz/dlatents) with z = s(s(latents) + sigma * n), s soft rounding, n normal noise."""

    def adam(self, state: object, gradient: object, rate: float, step: int) -> None:
        """One Adam update in place of `state` (see AdamState); step counts from 1."""


@dataclass
class AdamState:
    """A vector under optimisation with Adam's moments (Kingma and Ba, arXiv 1412.6980)."""

    values: object
    first: object
    second: object
    beta1: float = 0.9
    beta2: float = 0.99
    epsilon: float = 1e-8


@dataclass(frozen=True)
class Step:
    """Constants of one step of a main phase.

    Args:
        temperature, sigma, seed: see `Engine.perturb`.
        latent_rate, network_rate: learning rates.
    """

    temperature: float
    sigma: float
    seed: int
    latent_rate: float
    network_rate: float


@dataclass(frozen=True)
class Optimisation:
    """Constants of all steps.

    Args:
        lmbda: weight of the rate.
        latent_momentum: decay of Adam's first moment.
        gradient_norm: the largest norm that the gradient of the networks may have; it is scaled.
        tensors: name -> shape of what SOAP preconditions, in the order of the flat vector.
    """

    lmbda: float
    latent_momentum: float
    gradient_norm: float
    tensors: Mapping[str, tuple[int, ...]]


class Training(Protocol):
    """Latents, which start at zero, and networks under optimisation."""

    @property
    def latents(self) -> object:
        """The latents as they are now, a vector of the engine."""

    @property
    def theta(self) -> np.ndarray:
        """[parameters] float64: the networks as they are now."""

    def run(self, steps: Sequence[Step]) -> Iterator[Loss]:
        """Does the steps; yields the loss that each begins with, in order, possibly late.

        Whoever stops listening stops the steps; some may have been done ahead.
        """


@runtime_checkable
class TrainingEngine(Protocol):
    """An engine that does whole steps itself; `fit.training` does those of the others."""

    def training(self, theta: np.ndarray, settings: Optimisation) -> Training:
        """A training that begins at the networks theta [parameters]."""
