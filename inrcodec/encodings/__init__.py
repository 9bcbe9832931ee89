"""One file per encoding. Each registers a frozen dataclass that derives from `Encoding`.

Its fields are whole numbers with their range; the header codes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np


class Encoding:
    """What coordinates become before they enter the first layer.

    Args of classes:
        source: the paper, and the equation or file that constants come from.
        field: the user's name for a network behind it, or None.
        sound_of: the field whose sounds get it in place of the encoding of its pictures, or None.
        activation: the one that its field has.
        share: of a network's weights, what its own should be where the rate chooses.
        hidden_layers: of the network behind it, or None where the rate chooses.
    """

    source: ClassVar[str]
    field: ClassVar[str | None] = None
    sound_of: ClassVar[str | None] = None
    activation: ClassVar[str] = "relu"
    share: ClassVar[float] = 0.0
    hidden_layers: ClassVar[int | None] = None

    @classmethod
    def of(cls, shape: tuple[int, ...], hidden_features: int, weights: float | None = None) -> Self:
        """The encoding as its source would set it for a signal.

        Args:
            shape: samples along each axis, slowest first.
            hidden_features: width of the network behind it.
            weights: of the encoding and the network, as the rate asks for; None: the source's.
        """
        return cls()

    def features(self, in_features: int) -> int:
        """Number of outputs for so many coordinates."""
        raise NotImplementedError

    def layout(self, in_features: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        """name -> (group, shape) of the parameters that the file holds; by default none."""
        return {}

    def initial(self, rng: np.random.Generator, in_features: int) -> dict[str, np.ndarray]:
        """name -> where a fit begins, for every name of the layout."""
        return {}

    def frozen(self) -> frozenset[str]:
        """Parameters that are chosen once, as integers, and never fitted."""
        return frozenset()

    def macs(self, in_features: int) -> int:
        """Multiply-adds of one sample."""
        return 0

    def __call__(self, a: Any, theta: Mapping[str, Any], coords: Any) -> Any:
        """[features, samples] of coordinates.

        Args:
            a: arithmetic, see `kernels.arithmetic`.
            theta: the parameters of the layout, by name.
            coords: [in_features, samples] on [-1, 1]: x, then y, then t.
        """
        raise NotImplementedError
