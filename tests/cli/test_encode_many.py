"""Many inputs at once: each becomes a file of a folder, and what fails costs the others nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inrcodec.cli.main import parse

QUICK = ("--effort", "1", "--engine", "reference", "--device", "cpu")


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in ("a", "b", "c")]
    for i, path in enumerate(paths):
        y, x = np.mgrid[0:8, 0 : 9 + i]
        Image.fromarray((9 * x + 11 * y + 40 * i).astype(np.uint8)).save(path)
    return paths


def test_files_are_those_of_single_encodes(call, pictures, tmp_path):
    folder = tmp_path / "new" / "encoded"
    outcome = call("encode", *pictures, "--into", folder, "--json", *QUICK)
    assert outcome.code == 0
    record = json.loads(outcome.out)
    assert [f["input"] for f in record["files"]] == [str(p) for p in pictures]
    assert "3 of 3 files encoded, 1 at a time" in outcome.err
    for path, told in zip(pictures, record["files"], strict=True):
        alone = tmp_path / f"{path.stem}-alone.inr"
        assert call("encode", path, alone, *QUICK).code == 0
        assert (folder / f"{path.stem}.inr").read_bytes() == alone.read_bytes()
        assert told["output"] == str(folder / f"{path.stem}.inr")
        assert told["file_bytes"] == alone.stat().st_size


@pytest.mark.slow
def test_processes_give_the_same_files(call, pictures, tmp_path):
    for folder, at_once in (("one", 1), ("two", 2)):
        outcome = call("encode", *pictures, "--into", tmp_path / folder, "--batch", at_once, *QUICK)
        assert outcome.code == 0
    for path in pictures:
        one, two = (tmp_path / folder / f"{path.stem}.inr" for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    assert "3 of 3 files encoded, 2 at a time" in outcome.err


def test_an_input_that_fails_costs_the_others_nothing(call, pictures, tmp_path):
    pictures[1].write_bytes(b"no picture")
    outcome = call("encode", *pictures, "--into", tmp_path / "out", "--json", *QUICK)
    assert outcome.code == 3
    assert "2 of 3 files encoded" in outcome.err
    assert f"error: {pictures[1]}: " in outcome.err
    files = json.loads(outcome.out)["files"]
    assert [f.get("exit_code", 0) for f in files] == [0, 3, 0]
    assert files[1]["error"] == "BadInput"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.inr", "c.inr"]


def test_failures_of_several_kinds_have_the_exit_code_of_none(call, pictures, tmp_path):
    pictures[1].write_bytes(b"no picture")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.inr").write_bytes(b"here already")
    outcome = call("encode", *pictures, "--into", tmp_path / "out", *QUICK)
    assert outcome.code == 1
    assert (tmp_path / "out" / "a.inr").read_bytes() == b"here already"
    assert (tmp_path / "out" / "c.inr").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.png", "b.png", "c.png"), "3 files were given; name the folder"),
        (("a.png", "a.inr", "--batch", "2"), "--batch N is for several inputs"),
        (("a.png", "x/a.jpg", "--into", "out"), "would both become"),
        (("a.png", "-", "--into", "out"), "standard input has no name"),
        (("a.png", "b.png", "--into", "a.png"), "--into 'a.png' is no folder"),
        (("a.png", "b.png", "--into", "out", "--effort", "99"), "effort"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(
    call, pictures, tmp_path, monkeypatch, arguments, said
):
    monkeypatch.chdir(tmp_path)
    outcome = call("encode", *arguments, *QUICK[2:])
    assert outcome.code == 2
    assert said in outcome.err
    assert not list(tmp_path.rglob("*.inr"))


@pytest.mark.parametrize(
    "line",
    ["a b c --into d --batch 2", "--into d a b c --batch 2", "a --into d b --batch 2 c",
     "a b --batch 2 c --into d"],
)  # fmt: skip
def test_inputs_may_stand_anywhere_between_options(line):
    try:
        args = parse(["encode", *line.split()])
    except SystemExit:
        pytest.fail("refused")
    assert [args.input, args.output, *args.more] == ["a", "b", "c"]
    assert (args.into, args.batch) == ("d", 2)


def test_other_verbs_take_no_more_files(call):
    outcome = call("decode", "a.inr", "b.png", "c.png")
    assert outcome.code == 2
    assert "unrecognized arguments: c.png" in outcome.err
