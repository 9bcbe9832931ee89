"""Compiled code that is kept: by numba's decorators, and as object files that need no numba."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("numba")

from inrcodec.kernels import cache
from inrcodec.kernels.compiled.entries import Entry
from inrcodec.kernels.cpu import compiling

LOOPS = "inrcodec_test_loops"
SIGNATURE = "i4[:,:] f8[:,:,:] i8"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of a test."""
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of functions for numba."""
    module = ModuleType(LOOPS)
    monkeypatch.setitem(sys.modules, LOOPS, module)

    @compiling.exact
    def product(a: np.ndarray, out: np.ndarray, factor: int) -> None:
        for c in range(out.shape[0]):
            for y in range(out.shape[1]):
                for x in range(out.shape[2]):
                    out[c, y, x] = a[y, x] * factor + 1000.0 * c

    @compiling.exact
    def copying(a: np.ndarray) -> None:
        a[:] = a[::-1].copy()

    module.product, module.copying = product, copying
    return module


def arguments() -> tuple[np.ndarray, np.ndarray]:
    return np.arange(-7, 8, dtype=np.int32).reshape(3, 5), np.zeros((2, 3, 5))


def expected(factor: int) -> np.ndarray:
    product = arguments()[0].astype(np.int64) * factor
    return np.stack([product, product + 1000.0])


def test_an_entry_takes_arrays_of_any_dimensions_and_numbers(loops: ModuleType) -> None:
    a, out = arguments()
    entry = Entry(LOOPS, "product", SIGNATURE)
    entry(a, out, 3)
    assert np.array_equal(out, expected(3))
    entry(a[:0], np.zeros((2, 0, 5)), -(2**62))
    bound = entry.bind(a, out)
    bound(-4)
    assert np.array_equal(out, expected(-4))
    bound(2**40)
    assert np.array_equal(out, expected(2**40))


def test_what_is_bound_lives_on(loops: ModuleType) -> None:
    out = arguments()[1]
    calls = [Entry(LOOPS, "product", SIGNATURE).bind(arguments()[0], out) for _ in range(20)]
    for factor, call in enumerate(calls):
        call(factor)
        assert np.array_equal(out, expected(factor))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a, out: (a.astype(np.int64), out, 1), "2 dimensions of int64"),
        (lambda a, out: (a.ravel(), out, 1), "1 dimensions of int32"),
        (lambda a, out: (a.T, out, 1), r"strides \(4, 20\); expected 2 of int32 in C's order"),
        (lambda a, out: (a[:, ::2], out, 1), r"strides \(20, 8\)"),
    ],
)
def test_an_array_of_another_kind_is_refused(
    change: Callable[..., tuple], said: str, loops: ModuleType
) -> None:
    with pytest.raises(TypeError, match=said):
        Entry(LOOPS, "product", SIGNATURE)(*change(*arguments()))


def test_a_wrong_number_of_arguments_is_refused(loops: ModuleType) -> None:
    entry = Entry(LOOPS, "product", SIGNATURE)
    with pytest.raises(ValueError):
        entry(*arguments())
    bound = entry.bind(*arguments())
    for wrong in ((), (1, 2)):
        with pytest.raises(ValueError):
            bound(*wrong)


def test_a_kept_entry_needs_neither_numba_nor_the_function(
    loops: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, out = arguments()
    Entry(LOOPS, "product", SIGNATURE)(a, out, 3)
    (stored,) = folder.glob("*.o")
    assert stored.name.startswith(f"{LOOPS}.product-")
    assert cache.keeps(f"{LOOPS}.")
    assert not cache.keeps("others.")
    monkeypatch.delitem(sys.modules, LOOPS)
    monkeypatch.setitem(sys.modules, "numba", None)
    Entry(LOOPS, "product", SIGNATURE)(a, out, 5)
    assert np.array_equal(out, expected(5))
    with pytest.raises(ModuleNotFoundError):  # another signature is another code
        Entry(LOOPS, "product", "f8[:,:] f8[:,:,:] i8")(a.astype(float), out, 5)


def test_code_for_another_processor_is_another(
    loops: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "another"):
        monkeypatch.setenv("NUMBA_CPU_NAME", name)  # numba itself has read it before
        Entry(LOOPS, "product", SIGNATURE)(*arguments(), 1)
    assert len(list(folder.glob("*.o"))) == 2


def test_code_that_needs_numba_is_refused(loops: ModuleType, folder: Path) -> None:
    with pytest.raises(RuntimeError, match="needs .*NRT"):
        Entry(LOOPS, "copying", "f8[:]")(np.zeros(3))
    assert not list(folder.glob("*.o"))


def entry(loops: ModuleType) -> None:
    a, out = arguments()
    Entry(LOOPS, "product", SIGNATURE)(a, out, 3)
    assert np.array_equal(out, expected(3))


def decorated(loops: ModuleType) -> None:
    @compiling.compiled
    def square(x: float) -> float:
        return x * x

    assert square(3.0) == 9.0


@pytest.mark.parametrize("damage", [b"", b"\x00" * 100, None])
@pytest.mark.parametrize("use", [entry, decorated])
def test_a_damaged_cache_only_costs_the_compilation(
    use: Callable[[ModuleType], None], damage: bytes | None, loops: ModuleType, folder: Path
) -> None:
    use(loops)
    stored = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    good = stored.read_bytes()
    if damage is None:
        stored.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    else:
        stored.write_bytes(damage)
    use(loops)
    assert len(stored.read_bytes()) == len(good)
    before = stored.stat().st_mtime_ns
    use(loops)
    assert stored.stat().st_mtime_ns == before


@pytest.mark.parametrize("use", [entry, decorated])
def test_a_cache_that_cannot_be_written_is_survived(
    use: Callable[[ModuleType], None], loops: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "cache_folder", lambda: None)
    use(loops)


FOLDER = cache.cache_folder


def test_the_cache_folder_is_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = os.umask(0)
    try:
        folder = FOLDER.__wrapped__()
    finally:
        os.umask(before)
    for made in (folder, folder.parent):
        assert made.is_relative_to(tmp_path)
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_folder_in_an_impossible_place_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocker))
    assert FOLDER.__wrapped__() is None
