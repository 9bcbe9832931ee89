"""Fitting a `grid` field to an image: D + lambda R by gradient descent, then integers.

```
main phase   soft rounding with normal noise, temperature and noise annealed, cosine rate
weights      step sizes per group by rate-distortion search, greedy refinement
latents      networks as the decoder will see them; integers are moved by one where that pays
```

The loss is mean squared error (signal in [0, 1], mean over samples and channels) plus lambda times
bits per pixel: the convention of Cool-Chic and C3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from inrcodec.entropy.context import FRACTION_BITS
from inrcodec.errors import BadOption, Diverged
from inrcodec.fields.grid import (
    FEATURE_GAIN,
    GROUPS,
    GridConfig,
    GridField,
    level_shapes,
    parameter_layout,
)
from inrcodec.fit.latent_search import LatentSearch
from inrcodec.fit.presets import Preset, choose_config, expected_bytes, preset_for, with_first_level
from inrcodec.fit.start import initial_theta
from inrcodec.fit.training import make_training
from inrcodec.kernels import Engine, GridProblem, Optimisation, Step
from inrcodec.kernels.engine import make_engine
from inrcodec.progress import Reporter
from inrcodec.quantize.weights import QuantizedWeights
from inrcodec.signal import Signal

if TYPE_CHECKING:
    from inrcodec.fit import EncodeOptions

# Exponents that the format allows: the context model is in fixed point.
HIGHEST_EXPONENT = {g: FRACTION_BITS if g.startswith("arm") else 20 for g in GROUPS}


@dataclass(frozen=True)
class Schedule:
    """Constants of the main phase, tuned at equal steps (results/design)."""

    latent_rate: float = 0.3
    latent_momentum: float = 0.5  # decay of Adam's first moment
    network_rate: float = 0.02
    final_rate: float = 0.02  # share of the rates that is left at the end
    warmup_steps: int = 10
    gradient_norm: float = 0.1
    temperature: tuple[float, float] = (0.5, 0.05)
    sigma: tuple[float, float] = (0.3, 0.15)
    precondition: bool = True  # False: plain Adam for the networks

    @classmethod
    def of(cls, preset: Preset) -> Schedule:
        """The schedule for a number of steps: long fits gain from slower networks."""
        return cls(network_rate=0.01) if preset.steps >= 4000 else cls()

    def at(self, progress: float) -> tuple[float, float, float]:
        """(share of the learning rates, temperature, noise sigma) at progress 0..1."""
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        share = self.final_rate + (1 - self.final_rate) * cosine
        mix = [a + (b - a) * progress for a, b in (self.temperature, self.sigma)]
        return share, *mix


def target_of(signal: Signal) -> np.ndarray:
    """[channels, height, width] float32: the signal in [0, 1]."""
    target = (signal.samples.astype(np.float32) / np.float32(signal.peak)).transpose(2, 0, 1)
    return np.ascontiguousarray(target)


def make_problem(signal: Signal, config: GridConfig) -> GridProblem:
    """What an engine must know to fit a field of this shape to an image."""
    layout = parameter_layout(config, signal.channels)
    return GridProblem(
        target_of(signal),
        config.first_level,
        tuple(level_shapes(config, signal.height, signal.width)),
        config.context.spatial,
        config.context.coarse,
        {name: shape for name, (_, shape) in layout.items()},
        config.taps,
        FEATURE_GAIN,
    )


class GridFit:
    """One fit in progress: latents and networks under optimisation."""

    def __init__(
        self,
        problem: GridProblem,
        engine: Engine,
        lmbda: float,
        theta: np.ndarray,
        seed: int,
        schedule: Schedule,
    ) -> None:
        self.problem, self.engine, self.lmbda, self.schedule = problem, engine, lmbda, schedule
        self._seed = seed
        tensors = problem.layout if schedule.precondition else {"all": (problem.parameter_count,)}
        settings = Optimisation(lmbda, schedule.latent_momentum, schedule.gradient_norm, tensors)
        self._training = make_training(engine, theta, settings)
        self.last = (0.0, 1.0)  # rate_bpp and mse of the last evaluation

    @property
    def theta(self) -> np.ndarray:
        """[parameters] float64: the networks as they are now."""
        return self._training.theta

    def run(self, steps: int, reporter: Reporter) -> None:
        """A main phase of that many steps, its whole schedule.

        Raises:
            Diverged: a loss or a parameter is not finite.
        """
        planned = [self._planned(step, steps) for step in range(steps)]
        for step, loss in enumerate(self._training.run(planned)):
            if not math.isfinite(loss.mse + loss.bits):
                raise Diverged(f"the loss is not finite after {step} of {steps} steps")
            reporter.step(loss.bits / self.problem.pixels, loss.mse)
        if not np.isfinite(self.theta).all():
            raise Diverged("the last gradient is not finite")

    def _planned(self, step: int, steps: int) -> Step:
        schedule = self.schedule
        share, temperature, sigma = schedule.at(step / steps)
        share *= min(1.0, (step + 1) / schedule.warmup_steps)
        rates = schedule.latent_rate * share, schedule.network_rate * share
        return Step(temperature, sigma, self._seed * 1_000_003 + step, *rates)

    def rounded(self) -> np.ndarray:
        """[latents] float32: the latents as integers."""
        return np.rint(self.engine.array(self._training.latents))

    def cost(self, latents: object, theta: np.ndarray) -> float:
        """D + lambda * latent bits per pixel at integer latents, a vector of the engine."""
        loss = self.engine.evaluate(latents, self.engine.vector(theta))
        self.last = loss.bits / self.problem.pixels, loss.mse
        return loss.mse + self.lmbda * loss.bits / self.problem.pixels


def fit(signal: Signal, options: EncodeOptions) -> GridField:
    """The `grid` field of an image, of a shape chosen for its size, the rate and the effort.

    Of the shape `first_level` can be given, 0 or 1: latents at every sample, or not.

    Raises:
        BadOption: there are options of coordinate networks, or another first level.
        Diverged: the optimisation left the finite numbers.
    """
    others = [name for name in options.network if name != "first_level"]
    if others:
        raise BadOption(
            f"the field grid has no option {', '.join(others)}; it has first_level, others shape "
            "coordinate networks, see `inrcodec fields`"
        )
    shape_lmbda = options.shape_lmbda or options.lmbda
    config = choose_config(target_of(signal), shape_lmbda, options.effort)
    first = options.network.get("first_level", config.first_level)
    if first not in (0, 1):
        raise BadOption(f"first_level is {first!r}, expected 0 or 1")
    config = with_first_level(config, int(first))
    return fit_config(
        signal,
        config,
        preset_for(config, options.effort),
        options.lmbda,
        start_lmbda=options.shape_lmbda,
        seed=options.seed,
        device=options.device,
        engine=options.engine,
        reporter=options.reporter,
    )


def fit_config(
    signal: Signal,
    config: GridConfig,
    preset: Preset,
    lmbda: float,
    *,
    seed: int = 0,
    device: str = "auto",
    engine: str = "auto",
    reporter: Reporter | None = None,
    schedule: Schedule | None = None,
    start_lmbda: float | None = None,
) -> GridField:
    """The `grid` field of an image, every number of it an integer.

    Args:
        signal: the image.
        config: shape of the field.
        preset: how long to work.
        lmbda: weight of the rate, > 0.
        seed: of starting networks and noise; the same seed on the same CPU engine gives the same
            field.
        device, engine: see `kernels.engine.make_engine`.
        reporter: told of every step.
        schedule: constants of the main phase; default by the preset's length.
        start_lmbda: by which the learned start is chosen; default lmbda.

    Raises:
        Diverged: the optimisation left the finite numbers, also at smaller rates.
    """
    reporter = reporter or Reporter()
    schedule = schedule or Schedule.of(preset)
    layout = parameter_layout(config, signal.channels)
    problem = make_problem(signal, config)
    machine = make_engine(problem, device, engine)

    moves = min(preset.refinements, 2 * problem.parameter_count)
    reporter.begin(preset.steps + moves + preset.latent_trials)
    rate_bpp = expected_bytes(problem.target, start_lmbda or lmbda) * 8 / problem.pixels
    theta = initial_theta(config, problem.target, rate_bpp, seed)
    best = _main_phase(problem, machine, theta, preset.steps, lmbda, seed, schedule, reporter)
    latents = best.rounded()
    on_device = machine.vector(latents)
    weights = QuantizedWeights(
        layout,
        best.theta,
        lambda theta: best.cost(on_device, theta),
        lmbda / problem.pixels,
        HIGHEST_EXPONENT,
    )
    weights.search_steps(preset.step_passes)
    reporter.skip(moves - weights.refine(moves, lambda: reporter.step(*best.last)))
    search = LatentSearch(machine, latents, weights.values(), lmbda)
    tried = search.run(preset.latent_trials, lambda: reporter.step(search.rate_bpp, search.mse))
    reporter.skip(preset.latent_trials - tried)
    reporter.end()

    grids, offset = [], 0
    for shape in problem.level_shapes:
        n = shape[0] * shape[1]
        grids.append(search.latents[offset : offset + n].reshape(shape).astype(np.int32))
        offset += n
    size = (signal.height, signal.width, signal.channels)
    return GridField(config, size, weights.exponents, weights.theta_hat(), grids)


def _main_phase(
    problem: GridProblem,
    engine: Engine,
    theta: np.ndarray,
    steps: int,
    lmbda: float,
    seed: int,
    schedule: Schedule,
    reporter: Reporter,
) -> GridFit:
    """The finished main phase; begun again at half the rates where it diverges.

    Raises:
        Diverged: four times, which no picture is known to cause.
    """
    for attempt in range(4):
        slower = replace(
            schedule,
            latent_rate=schedule.latent_rate / 2**attempt,
            network_rate=schedule.network_rate / 2**attempt,
        )
        try:
            fit = GridFit(problem, engine, lmbda, theta, seed, slower)
            fit.run(steps, reporter)
            return fit
        except Diverged:
            if attempt == 3:
                raise
            reporter.restart()
    raise AssertionError("unreachable")
