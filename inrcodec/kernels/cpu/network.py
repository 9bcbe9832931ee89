"""The CPU engine of coordinate networks: fused over tiles of samples, compiled by numba."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from queue import LifoQueue

import numpy as np

from inrcodec.kernels.cpu.dense import LANES, zeros
from inrcodec.kernels.cpu.elementwise import Formula, formula
from inrcodec.kernels.cpu.encoded import Encoded, encoded
from inrcodec.kernels.cpu.network_tiles import ROW, TILE, Shape, band_function
from inrcodec.kernels.cpu.team import Team
from inrcodec.kernels.network import NetworkProblem, checked_columns, split
from inrcodec.runtime import threads as usable_threads

Array = np.ndarray

# Real features of a layer. Up to here a step takes at most 0.7 of the reference's time; wider ones
# gain little, and sums of gradients take a cache line per weight.
WIDEST = 256
_MOST_BANDS = 32  # of samples; each has its own sums, so results do not depend on threads
_SMALLEST_BAND = 4 * TILE

_NONE32, _NONE64 = np.zeros(0, np.float32), np.zeros(0, np.float64)
_ALL = np.zeros(0, np.int64)


@dataclass(frozen=True)
class _Plan:
    """What is known of a problem before its parameters are."""

    formula: Formula
    shape: Shape


def _plan(problem: NetworkProblem) -> _Plan | str:
    """The plan, or why there is none."""
    config = problem.config
    if not _is_known(problem):
        return f"{type(config).__name__} is not an encoding and layers of one width"
    activation, parts, width = config.activation, config.activation.parts, config.hidden_features
    if parts * width > WIDEST:
        return f"layers are {parts * width} wide, at most {WIDEST} are supported"
    found = formula(activation, parts)
    if found is None:
        return f"activation {type(activation).__name__} cannot be compiled"
    coords = len(problem.samples[0].coords)
    theta = split(np.zeros(problem.parameter_count), problem.layout)
    rows = encoded(config.encoding, theta, coords)
    if rows is None:
        return f"encoding {type(config.encoding).__name__} is not made of sines"
    layers = len(config.layers) - 1
    outputs = problem.layout[f"bias{layers}"][-1]
    bare, sines = coords if rows.bare else 0, len(rows.bias())
    shape = Shape.of(coords, bare, sines, int(rows.trainable), width, parts, layers, outputs)
    return _Plan(found, shape)


def _is_known(problem: NetworkProblem) -> bool:
    """Whether it is a network of `fields.mlp`."""
    config = problem.config
    names = ("activation", "encoding", "hidden_features", "layers")
    if not all(hasattr(config, name) for name in names):
        return False
    layout = list(config.encoding.layout(len(problem.samples[0].coords)))
    for i in range(len(config.layers)):
        layout += [f"weight{i}", f"bias{i}"]
    # What comes behind its parameters is none of its function.
    return list(problem.layout)[: len(layout)] == layout


def unsupported(problem: NetworkProblem) -> str | None:
    """Why this engine cannot fit a problem; None if it can."""
    plan = _plan(problem)
    return plan if isinstance(plan, str) else None


class CpuNetworkEngine:
    """Loss and gradient of a coordinate network by compiled code.

    Args:
        problem: what to fit; see `unsupported`.
        threads: how many to use, by default what `runtime.threads` says. Results do not depend on
            it.
    """

    name = "cpu"

    def __init__(self, problem: NetworkProblem, threads: int | None = None) -> None:
        plan = _plan(problem)
        if isinstance(plan, str):
            raise ValueError(plan)
        self._problem, self._shape = problem, plan.shape
        self._encoding = problem.config.encoding
        self._band = band_function(plan.formula)
        self._samples = [
            tuple(np.ascontiguousarray(a, np.float32).ravel() for a in (part.coords, part.target))
            for part in problem.samples
        ]
        self.threads = threads or usable_threads()
        self._team = Team(self.threads)
        matrices = self._shape.matrices if self._shape.trainable else self._shape.matrices[1:]
        self._sums_of = [(outputs, inputs + 1) for outputs, inputs in reversed(matrices)]
        self._size = sum(a * b for a, b in self._sums_of)
        widest = max(max(matrix) for matrix in self._shape.matrices)
        self._rows = np.arange(widest + 1, dtype=np.int64) * ROW
        self._workers: LifoQueue = LifoQueue()
        for _ in range(self.threads):
            self._workers.put(self._scratch())

    def loss(
        self,
        theta: Array,
        chosen: list[Array] | None = None,
        targets: list[Array] | None = None,
    ) -> tuple[float, Array]:
        columns = self._columns(chosen)
        squares, sums, rows, count = self._run(theta, columns, targets, with_gradients=True)
        gradient = np.zeros(self._problem.parameter_count)
        self._unpack(sums, rows, split(gradient, self._problem.layout))
        return squares / count, gradient * (2 / count)

    def error(self, theta: Array, chosen: list[Array] | None = None) -> float:
        squares, *_, count = self._run(theta, self._columns(chosen))
        return squares / count

    def values(self, theta: Array) -> list[Array]:
        found = [np.empty(p.target.shape, np.float32) for p in self._problem.samples]
        self._run(theta, self._columns(None), values=found)
        return found

    def _columns(self, chosen: list[Array] | None) -> list[Array]:
        """Checked columns of each of the problem's samples."""
        if chosen is None:
            return [_ALL] * len(self._samples)
        counts = [part.coords.shape[1] for part in self._problem.samples]
        return [checked_columns(c, count) for c, count in zip(chosen, counts, strict=True)]

    def _run(
        self,
        theta: Array,
        columns: list[Array],
        targets: list[Array] | None = None,
        values: list[Array] | None = None,
        with_gradients: bool = False,
    ) -> tuple[float, Array, Encoded, int]:
        """(sum of squared errors, sums of gradients, encoding, how many values)."""
        named = split(np.asarray(theta, np.float64), self._problem.layout)
        rows = encoded(self._encoding, named, self._shape.coords)
        layers = [self._layer(named, i) for i in range(self._shape.layers + 1)]
        forward, backward = self._packed(rows, layers)
        samples = self._samples
        if targets is not None:
            flat = [np.ascontiguousarray(target, np.float32).ravel() for target in targets]
            samples = [(coords, t) for (coords, _), t in zip(samples, flat, strict=True)]
        tasks, count = [], 0
        for i, part in enumerate(self._problem.samples):
            chosen = columns[i]
            total = part.coords.shape[1] if chosen is _ALL else len(chosen)
            out = _NONE32 if values is None else values[i].reshape(-1)
            tasks += [(i, part, chosen, out, *band) for band in _bands(total)]
            count += total * len(part.target)
        sums = np.zeros((len(tasks), self._size if with_gradients else 0))

        def run(number: int) -> float:
            i, part, chosen, out, first, last = tasks[number]
            scratch, acc = worker = self._workers.get()
            try:
                return self._band(
                    *samples[i], chosen, part.coords.shape[1], first, last,
                    part.channels.start or 0, len(part.target), self._shape, forward, backward,
                    self._rows, scratch, acc, sums[number], out,
                )  # fmt: skip
            finally:
                self._workers.put(worker)

        errors = self._team.map(run, range(len(tasks)))
        squares = math.fsum(errors) if np.isfinite(errors).all() else math.nan
        return squares, sums.sum(axis=0), rows, count

    def _scratch(self) -> tuple[Array, Array]:
        scratch, acc = zeros(self._shape.end), zeros(self._size * LANES)
        for at in self._shape.ones():
            scratch[at : at + int(ROW)] = 1
        return scratch, acc

    def _packed(self, rows: Encoded, layers: list[tuple[Array, Array]]) -> tuple[Array, Array]:
        """Forward: [1 + inputs, outputs] each, biases first. Backward: transposed, last first."""
        first = (rows.weight(self._shape.coords), rows.bias())
        forward = [
            np.concatenate([bias[None], weight.T]).ravel() for weight, bias in (first, *layers)
        ]
        weights = [weight for weight, _ in layers]
        weights[0] = weights[0][:, self._shape.bare :]
        backward = [
            np.concatenate([np.zeros_like(weight[:1]), weight]).ravel()
            for weight in reversed(weights)
        ]
        return tuple(np.concatenate(a).astype(np.float32) for a in (forward, backward))

    def _layer(self, named: Mapping[str, Array], i: int) -> tuple[Array, Array]:
        """Real weight and bias of a layer: a complex one has the real parts over the others."""
        weight, bias = named[f"weight{i}"], named[f"bias{i}"]
        if self._shape.parts == 1:
            return weight, bias
        if i == 0:
            return np.concatenate([weight, 0 * weight]), np.concatenate([bias, 0 * bias])
        real, imaginary = weight
        if i == self._shape.layers:
            return np.concatenate([real, -imaginary], axis=1), bias
        return np.block([[real, -imaginary], [imaginary, real]]), bias.ravel()

    def _unpack(self, sums: Array, rows: Encoded, gradient: Mapping[str, Array]) -> None:
        """Distributes sums of gradients over the parameters."""
        start, found = 0, []
        for shape in self._sums_of:
            size = math.prod(shape)
            found.append(sums[start : start + size].reshape(shape))
            start += size
        if self._shape.trainable:
            rows.add_gradient(found.pop(), gradient)
        for i, slopes in enumerate(reversed(found)):
            self._unpack_layer(i, slopes[:, :-1], slopes[:, -1], gradient)

    def _unpack_layer(
        self, i: int, weight: Array, bias: Array, gradient: Mapping[str, Array]
    ) -> None:
        """The adjoint of `_layer`."""
        to_weight, to_bias = gradient[f"weight{i}"], gradient[f"bias{i}"]
        width = self._shape.width
        if self._shape.parts == 1 or i == 0:
            to_weight[...], to_bias[...] = weight[: len(to_weight)], bias[: len(to_bias)]
        elif i == self._shape.layers:
            to_weight[0], to_weight[1] = weight[:, :width], -weight[:, width:]
            to_bias[...] = bias
        else:
            top, bottom = weight[:width], weight[width:]
            to_weight[0] = top[:, :width] + bottom[:, width:]
            to_weight[1] = bottom[:, :width] - top[:, width:]
            to_bias[...] = bias.reshape(2, width)


def _bands(count: int) -> list[tuple[int, int]]:
    """(first, last) of at most _MOST_BANDS runs of samples, in whole tiles."""
    step = max(_SMALLEST_BAND, -(-count // (_MOST_BANDS * TILE)) * TILE)
    return [(first, min(first + step, count)) for first in range(0, count, step)]
