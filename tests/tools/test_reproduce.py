"""Papers' tables: descriptions name what exists, numbers have sources, killed runs go on."""

from __future__ import annotations

import csv
import json
import math
import signal as signals
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reproduced.choosing import with_choices
from reproduced.data import Film, Picture, Sound
from reproduced.description import STANDARD, UNIT, Cell, Course, Experiment, Published, Quick
from reproduced.experiments import EXPERIMENTS
from reproduced.experiments.iga import waves
from reproduced.grids import Grid
from reproduced.measures import MEASURES, Seen, measured, plain
from reproduced.running import COLUMNS, run
from reproduced.summary import summary
from reproduced.tasks import EveryNth, Noisy, Smaller, SomeSamples
from reproduced.training import at_rate, begin, grey_slopes, placed, train

from inrcodec.errors import BadInput, BadOption, OutputError
from inrcodec.evaluate.folders import claimed
from inrcodec.fields.network import flat
from inrcodec.fit import EncodeOptions
from inrcodec.fit.network import make_problem
from inrcodec.fit.targets import samples_of
from inrcodec.kernels.reference_network import ReferenceNetworkEngine
from inrcodec.remedies.fr import FourierReparameterised
from inrcodec.remedies.laplacian import grey_of
from inrcodec.signal import VideoSignal, audio_signal, image_signal

ROOT = Path(__file__).parents[2]
CELLS = [pytest.param(e, c, id=f"{e.name}-{c.name}") for e in EXPERIMENTS.values() for c in e.cells]


def picture(height: int = 20, width: int = 24, channels: int = 3):
    y, x = np.mgrid[:height, :width] / 8
    waves = np.stack([np.sin(3 * x + y), np.cos(5 * y * x), np.sin(2 * y)][:channels], axis=-1)
    return image_signal((127 + 100 * waves).astype(np.uint8))


def sound(frames: int = 300):
    t = np.arange(frames) / 40
    return audio_signal(0.9 * np.sin(t * (1 + t / 5)), 8000)


def film():
    luma = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    return VideoSignal((luma,), Fraction(25), 8, "4:0:0")


def signal_for(experiment: Experiment):
    made = {Picture: picture, Sound: sound, Film: film}[type(experiment.preparation)]()
    grey = getattr(experiment.preparation, "grey", False)
    return image_signal(made.samples[..., :1]) if grey else made


SMALL = Quick(
    files=1,
    width=0.02,
    steps=2,
    options={"iga.every": 1, "fresh.draws": 1, "fr.phases": 1, "levels": 2, "log2_entries": 4},
)


def small(experiment: Experiment) -> Experiment:
    """The experiment with networks of a few features and two steps."""
    return replace(experiment.reduced(SMALL), looks=2)


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
def test_spder_begins_at_the_papers_omega_0(experiment: Experiment, cell: Cell) -> None:
    drawn = signal_for(experiment)
    weight = starts_of(replace(experiment, cells=(cell,)), drawn)[cell.name]["weight0"]
    assert np.abs(weight).max() == pytest.approx(30 / weight.shape[1], rel=0.05)


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


def test_a_smaller_run_keeps_shares_of_samples_and_pieces_of_grids() -> None:
    evos = EXPERIMENTS["evos-div2k"]
    reduced = evos.reduced(evos.smaller(4, 1000))
    assert (reduced.steps, reduced.seeds, len(reduced.data)) == (1000, evos.seeds, len(evos.data))
    assert [cell.batch for cell in reduced.cells] == [None, 128 * 128 // 2, None]
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


TINY = Experiment(
    name="tiny",
    title="two networks on two pictures",
    paper="nobody's",
    source="made up",
    claim="none",
    data=("a.png", "b.png"),
    preparation=Picture(side=12, grey=True),
    cells=(
        Cell("SIREN", "siren", 1e-3, 8, 1, published=(Published("psnr_db", 20.0, 5),)),
        Cell("SPDER", "spder", 1e-3, 8, 1, published=(Published("psnr_db", 30.0),)),
    ),
    steps=10,
    metrics=("psnr_db",),
    differences=("all",),
    quick=Quick(),
    looks=2,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, size in (("a.png", (20, 16)), ("b.png", (16, 18))):
        Image.fromarray(picture(*size).samples).save(tmp_path / name)
    return tmp_path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_a_run_writes_every_number_and_says_where_it_is_from(data: Path) -> None:
    output = data / "results" / "tiny.tsv"
    lines = run(TINY, data, output, seeds=2, device="cpu")
    rows = rows_of(output)
    assert tuple(rows[0]) == COLUMNS
    assert {(r["cell"], r["signal"], r["seed"]) for r in rows} == {
        (c, s, n) for c in ("SIREN", "SPDER") for s in "ab" for n in "01"
    }
    siren, spder = lines[0], lines[-1]
    assert (siren["cell"], siren["step"], siren["paper"]) == ("SIREN", 5, 20.0)
    at = [float(r["value"]) for r in rows if r["cell"] == "SIREN" and r["step"] == "5"]
    assert siren["ours"] == pytest.approx(np.mean(at))
    assert siren["difference"] == pytest.approx(np.mean(at) - 20)
    assert siren["over_seeds"] > 0 and siren["over_signals"] > 0
    assert (spder["cell"], spder["step"], spder["trainings"]) == ("SPDER", 10, 4)
    about = json.loads(output.with_suffix(".json").read_text())
    assert about["runs"][0]["machine"]["cpu"] and about["runs"][0]["versions"]["torch"]
    assert about["lines"] == json.loads(json.dumps(lines))


def test_a_second_run_trains_only_what_is_missing(data: Path, capsys) -> None:
    output = data / "tiny.tsv"
    run(TINY, data, output, seeds=1, device="cpu")
    before = output.read_text()
    capsys.readouterr()
    run(TINY, data, output, seeds=1, device="cpu")
    assert output.read_text() == before
    assert capsys.readouterr().err == ""
    run(TINY, data, output, seeds=2, device="cpu")
    assert capsys.readouterr().err.count("seed 1") == 4
    assert output.read_text().startswith(before)


def test_rows_of_another_setting_are_kept_and_not_counted(data: Path) -> None:
    output = data / "tiny.tsv"
    run(TINY, data, output, seeds=1, device="cpu")
    longer = replace(TINY, steps=12, cells=TINY.cells[:1])
    lines = run(longer, data, output, seeds=1, device="cpu")
    assert [line["trainings"] for line in lines] == [2, 2]
    assert len({row["setting"] for row in rows_of(output)}) == 3


def test_another_published_number_asks_for_no_other_training() -> None:
    cell = TINY.cells[0]
    corrected = replace(cell, published=(Published("psnr_db", 21.0, 5),))
    assert TINY.setting(corrected, "") == TINY.setting(cell, "")
    assert TINY.setting(replace(cell, rate=2e-3), "") != TINY.setting(cell, "")


def test_parts_of_a_table_are_no_other_setting(data: Path) -> None:
    output = data / "tiny.tsv"
    lines = run(TINY, data, output, seeds=1, device="cpu", files=1, cells=["SPDER"])
    assert [(line["cell"], line["trainings"]) for line in lines] == [("SPDER", 1)]
    before = output.read_text()
    lines = run(TINY, data, output, seeds=1, device="cpu", cells=["SIREN"])
    assert [line["trainings"] for line in lines] == [1, 1, 1], "of the picture that both have"
    lines = run(TINY, data, output, seeds=1, device="cpu")
    assert output.read_text().startswith(before)
    assert [line["trainings"] for line in lines] == [2, 2, 2]
    with pytest.raises(BadOption, match="no WIRE; it has SIREN; SPDER"):
        TINY.part(None, ["WIRE"])


def test_a_diverged_training_is_told_and_keeps_what_it_had(data: Path) -> None:
    output = data / "tiny.tsv"
    wild = replace(TINY.cells[0], name="wild", rate=1e30)
    lines = run(replace(TINY, cells=(wild,)), data, output, seeds=1, device="cpu")
    rows = rows_of(output)
    assert all("not finite" in row["diverged"] for row in rows)
    assert lines and lines[0]["step"] in (5, 10)


def test_missing_data_are_named(data: Path, tmp_path: Path) -> None:
    (data / "b.png").unlink()
    with pytest.raises(BadInput, match=r"b\.png.*--data"):
        run(TINY, data, tmp_path / "t.tsv", seeds=1, device="cpu")


def test_the_summary_counts_only_the_signal_that_a_number_is_of() -> None:
    cell = replace(TINY.cells[0], published=(Published("psnr_db", 20.0, signal="b"),))
    rows = [
        {"cell": "SIREN", "task": "", "signal": s, "seed": "0", "step": "10", "metric": "psnr_db",
         "value": v, "seconds": "1", "cpu_seconds": "1"}
        for s, v in (("a", "10"), ("b", "22"))
    ]  # fmt: skip
    (line,) = summary(replace(TINY, cells=(cell,)), rows)
    assert (line["ours"], line["difference"], line["signals"]) == (22.0, 2.0, "b")


KILLED = """
import sys
from pathlib import Path
from dataclasses import replace
sys.path.insert(0, {tools!r})
from reproduced.data import Picture
from reproduced.description import Cell, Experiment, Quick
from reproduced.running import run
cells = tuple(Cell(str(i), "siren", 1e-3, 8, 1) for i in range(200))
experiment = Experiment("k", "k", "k", "k", "k", ("a.png",), Picture(side=12, grey=True), cells,
                        20, ("psnr_db",), ("k",), Quick(), looks=1)
run(experiment, Path({data!r}), Path({output!r}), 1, "cpu")
"""


def test_the_summary_says_what_lies_beyond_the_spread() -> None:
    rows = [
        {"cell": "SIREN", "task": "", "signal": s, "seed": "0", "step": "5", "metric": "psnr_db",
         "value": v, "seconds": "1", "cpu_seconds": "1"}
        for s, v in (("a", "19"), ("b", "22"))
    ]  # fmt: skip
    assert summary(TINY, rows)[0]["beyond_spread"] == "no"
    assert summary(TINY, [row | {"value": "22"} for row in rows])[0]["beyond_spread"] == "yes"
    assert summary(TINY, rows[:1])[0]["beyond_spread"] is None


def test_sec_conf_chooses_by_the_other_pictures() -> None:
    cells = tuple(Cell(name, "siren", 1e-3) for name in "xy")
    experiment = replace(
        TINY, cells=cells, candidates=("x", "y"), metrics=("psnr_db", "target_centroid")
    )
    centroids = {"a": 10, "b": 11, "c": 30}
    values = {"ax": 20, "ay": 30, "bx": 41, "by": 40, "cx": 50, "cy": 52}
    rows = [
        {"cell": cell, "task": "", "signal": signal, "seed": "0", "step": "10", "metric": metric,
         "value": str(value), "seconds": "1", "cpu_seconds": "1"}
        for signal, centroid in centroids.items()
        for cell in "xy"
        for metric, value in (("psnr_db", values[signal + cell]), ("target_centroid", centroid))
    ]  # fmt: skip
    lines = {
        line["cell"]: line["ours"]
        for line in summary(*with_choices(experiment, rows))
        if line["metric"] == "psnr_db"
    }
    assert lines["best of the grid for each picture"] == pytest.approx((30 + 41 + 52) / 3)
    assert lines["SEC-Conf, by the other pictures"] == pytest.approx((20 + 40 + 50) / 3)
    assert with_choices(TINY, rows) == (TINY, rows)


def test_two_runs_do_not_write_one_table(data: Path) -> None:
    output = data / "tiny.tsv"
    run(TINY, data, output, seeds=1, device="cpu")
    with claimed(str(data / ".tiny.lock")), pytest.raises(OutputError, match="at work"):
        run(TINY, data, output, seeds=2, device="cpu")
    run(TINY, data, output, seeds=2, device="cpu")


def test_rows_of_several_states_of_the_code_are_told(data: Path, capsys) -> None:
    output = data / "tiny.tsv"
    run(TINY, data, output, seeds=1, device="cpu")
    about = json.loads(output.with_suffix(".json").read_text())
    assert len(about["sources"]) == 1
    about["runs"][0]["source"] = "another"
    output.with_suffix(".json").write_text(json.dumps(about))
    capsys.readouterr()
    run(TINY, data, output, seeds=2, device="cpu")
    assert "several states" in capsys.readouterr().err
    about = json.loads(output.with_suffix(".json").read_text())
    assert "another" in about["sources"] and len(about["sources"]) == 2


def test_a_killed_run_leaves_a_whole_table_that_the_next_one_continues(data: Path) -> None:
    output = data / "killed.tsv"
    script = KILLED.format(tools=str(ROOT / "tools"), data=str(data), output=str(output))
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not output.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signals.SIGKILL)
    process.communicate()
    before = output.read_text()
    assert before.endswith("\n")
    done = {row["cell"] for row in rows_of(output)}
    assert 0 < len(done) < 200
    cells = tuple(Cell(str(i), "siren", 1e-3, 8, 1) for i in range(len(done) + 2))
    experiment = replace(
        TINY, name="k", data=("a.png",), cells=cells, steps=20, metrics=("psnr_db",), looks=1
    )
    run(experiment, data, output, 1, "cpu")
    assert output.read_text().startswith(before)
    assert {row["cell"] for row in rows_of(output)} == {str(i) for i in range(len(done) + 2)}


def test_the_tool_lists_every_experiment_and_refuses_unknown_ones() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "reproduce")]
    listed = subprocess.run([*tool, "--list"], capture_output=True, text=True, check=True).stdout
    assert [line.split("\t")[0] for line in listed.splitlines()[1:]] == [
        *EXPERIMENTS, "tuner-images",
    ]  # fmt: skip
    refused = subprocess.run([*tool, "nothing"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    missing = subprocess.run(
        [*tool, "ngp", "--data", "/nowhere"], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 3 and "--data" in missing.stderr and not missing.stdout


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Runs tools/reproduce with options and an output folder of the test's own."""
    loader = SourceFileLoader("reproduce", str(ROOT / "tools" / "reproduce"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(module)

    def called(*options: str) -> int:
        monkeypatch.setattr(sys, "argv", ["reproduce", *options, "-o", str(tmp_path)])
        return module.main()

    return called


def test_the_tool_takes_as_much_less_as_it_is_asked_for(
    tool: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert tool("spder-images", "--quick", "--files", "2", "--data", "/nowhere") == 3
    assert "00.png, div2k16/01.png, which" in capsys.readouterr().err
    options = ("--scale", "16", "--steps", "2", "--seeds", "1", "--cells", "1", "x")
    assert tool("spder-damping", *options) == 0
    rows = rows_of(tmp_path / "spder-damping.scale16.steps2.tsv")
    assert {(row["cell"], row["signal"]) for row in rows} == {("1", "camera"), ("x", "camera")}
    assert {int(row["step"]) for row in rows} == {0, 1, 2}
    with pytest.raises(SystemExit):
        tool("spder-images", "--quick", "--scale", "2")
