"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al., arXiv 2409.11321, alg. 3).

The networks of a field are tiny, so it runs in numpy on the host at a fraction of a millisecond per
step (results/design/optimiser.tsv compares it with Adam). Wide ones that are fitted on a GPU are
moved there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inrcodec.registry import register
from inrcodec.remedies import OPTIMIZER, Remedy

# A longer side of a matrix keeps its own basis (`max_precond_dim` of the authors): that of a table
# of thousands of entries would take seconds to refresh.
LARGEST_SIDE = 512
# Networks with a matrix of such a side are moved on the device that fits them: an estimate, not
# measured on a GPU.
DEVICE_FROM_SIDE = 128


@register("remedies", "soap")
@dataclass(frozen=True)
class SoapRemedy(Remedy):
    """Adam in the eigenbasis of Shampoo's preconditioner: the usual optimiser of every field."""

    source = "SOAP, Vyas et al., arXiv 2409.11321, algorithm 3"
    cost = "1: it is the usual optimiser"
    takes = frozenset({OPTIMIZER})

    def refusal(self, kind: str, config: Any) -> str | None:
        return None

    def optimizer(self, shapes: Mapping[str, tuple[int, ...]]) -> Soap:
        return Soap(shapes, epsilon=1e-15)  # slopes times speeds are tiny


class Soap:
    """Updates of a flat parameter vector; matrices are preconditioned from both sides.

    Args:
        shapes: name -> shape of each tensor in the vector; tensors of more than two axes are
            matrices [shape[0], rest], those of one axis get plain Adam.
        beta1, beta2: decay of the first moment, and of the second moment and preconditioners.
        epsilon: added to the root of the second moment.
        refresh_steps: steps between updates of the eigenbases, by one power iteration each.
        device: cpu, or cuda[:n], where wide matrices are moved.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        beta1: float = 0.95,
        beta2: float = 0.95,
        epsilon: float = 1e-8,
        refresh_steps: int = 10,
        device: str = "cpu",
    ) -> None:
        self._beta1, self._beta2, self._epsilon = beta1, beta2, epsilon
        self._refresh_steps = refresh_steps
        self._step = 0
        wide = any(len(shape) > 1 and max(shape) >= DEVICE_FROM_SIDE for shape in shapes.values())
        self._algebra: Any = _Host()
        if wide and device != "cpu":
            from inrcodec.kernels.gpu.algebra import DeviceAlgebra  # loads torch

            self._algebra = DeviceAlgebra(device)
        sizes = [math.prod(shape) for shape in shapes.values()]
        ends = np.cumsum(sizes)
        self._parts = [
            _Tensor(slice(end - size, end), shape, self._algebra)
            for shape, size, end in zip(shapes.values(), sizes, ends, strict=True)
            if size
        ]

    def update(self, theta: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Moves theta [parameters] in place, down the gradient [parameters], both float64."""
        self._step += 1
        correction1 = 1 - self._beta1**self._step
        correction2 = 1 - self._beta2**self._step
        gradient, moves = self._algebra.vector(gradient), []
        for part in self._parts:
            g = gradient[part.where].reshape(part.shape)
            if self._step == 1:
                part.begin(g, 1 - self._beta2)
            part.first += (1 - self._beta1) * (g - part.first)
            rotated = part.rotate(g)
            part.second += (1 - self._beta2) * (rotated * rotated - part.second)
            root = self._algebra.sqrt(part.second / correction2) + self._epsilon
            moves.append(part.rotate_back(part.rotate(part.first) / (correction1 * root)).ravel())
            part.accumulate(g, 1 - self._beta2)
            if self._step % self._refresh_steps == 0:
                part.refresh()
        for part, move in zip(self._parts, self._algebra.arrays(moves), strict=True):
            theta[part.where] -= rate * move


class _Host:
    """What SOAP needs beside + - * / and @, in numpy."""

    zeros = staticmethod(np.zeros)
    eye = staticmethod(np.eye)
    sqrt = staticmethod(np.sqrt)

    def vector(self, values: np.ndarray) -> np.ndarray:
        return values

    def arrays(self, moves: list[np.ndarray]) -> list[np.ndarray]:
        return moves

    def eigenvectors(self, moment: np.ndarray) -> np.ndarray:
        return np.linalg.eigh(moment)[1]

    def orthogonal(self, matrix: np.ndarray) -> np.ndarray:
        return np.linalg.qr(matrix)[0]

    def falling(self, values: np.ndarray) -> np.ndarray:
        """The order of values [n] from the largest on."""
        return np.argsort(-values, kind="stable")

    def taken(self, values: np.ndarray, order: np.ndarray, side: int) -> np.ndarray:
        return values.take(order, axis=side)


class _Tensor:
    """One tensor's moments and, where it is a matrix, its two preconditioners."""

    def __init__(self, where: slice, shape: tuple[int, ...], algebra: Any) -> None:
        self.where, self._algebra = where, algebra
        self.shape = (shape[0], math.prod(shape[1:])) if len(shape) > 1 else (1, shape[0])
        self._sides = [
            side for side in (0, 1) if len(shape) > 1 and self.shape[side] <= LARGEST_SIDE
        ]
        self.first = algebra.zeros(self.shape)
        self.second = algebra.zeros(self.shape)
        self._moments = {side: algebra.zeros((self.shape[side],) * 2) for side in self._sides}
        self._bases = {side: algebra.eye(self.shape[side]) for side in self._sides}

    def begin(self, g: Any, weight: float) -> None:
        """Bases from the first gradient."""
        self.accumulate(g, weight)
        for side in self._sides:
            # The smallest diagonal keeps the eigenvectors of an all-zero gradient well defined.
            moment = self._moments[side] + 1e-12 * self._algebra.eye(self.shape[side])
            self._bases[side] = self._algebra.eigenvectors(moment)

    def accumulate(self, g: Any, weight: float) -> None:
        for side in self._sides:
            outer = g @ g.T if side == 0 else g.T @ g
            self._moments[side] += weight * (outer - self._moments[side])

    def rotate(self, values: Any) -> Any:
        if 0 in self._sides:
            values = self._bases[0].T @ values
        return values @ self._bases[1] if 1 in self._sides else values

    def rotate_back(self, values: Any) -> Any:
        if 0 in self._sides:
            values = self._bases[0] @ values
        return values @ self._bases[1].T if 1 in self._sides else values

    def refresh(self) -> None:
        """One power iteration of each basis, columns sorted by falling eigenvalue."""
        for side in self._sides:
            basis, moment = self._bases[side], self._moments[side]
            order = self._algebra.falling((basis.T @ moment @ basis).diagonal())
            self.second = self._algebra.taken(self.second, order, side)
            self._bases[side] = self._algebra.orthogonal(moment @ basis[:, order])
