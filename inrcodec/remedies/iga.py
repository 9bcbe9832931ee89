"""Inductive gradient adjustment: the residual seen through an evened-out tangent kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

import numpy as np

from inrcodec.fields.network import flat
from inrcodec.kernels.reference_network import jacobian
from inrcodec.registry import register
from inrcodec.remedies import RESIDUAL, SAMPLING, Fitting, Remedy, Shaper, refusal_of_grid
from inrcodec.remedies.blocks import blocked, unblocked

EQUAL_DOWN, EQUAL_UP = 0, 1


@register("remedies", "iga")
@dataclass(frozen=True)
class InductiveGradientAdjustment(Remedy):
    """Gradients of residuals whose slow directions catch up: IGA.

    The signal is cut into groups of neighbours. One sample of each, that of the largest residual,
    stands for it: K = J J^T of these samples, with eigenpairs (l_i, v_i) from the largest on. J are
    the derivatives of the outputs' sum over sqrt(channels), times learning rates: by weights as the
    source has them, with omega_0 outside, while tables and phases count by rates of their own.
    Residuals r become S r across the groups,
    S = I - sum_(start <= i < end) (1 - l_end / l_i) v_i v_i^T, so that the largest eigenvalues of
    the dynamics are all l_end. With `variant` 1, for plain gradient descent, the eigenvalues from
    start to end are raised to l_start instead. With FR and RWF K is that of the weights which their
    factors make, not of the factors that are trained.

    The authors' code takes the sum over all groups' positions for the one sample of each, a
    position that several groups have as often as they do (`summed` 1); the paper has one.

    Args:
        start, end: which eigenvalues; those before `start` are left alone.
        groups: at most so many; the source has 384.
        every: steps between two looks at the kernel; the source has 1.
        variant, summed: see above.
    """

    source = "IGA, Shi et al., ICML 2025, eq. 9 to 12, and the authors' fitting.py"
    cost = (
        "18.4 times at 384x256: it looks at all samples, others at 8,192; at iga.every=1 much more"
    )
    takes = frozenset({RESIDUAL, SAMPLING})

    start: int = attribute(default=0, metadata={"range": (0, 4096)})
    end: int = attribute(default=20, metadata={"range": (1, 4096)})
    groups: int = attribute(default=384, metadata={"range": (2, 4096)})
    every: int = attribute(default=10, metadata={"range": (1, 10**6)})
    variant: int = attribute(default=EQUAL_DOWN, metadata={"range": (0, 1)})
    summed: int = attribute(default=0, metadata={"range": (0, 1)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if self.start >= self.end:
            return f"iga.start is {self.start}, expected less than iga.end, {self.end}"
        return refusal_of_grid(config)

    def shaper(self, fitting: Fitting) -> Shaper:
        return _Adjustment(self, fitting)


class _Adjustment:
    """S of every part of the signal, renewed every so many steps."""

    def __init__(self, remedy: InductiveGradientAdjustment, fitting: Fitting) -> None:
        self._remedy, self._fitting = remedy, fitting
        # Ours have their omega_0 inside; they move as much faster. Frozen ones do not move at all.
        self._speeds = flat(fitting.layout, fitting.start.speeds)
        self._matrices: list[np.ndarray] = []

    def __call__(
        self, step: int, theta: np.ndarray, residuals: list[np.ndarray]
    ) -> list[np.ndarray]:
        parts = self._fitting.problem.samples
        sides = [side_of(part.shape, self._remedy.groups) for part in parts]
        grouped = [
            blocked(r.reshape(-1, *part.shape), side)
            for r, part, side in zip(residuals, parts, sides, strict=True)
        ]
        if step % self._remedy.every == 0:
            self._matrices = [
                self._matrix(theta, i, groups, sides[i]) for i, groups in enumerate(grouped)
            ]
        return [
            unblocked(np.tensordot(s, g, axes=(1, 1)).swapaxes(0, 1), part.shape, side)
            .reshape(r.shape)
            .astype(np.float32)
            for s, g, part, side, r in zip(
                self._matrices, grouped, parts, sides, residuals, strict=True
            )
        ]

    def _matrix(self, theta: np.ndarray, i: int, groups: np.ndarray, side: int) -> np.ndarray:
        """S of one part; the identity where the kernel's eigenvalues cannot be found."""
        part = self._fitting.problem.samples[i]
        numbers = np.arange(math.prod(part.shape)).reshape(1, *part.shape)
        columns = blocked(numbers, side, fill=-1)[0]
        worst = np.abs(groups).sum(axis=0).argmax(axis=1)
        if self._remedy.summed:
            chosen = columns[:, worst]
        else:
            chosen = columns[np.arange(len(columns)), worst][:, None]
        derivatives = jacobian(self._fitting.problem, theta, i, chosen, self._fitting.device)
        derivatives *= self._speeds
        return adjustment(
            derivatives @ derivatives.T, self._remedy.start, self._remedy.end, self._remedy.variant
        )


def adjustment(kernel: np.ndarray, start: int, end: int, variant: int = EQUAL_DOWN) -> np.ndarray:
    """S [n, n] of a kernel [n, n], float64; see `InductiveGradientAdjustment`."""
    identity = np.eye(len(kernel))
    try:
        values, vectors = np.linalg.eigh(kernel)
    except np.linalg.LinAlgError:
        return identity
    values, vectors = values[::-1], vectors[:, ::-1]
    last = min(end, len(values) - 1)
    wanted = values[last] if variant == EQUAL_DOWN else values[min(start, last)]
    for i in range(start, last):
        if values[i] <= 0 or wanted <= 0:
            break
        v = vectors[:, i]
        identity -= (1 - wanted / values[i]) * np.outer(v, v)
    return identity


def side_of(shape: tuple[int, ...], groups: int) -> int:
    """Samples along the side of the smallest blocks that are at most so many."""
    side = max(1, math.ceil((math.prod(shape) / groups) ** (1 / len(shape))))
    while math.prod(-(-n // side) for n in shape) > groups:
        side += 1
    return side
