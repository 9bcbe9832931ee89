"""tools/gpu_check with sections that are made up: none takes another with it, or loses anything."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gpu_check
import pytest
import sections

TOOLS = Path(gpu_check.__file__).parent
SERVER = f"""
import os, sys, time
sys.path.insert(0, {str(TOOLS)!r})
from sections import rows_of, serve

def machine(options, clock):
    yield {{"device": "made up", "versions": {{"torch": "none"}}}}

def ceilings(options, clock):
    yield {{"copy_gb_per_second": 2.5}}
    print("and then")
    raise ValueError("no product")

def step(options, clock):
    yield {{"copy": options.ceilings["copy_gb_per_second"], "seconds_left": clock.left}}

def tuning(options, clock):
    def bad():
        raise ArithmeticError("refused")
    actions = [({{"tuning": "a"}}, lambda: {{"ms": 1.5}}), ({{"tuning": "b"}}, bad),
               ({{"tuning": "c"}}, lambda: {{"ms": 2, "list": [1]}})]
    yield from rows_of(actions, clock, 0)

def training(options, clock):
    yield {{"passed": False}}

def tests(options, clock):
    yield {{"rows": [{{"name": "first"}}]}}
    time.sleep(60)

def sizes(options, clock):
    yield {{"rows": [{{"megapixels": 1.0, "step_ms": 2.0}}]}}
    os.abort()

def rendering(options, clock):
    return
    yield

serve(globals(), sys.argv[1])
"""
ALL = ["ceilings", "step", "tuning", "training", "tests", "sizes", "rendering"]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    monkeypatch.setattr(gpu_check, "SERVER", [sys.executable, str(script)])
    monkeypatch.setattr(gpu_check, "missing", lambda section: [])
    monkeypatch.setattr(sections, "_GRACE_SECONDS", 1)


def checked(output: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = gpu_check.main([*arguments, "-o", str(output)])
    return code, json.loads((output / "check.json").read_text())["sections"]


@pytest.mark.usefixtures("server")
def test_sections_that_fail_lose_nothing_and_stop_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(gpu_check.SECTIONS, "tests", 2)
    output = tmp_path / "out"
    code, found = checked(output, "--commit", "abc", "--only", *ALL)
    assert code == 1
    assert list(found) == ["machine", *ALL[:5], "rendering", "sizes"]
    assert all(part["commit"] == "abc" and part["seconds"] >= 0 for part in found.values())
    assert found["ceilings"]["copy_gb_per_second"] == 2.5
    assert found["ceilings"]["error"] == "ValueError: no product"
    assert found["step"]["copy"] == 2.5
    assert [row.get("ms") for row in found["tuning"]["rows"]] == [1.5, None, 2]
    assert "refused" in found["tuning"]["rows"][1]["error"]
    assert found["tests"]["rows"] == [{"name": "first"}]
    assert "ended after 3 s" in found["tests"]["error"]
    assert "ended with exit code -6" in found["sizes"]["error"]
    assert (output / "sizes.tsv").read_text() == "megapixels\tstep_ms\n1\t2\n"
    assert "error" not in found["rendering"]
    assert {path.name for path in output.iterdir()} == {"check.json", "sizes.tsv", "log.txt"}
    assert "and then" in (output / "log.txt").read_text()
    said = capsys.readouterr()
    assert "failed: ceilings, tuning, training, tests, sizes" in said.err
    assert "refused" in said.out


@pytest.mark.usefixtures("server")
def test_later_runs_and_those_of_other_machines_are_added(tmp_path: Path) -> None:
    here, there, both = tmp_path / "here", tmp_path / "there", tmp_path / "both"
    checked(here, "--commit", "old", "--only", "step")
    checked(here, "--commit", "new", "--only", "training")
    code, found = checked(here, "--minutes", "0", "--only", "step", "tuning")
    assert code == 1
    assert found["step"]["commit"] == "old"
    assert found["training"]["commit"] == "new"
    assert found["tuning"] == {"left_out": "no time was left"}
    checked(there, "--commit", "other", "--only", "tuning")
    reports = [str(folder / "check.json") for folder in (there, here)]
    _, found = checked(both, "--merge", *reports)
    assert {name: part["commit"] for name, part in found.items()} == {
        "machine": "new", "step": "old", "tuning": "other", "training": "new",
    }  # fmt: skip


@pytest.mark.usefixtures("server")
def test_nothing_runs_where_the_engine_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_check, "SERVER", [sys.executable, "-c", "raise SystemExit(3)"])
    code, found = checked(tmp_path, "--only", "step")
    assert code == 1
    assert list(found) == ["machine"]
    assert "exit code 3" in found["machine"]["error"]


def test_what_is_missing_is_told_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(gpu_check.NEEDS, "", ("json", "no_such_module"))
    with pytest.raises(SystemExit):
        gpu_check.main(["-o", str(tmp_path / "out")])
    assert "missing: no_such_module; `pip install no_such_module`" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("server")
def test_a_section_without_what_it_needs_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = {"step": ["constriction==0.5.0"]}
    monkeypatch.setattr(gpu_check, "missing", lambda section: lacking.get(section, []))
    _, found = checked(tmp_path, "--only", "step", "training")
    assert "missing: constriction==0.5.0; `pip install" in found["step"]["left_out"]
    assert found["training"]["passed"] is False


def test_what_is_asked_for_is_what_is_served() -> None:
    gpu_sections = pytest.importorskip("gpu_sections")
    assert set(gpu_sections.SECTIONS) == set(gpu_check.SECTIONS)
    assert set(gpu_check.NEEDS) <= {"", *gpu_check.SECTIONS}
