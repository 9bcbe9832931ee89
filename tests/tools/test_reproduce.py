"""Papers' tables: runs, the tables they write, and the tool; killed runs go on."""

from __future__ import annotations

import csv
import json
import signal as signals
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reproduce_signals import picture
from reproduced.choosing import with_choices
from reproduced.data import Picture
from reproduced.description import Cell, Experiment, Published, Quick
from reproduced.experiments import EXPERIMENTS
from reproduced.running import COLUMNS, run
from reproduced.summary import summary

from inrcodec.errors import BadInput, BadOption, OutputError
from inrcodec.evaluate.folders import claimed

ROOT = Path(__file__).parents[2]

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
