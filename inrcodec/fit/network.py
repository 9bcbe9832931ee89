"""Fitting coordinate networks: real weights first, then weights that are cheap to write.

Weights are fitted in the folded form in which they are coded: a layer of `sin(omega_0 (W h + b))`
is one of `sin(W' h + b')` whose weights move omega_0 times as fast, which for Adam is the same.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from numbers import Integral
from typing import Any, TypeVar

import numpy as np

from inrcodec.entropy.parameters import Layout
from inrcodec.errors import BadOption, Diverged
from inrcodec.fields.network import NetworkField
from inrcodec.fit import EncodeOptions
from inrcodec.fit.presets import Preset
from inrcodec.fit.targets import samples_of
from inrcodec.kernels.network import NetworkEngine, NetworkProblem, make_network_engine
from inrcodec.progress import Reporter
from inrcodec.quantize.weights import QuantizedWeights
from inrcodec.remedies import Fitting, NetworkStart, Sampler, Shaper, Trained
from inrcodec.remedies.soap import Soap
from inrcodec.runtime import resolve_device
from inrcodec.signal import AnySignal

Config = TypeVar("Config")

HIGHEST_EXPONENT = 23  # a 24-bit integer still reaches 1

# A fit has learned a signal where its error is at most this share of the signal's variance, the
# error of the mean, or so little that variance does not matter. It is lost where its error is this
# many times that of the mean and that of its start.
LEARNED_SHARE, LEARNED_ERROR, LOST_SHARE = 0.9, 1e-4, 1.1
MEMORY = 0.9  # of the error's average over steps

# Steps of a preset are that many samples, or all. Where the fit's steps are smaller, more of them
# take the same time, though not in proportion: the rest of a step stays what it is. Signals of so
# few batches are fitted as a whole.
PRESET_SAMPLES = 1 << 16
SMALLER_STEPS = 0.7
LEAST_BATCHES = 2

_log = logging.getLogger(__name__)


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
    precondition: bool = True  # False: plain Adam

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
        self.error = self.first_error = math.inf  # an average over the last steps; at the start

    @property
    def drawn(self) -> bool:
        """Whether steps draw some of the samples: there are many, and no remedy needs them all."""
        phase = self._phase(1)
        return phase.batch is not None and self._remedies.shaper(phase) is None

    def run(self, steps: int, reporter: Reporter, coded: CodedWeights | None = None) -> None:
        """Moves the parameters for that many steps, their learning rates falling to the end.

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
        optimizer = remedies.optimizer(*self._usual(trained.shapes))
        scaled = np.zeros(len(trained.values))  # the optimiser moves this, in units of its speeds
        begin = values = trained.values.copy()
        observer = self._observer if coded is None else None
        observed = observer.steps(steps) if observer is not None else ()
        for step in range(steps):
            if step in observed:
                observer.see(step, phase, trained.theta(values))
            share = remedies.rate_share(step / steps, schedule.share(step / steps))
            share *= min(1.0, (step + 1) / schedule.warmup_steps)
            if coded is not None:
                share *= coded.rate
            at = values
            if coded is not None:  # what is not fitted is whole already, and not rounded
                noisy = coded.perturbed(values, self._rng)
                at = np.where(trained.speeds > 0, noisy, values)
            error, gradient = self._slope(step, trained, at, sampler, shaper)
            if not math.isfinite(error) or not np.isfinite(gradient).all():
                raise Diverged(f"the loss is not finite after {step} of {steps} steps")
            gradient = self._start.error_scale * gradient
            error *= self._start.error_scale
            if step == 0:
                self.error = self.first_error = error
            self.error = MEMORY * self.error + (1 - MEMORY) * error
            bits = 0.0
            if coded is not None:
                bits, slope = coded.rate_of(values)
                gradient = gradient + slope
            optimizer.update(scaled, gradient * trained.speeds, schedule.rate * share)
            values = begin + scaled * trained.speeds
            bounded = remedies.bound(self._start, self.layout, values)
            if bounded is not values:
                moved = trained.speeds > 0
                scaled[moved] = ((bounded - begin) / np.where(moved, trained.speeds, 1))[moved]
                values = bounded
            reporter.step(bits / self.problem.pixels, error)
        self.theta = trained.theta(values)
        if steps in observed:
            observer.see(steps, phase, self.theta)

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


class CodedWeights:
    """What rounding and bits of weights do to a fit, for given steps.

    Rounding is uniform noise of one step's width (Balle et al., arXiv 1611.01704). Bits are those
    of a Laplace distribution of each group's own width, so their slope is that of an L1 norm.

    Args:
        layout: groups and shapes.
        exponents: group -> e; steps are 2**-e.
        bit_price: what one bit adds to the cost.
        rate: share of the learning rate that is left for this phase.
    """

    def __init__(
        self, layout: Layout, exponents: Mapping[str, int], bit_price: float, rate: float
    ) -> None:
        self.rate = rate
        self._bit_price = bit_price
        self._steps = np.concatenate(
            [np.full(math.prod(shape), 2.0 ** -exponents[g]) for g, shape in layout.values()]
        )
        names = list(dict.fromkeys(g for g, _ in layout.values()))
        self._group = np.concatenate(
            [np.full(math.prod(shape), names.index(g)) for g, shape in layout.values()]
        )

    def perturbed(self, theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Parameters with the noise that rounding will be."""
        return theta + self._steps * rng.uniform(-0.5, 0.5, len(theta))

    def rate_of(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """(bits, slope of their cost): Laplace of the widths that the groups have now."""
        counts = np.bincount(self._group)
        width = np.bincount(self._group, np.abs(theta)) / counts
        width = np.maximum(width[self._group], 0.3 * self._steps)
        bits = np.abs(theta) / (width * math.log(2)) + np.log2(2 * width / self._steps)
        return float(bits.sum()), self._bit_price * np.sign(theta) / (width * math.log(2))


def fit_network(
    signal: AnySignal,
    start: NetworkStart,
    work: Preset,
    options: EncodeOptions,
    schedule: Schedule | None = None,
) -> NetworkField:
    """The coordinate network of a signal, every number of it an integer.

    Args:
        signal: what to fit.
        start: shape of the network, and how it begins.
        work: how long to work.
        options: lambda, seed, device, engine and reporter.
        schedule: constants of the phases.

    Raises:
        Diverged: the optimisation left the finite numbers, also at smaller rates.
    """
    schedule = schedule or Schedule()
    reporter = options.reporter or Reporter()
    remedies = options.combined()
    remedies.check(signal.kind, start.config)
    start = remedies.begin(start, signal, np.random.default_rng([options.seed, 1]))
    layout, problem = make_problem(signal, start)
    engine = make_network_engine(problem, options.device, options.engine)
    bit_price = options.lmbda / problem.pixels
    begin = partial(NetworkFit, problem, engine, start, layout, options)
    steps = work.steps
    if problem.sample_count < LEAST_BATCHES * schedule.batch:
        schedule = replace(schedule, batch=problem.sample_count)
    if begin(schedule).drawn:
        steps = schedule.steps(steps, problem.sample_count)
        schedule = replace(schedule, rate=schedule.drawn_rate * schedule.rate)
    coded_steps = round(schedule.coded_share * steps)
    reporter.begin(steps + work.refinements)

    of_mean = start.error_scale * variance(problem)
    fit_ = _float_phase(begin, schedule, steps - coded_steps, of_mean, reporter)

    last_error = 1.0

    def cost(values: np.ndarray) -> float:
        nonlocal last_error
        last_error = start.error_scale * engine.error(values.astype(np.float64))
        return last_error

    frozen = {group for name, (group, _) in layout.items() if not np.any(start.speeds[name])}
    highest = {group: 0 if group in frozen else HIGHEST_EXPONENT for group, _ in layout.values()}
    weights = _quantized(layout, fit_.theta, cost, bit_price, highest, work)
    if coded_steps:
        coded = CodedWeights(layout, weights.exponents, bit_price, schedule.coded_rate)
        with contextlib.suppress(Diverged):  # then the first phase's weights stay
            fit_.run(coded_steps, reporter, coded)
            again = _quantized(layout, fit_.theta, cost, bit_price, highest, work)
            weights = min(weights, again, key=lambda w: w.best)
    tried = weights.refine(
        work.refinements, lambda: reporter.step(weights.bits / problem.pixels, last_error)
    )
    reporter.skip(work.refinements - tried)
    reporter.end()
    _, features = samples_of(signal)
    made = weights.exponents, weights.theta_hat()
    return start.family(start.config, features, signal.kind, *made)


def make_problem(signal: AnySignal, start: NetworkStart) -> tuple[Layout, NetworkProblem]:
    """The parameters of a network, and what an engine must know to fit it to a signal."""
    samples, features = samples_of(signal)
    layout = start.family.layout(start.config, *features)
    problem = NetworkProblem(
        partial(_function, start.function or start.family.network, start.config),
        start.config,
        {name: shape for name, (_, shape) in layout.items()},
        start.targets(samples),
    )
    return layout, problem


def variance(problem: NetworkProblem) -> float:
    """The error of the best constant: variance of each feature, averaged over all numbers."""
    squares = 0.0
    for part in problem.samples:
        mean = part.target.mean(axis=1, keepdims=True, dtype=np.float64)
        squares += float(np.square(part.target - mean).sum())
    return squares / problem.value_count


def flat(layout: Layout, parts: Mapping[str, np.ndarray | float]) -> np.ndarray:
    """[parameters] float64 of arrays by name, or of one number for all entries of a name."""
    filled = [np.broadcast_to(parts[name], shape).ravel() for name, (_, shape) in layout.items()]
    return np.concatenate(filled).astype(np.float64)


def config_with(config: Config, wanted: Mapping[str, Any], names: Sequence[str]) -> Config:
    """A config with the options that a user wants.

    Args:
        config: the others.
        wanted: name -> value.
        names: what may be wanted.

    Raises:
        BadOption: another name, or a value out of the range that the config class gives.
    """
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise BadOption(f"this field has no option {', '.join(unknown)}; it has {', '.join(names)}")
    for f in fields(config):
        if f.name not in wanted:
            continue
        low, high = f.metadata["range"]
        value = wanted[f.name]
        if not isinstance(value, Integral) or not low <= value <= high:
            raise BadOption(f"{f.name} is {value!r}, expected a whole number, {low}..{high}")
    return replace(config, **{name: int(value) for name, value in wanted.items()})


def _function(
    network: Callable[..., Any], config: Any, a: Any, theta: Mapping[str, Any], coords: Any
) -> Any:
    return network(a, config, theta, coords)


def _float_phase(
    begin: Callable[[Schedule], NetworkFit],
    schedule: Schedule,
    steps: int,
    of_mean: float,
    reporter: Reporter,
) -> NetworkFit:
    """The finished first phase; begun again at a third of the rates where it goes wrong.

    A fit that learns nothing is begun again once: where it does so twice, that is the signal's
    nature, and the better one counts.

    Raises:
        Diverged: four times.
    """
    poor: list[NetworkFit] = []
    for attempt in range(4):
        fit_ = begin(replace(schedule, rate=schedule.rate / 3**attempt))
        try:
            fit_.run(steps, reporter)
        except Diverged as error:
            reason = str(error)
        else:
            if fit_.error <= max(LEARNED_SHARE * of_mean, LEARNED_ERROR):
                return fit_
            reason = f"its error is {fit_.error:.2g}, that of the signal's mean {of_mean:.2g}"
            if fit_.error <= LOST_SHARE * max(of_mean, fit_.first_error):
                poor.append(fit_)
        if len(poor) == 2 or (poor and attempt == 3):
            best = min(poor, key=lambda f: f.error)
            _log.warning(
                "the network learned next to nothing: its error is %.2g, that of the signal's mean "
                "%.2g; a larger one, another field or omega_0 may do better", best.error, of_mean,
            )  # fmt: skip
            return best
        if attempt == 3:
            raise Diverged(f"the fit failed at four learning rates; at the lowest, {reason}")
        _log.info("begun again at a third of the learning rates: %s", reason)
        reporter.restart()
    raise AssertionError("unreachable")


def _quantized(
    layout: Layout,
    theta: np.ndarray,
    cost: Callable[[np.ndarray], float],
    bit_price: float,
    highest: Mapping[str, int],
    work: Preset,
) -> QuantizedWeights:
    """The weights with the steps that serve the objective best."""
    weights = QuantizedWeights(layout, theta, cost, bit_price, highest)
    weights.search_steps(work.step_passes)
    return weights
