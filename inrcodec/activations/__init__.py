"""One file per activation. Each registers a frozen dataclass that derives from `Activation`.

Its fields are the constants that a decoder must know, whole numbers with their range; the header
codes them. Everything else can be folded into weights, so no file holds it: a network of
`sin(omega_0 (W h + b))` is one of `sin(W' h + b')`. Weights are fitted, quantized and written in
this folded form.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

FIRST, HIDDEN, LAST = "first", "hidden", "last"  # which layer of a network


class Activation:
    """The elementwise function behind every layer but the last, and how its networks begin.

    Args of classes:
        source: the paper, and the equation or file that constants come from.
        field: the user's name for a network of it on bare coordinates, or None.
        sound_of: the field whose sounds get it in place of the activation of its pictures, or None.
        parts: 2 where features are complex (the real parts, then the imaginary ones), else 1.
        boost: factor of a layer's pre-activation that is folded into its weights and bias; omega_0
            of SIREN, the scale of a Gaussian. The encoder may choose another one.
        first_boost: that of the first layer, where another one serves better; None: as the others.
        learning_rate: of weights before folding, at a width of 28 and 3 hidden layers; tuned for
            SOAP in 300 to 400 steps (results/design/networks.tsv, network_rates.tsv).
        half_turn: what turns the sign of the activation when it is added to x, or None.
    """

    source: ClassVar[str]
    field: ClassVar[str | None] = None
    sound_of: ClassVar[str | None] = None
    parts: ClassVar[int] = 1
    boost: ClassVar[float] = 1.0
    first_boost: ClassVar[float | None] = None
    learning_rate: ClassVar[float] = 1e-2
    half_turn: ClassVar[float | None] = None

    def __call__(self, a: Any, x: Any) -> Any:
        """The activation of pre-activations.

        Written for single features (or the two parts of complex ones), with nothing but the
        arithmetic's functions and + - * /, it is all that the compiled engine needs: that runs the
        formula on numbers that write machine code and derivatives (`kernels.cpu.elementwise`).
        Others are fitted by the reference engine.

        Args:
            a: arithmetic, see `kernels.arithmetic`: float64 that is exact everywhere, or torch.
            x: [parts * features, samples].
        """
        raise NotImplementedError

    def boost_of(self, omega_0: float) -> float:
        """The boost of layers that have the source's omega_0."""
        return omega_0

    def initial(
        self, rng: np.random.Generator, shape: tuple[int, ...], layer: str, boost: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """(weight, bias) before folding; by default as torch's `nn.Linear`: U(+-1/sqrt(inputs)).

        Args:
            rng: the source of randomness.
            shape: [outputs, inputs], with `parts` in front where they are complex.
            layer: FIRST, HIDDEN or LAST.
            boost: what the layer will be folded with.
        """
        return uniform(rng, shape, 1 / math.sqrt(shape[-1])), default_bias(rng, shape, layer)


def uniform(rng: np.random.Generator, shape: tuple[int, ...], bound: float) -> np.ndarray:
    """U(-bound, bound)."""
    return rng.uniform(-bound, bound, shape)


def default_bias(rng: np.random.Generator, shape: tuple[int, ...], layer: str) -> np.ndarray:
    """The bias of torch's `nn.Linear` for a weight of that shape; the last layer's is real."""
    parts = shape[:-2] if layer == HIDDEN else ()
    return uniform(rng, (*parts, shape[-2]), 1 / math.sqrt(shape[-1]))
