"""Fits of coordinate networks that go wrong."""

from __future__ import annotations

import numpy as np
import pytest

from inrcodec.errors import Diverged
from inrcodec.fields.network import NetworkField
from inrcodec.fit import EncodeOptions
from inrcodec.fit.descent import Schedule
from inrcodec.fit.mlp import start_of
from inrcodec.fit.network import fit_network, make_problem, variance
from inrcodec.fit.presets import Preset
from inrcodec.grid import Grid
from inrcodec.progress import Reporter
from inrcodec.signal import Signal
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


def test_noise_is_begun_again_once_and_its_mean_is_a_file(caplog: pytest.LogCaptureFixture):
    noise = image_signal(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    reporter = Restarts()
    options = EncodeOptions(
        field="siren", network={"hidden_features": 4, "hidden_layers": 1}, reporter=reporter
    )
    with caplog.at_level("WARNING", logger="inrcodec"):  # a quiet encode before may have raised it
        fit_network(noise, start_of(noise, options), Preset(60, 0, step_passes=1), options)
    assert reporter.count == 1
    assert "learned next to nothing" in caplog.text


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
