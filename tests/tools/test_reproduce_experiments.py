"""Papers' tables: descriptions name what exists; numbers, starts and rates are the papers'."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reproduce_signals import picture, signal_for, small, sound
from reproduced.data import Sound
from reproduced.description import Cell, Experiment
from reproduced.experiments import EXPERIMENTS
from reproduced.experiments.iga import waves
from reproduced.grids import Grid
from reproduced.measures import MEASURES, plain
from reproduced.training import at_rate, begin, train

from inrcodec.fit import EncodeOptions
from inrcodec.fit.targets import samples_of
from inrcodec.remedies.fr import FourierReparameterised
from inrcodec.signal import image_signal

CELLS = [pytest.param(e, c, id=f"{e.name}-{c.name}") for e in EXPERIMENTS.values() for c in e.cells]


@pytest.mark.parametrize(("experiment", "cell"), CELLS)
def test_every_cell_can_be_trained_and_measured(experiment: Experiment, cell: Cell) -> None:
    reduced = small(experiment)
    mine = next(c for c in reduced.cells if c.name == cell.name)
    trained = train(
        reduced, mine, next(iter(reduced.tasks)), signal_for(experiment), seed=0, device="cpu"
    )
    assert not trained.diverged
    assert trained.looks[-1].step == 2
    assert set(trained.looks[-1].numbers) == set(experiment.metrics)
    assert any(map(math.isfinite, trained.looks[-1].numbers.values()))


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_a_description_is_complete_and_its_numbers_have_a_source(experiment: Experiment) -> None:
    assert experiment.source and experiment.claim and experiment.paper and experiment.differences
    assert experiment.data and experiment.steps > 0 and experiment.seeds > 0
    names = [cell.name for cell in experiment.cells]
    assert len(set(names)) == len(names)
    assert {plain(name) for name in experiment.metrics} <= set(MEASURES)
    for cell in experiment.cells:
        for published in cell.published:
            assert published.metric in experiment.metrics
            assert published.task in experiment.tasks
            assert published.step is None or 0 < published.step <= experiment.steps
            assert not published.signal or any(
                Path(name).stem == published.signal for name in experiment.data
            )
    has_numbers = any(cell.published for cell in experiment.cells)
    assert has_numbers or any(
        "not available" in text or "without numbers" in text for text in experiment.differences
    )
    assert set(experiment.quick.cells) <= set(names)
    assert set(experiment.candidates) <= set(names)
    assert "Made smaller" in experiment.reduced(experiment.quick).differences[-1]


def test_networks_have_the_sizes_that_papers_print() -> None:
    def parameters(name: str, cell: str, signal) -> int:
        experiment = EXPERIMENTS[name]
        found = next(c for c in experiment.cells if c.name == cell)
        options = EncodeOptions(
            field=found.field, network=found.network(), remedies=("adam", *found.remedies)
        )
        start = begin(found, signal, options)
        return sum(np.size(values) for values in start.theta.values())

    grey = image_signal(picture().samples[..., :1])
    assert parameters("spder-images", "SPDER", grey) == 329_985
    assert parameters("winner-audio", "SIREN^2", sound()) == 149_185
    assert parameters("coin-kodak", "5x20, 0.0736 bpp", picture()) == 1803
    assert parameters("coin-kodak", "13x49, 1.209 bpp", picture()) == 29_697
    hashed = parameters("ngp", "iNGP, as many", image_signal(np.zeros((256, 256), np.uint8)))
    assert abs(hashed / 329_985 - 1) < 0.1


def starts_of(experiment: Experiment, signal) -> dict[str, dict[str, np.ndarray]]:
    """Name of each network -> where it begins."""
    found = {}
    for cell in experiment.cells:
        names = ("adam", *cell.remedies)
        options = EncodeOptions(field=cell.field, network=cell.network(), remedies=names)
        found[cell.name] = begin(cell, signal, options).theta
    return found


SPDERS = [p for p in CELLS if p.values[1].field == "spder"]


@pytest.mark.parametrize(("experiment", "cell"), SPDERS)
def test_spder_begins_at_the_papers_omega_0_or_that_of_its_name(
    experiment: Experiment, cell: Cell
) -> None:
    drawn = signal_for(experiment)
    weight = starts_of(replace(experiment, cells=(cell,)), drawn)[cell.name]["weight0"]
    of_name = cell.name.partition(", ")[2]
    omega_0 = int(of_name) if of_name.isdigit() else 30
    assert np.abs(weight).max() == pytest.approx(omega_0 / weight.shape[1], rel=0.05)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_networks_that_are_to_be_alike_are_at_every_scale(scale: int) -> None:
    def reduced(name: str) -> Experiment:
        return EXPERIMENTS[name].reduced(EXPERIMENTS[name].smaller(scale, None))

    grey = image_signal(np.zeros((256 // scale, 256 // scale), np.uint8))
    starts = starts_of(reduced("ngp"), grey).values()
    hashed, *others = (sum(map(np.size, theta.values())) for theta in starts)
    assert all(abs(hashed / other - 1) < 0.02 for other in others)
    starts = starts_of(reduced("tuner-div2k"), picture())
    first, hidden = starts["TUNER"]["weight0"], starts["SIREN"]["weight1"]
    assert first.shape == hidden.shape
    assert np.abs(first).max() == pytest.approx(np.abs(hidden).max(), rel=0.01)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_fourier_features_beside_tuner_are_the_authors(scale: int) -> None:
    table = EXPERIMENTS["tuner-div2k"]
    reduced = table.reduced(table.smaller(scale, None))
    (cell,) = reduced.part(None, ["FFM"]).cells
    network = cell.network()
    assert 2 * network["rows"] == cell.width == 256 // scale
    assert (network["sigma_8ths"] / 8) ** 2 == pytest.approx(512 / scale / 6, rel=0.03)


@pytest.mark.parametrize("name", ["winner-images", "winner-audio"])
def test_wire_beside_winner_begins_with_the_authors_sigma_0(name: str) -> None:
    drawn = signal_for(EXPERIMENTS[name])
    experiment = EXPERIMENTS[name].part(None, ["WIRE"])
    (theta,) = starts_of(experiment, drawn).values()
    coordinates = theta["weight0"].shape[1]
    assert np.abs(theta["weight0"]).max() == pytest.approx(10 / coordinates**0.5, rel=0.05)


def test_a_smaller_run_keeps_shares_of_samples_and_pieces_of_grids() -> None:
    evos = EXPERIMENTS["evos-div2k"]
    reduced = evos.reduced(evos.smaller(4, 1000))
    assert (reduced.steps, reduced.seeds, len(reduced.data)) == (1000, evos.seeds, len(evos.data))
    batches = {cell.name: cell.batch for cell in reduced.cells if cell.batch}
    assert batches == {"random half": 128 * 128 // 2}
    assert [p.step for p in reduced.cells[0].published] == [200, 400, 1000]
    heard = EXPERIMENTS["spder-audio"]
    reduced = heard.reduced(heard.smaller(4, 100))
    assert reduced.preparation == Sound(shrink=16) and reduced.cells[0].width == 64
    assert reduced.grid == Grid(-100, -87.5)
    assert {p.step for p in reduced.cells[0].published} == {25, 100}


def test_grids_are_the_papers() -> None:
    (part,), _ = samples_of(picture(3, 5))
    x, y = Grid().placed(part).coords.reshape(2, 3, 5)
    np.testing.assert_allclose(x, np.tile(np.linspace(-1, 1, 5), (3, 1)), atol=1e-6)
    np.testing.assert_allclose(y.T, np.tile(np.linspace(-1, 1, 3), (5, 1)), atol=1e-6)
    x, y = Grid(by_height=True).placed(part).coords.reshape(2, 3, 5)
    np.testing.assert_allclose(x[0], [-1, 0, 1, 2, 3], atol=1e-6)
    np.testing.assert_allclose(y[:, 0], [-1, 0, 1], atol=1e-6)
    interpolated = EXPERIMENTS["spder-audio-interp"]
    (part,), _ = samples_of(sound(interpolated.preparation.frames))
    whole = np.linspace(-100, 100, 220_500)[: interpolated.preparation.frames]
    np.testing.assert_allclose(interpolated.grid.placed(part).coords[0], whole, atol=1e-4)


def test_folded_weights_move_their_boost_times_as_fast_as_the_papers() -> None:
    cell = Cell("a", "siren", 1e-4, 8, 2, {"first_omega_0": 30.0})
    options = EncodeOptions(field="siren", network=cell.network(), remedies=("adam",))
    start = begin(cell, sound(), options)
    assert float(start.speeds["weight3"]) == pytest.approx(1e-4)
    for name in ("weight0", "bias0", "weight1"):
        assert float(start.speeds[name]) == pytest.approx(30e-4)
    boosted = at_rate(replace(cell, first_boost=100.0), start)
    for name in ("weight0", "bias0"):
        np.testing.assert_allclose(boosted.theta[name], 100 * start.theta[name])
        assert float(boosted.speeds[name]) == pytest.approx(3000e-4)


def test_frozen_numbers_stay_frozen_and_tables_move_at_the_papers_rate() -> None:
    lattice = Cell("a", "tuner", 5e-4, 8, 0, remedies=("tuner",))
    options = EncodeOptions(field="tuner", network=lattice.network(), remedies=("adam", "tuner"))
    start = begin(lattice, picture(), options)
    assert not np.any(start.speeds["lattice"])
    assert float(start.speeds["phase"]) == pytest.approx(5e-4)
    hashed = Cell("b", "ngp", 1e-2, 8, 1)
    options = EncodeOptions(field="ngp", network=hashed.network(), remedies=("adam",))
    start = begin(hashed, picture(), options)
    speeds = {name: float(np.max(speed)) for name, speed in start.speeds.items()}
    assert speeds == pytest.approx(dict.fromkeys(speeds, 1e-2))


@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_waves_of_fr_move_at_the_papers_rate(alpha: float) -> None:
    options = waves(alpha)
    heights = np.abs(FourierReparameterised(alpha=alpha).basis(256)).sum(axis=0).mean()
    assert options["rate"] / heights == pytest.approx(1, rel=0.03)
