"""Papers' tables: trainings and what is measured of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from reproduce_signals import picture, small, sound
from reproduced.description import STANDARD, UNIT, Cell, Course
from reproduced.experiments import EXPERIMENTS
from reproduced.measures import MEASURES, Seen, measured
from reproduced.tasks import EveryNth, Noisy, Smaller, SomeSamples
from reproduced.training import begin, grey_slopes, placed, train

from inrcodec.fields.network import flat
from inrcodec.fit import EncodeOptions
from inrcodec.fit.network import make_problem
from inrcodec.kernels.reference_network import ReferenceNetworkEngine
from inrcodec.remedies.laplacian import grey_of
from inrcodec.signal import image_signal


def torch_siren(weights: dict[str, np.ndarray], coords: np.ndarray, target: np.ndarray, steps: int):
    """Losses of SIREN written out in torch with Adam, from unfolded weights."""
    import torch

    parameters = {n: torch.nn.Parameter(torch.tensor(w)) for n, w in weights.items()}
    optimizer = torch.optim.Adam(parameters.values(), lr=1e-3)
    x, y = torch.tensor(coords, dtype=torch.float64), torch.tensor(target, dtype=torch.float64)
    found = []
    for _ in range(steps + 1):
        h = x
        for i in range(3):
            h = torch.sin(30 * (parameters[f"weight{i}"] @ h + parameters[f"bias{i}"][:, None]))
        values = parameters["weight3"] @ h + parameters["bias3"][:, None]
        error = (values - y).square().mean()
        found.append(error.item())
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return found


@pytest.mark.parametrize(("values", "factor"), [("-1..1", 1.0), (UNIT, 4.0)])
def test_a_training_is_the_papers_own_with_adam_at_its_rate(values: str, factor: float) -> None:
    cell = Cell("SIREN", "siren", 1e-3, 16, 2, values=values)
    experiment = replace(
        small(EXPERIMENTS["spder-images"]), cells=(cell,), steps=30, metrics=("loss",), looks=30
    )
    drawn = picture()
    trained = train(experiment, cell, "", drawn, 0, "cpu")
    options = EncodeOptions(field="siren", network=cell.network(), remedies=("adam",))
    start = begin(cell, drawn, options)
    unfolded = {
        name: value / (1 if name.endswith("3") else 30) for name, value in start.theta.items()
    }
    axes = [np.linspace(-1, 1, n) for n in (20, 24)]
    y, x = np.meshgrid(*axes, indexing="ij")
    target = drawn.samples.reshape(-1, 3).T / 127.5 - 1
    if values == UNIT:
        target = (target + 1) / 2
    wanted = torch_siren(unfolded, np.stack([x.ravel(), y.ravel()]), target, 30)
    found = [look.numbers["loss"] for look in trained.looks]
    np.testing.assert_allclose(found, factor * np.array(wanted), rtol=0.02)
    assert found[-1] < 0.7 * found[0]


def test_courses_fall_as_they_are_described() -> None:
    drop = Course(drop_at=0.3, drop=0.1)
    assert [drop.share(p) for p in (0, 0.29, 0.3, 1)] == [1, 1, 0.1, 0.1]
    assert Course(final=0.01).share(0.5) == pytest.approx(0.1)
    assert Course().share(0.9) == 1


def test_tasks_leave_away_what_they_say() -> None:
    rng = np.random.default_rng(0)
    drawn = picture()
    kept = SomeSamples(0.25).columns(drawn, rng)
    assert len(np.unique(kept)) == 120
    assert list(EveryNth(4).columns(sound(10), rng)) == [0, 4, 8]
    small_one = Smaller(2).fitted(drawn, rng)
    assert (small_one.height, small_one.width, small_one.channels) == (10, 12, 3)
    assert Smaller(4, judged=2).fitted(drawn, rng).height == 5
    assert Smaller(4, judged=2).measured(drawn).height == 10
    noisy = Noisy(0.1).fitted(image_signal(np.full((64, 64), 128, np.uint8)), rng)
    assert noisy.samples.std() / 255 == pytest.approx(0.1, rel=0.05)


def test_held_out_samples_are_not_fitted() -> None:
    rng = np.random.default_rng(0)
    noise = image_signal(rng.integers(0, 256, (16, 16), dtype=np.uint8))
    cell = Cell("SIREN", "siren", 1e-3, 48, 1, {"first_omega_0": 60.0})
    experiment = replace(
        small(EXPERIMENTS["tuner-kodak"]), cells=(cell,), steps=400, tasks={"": SomeSamples(0.5)}
    )
    numbers = train(experiment, cell, "", noise, 0, "cpu").looks[-1].numbers
    assert numbers["fitted_psnr_db"] > numbers["held_out_psnr_db"] + 10


def test_numbers_are_those_of_the_papers_conventions() -> None:
    target = np.zeros((1, 100), np.float32)
    seen = Seen(target + 0.1, target, (10, 10), np.arange(100) < 50)
    assert MEASURES["psnr_db"](seen) == pytest.approx(26.02, abs=0.01)
    assert MEASURES["psnr_of_one_db"](seen) == pytest.approx(20.0)
    assert MEASURES["loss"](seen) == pytest.approx(0.01)
    wave = np.linspace(-1, 1, 100, dtype=np.float32)[None]
    shrunk = Seen(0.5 * wave, wave, (100,))
    assert MEASURES["rescaled_psnr_db"](shrunk) > 100
    better = measured(("best_loss",), seen, {"best_loss": 0.002})
    assert better == {"best_loss": 0.002}
    better = measured(("best_psnr_db",), replace(seen, least=0.001), {})
    assert better == pytest.approx({"best_psnr_db": 10 * math.log10(4 / 0.001)})
    beyond = Seen(wave * 3, np.clip(wave * 3, -1, 1), (10, 10), halved=wave * 3)
    assert MEASURES["clipped_psnr_db"](beyond) > 100 > MEASURES["psnr_db"](beyond)
    assert 50 < MEASURES["half_psnr_db"](beyond) < 70, "8 bits"
    assert MEASURES["every_4th_loss"](Seen(np.arange(5.0)[None], np.zeros((1, 5)), (5,))) == 8


def test_steepness_is_compared_with_the_networks_own_derivatives() -> None:
    experiment = replace(small(EXPERIMENTS["tuner-kodak"]), steps=1)
    drawn = picture(48, 48)
    cell = Cell("SIREN", "siren", 1e-4, 8, 1)
    options = EncodeOptions(field="siren", network=cell.network(), remedies=("adam",))
    start = begin(cell, drawn, options)
    start = replace(start, targets=lambda samples: placed(samples, experiment.grid))
    layout, problem = make_problem(drawn, start)
    theta = flat(layout, start.theta)
    slopes = grey_slopes(problem, theta, "cpu")
    (part,) = problem.samples
    for axis in range(2):
        step = np.zeros((2, 1), np.float32)
        step[axis] = 1e-3
        ends = [
            ReferenceNetworkEngine(
                replace(problem, samples=(replace(part, coords=part.coords + sign * step),))
            ).values(theta)[0]
            for sign in (1, -1)
        ]
        np.testing.assert_allclose(slopes[axis], grey_of(ends[0] - ends[1]) / 2e-3, atol=0.01)
    grey = np.sin(np.mgrid[:48, :48][0] / 4)
    exact = np.stack([np.zeros_like(grey), np.cos(np.mgrid[:48, :48][0] / 4)]).reshape(2, -1)
    same = Seen(grey.reshape(1, -1), grey.reshape(1, -1), (48, 48), slopes=exact)
    other = replace(same, slopes=exact[:, ::-1] ** 2)
    assert MEASURES["gradient_psnr_db"](same) > MEASURES["gradient_psnr_db"](other) + 10


def test_the_best_number_is_that_of_every_step_where_steps_tell() -> None:
    cell = Cell("SIREN", "siren", 0.1, 8, 1)  # so fast that its loss goes up and down
    experiment = replace(
        small(EXPERIMENTS["spder-images"]), cells=(cell,), steps=30, looks=30,
        metrics=("loss", "best_loss"),
    )  # fmt: skip
    losses = [
        look.numbers["loss"] for look in train(experiment, cell, "", picture(), 0, "cpu").looks
    ]
    assert min(losses) < 0.995 * min(losses[0], losses[-1])

    def best(looks: int, batch: int | None = None) -> float:
        once = replace(experiment, looks=looks, batch=batch)
        return train(once, cell, "", picture(), 0, "cpu").looks[-1].numbers["best_loss"]

    assert best(1) == pytest.approx(min(losses), rel=1e-4)
    told = train(replace(experiment, looks=1, batch=9), cell, "", picture(), 0, "cpu").looks
    seen = min(look.numbers["loss"] for look in told)
    assert told[-1].numbers["best_loss"] == seen, "steps of some samples tell nothing"


def test_a_z_score_is_measured_in_the_signals_own_units() -> None:
    drawn = image_signal((picture(channels=1).samples // 4 + 180).astype(np.uint8))
    cell = Cell("SIREN", "siren", 1e-3, 24, 2, values=STANDARD)
    experiment = replace(
        small(EXPERIMENTS["spder-images"]), steps=150, cells=(cell,), metrics=("loss",)
    )
    looks = train(experiment, cell, "", drawn, 0, "cpu").looks
    power = np.square(drawn.samples / 127.5 - 1).mean()
    assert looks[-1].numbers["loss"] < 0.05 * power
