"""Fits of coordinate networks that go wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inrcodec.errors import Diverged
from inrcodec.fields.network import NetworkField
from inrcodec.fit import EncodeOptions, network
from inrcodec.fit.descent import RISEN, NetworkFit, Schedule
from inrcodec.fit.mlp import start_of
from inrcodec.fit.network import fit_network, make_problem, some_of, variance
from inrcodec.fit.presets import Preset
from inrcodec.grid import Grid
from inrcodec.kernels.network import NetworkEngine, make_network_engine, split
from inrcodec.progress import Reporter
from inrcodec.remedies.soap import Soap
from inrcodec.signal import Signal, video_signal
from inrcodec.signal.image import image_signal

SIZE = {"hidden_features": 12, "hidden_layers": 2}


class Restarts(Reporter):
    """Counts how often a fit is begun again."""

    def __init__(self) -> None:
        self.count = 0

    def restart(self) -> None:
        self.count += 1


def waves() -> Signal:
    y, x = np.mgrid[:32, :40]
    red = 128 + 90 * np.sin(x / 5)
    return image_signal(np.stack([red, 128 + 80 * np.cos(y / 4), red], axis=-1).astype(np.uint8))


def fitted(rate: float, reporter: Reporter) -> NetworkField:
    options = EncodeOptions(field="siren", network=SIZE, reporter=reporter, lmbda=1e-4)
    work = Preset(120, 0, step_passes=1)
    return fit_network(waves(), start_of(waves(), options), work, options, Schedule(rate=rate))


def test_a_fit_that_ends_at_the_mean_is_begun_again_slower():
    reporter = Restarts()
    field = fitted(12.0, reporter)
    assert reporter.count == 1
    samples = waves().samples / 255.0
    decoded = field.render(Grid.of(*samples.shape[:2]))
    assert np.square(decoded - samples).mean() < 0.2 * samples.var()


def test_noise_is_begun_again_once_and_its_mean_is_a_file():
    noise = image_signal(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    reporter = Restarts()
    options = EncodeOptions(
        field="siren", network={"hidden_features": 4, "hidden_layers": 1}, reporter=reporter
    )
    with pytest.warns(UserWarning, match="learned next to nothing"):
        fit_network(noise, start_of(noise, options), Preset(60, 0, step_passes=1), options)
    assert reporter.count == 1


def test_a_fit_that_only_diverges_is_no_file():
    reporter = Restarts()
    with pytest.raises(Diverged, match="four learning rates"):
        fitted(1e7, reporter)
    assert reporter.count == 3


def test_a_constant_picture_is_a_file():
    grey = image_signal(np.full((24, 24, 3), 77, np.uint8))
    reporter = Restarts()
    options = EncodeOptions(field="siren", network=SIZE, reporter=reporter)
    fit_network(grey, start_of(grey, options), Preset(60, 0, step_passes=1), options)
    assert reporter.count <= 1


def test_variance_is_that_of_each_feature():
    signal = waves()
    _, problem = make_problem(signal, start_of(signal, EncodeOptions(field="siren", network=SIZE)))
    (part,) = problem.samples
    assert variance(problem) == pytest.approx(part.target.var(axis=1).mean(), rel=1e-5)


def test_small_steps_are_more_and_take_no_longer():
    schedule = Schedule(batch=1000)
    assert schedule.steps(10, 900) == schedule.steps(10, 1000) == 10
    assert 10 < schedule.steps(10, 4000) < 40
    assert schedule.steps(10, 1 << 16) == schedule.steps(10, 1 << 20)


@pytest.mark.parametrize(
    ("remedies", "batch", "steps"), [((), 320, 28), (("iga",), 320, 10), ((), 700, 10)]
)
def test_a_fit_that_draws_samples_takes_more_steps(
    remedies: tuple[str, ...], batch: int, steps: int
):
    class Total(Reporter):
        steps = 0

        def begin(self, total: int) -> None:
            self.steps = total

    total = Total()
    options = EncodeOptions(field="siren", network=SIZE, reporter=total, remedies=remedies)
    schedule, work = Schedule(batch=batch), Preset(10, 0, step_passes=1)
    fit_network(waves(), start_of(waves(), options), work, options, schedule)
    assert total.steps == steps


class Faulty:
    """An engine whose losses are changed.

    Args:
        engine: another one.
        change: of (number of the loss, error, gradient) what is told instead.
    """

    def __init__(self, engine: NetworkEngine, change: Callable[..., tuple[float, Any]]) -> None:
        self._engine, self._change, self.losses = engine, change, 0

    def loss(self, *arguments: Any) -> tuple[float, np.ndarray]:
        self.losses += 1
        return self._change(self.losses, *self._engine.loss(*arguments))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def begun(
    change: Callable[..., tuple[float, Any]], observer: Any = None, retreats: int = 0
) -> tuple[NetworkFit, NetworkEngine]:
    """A fit that is about to run on a faulty engine, and the engine without the fault."""
    options = EncodeOptions(field="siren", network=SIZE, observer=observer)
    start = start_of(waves(), options)
    layout, problem = make_problem(waves(), start)
    engine = make_network_engine(problem, "cpu", "reference")
    faulty = Faulty(engine, change)
    schedule = Schedule(batch=1280, retreats=retreats)
    return NetworkFit(problem, faulty, start, layout, options, schedule), engine


def nan_from(first: int) -> Callable[..., tuple[float, Any]]:
    return lambda loss, error, gradient: (math.nan if loss >= first else error, gradient)


def check_best_of_fit_that_diverges(change: Callable[..., tuple[float, Any]]) -> None:
    fit, engine = begun(change)
    with pytest.raises(Diverged, match="not finite after"):
        fit.run(40, Reporter())
    assert fit.lowest_error < 0.5 * fit.first_error
    assert 0.25 * engine.error(fit.theta) <= fit.lowest_error


def test_a_fit_that_diverges_late_goes_back_to_the_best_that_it_had():
    check_best_of_fit_that_diverges(nan_from(40))
    check_best_of_fit_that_diverges(
        lambda loss, error, gradient: (error, gradient * (math.nan if loss == 40 else 1))
    )


def test_a_last_step_to_infinity_is_taken_back(monkeypatch):
    updates, update = 0, Soap.update

    def infinite_at_last(self: Soap, theta: np.ndarray, *arguments: Any) -> None:
        nonlocal updates
        updates += 1
        update(self, theta, *arguments)
        if updates == 40:
            theta[0] = math.inf

    monkeypatch.setattr(Soap, "update", infinite_at_last)
    check_best_of_fit_that_diverges(nan_from(41))


def test_a_fit_whose_error_rises_goes_back_to_where_it_was_lowest():
    fit, engine = begun(
        lambda loss, error, gradient: (error, gradient if loss <= 40 else -gradient)
    )
    fit.run(60, Reporter())
    assert fit.error > RISEN * fit.lowest_error
    assert 0.25 * engine.error(fit.theta) <= fit.lowest_error


@pytest.mark.parametrize(("retreats", "pace"), [(0, 1.0), (1, 0.5), (2, 0.25)])
def test_a_fit_whose_error_rises_for_long_goes_on_from_its_best_at_half_the_rates(
    retreats: int, pace: float
):
    fit, engine = begun(
        lambda loss, error, gradient: (error, -gradient if 100 < loss <= 200 else gradient),
        retreats=retreats,
    )
    fit.run(300, Reporter())
    assert fit.pace == pace
    assert 0.25 * engine.error(fit.theta) <= fit.lowest_error


def test_an_observer_sees_the_course_of_the_fit_and_not_what_it_goes_back_to():
    class Seen:
        def steps(self, steps: int) -> tuple[int, ...]:
            return (steps,)

        def see(self, step: int, phase: Any, theta: np.ndarray) -> None:
            self.theta = theta

    seen = Seen()
    fit, engine = begun(
        lambda loss, error, gradient: (error, gradient if loss <= 40 else -gradient), seen
    )
    fit.run(60, Reporter())
    assert engine.error(seen.theta) > 2 * engine.error(fit.theta)


def faulty_fit(
    monkeypatch: pytest.MonkeyPatch, change: Callable[..., tuple[float, Any]], reporter: Reporter
) -> NetworkField:
    """A fit of 70 steps, and 30 that know the bits of weights, on one faulty engine."""

    def make(*arguments: Any) -> Faulty:
        return Faulty(make_network_engine(*arguments), change)

    monkeypatch.setattr(network, "make_network_engine", make)
    options = EncodeOptions(field="siren", network=SIZE, lmbda=1e-4, reporter=reporter)
    work = Preset(100, 0, step_passes=1)
    return fit_network(waves(), start_of(waves(), options), work, options)


def mse_of(field: NetworkField) -> float:
    samples = waves().samples / 255.0
    return float(np.square(field.render(Grid.of(*samples.shape[:2])) - samples).mean())


def test_what_was_learned_before_every_attempt_diverged_is_the_file(monkeypatch):
    def change(loss: int, error: float, gradient: np.ndarray) -> tuple[float, np.ndarray]:
        return math.nan if loss % 60 == 0 else error, gradient

    reporter = Restarts()
    with pytest.warns(UserWarning, match="at every learning rate: the loss is not finite after 59"):
        field = faulty_fit(monkeypatch, change, reporter)
    assert reporter.count == 3
    assert mse_of(field) < 0.2 * (waves().samples / 255.0).var()


def test_a_fit_that_diverges_once_is_no_worse_than_what_it_had_learned(monkeypatch):
    reporter, lowest = Restarts(), []

    def change(loss: int, error: float, gradient: np.ndarray) -> tuple[float, np.ndarray]:
        if loss < 60:
            lowest.append(error / 4)
        return math.nan if loss == 60 else error, gradient

    field = faulty_fit(monkeypatch, change, reporter)
    assert reporter.count == 1
    assert mse_of(field) < 2 * min(lowest)


def test_where_the_second_phase_diverges_the_weights_of_the_first_are_the_file(monkeypatch, caplog):
    reporter = Restarts()
    with caplog.at_level("INFO", logger="inrcodec"):
        field = faulty_fit(monkeypatch, nan_from(80), reporter)
    assert reporter.count == 0
    assert "the weights of the first phase stay: in the second one, the loss is" in caplog.text
    assert mse_of(field) < 0.2 * (waves().samples / 255.0).var()


def test_weights_whose_rounding_is_not_finite_are_no_file(monkeypatch):
    monkeypatch.setattr(Faulty, "error", lambda *_: math.nan, raising=False)
    with pytest.raises(Diverged, match="the error of the rounded weights is not finite"):
        faulty_fit(monkeypatch, nan_from(1000), Reporter())


def test_the_unrounded_weights_that_are_shown_are_those_of_the_file():
    shown = []
    options = EncodeOptions(
        field="siren", network=SIZE, lmbda=1e-4, unrounded=lambda *seen: shown.append(seen)
    )
    start, work = start_of(waves(), options), Preset(60, 0, step_passes=1)
    field = fit_network(waves(), start, work, options)
    ((network, theta),) = shown
    assert network.config == field.config
    layout, _ = make_problem(waves(), network)
    named = split(theta, {name: shape for name, (_, shape) in layout.items()})
    for name, (group, _) in layout.items():
        rounded = np.rint(np.ldexp(named[name], field.steps[group]))
        np.testing.assert_array_equal(rounded, field.theta_hat[name])
        assert not np.array_equal(np.ldexp(named[name], field.steps[group]), rounded)


def test_rounding_is_judged_by_some_samples_of_every_grid():
    frames = np.random.default_rng(0).integers(0, 256, (3, 16, 20, 3), dtype=np.uint8)
    signal = video_signal(frames, 25)
    _, problem = make_problem(signal, start_of(signal, EncodeOptions(field="siren", network=SIZE)))
    counts = [part.coords.shape[1] for part in problem.samples]
    assert some_of(problem, sum(counts), np.random.default_rng(0)) is None
    found = some_of(problem, sum(counts) // 4, np.random.default_rng(0))
    for columns, count in zip(found, counts, strict=True):
        assert len(np.unique(columns)) == len(columns) == pytest.approx(count / 4, abs=1)
        assert 0 <= columns.min() < columns.max() < count


def test_judged_by_a_part_of_them_a_file_is_about_as_good():
    options = EncodeOptions(field="siren", network=SIZE, lmbda=1e-4)
    costs = []
    for judged in (1280, 320):
        work, schedule = Preset(200, 0, refinements=100), Schedule(judged=judged)
        field = fit_network(waves(), start_of(waves(), options), work, options, schedule)
        error = np.square(field.render(Grid.of(32, 40)) - waves().samples / 255.0).mean()
        costs.append(error / options.lmbda + 8 * len(field.pack()) / 1280)
    assert costs[1] < 1.1 * costs[0]
