"""One training as its paper has it, through the codec's own starts, remedies, engines and loop."""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from inrcodec.errors import Diverged
from inrcodec.fields import family_of
from inrcodec.fields.mlp import MlpField
from inrcodec.fit import EncodeOptions
from inrcodec.fit.descent import NetworkFit, Schedule
from inrcodec.fit.network import make_problem
from inrcodec.fit.targets import samples_of
from inrcodec.kernels.network import NetworkProblem, Samples, make_network_engine, split
from inrcodec.kernels.reference_network import CHUNK, TORCH, ReferenceNetworkEngine
from inrcodec.progress import Reporter
from inrcodec.remedies import NetworkStart
from inrcodec.remedies.laplacian import grey_shares
from inrcodec.runtime import resolve_device
from inrcodec.signal import AnySignal
from reproduced.description import SIGNED, UNIT, Cell, Course, Experiment
from reproduced.grids import Grid
from reproduced.measures import Seen, measured, plain


@dataclass(frozen=True)
class PaperSchedule(Schedule):
    """Every step of a training at the paper's learning rate."""

    course: Course = Course()

    def share(self, progress: float) -> float:
        return self.course.share(progress)


@dataclass(frozen=True)
class Look:
    """What was measured after some steps.

    Args:
        step: how many.
        numbers: metric -> number.
        seconds, cpu_seconds: of training until then; measuring does not count.
    """

    step: int
    numbers: Mapping[str, float]
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    Args:
        looks: in their order; none after it diverged.
        parameters: of the network.
        diverged: why it ended early, or "".
    """

    looks: list[Look]
    parameters: int
    diverged: str = ""


class Watch(Reporter):
    """A `fit.Observer` that measures, and is told of every step between.

    Args:
        experiment: says when and what.
        problem: the whole signal, and the network as it is rendered; values on [-1, 1].
        scale: (offset, factor) of what the network was fitted to, over those values.
        fitted: [samples] which were fitted; None for all.
        device: where to compute.
        whole: whether steps are of all that is measured, so that their errors are its.
    """

    def __init__(
        self,
        experiment: Experiment,
        problem: NetworkProblem,
        scale: tuple[float, float],
        fitted: np.ndarray | None,
        device: str,
        whole: bool,
    ) -> None:
        self._experiment, self._scale, self._fitted = experiment, scale, fitted
        self._problem, self._device, self._whole = problem, device, whole
        (self._part,) = problem.samples
        self._least = math.inf
        self._wanted = {plain(name) for name in experiment.metrics}
        self._engine = ReferenceNetworkEngine(problem, device)
        self._clocks = (time.perf_counter, time.process_time)
        self._begun, self._measuring = [clock() for clock in self._clocks], [0.0, 0.0]
        self.looks: list[Look] = []

    def steps(self, total: int) -> set[int]:
        even = np.rint(np.linspace(0, total, self._experiment.looks + 1)).astype(int)
        return {*even.tolist(), *self._experiment.asked_steps(), total}

    def step(self, rate_bpp: float, mse: float) -> None:
        if self._whole:
            self._least = min(self._least, mse / self._scale[1] ** 2)

    def see(self, step: int, phase: Any, theta: np.ndarray) -> None:
        seen = [clock() for clock in self._clocks]
        if step == 0:
            self._begun, self._measuring = seen, [0.0, 0.0]
        spent = [s - b - m for s, b, m in zip(seen, self._begun, self._measuring, strict=True)]
        before = dict(self.looks[-1].numbers) if self.looks else {}
        numbers = measured(self._experiment.metrics, self._seen(theta), before)
        self.looks.append(Look(step, numbers, *spent))
        for i, clock in enumerate(self._clocks):
            self._measuring[i] += clock() - seen[i]

    def _seen(self, theta: np.ndarray) -> Seen:
        halved = slopes = None
        if "half_psnr_db" in self._wanted:
            halved = self._values(theta.astype(np.float16).astype(np.float64))
        if "gradient_psnr_db" in self._wanted:
            slopes = grey_slopes(self._problem, theta, self._device)
        part = self._part
        return Seen(
            self._values(theta), part.target, part.shape, self._fitted, halved, slopes, self._least
        )

    def _values(self, theta: np.ndarray) -> np.ndarray:
        offset, factor = self._scale
        return (self._engine.values(theta)[0] - offset) / factor


def train(
    experiment: Experiment, cell: Cell, task: str, signal: AnySignal, seed: int, device: str
) -> Trained:
    """One cell of an experiment, for one signal and seed.

    Args:
        experiment, cell: what to train.
        task: key of the experiment's task.
        signal: as prepared.
        seed: of the start, the samples and the task.
        device: auto, cpu or cuda[:n].
    """
    what, rng = experiment.tasks[task], np.random.default_rng([seed, 2])
    fitted = what.fitted(signal, rng)
    columns = what.columns(signal, rng)
    scale = scale_of(cell.values, fitted)
    base = EncodeOptions(
        field=cell.field, device=device, seed=seed, network=cell.network(),
        remedies=(cell.optimizer, *cell.remedies),
    )  # fmt: skip
    start = replace(begin(cell, fitted, base), error_scale=1.0)
    inner, grid = start.targets, experiment.grid
    start = replace(start, targets=lambda samples: placed(scaled(inner(samples), scale), grid))
    layout, problem = make_problem(fitted, start)
    problem = replace(problem, samples=tuple(some(part, columns) for part in problem.samples))
    # As it is rendered, whatever is fitted on the way: outputs of coarser bands, bent values.
    rendered = replace(start, function=None, targets=lambda samples: placed(samples, grid))
    _, whole = make_problem(what.measured(signal), rendered)
    mask = None
    if columns is not None:
        mask = np.zeros(whole.pixels, bool)
        mask[columns] = True
    batch = cell.batch or experiment.batch or problem.pixels
    told = (
        fitted is signal and columns is None and batch >= problem.pixels
        and start.function is None and "evos" not in cell.remedies
    )  # fmt: skip
    watch = Watch(experiment, whole, scale, mask, resolve_device(device), told)
    schedule = PaperSchedule(
        warmup_steps=1, batch=batch, coded_share=0, retreats=0, course=experiment.course
    )
    options = replace(base, observer=watch)
    engine = make_network_engine(problem, device)
    try:
        NetworkFit(problem, engine, start, layout, options, schedule).run(experiment.steps, watch)
    except Diverged as error:
        return Trained(watch.looks, problem.parameter_count, str(error))
    return Trained(watch.looks, problem.parameter_count)


def grey_slopes(problem: NetworkProblem, theta: np.ndarray, device: str) -> np.ndarray:
    """[axes, samples] derivatives of the grey of a network's values by its coordinates."""
    named = {
        name: torch.tensor(value, dtype=torch.float32, device=device)
        for name, value in split(theta, problem.layout).items()
    }
    (part,) = problem.samples
    shares = torch.tensor(grey_shares(len(part.target)), dtype=torch.float32, device=device)
    found = []
    for coords in torch.from_numpy(part.coords).to(device).split(CHUNK, dim=1):
        coords.requires_grad_()
        values = problem.function(TORCH, named, coords)
        found.append(torch.autograd.grad((shares @ values).sum(), coords)[0].cpu().numpy())
    return np.concatenate(found, axis=1)


def begin(cell: Cell, signal: AnySignal, options: EncodeOptions) -> NetworkStart:
    """Where the training begins, at the cell's learning rate."""
    module = importlib.import_module(family_of(options.field, signal.kind).part.fit_module)
    remedies = options.combined()

    def starts(network: Mapping[str, Any], seed: int) -> NetworkStart:
        return module.start_of(signal, replace(options, network=network, seed=seed))

    chosen = remedies.options(signal, starts, options.network)
    start = at_rate(cell, starts(chosen, options.seed))
    if cell.activation is not None:
        start = replace(start, config=replace(start.config, activation=cell.activation))
    remedies.check(signal.kind, start.config)
    return remedies.begin(start, signal, np.random.default_rng([options.seed, 1]))


def at_rate(cell: Cell, start: NetworkStart) -> NetworkStart:
    """The start with the paper's learning rate and first layer.

    A folded weight moves its boost times as fast as the paper's, which is what the codec's own
    speeds say but for a common factor: that of the last layer, whose boost is 1.
    """
    speeds = {name: np.asarray(speed) for name, speed in start.speeds.items()}
    theta = dict(start.theta)
    plain_rate = {name: cell.rate for name in speeds}
    if issubclass(start.family, MlpField):
        own = float(speeds[f"bias{len(start.config.layers) - 1}"])
        layers = [name for name in speeds if name.startswith(("weight", "bias"))]
        plain_rate |= {name: speeds[name] * (cell.rate / own) for name in layers}
    speeds = {name: np.where(speeds[name] > 0, plain_rate[name], 0.0) for name in speeds}
    if cell.first_boost != 1:
        for name in ("weight0", "bias0"):
            theta[name] = cell.first_boost * theta[name]
            speeds[name] = cell.first_boost * speeds[name]
    return replace(start, theta=theta, speeds=speeds)


def scale_of(values: str, signal: AnySignal) -> tuple[float, float]:
    """(offset, factor) of what a network is fitted to, over values on [-1, 1]."""
    if values == SIGNED:
        return 0.0, 1.0
    if values == UNIT:
        return 0.5, 0.5
    (part,), _ = samples_of(signal)
    deviation = max(float(part.target.std()), 1e-12)
    return -float(part.target.mean()) / deviation, 1 / deviation


def scaled(samples: tuple[Samples, ...], scale: tuple[float, float]) -> tuple[Samples, ...]:
    """Samples whose targets are offset + factor * target."""
    offset, factor = scale
    if scale == (0.0, 1.0):
        return samples
    return tuple(
        replace(part, target=(offset + factor * part.target).astype(np.float32)) for part in samples
    )


def placed(samples: tuple[Samples, ...], grid: Grid) -> tuple[Samples, ...]:
    """Samples at the coordinates of a grid."""
    return tuple(map(grid.placed, samples))


def some(part: Samples, columns: np.ndarray | None) -> Samples:
    """A part with some of its samples; it is a grid no more, but a row of them."""
    if columns is None:
        return part
    coords, target = (np.ascontiguousarray(a[:, columns]) for a in (part.coords, part.target))
    return replace(part, coords=coords, target=target, shape=(len(columns),))
