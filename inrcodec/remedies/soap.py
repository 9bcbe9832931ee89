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
# Numbers of a tensor that is moved together with others of its shape: the time of tiny ones is that
# of calls, that of large ones would be that of copies.
LARGEST_SHARED = 1 << 14
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
        groups: dict[Any, list[np.ndarray]] = {}
        at = 0
        for name, shape in shapes.items():
            places = np.arange(at, at := at + math.prod(shape))
            kind = shape if len(shape) > 1 else ()
            owner = None if len(places) <= LARGEST_SHARED else name
            if len(places):
                groups.setdefault((kind, owner), []).append(places)
        self._groups = [
            _Group(np.concatenate(places), kind, self._algebra)
            for (kind, _), places in groups.items()
        ]

    def update(self, theta: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Moves theta [parameters] in place, down the gradient [parameters], both float64."""
        self._step += 1
        correction1 = 1 - self._beta1**self._step
        correction2 = 1 - self._beta2**self._step
        gradient, moves = self._algebra.vector(gradient), []
        for group in self._groups:
            g = group.of(gradient)
            if self._step == 1:
                group.begin(g, 1 - self._beta2)
            rotated = group.rotate(g)
            group.first += (1 - self._beta1) * (rotated - group.first)
            group.second += (1 - self._beta2) * (rotated * rotated - group.second)
            root = self._algebra.sqrt(group.second / correction2) + self._epsilon
            moves.append(group.rotate_back(group.first / (correction1 * root)).reshape(-1))
            group.accumulate(g, 1 - self._beta2)
            if self._step % self._refresh_steps == 0:
                group.refresh()
        for group, move in zip(self._groups, self._algebra.arrays(moves), strict=True):
            theta[group.where] -= rate * move


class _Host:
    """What SOAP needs beside + - * / and @ of stacks of matrices, in numpy."""

    zeros = staticmethod(np.zeros)
    eye = staticmethod(np.eye)
    sqrt = staticmethod(np.sqrt)

    def vector(self, values: np.ndarray) -> np.ndarray:
        return values

    def arrays(self, moves: list[np.ndarray]) -> list[np.ndarray]:
        return moves

    def eigenvectors(self, moments: np.ndarray) -> np.ndarray:
        return np.linalg.eigh(moments)[1]

    def orthogonal(self, matrices: np.ndarray) -> np.ndarray:
        return np.linalg.qr(matrices)[0]

    def falling(self, values: np.ndarray) -> np.ndarray:
        """The order of values [tensors, n] from the largest on."""
        return np.argsort(-values, axis=-1, kind="stable")

    def taken(self, values: np.ndarray, order: np.ndarray, axis: int) -> np.ndarray:
        return np.take_along_axis(values, order, axis)


class _Group:
    """Moments of tensors of one shape and, where they are matrices, their two preconditioners.

    Args:
        places: [n] of their numbers in the vector, one tensor after the other.
        shape: of one tensor; () for numbers that are moved each by itself.
        algebra: what computes.
    """

    def __init__(self, places: np.ndarray, shape: tuple[int, ...], algebra: Any) -> None:
        self._algebra = algebra
        whole = len(places) == places[-1] - places[0] + 1
        self.where = slice(places[0], places[-1] + 1) if whole else places
        size = math.prod(shape) if shape else len(places)
        rows = shape[0] if shape else 1
        self.shape = (len(places) // size, rows, size // rows)
        # Axes that have a preconditioner: rows, columns.
        self._axes = [axis for axis in (1, 2) if shape and self.shape[axis] <= LARGEST_SIDE]
        # Both moments of gradients are those of rotated ones.
        self.first = algebra.zeros(self.shape)
        self.second = algebra.zeros(self.shape)
        self._moments, self._bases = {}, {}
        for axis in self._axes:
            side = self.shape[axis]
            self._moments[axis] = algebra.zeros((self.shape[0], side, side))
            self._bases[axis] = self._moments[axis] + algebra.eye(side)

    def of(self, vector: Any) -> Any:
        return vector[self.where].reshape(self.shape)

    def begin(self, g: Any, weight: float) -> None:
        """Bases from the first gradient."""
        self.accumulate(g, weight)
        for axis in self._axes:
            # The smallest diagonal keeps the eigenvectors of an all-zero gradient well defined.
            moments = self._moments[axis] + 1e-12 * self._algebra.eye(self.shape[axis])
            self._bases[axis] = self._algebra.eigenvectors(moments)

    def accumulate(self, g: Any, weight: float) -> None:
        for axis in self._axes:
            outer = g @ g.mT if axis == 1 else g.mT @ g
            self._moments[axis] += weight * (outer - self._moments[axis])

    def rotate(self, values: Any) -> Any:
        if 1 in self._axes:
            values = self._bases[1].mT @ values
        return values @ self._bases[2] if 2 in self._axes else values

    def rotate_back(self, values: Any) -> Any:
        if 1 in self._axes:
            values = self._bases[1] @ values
        return values @ self._bases[2].mT if 2 in self._axes else values

    def refresh(self) -> None:
        """One power iteration of each basis, columns sorted by falling eigenvalue."""
        self.first = self.rotate_back(self.first)
        for axis in self._axes:
            basis = self._bases[axis]
            turned = self._moments[axis] @ basis
            order = self._algebra.falling((basis * turned).sum(-2))
            along = order[:, :, None] if axis == 1 else order[:, None, :]
            self.second = self._algebra.taken(self.second, along, axis)
            turned = self._algebra.taken(turned, order[:, None, :], 2)
            self._bases[axis] = self._algebra.orthogonal(turned)
        self.first = self.rotate(self.first)
