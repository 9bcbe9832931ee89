"""Descent of a coordinate network: steps of a phase, with remedies, on real or coded weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from inrcodec.entropy.parameters import Layout
from inrcodec.errors import Diverged
from inrcodec.fields.network import flat
from inrcodec.fit import EncodeOptions
from inrcodec.kernels.network import NetworkEngine, NetworkProblem
from inrcodec.progress import Reporter
from inrcodec.quantize.pricing import CodedWeights
from inrcodec.remedies import Fitting, NetworkStart, Sampler, Shaper, Trained
from inrcodec.remedies.soap import Soap
from inrcodec.runtime import resolve_device

MEMORY = 0.9  # of the error's average over steps
# A phase that ends at more than this many times its lowest error goes back to where it was lowest.
# The noise of drawn samples alone was up to 1.04 on Kodak 3 and a sound.
RISEN = 1.25
TREND = 0.98  # of the slower average by which a phase goes back on the way

# Steps of a preset are that many samples, or all. Where the fit's steps are smaller, more of them
# take the same time, though not in proportion: the rest of a step stays what it is.
PRESET_SAMPLES = 1 << 16
SMALLER_STEPS = 0.7


@dataclass(frozen=True)
class Schedule:
    """Constants of the two phases (results/design/networks.tsv, batch.tsv)."""

    rate: float = 1.0  # factor of the activation's own learning rate
    final_rate: float = 0.01  # share of it that is left at the end
    warmup_steps: int = 20
    batch: int = 1 << 13  # samples per step, at most
    drawn_rate: float = 0.5  # factor of learning rates where steps do not see all samples
    coded_share: float = 0.3  # of the steps that know the bits of weights
    coded_rate: float = 0.3  # share of the learning rates that they begin with
    judged: int = 1 << 16  # samples by which rounding is judged, at most
    precondition: bool = True  # False: plain Adam
    retreats: int = 3  # how often a phase may go back and on at half the learning rates

    def share(self, progress: float) -> float:
        """The share of the learning rates at progress 0..1."""
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        return self.final_rate + (1 - self.final_rate) * cosine

    def steps(self, of_preset: int, samples: int) -> int:
        """How many steps take the time of that many steps of a preset.

        Args:
            of_preset: those.
            samples: of the signal, of which every step draws some.
        """
        times = min(samples, PRESET_SAMPLES) / self.batch
        return round(of_preset * max(1, SMALLER_STEPS * times))


class Trend:
    """Errors over some fifty steps: of a picture, about as many drawn samples as it has."""

    def __init__(self) -> None:
        self._mean = self._lowest = math.inf

    def risen(self, error: float) -> bool:
        """Whether their mean, with one more of them, is too far above its lowest."""
        known = math.isfinite(self._mean)
        self._mean = TREND * self._mean + (1 - TREND) * error if known else error
        self._lowest = min(self._lowest, self._mean)
        return self._mean > RISEN * self._lowest


def _moves(trained: Trained, begin: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How far parameters are from where they began, in units of their speeds."""
    moved = trained.speeds > 0
    return np.where(moved, (values - begin) / np.where(moved, trained.speeds, 1), 0)


class NetworkFit:
    """One fit in progress.

    Args:
        problem: what to fit.
        engine: computes losses.
        start: the network, and where its fit begins.
        layout: groups and shapes of the parameters.
        options: seed, device and remedies.
        schedule: constants of the phases.
    """

    def __init__(
        self,
        problem: NetworkProblem,
        engine: NetworkEngine,
        start: NetworkStart,
        layout: Layout,
        options: EncodeOptions,
        schedule: Schedule,
    ) -> None:
        self.problem, self.engine, self.layout, self.schedule = problem, engine, layout, schedule
        self.theta = flat(layout, start.theta)
        self._start, self._speeds = start, flat(layout, start.speeds)
        self._device = resolve_device(options.device)
        self._remedies, self._observer = options.combined(), options.observer
        self._rng = np.random.default_rng(options.seed)
        # An average over the last steps, its lowest value in the phase, and the one at the start.
        self.error = self.lowest_error = self.first_error = math.inf
        self.pace = 1.0  # factor of the learning rates, halved where they were too high

    @property
    def drawn(self) -> bool:
        """Whether steps draw some of the samples: there are many, and no remedy needs them all."""
        phase = self._phase(1)
        return phase.batch is not None and self._remedies.shaper(phase) is None

    def run(self, steps: int, reporter: Reporter, coded: CodedWeights | None = None) -> None:
        """Moves the parameters for that many steps, their learning rates falling to the end.

        They end where the error was lowest if it rose again, also where the fit diverges. Where it
        rises for long they go back on the way, and on at half the learning rates.

        Args:
            steps: of the phase.
            reporter: told of every step.
            coded: the steps and prices of weights, where bits count and rounding is noise.

        Raises:
            Diverged: a loss or parameter is not finite.
        """
        schedule, remedies = self.schedule, self._remedies
        phase = self._phase(steps)
        trained = Trained(phase.problem.layout, self.theta, self._speeds, self.engine)
        if coded is None:  # else the weights themselves are what is made cheap
            trained = remedies.trained(trained, phase)
        sampler, shaper = remedies.sampler(phase), remedies.shaper(phase)
        usual = self._usual(trained.shapes)
        optimizer, since, trend = remedies.optimizer(*usual), 0, Trend()
        # Errors of samples that are chosen for theirs tell nothing; where bits count they may rise.
        retreats = self.schedule.retreats if coded is None and sampler is None else 0
        scaled = np.zeros(len(trained.values))  # the optimiser moves this, in units of its speeds
        begin = values = best = trained.values.copy()
        observer = self._observer if coded is None else None
        observed = observer.steps(steps) if observer is not None else ()
        for step in range(steps):
            if step in observed:
                observer.see(step, phase, trained.theta(values))
            share = remedies.rate_share(step / steps, schedule.share(step / steps))
            share *= self.pace * min(1.0, (step - since + 1) / schedule.warmup_steps)
            if coded is not None:
                share *= coded.rate
            at = values
            if coded is not None:  # what is not fitted is whole already, and not rounded
                noisy = coded.perturbed(values, self._rng)
                at = np.where(trained.speeds > 0, noisy, values)
            error, gradient = self._slope(step, trained, at, sampler, shaper)
            if not math.isfinite(error) or not np.isfinite(gradient).all():
                self.theta = trained.theta(best)
                raise Diverged(f"the loss is not finite after {step} of {steps} steps")
            gradient = self._start.error_scale * gradient
            error *= self._start.error_scale
            if step == 0:
                self.error = self.lowest_error = self.first_error = error
            self.error = MEMORY * self.error + (1 - MEMORY) * error
            if self.error < self.lowest_error:
                self.lowest_error, best = self.error, values
            if retreats and trend.risen(error):
                values, scaled = best, _moves(trained, begin, best)
                self.error, self.pace, retreats = self.lowest_error, self.pace / 2, retreats - 1
                optimizer, since, trend = remedies.optimizer(*usual), step, Trend()
                reporter.step(0.0, error)
                continue
            bits = 0.0
            if coded is not None:
                bits, slope = coded.rate_of(values)
                gradient = gradient + slope
            optimizer.update(scaled, gradient * trained.speeds, schedule.rate * share)
            values = begin + scaled * trained.speeds
            bounded = remedies.bound(self._start, self.layout, values)
            if bounded is not values:
                values, scaled = bounded, _moves(trained, begin, bounded)
            reporter.step(bits / self.problem.pixels, error)
        finite = np.isfinite(values).all()
        # Where bits count, what costs fewer of them may well have the larger error.
        risen = coded is None and self.error > RISEN * self.lowest_error
        last = trained.theta(values)
        self.theta = last if finite and not risen else trained.theta(best)
        if not finite:
            raise Diverged(f"the parameters are not finite after {steps} steps")
        if steps in observed:
            observer.see(steps, phase, last)

    def _slope(
        self,
        step: int,
        trained: Trained,
        at: np.ndarray,
        sampler: Sampler | None,
        shaper: Shaper | None,
    ) -> tuple[float, np.ndarray]:
        """(mean squared error of the step's samples, the gradient to go down)."""
        if shaper is not None:
            theta = trained.theta(at)
            parts = zip(self.engine.values(theta), self.problem.samples, strict=True)
            residuals = [values - part.target for values, part in parts]
            error = sum(float(np.square(r, dtype=np.float64).sum()) for r in residuals)
            error /= self.problem.value_count
            if not math.isfinite(error):
                return error, at
            shaped = shaper(step, theta, residuals)
            targets = [
                part.target + r - s
                for part, r, s in zip(self.problem.samples, residuals, shaped, strict=True)
            ]
            return error, trained.loss(at, None, targets)[1]
        columns = self._batch() if sampler is None else sampler(step, trained.theta(at))
        return trained.loss(at, columns, None)

    def _phase(self, steps: int) -> Fitting:
        batch = self.schedule.batch if self.problem.sample_count > self.schedule.batch else None
        return Fitting(
            self.problem,
            self.engine,
            self._start,
            self.layout,
            steps,
            batch,
            self._device,
            self._rng,
        )

    def _usual(
        self, shapes: Mapping[str, tuple[int, ...]]
    ) -> tuple[dict[str, tuple[int, ...]], Callable[[], Soap]]:
        """Tensors of the flat vector as optimisers see them, and the usual optimiser of them."""
        # Entries of a table are no matrix: each is moved by itself.
        tensors = {
            name: (math.prod(shape),) if name.startswith("table") else shape
            for name, shape in shapes.items()
        }
        whole = {"all": (sum(math.prod(shape) for shape in shapes.values()),)}
        usual = tensors if self.schedule.precondition else whole
        # Slopes times speeds are tiny.
        return tensors, lambda: Soap(usual, epsilon=1e-15, device=self._device)

    def _batch(self) -> list[np.ndarray] | None:
        """Columns of one step, a share of every grid; None for all."""
        counts = [part.coords.shape[1] for part in self.problem.samples]
        total = self.problem.sample_count
        if total <= self.schedule.batch:
            return None
        return [
            self._rng.integers(0, n, max(1, round(self.schedule.batch * n / total))) for n in counts
        ]
