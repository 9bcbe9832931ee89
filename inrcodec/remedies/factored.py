"""Matrices of a network that are trained as products."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inrcodec.kernels.network import split
from inrcodec.remedies import Trained


class Factor:
    """How one tensor of a network is made of numbers that are trained in its stead."""

    def begin(
        self, weight: np.ndarray, speed: np.ndarray
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """(numbers, factors of their learning rate) by name, for a tensor and that of its own."""
        raise NotImplementedError

    def product(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        """The tensor."""
        raise NotImplementedError

    def pullback(
        self, parts: Mapping[str, np.ndarray], gradient: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The gradient of the numbers, for that of the tensor."""
        raise NotImplementedError


class Factored(Trained):
    """Some tensors as products, the others as they are.

    Args:
        plain: the network's own parameters.
        factors: name of a tensor -> how it is made.
    """

    def __init__(self, plain: Trained, factors: Mapping[str, Factor]) -> None:
        self._plain, self._factors = plain, factors
        values, speeds = split(plain.values, plain.shapes), split(plain.speeds, plain.shapes)
        parts, rates = {}, {}
        for name in plain.shapes:
            if name in factors:
                begun, moved = factors[name].begin(values[name], speeds[name])
                parts |= {f"{name}.{key}": value for key, value in begun.items()}
                rates |= {f"{name}.{key}": value for key, value in moved.items()}
            else:
                parts[name], rates[name] = values[name], speeds[name]
        shapes = {name: part.shape for name, part in parts.items()}
        super().__init__(shapes, _flat(parts), _flat(rates), plain.engine)

    def theta(self, values: np.ndarray) -> np.ndarray:
        named = split(values, self.shapes)
        tensors = {
            name: self._factors[name].product(self._own(named, name))
            if name in self._factors
            else named[name]
            for name in self._plain.shapes
        }
        return self._plain.theta(_flat(tensors))

    def loss(
        self,
        values: np.ndarray,
        columns: list[np.ndarray] | None,
        targets: list[np.ndarray] | None,
    ) -> tuple[float, np.ndarray]:
        error, gradient = self._plain.loss(self.theta(values), columns, targets)
        named, slopes, found = split(values, self.shapes), split(gradient, self._plain.shapes), {}
        for name, slope in slopes.items():
            if name in self._factors:
                own = self._factors[name].pullback(self._own(named, name), slope)
                found |= {f"{name}.{key}": value for key, value in own.items()}
            else:
                found[name] = slope
        return error, _flat({name: found[name] for name in self.shapes})

    def _own(self, named: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
        prefix = name + "."
        return {k.removeprefix(prefix): v for k, v in named.items() if k.startswith(prefix)}


def _flat(parts: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(part) for part in parts.values()]).astype(np.float64)
