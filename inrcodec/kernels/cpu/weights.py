"""Between the flat vector of network parameters and the matrices that the kernels want.

A packed matrix is [1 + inputs, outputs], biases first. Sums of gradients come as [outputs,
inputs], where the last input is the constant 1 if the layer has biases.
"""

from __future__ import annotations

import numpy as np

from inrcodec.kernels import GridProblem
from inrcodec.kernels.cpu.dense import LANES, zeros

Array = np.ndarray


def _packed(bias: Array | None, *weights: Array) -> Array:
    """One flat packed matrix; weights: parts [inputs, outputs]."""
    first = np.zeros_like(weights[0][:1]) if bias is None else bias[None]
    return np.ascontiguousarray(np.concatenate([first, *weights]), np.float32).ravel()


class Sums:
    """Float64 sums of gradients: one row of matrices per band.

    Args:
        shapes: (outputs, inputs) of each matrix.
        bands: number of rows.
    """

    def __init__(self, shapes: list[tuple[int, int]], bands: int) -> None:
        self._shapes = shapes
        self._ends = np.cumsum([a * b for a, b in self._shapes]).tolist()
        self._values = np.zeros((bands, max(self._ends[-1], 1)))

    def clear(self) -> None:
        self._values.fill(0)

    def of_band(self, band: int) -> tuple[Array, ...]:
        starts = [0, *self._ends[:-1]]
        return tuple(self._values[band, a:b] for a, b in zip(starts, self._ends, strict=True))

    def total(self) -> list[Array]:
        """The sums over bands, one array per matrix."""
        values = self._values.sum(axis=0)
        starts = [0, *self._ends[:-1]]
        return [
            values[a:b].reshape(shape)
            for a, b, shape in zip(starts, self._ends, self._shapes, strict=True)
        ]

    def accumulators(self) -> tuple[Array, ...]:
        """Room for float32 vector sums of the first three matrices."""
        return tuple(zeros(a * b * LANES) for a, b in self._shapes[:3])


class RateWeights:
    """The context network."""

    def __init__(self, problem: GridProblem) -> None:
        self.hidden, self.inputs = problem.layout["arm.w1"]

    def shapes(self) -> list[tuple[int, int]]:
        return [
            (self.hidden + 2, self.inputs + 1),
            (self.hidden, self.hidden + 1),
            (2, self.hidden),
        ]

    def pack(self, p: dict[str, Array]) -> tuple[Array, ...]:
        w1, w2, w3, skip = p["arm.w1"], p["arm.w2"], p["arm.w3"], p["arm.skip"]
        return (
            _packed(p["arm.b1"], w1.T),
            _packed(p["arm.b2"], w2.T),
            _packed(p["arm.b3"], w3.T, skip.T),
            _packed(None, w3),
            _packed(None, w2, w3),
            _packed(None, skip, w1),
        )

    def unpack(self, totals: list[Array], gradient: dict[str, Array]) -> None:
        inputs, hidden = self.inputs, self.hidden
        first, second, third = totals
        gradient["arm.skip"][:] = first[:2, :inputs]
        gradient["arm.b3"][:] = first[:2, inputs]
        gradient["arm.w1"][:] = first[2:, :inputs]
        gradient["arm.b1"][:] = first[2:, inputs]
        gradient["arm.w2"][:] = second[:, :hidden]
        gradient["arm.b2"][:] = second[:, hidden]
        gradient["arm.w3"][:] = third


class PictureWeights:
    """The synthesis network. Its 3x3 layers include the identity of the residual connection."""

    def __init__(self, problem: GridProblem) -> None:
        self.hidden, self.features = problem.layout["syn.w1"]
        self.channels = problem.target.shape[0]
        self.taps = problem.taps
        self.gain = np.float32(problem.feature_gain)

    def shapes(self) -> list[tuple[int, int]]:
        shifts = 9 * self.channels
        return [
            (self.hidden, self.features + 1),
            (self.channels, self.hidden + 1),
            (self.channels * max(self.taps, 1), shifts),
            (max(self.taps, 1), self.channels),
        ]

    def pack(self, p: dict[str, Array]) -> tuple[Array, ...]:
        w1, w2 = p["syn.w1"] * self.gain, p["syn.w2"]
        forward, backward = [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
        for k in range(self.taps):
            w = p[f"syn.taps{k}"].copy()
            w[range(self.channels), range(self.channels), 1, 1] += 1
            forward.append(_packed(p[f"syn.tapbias{k}"], w.reshape(self.channels, -1).T))
            flipped = w[:, :, ::-1, ::-1].transpose(0, 2, 3, 1).reshape(-1, self.channels)
            backward.append(_packed(None, flipped))
        return (
            _packed(p["syn.b1"], w1.T),
            _packed(p["syn.b2"], w2.T),
            np.concatenate(forward),
            np.concatenate(backward),
            _packed(None, w2),
            _packed(None, w1),
        )

    def unpack(self, totals: list[Array], gradient: dict[str, Array]) -> None:
        first, second, taps, biases = totals
        gradient["syn.w1"][:] = first[:, : self.features] * self.gain
        gradient["syn.b1"][:] = first[:, self.features]
        gradient["syn.w2"][:] = second[:, : self.hidden]
        gradient["syn.b2"][:] = second[:, self.hidden]
        for k in range(self.taps):
            layer = taps[k * self.channels : (k + 1) * self.channels]
            gradient[f"syn.taps{k}"][:] = layer.reshape(self.channels, self.channels, 3, 3)
            gradient[f"syn.tapbias{k}"][:] = biases[k]
