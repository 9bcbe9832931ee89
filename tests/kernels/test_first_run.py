"""Compiling ahead, in two processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from grid_problems import grid_problem

pytest.importorskip("numba")

import inrcodec
from inrcodec.kernels import cache, first_run
from inrcodec.kernels.cpu.compiling import Overload, compiled, recorded
from inrcodec.kernels.cpu.engine import called_by_fits
from inrcodec.kernels.first_run import make_ahead

CODES = """
import os, time
from pathlib import Path

class Code:
    '''Is made by writing down who makes it.'''

    def __init__(self, path, parent):
        self.path, self.parent = Path(path), parent

    def is_kept(self):
        return self.path.exists()

    def make(self):
        self.path.write_text(str(os.getpid()))

    def makers(self):
        written = {path.read_text() for path in self.path.parent.iterdir()}
        return written - {"", "before"}

class Shared(Code):
    '''Is done when the other process has made one too.'''

    def make(self):
        super().make()
        end = time.monotonic() + 60
        while len(self.makers()) < 2 and time.monotonic() < end:
            time.sleep(0.01)

class Fatal(Shared):
    '''Ends the other process.'''

    def make(self):
        super().make()
        if os.getpid() != self.parent:
            os._exit(1)

class Failing(Shared):
    '''Fails in this one.'''

    def make(self):
        super().make()
        if os.getpid() == self.parent:
            raise ArithmeticError
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


@pytest.fixture
def codes(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list]:
    """Six codes of one of the kinds above."""
    module = tmp_path / "inrcodec_test_codes.py"
    module.write_text(CODES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, module.stem, raising=False)
    monkeypatch.setattr(first_run, "threads", lambda: 2)
    kinds: ModuleType = __import__(module.stem)
    return lambda kind: [getattr(kinds, kind)(made / str(i), os.getpid()) for i in range(6)]


def makers(made: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in made.iterdir()}


def test_two_processes_share_what_is_missing(codes: Callable, made: Path) -> None:
    (made / "3").write_text("before")
    make_ahead(codes("Shared"))
    found = makers(made)
    assert sorted(found) == list("012345")
    assert found.pop("3") == "before"
    assert len(set(found.values())) == 2
    assert str(os.getpid()) in found.values()


def test_what_the_other_process_fails_to_do_is_left(codes: Callable, made: Path) -> None:
    make_ahead(codes("Fatal"))
    found = list(makers(made).values())
    assert len(found) - found.count(str(os.getpid())) == 1


def test_a_failure_here_is_told(codes: Callable) -> None:
    with pytest.raises(ArithmeticError):
        make_ahead(codes("Failing"))


@pytest.mark.parametrize("executable", ["", "/nowhere/python"])
def test_without_a_second_process_this_one_makes_all(
    executable: str, codes: Callable, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_codes = codes("Code")
    monkeypatch.setattr(sys, "executable", executable)
    make_ahead(all_codes)
    assert list(makers(made).values()) == [str(os.getpid())] * 6


@pytest.mark.parametrize(
    "name_value",
    [
        (first_run, "threads", lambda: 1),
        (cache, "cache_folder", lambda: None),
    ],
)
def test_where_a_second_process_is_of_no_use_nothing_is_made_ahead(
    name_value: tuple, codes: Callable, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_codes = codes("Code")
    monkeypatch.setattr(*name_value)
    make_ahead(all_codes)
    assert not makers(made)


def test_a_single_function_needs_no_second_process(codes: Callable, made: Path) -> None:
    make_ahead(codes("Code")[:1])
    assert not makers(made)


def test_recorded_calls_are_not_done() -> None:
    @compiled
    def double(x: np.ndarray, by: float) -> None:
        x *= by

    x = np.ones(3)
    with recorded() as codes:
        assert double(x, 2.0) == 0
        double(x[::2], 2.0)
        double(x, 3.0)
    assert x.tolist() == [1, 1, 1]
    assert [code.types[0].layout for code in codes] == ["C", "A"]
    double(x, 2.0)
    assert x.tolist() == [2, 2, 2]


def test_what_is_made_ahead_is_all_that_an_encode_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    called = set()
    call = compiled.__call__

    def spying(function: compiled, *arguments: object) -> object:
        called.add(Overload(function, tuple(map(function.dispatcher.typeof_pyval, arguments))))
        return call(function, *arguments)

    ahead = called_by_fits(grid_problem(70, 90))
    monkeypatch.setattr(compiled, "__call__", spying)
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    inrcodec.encode(picture, engine="cpu", effort=1)
    assert set(ahead) == called
    assert len(ahead) == len(called)
