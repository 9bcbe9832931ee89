"""Fitting coordinate networks: real weights first, then weights that are cheap to write.

Weights are fitted in the folded form in which they are coded: a layer of `sin(omega_0 (W h + b))`
is one of `sin(W' h + b')` whose weights move omega_0 times as fast, which for Adam is the same.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from numbers import Integral
from typing import Any, TypeVar

import numpy as np

from inrcodec.entropy.parameters import Layout
from inrcodec.errors import BadOption, Diverged
from inrcodec.fields.network import NetworkField, flat
from inrcodec.fit import EncodeOptions
from inrcodec.fit.descent import NetworkFit, Schedule
from inrcodec.fit.presets import Preset
from inrcodec.fit.sizes import check_work
from inrcodec.fit.targets import samples_of, shape_of
from inrcodec.kernels.network import NetworkProblem, make_network_engine, split
from inrcodec.progress import Reporter
from inrcodec.quantize.pricing import CodedWeights
from inrcodec.quantize.weights import QuantizedWeights
from inrcodec.remedies import NetworkStart
from inrcodec.signal import AnySignal, AudioSignal

Config = TypeVar("Config")

HIGHEST_EXPONENT = 23  # a 24-bit integer still reaches 1

# A fit has learned a signal where its error is at most this share of the signal's variance, the
# error of the mean, or so little that variance does not matter. It is lost where its error is this
# many times that of the mean and that of its start.
LEARNED_SHARE, LEARNED_ERROR, LOST_SHARE = 0.9, 1e-4, 1.1
STRETCH = 1 << 20  # samples that are copied in float64 at once
LEAST_BATCHES = 2  # a signal of fewer is fitted as a whole

_log = logging.getLogger(__name__)


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
        Diverged: the optimisation left the finite numbers, also at smaller rates, or rounding does.
    """
    schedule = schedule or Schedule()
    reporter = options.reporter or Reporter()
    remedies = options.combined()
    remedies.check(signal.kind, start.config)
    start = remedies.begin(start, signal, np.random.default_rng([options.seed, 1]))
    check_work(start.family, start.config, signal, options)
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
    if isinstance(signal, AudioSignal):
        power = sum(float(np.vdot(part.target, part.target)) for part in problem.samples)
        reporter.sound(signal.rate_hz, start.error_scale * power / problem.value_count)
    reporter.begin(steps + work.refinements)

    of_mean = start.error_scale * variance(problem)
    fit_ = _float_phase(begin, schedule, steps - coded_steps, of_mean, reporter)
    fit_.theta = flat(layout, start.settled(split(fit_.theta, problem.layout)))

    last_error = 1.0
    judged = some_of(problem, schedule.judged, np.random.default_rng([options.seed, 2]))

    def cost(values: np.ndarray) -> float:
        nonlocal last_error
        last_error = start.error_scale * engine.error(values.astype(np.float64), judged)
        return last_error

    frozen = {group for name, (group, _) in layout.items() if not np.any(start.speeds[name])}
    highest = {group: 0 if group in frozen else HIGHEST_EXPONENT for group, _ in layout.values()}
    bits = remedies.least_bits(signal.kind)
    weights = _quantized(layout, fit_.theta, cost, bit_price, highest, bits, work)
    if coded_steps:
        coded = CodedWeights(layout, weights.exponents, bit_price, schedule.coded_rate)
        try:
            fit_.run(coded_steps, reporter, coded)
            again = _quantized(layout, fit_.theta, cost, bit_price, highest, bits, work)
            weights = min(weights, again, key=lambda w: w.best)
        except Diverged as error:
            _log.info("the weights of the first phase stay: in the second one, %s", error)
    if options.unrounded is not None:
        options.unrounded(start, weights.theta)
    tried = weights.refine(
        work.refinements, lambda: reporter.step(weights.bits / problem.pixels, last_error)
    )
    reporter.skip(work.refinements - tried)
    reporter.end()
    shape, channels = shape_of(signal)
    made = weights.exponents, weights.theta_hat()
    return start.family(start.config, (len(shape), channels), signal.kind, *made)


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
        for row in part.target:
            mean = row.mean(dtype=np.float64)
            for begin in range(0, len(row), STRETCH):
                squares += float(np.square(row[begin : begin + STRETCH] - mean).sum())
    return squares / problem.value_count


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


def some_of(
    problem: NetworkProblem, count: int, rng: np.random.Generator
) -> list[np.ndarray] | None:
    """About so many columns of the problem's samples, the same share of each; None for all."""
    share = count / problem.sample_count
    if share >= 1:
        return None
    sizes = [part.coords.shape[1] for part in problem.samples]
    return [np.sort(rng.permutation(n)[: max(1, round(share * n))]) for n in sizes]


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
    nature, and the better one counts. What a fit had learned before it went wrong counts where no
    other gets that far.

    Raises:
        Diverged: four times, without having learned anything.
    """
    enough = max(LEARNED_SHARE * of_mean, LEARNED_ERROR)
    poor: list[NetworkFit] = []
    lost: list[NetworkFit] = []
    for attempt in range(4):
        fit_ = begin(replace(schedule, rate=schedule.rate / 3**attempt))
        try:
            fit_.run(steps, reporter)
        except Diverged as error:
            reason = str(error)
        else:
            if fit_.error <= enough:
                return _lowest([fit_, *lost])
            reason = f"its error is {fit_.error:.2g}, that of the signal's mean {of_mean:.2g}"
            learned = fit_.lowest_error <= enough
            if not learned and fit_.error <= LOST_SHARE * max(of_mean, fit_.first_error):
                poor.append(fit_)
        if fit_.lowest_error <= enough:
            lost.append(fit_)
        if len(poor) == 2 or attempt == 3:
            break
        _log.info("begun again at a third of the learning rates: %s", reason)
        reporter.restart()
    if not poor and not lost:
        raise Diverged(f"the fit failed at four learning rates; at the lowest, {reason}")
    best = _lowest(poor + lost)
    if lost:
        found = f"the fit went wrong at every learning rate: {reason}; what it had learned counts"
        advice = "another field or a smaller omega_0 may do better"
    else:
        found = "the network learned next to nothing"
        advice = "a larger one, another field or omega_0 may do better"
    warnings.warn(
        f"{found}: its error is {best.lowest_error:.2g}, that of the signal's mean {of_mean:.2g}; "
        f"{advice}",
        stacklevel=2,
    )
    return best


def _lowest(fits: Sequence[NetworkFit]) -> NetworkFit:
    return min(fits, key=lambda fit: fit.lowest_error)


def _quantized(
    layout: Layout,
    theta: np.ndarray,
    cost: Callable[[np.ndarray], float],
    bit_price: float,
    highest: Mapping[str, int],
    least_bits: Mapping[str, int],
    work: Preset,
) -> QuantizedWeights:
    """The weights with the steps that serve the objective best.

    Raises:
        Diverged: no steps give a finite error.
    """
    weights = QuantizedWeights(layout, theta, cost, bit_price, highest, least_bits)
    weights.search_steps(work.step_passes)
    if not math.isfinite(weights.best):
        raise Diverged("the error of the rounded weights is not finite")
    return weights
