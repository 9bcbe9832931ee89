"""One file per remedy against spectral bias. Each registers a frozen dataclass, a `Remedy`.

A network that is fitted by gradient descent learns low frequencies first. A remedy changes where a
fit begins or how it goes on: the methods that it overrides. All of them end in plain weights, so
that files do not know them, but for what `decoder` says.

Fields of a remedy are its options, set with `--set NAME.OPTION=VALUE`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, ClassVar, Protocol

import numpy as np

from inrcodec.activations.sine import SineLike
from inrcodec.entropy.parameters import Layout
from inrcodec.kernels.network import NetworkEngine, NetworkProblem, Samples
from inrcodec.signal import AnySignal

# What only one remedy of a fit can take in hand.
INITIALISATION = "the starting weights"
PARAMETERS = "the parameters that are trained"
OPTIMIZER = "the optimiser"
SCHEDULE = "the course of the learning rate"
SAMPLING = "the samples of a step"
RESIDUAL = "the residual"
FREQUENCY = "the frequencies of the first layer"
BOUNDS = "bounds of weights"
TARGET = "the values that are fitted"


class Optimizer(Protocol):
    """Moves a flat vector down a gradient."""

    def update(self, theta: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Moves theta [parameters] in place; both float64."""


@dataclass(frozen=True)
class NetworkStart:
    """A network, and where its fit begins.

    Args:
        family, config: the network.
        theta: name -> array for every parameter, folded.
        speeds: name -> learning rate of it, folded: of one number, or of every entry; 0 for what
            stays as it is, which are whole numbers.
        targets: of the signal's samples, what outputs of the network are fitted to; default the
            samples themselves.
        function: of (arithmetic, config, theta, coordinates), what is fitted; default the network
            as it is rendered.
        error_scale: of squared errors of the targets in the objective, where the signal lies on
            [0, 1] and targets on [-1, 1].
        settled: of fitted parameters, others of the same function that are cheaper to write.
    """

    family: Any
    config: Any
    theta: Mapping[str, np.ndarray]
    speeds: Mapping[str, np.ndarray | float]
    targets: Callable[[tuple[Samples, ...]], tuple[Samples, ...]] = lambda samples: samples
    function: Callable[..., Any] | None = None
    error_scale: float = 0.25
    settled: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]] = dict


@dataclass(frozen=True)
class Fitting:
    """A phase of a fit that is about to begin.

    Args:
        problem, engine: what is fitted, and what computes losses.
        start: the network.
        layout: its parameters.
        steps: of the phase.
        batch: samples of a step; None for all.
        device: where torch computes, if it has to.
        rng: of all randomness of the phase.
    """

    problem: NetworkProblem
    engine: NetworkEngine
    start: NetworkStart
    layout: Layout
    steps: int
    batch: int | None
    device: str
    rng: np.random.Generator


class Trained:
    """What an optimiser moves: by default the network's own parameters.

    Args:
        shapes: name -> shape of each tensor in the flat vector.
        values: [numbers] float64, where it begins.
        speeds: [numbers] factor of the learning rate; 0 where a number is frozen.
        engine: computes losses of the network's own parameters.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        values: np.ndarray,
        speeds: np.ndarray,
        engine: NetworkEngine,
    ) -> None:
        self.shapes, self.values, self.speeds, self.engine = shapes, values, speeds, engine

    def theta(self, values: np.ndarray) -> np.ndarray:
        """[parameters] of the network that the numbers stand for."""
        return values

    def loss(
        self,
        values: np.ndarray,
        columns: list[np.ndarray] | None,
        targets: list[np.ndarray] | None,
    ) -> tuple[float, np.ndarray]:
        """(mean squared error, its gradient [numbers]); see `NetworkEngine.loss`."""
        return self.engine.loss(values, columns, targets)


# Of (step, theta [parameters]) the columns of each of the problem's `samples` to use; None for all.
Sampler = Callable[[int, np.ndarray], list[np.ndarray] | None]
# Of (step, theta, residuals: for each of the problem's `samples` [channels, n]) what stands in
# for the residuals in the gradient.
Shaper = Callable[[int, np.ndarray, list[np.ndarray]], list[np.ndarray]]


# Of (options, seed) the network that they give for the signal.
Starts = Callable[[Mapping[str, Any], int], NetworkStart]


class Remedy:
    """What a remedy may change; by default nothing.

    Args of classes:
        source: the paper, and where the formula stands in it.
        cost: of a step, beside one without it, as results/remedies/cost.tsv has it.
        takes: what no other remedy of the same fit may take; all that take none of it combine.
        decoder: whether a decoder must know it.
    """

    source: ClassVar[str]
    cost: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset()
    decoder: ClassVar[bool] = False

    @classmethod
    def note(cls) -> str | None:
        """What else a list of remedies should say of it, or None."""
        return None

    def refusal(self, kind: str, config: Any) -> str | None:
        """Why it cannot apply to a network of that config and a signal of that kind, or None."""
        return refusal_of_grid(config)

    def options(
        self, signal: AnySignal, starts: Starts, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Options of the network that it chooses for a signal, where none was given.

        Args:
            signal: what will be fitted.
            starts: makes a network with options.
            given: name -> value of the options that were given.
        """
        return {}

    def grid_options(self, signal: AnySignal, lmbda: float) -> dict[str, Any]:
        """Options of the `grid` field that it chooses for an image at a lambda."""
        return {}

    def begin(
        self, start: NetworkStart, signal: AnySignal, rng: np.random.Generator
    ) -> NetworkStart:
        """Where the fit begins instead."""
        return start

    def trained(self, plain: Trained, fitting: Fitting) -> Trained:
        """What the optimiser moves instead, before weights are made cheap to write."""
        return plain

    def optimizer(self, shapes: Mapping[str, tuple[int, ...]]) -> Optimizer | None:
        """The optimiser of a flat vector of such tensors; None for the usual one."""
        return None

    def rate_share(self, progress: float) -> float | None:
        """The share of the learning rate at progress 0..1; None for the usual one."""
        return None

    def sampler(self, fitting: Fitting) -> Sampler | None:
        """What chooses the samples of each step; None for random ones."""
        return None

    def shaper(self, fitting: Fitting) -> Shaper | None:
        """What changes the residual of each step, which then is of all samples; None for none."""
        return None

    def least_bits(self, kind: str) -> Mapping[str, int]:
        """Group -> bits that its largest integer keeps in the file, for a signal of that kind."""
        return {}

    def bound(self, start: NetworkStart, theta: dict[str, np.ndarray]) -> None:
        """Moves parameters (views, by name) within bounds, in place, after every step."""


def refusal_of_grid(config: Any) -> str | None:
    """Why what changes coordinate networks cannot apply: because this is none."""
    if hasattr(config, "hidden_features"):
        return None
    return "its parameters are latents, not the weights of one network"


def is_of_sines(config: Any) -> bool:
    """Whether it is a multilayer perceptron whose activation begins as SIREN does."""
    return isinstance(getattr(config, "activation", None), SineLike)


def describe(remedy: type[Remedy]) -> dict[str, Any]:
    """Option -> default, of a remedy."""
    return {f.name: f.default for f in fields(remedy)}


def checked(remedy: Remedy, name: str) -> str | None:
    """What is wrong with the values of a remedy's options, or None."""
    for f in fields(remedy):
        low, high = f.metadata["range"]
        value = getattr(remedy, f.name)
        whole = isinstance(f.default, int)
        if not isinstance(value, Real) or not low <= value <= high or (whole and value % 1):
            kind = "a whole number" if whole else "a number"
            return f"{name}.{f.name} is {value!r}, expected {kind}, {low:g}..{high:g}"
    return None
