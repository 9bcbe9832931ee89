"""Networks computed exactly have the same bits in numpy and compiled, in any tiles and threads."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inrcodec.kernels import arithmetic, decoding
from inrcodec.kernels.arithmetic import BOUND, FAST, NUMPY, Arithmetic, evaluate, tile_samples

ROOT = Path(__file__).parents[2]
EXACT = ["numpy", "compiled"]


def named(name: str) -> Arithmetic:
    if name == "numpy":
        return NUMPY
    pytest.importorskip("numba")
    from inrcodec.kernels.compiled.elementary import COMPILED

    return COMPILED


def affine_in_python(weight: np.ndarray, bias: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The definition."""
    out = np.empty((len(bias), h.shape[1]))
    for m in range(out.shape[0]):
        for t in range(out.shape[1]):
            total = float(bias[m])
            for i in range(len(h)):
                total = total + float(weight[m, i]) * float(h[i, t])
            out[m, t] = min(max(total, -BOUND), BOUND)
    return out


def siren(
    a: Arithmetic, width: int, inputs: int = 2, omega_0: float = 30
) -> Callable[[np.ndarray], np.ndarray]:
    """A sine network of three layers as it is initialised, folded."""
    rng = np.random.default_rng(width)

    def layer(rows: int, columns: int, bound: float) -> tuple[np.ndarray, np.ndarray]:
        return rng.uniform(-bound, bound, (rows, columns)), rng.uniform(-bound, bound, rows)

    first = layer(width, inputs, omega_0 / inputs)
    hidden = layer(width, width, (6 / width) ** 0.5)
    last = layer(3, width, (6 / width) ** 0.5 / 30)

    def function(coords: np.ndarray) -> np.ndarray:
        h = a.sin(a.affine(*first, coords))
        return a.affine(*last, a.sin(a.affine(*hidden, h)))

    return function


def coordinates(count: int, inputs: int = 2) -> np.ndarray:
    return np.random.default_rng(count).uniform(-1, 1, (inputs, count))


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(
    ("outputs", "inputs", "samples"),
    [
        (1, 1, 1),
        (4, 4, 8),
        (3, 5, 7),
        (5, 3, 130),
        (9, 13, 129),
        (28, 28, 17),
        (2, 0, 3),
        (6, 2, 0),
    ],
)
def test_an_affine_layer_adds_products_in_order(
    name: str, outputs: int, inputs: int, samples: int
) -> None:
    rng = np.random.default_rng(outputs)
    weight, bias = rng.normal(size=(outputs, inputs)), rng.normal(size=outputs)
    h = rng.normal(size=(inputs, samples)) * 10.0 ** rng.integers(-8, 8, (inputs, samples))
    found = named(name).affine(weight, bias, h)
    assert found.tobytes() == affine_in_python(weight, bias, h).tobytes()


@pytest.mark.parametrize("name", EXACT)
def test_no_layout_of_the_arrays_changes_a_bit(name: str) -> None:
    a, rng = named(name), np.random.default_rng(1)
    weight, bias, h = rng.normal(size=(11, 9)), rng.normal(size=11), rng.normal(size=(9, 140))
    expected = affine_in_python(weight, bias, h).tobytes()
    spread = np.zeros((18, 280))
    spread[::2, ::2] = h
    for array in (weight, bias, h):
        array.flags.writeable = False
    for other in (h, h.copy(order="F"), spread[::2, ::2]):
        assert a.affine(weight.copy(order="F"), bias, other).tobytes() == expected
        assert a.affine(weight, bias, other).tobytes() == expected


@pytest.mark.parametrize("name", EXACT)
def test_whatever_weights_ask_for_becomes_a_bounded_number(name: str) -> None:
    a, huge = named(name), 1e300
    weight = np.array([[huge, huge], [huge, -huge], [-huge, -huge], [1.0, 1.0], [0.0, np.inf]])
    h = np.array([[huge, 1.0, 0.0], [huge, 2.0, 0.0]])
    with np.errstate(all="ignore"):
        found = a.affine(weight, np.zeros(5), h)
    expected = [[1, 1, 0], [-1, -1, 0], [-1, -1, 0], [1, 3 / BOUND, 0], [1, 1, -1]]
    assert np.array_equal(found, np.array(expected) * BOUND)


@pytest.mark.parametrize("name", EXACT)
def test_the_sign_of_a_zero_is_defined(name: str) -> None:
    a, zeros = named(name), np.array([[0.0, -0.0] * 40])
    assert not np.signbit(a.maximum(zeros, 0.0)).any()
    assert not np.signbit(a.minimum(zeros, 0.0)).any()
    assert np.array_equal(a.maximum(np.array([[np.nan, -1, 2]]), 0.5), [[0.5, 0.5, 2]])
    assert np.array_equal(a.minimum(np.array([[np.nan, -1, 2]]), 0.5), [[0.5, -1, 0.5]])


@pytest.mark.parametrize("a", [NUMPY, FAST], ids=lambda a: a.name)
def test_rows_are_joined_and_looked_up(a: Arithmetic) -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(a.concatenate([x, x[:1]]), [[0, 1, 2], [3, 4, 5], [0, 1, 2]])
    assert np.array_equal(a.beside([x, x[:, :1]]), [[0, 1, 2, 0], [3, 4, 5, 3]])
    assert np.array_equal(a.take(x, a.integers(np.array([1.0, 0.0, 1.0]))), x[[1, 0, 1]].T)
    assert np.array_equal(a.where(x > 2, a.floor(x + 0.5), -1.0), [[-1, -1, -1], [3, 4, 5]])
    assert np.array_equal(a.detached(a.abs(-x)), a.constant(x))


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("width", [3, 28])
def test_tiles_and_threads_change_no_bit(
    name: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, coords = named(name), coordinates(2500)
    function = siren(a, width, omega_0=3000)
    expected = siren(NUMPY, width, omega_0=3000)(coords)
    assert np.isfinite(expected).all()
    for step, threads in ((2500, 1), (1000, 2), (129, 7), (1, 1)):
        monkeypatch.setattr(arithmetic, "tile_samples", lambda _, step=step: step)
        cut = coords[:, :150] if step == 1 else coords
        found = evaluate(function, cut, 3, a, width, threads)
        assert found.tobytes() == np.ascontiguousarray(expected[:, : cut.shape[1]]).tobytes()


def test_only_tiles_are_held_in_memory_and_threads_share_them() -> None:
    coords, sizes, seen = coordinates(40_000), set(), set()
    barrier = threading.Barrier(2, timeout=60)

    def function(tile: np.ndarray) -> np.ndarray:
        assert tile.flags.c_contiguous
        if len(seen) < 2:
            seen.add(threading.get_ident())
            barrier.wait()
        sizes.add(tile.shape[1])
        return tile[:1] + tile[1:]

    found = evaluate(function, coords, 1, NUMPY, width=8, threads=2)
    assert np.array_equal(found, coords[:1] + coords[1:])
    assert len(seen) == 2
    assert max(sizes) == tile_samples(8) < 10_000
    assert evaluate(function, coords[:, :0], 1, NUMPY).shape == (1, 0)


def test_tiles_are_smaller_for_wider_networks() -> None:
    found = [tile_samples(width) for width in (1, 28, 64, 256, 1024)]
    assert found == sorted(found, reverse=True)
    assert found[-1] * 1024 * 8 <= 1 << 20


@pytest.mark.parametrize(("width", "omega_0"), [(28, 30), (28, 10_000), (128, 30)])
def test_a_preview_is_off_by_a_fraction_of_a_level(width: int, omega_0: float) -> None:
    coords = coordinates(3000)
    exact = evaluate(siren(NUMPY, width, omega_0=omega_0), coords, 3, NUMPY, width)
    fast = evaluate(siren(FAST, width, omega_0=omega_0), coords, 3, FAST, width)
    assert fast.dtype == np.float32
    assert np.abs(fast - exact).max() < 0.1 / 255


@pytest.mark.parametrize("function", ["cos", "exp", "log", "arctan", "sqrt", "abs", "floor"])
def test_preview_functions_are_the_exact_ones_in_single_precision(function: str) -> None:
    x = np.linspace(0.01, 60, 999)
    found, expected = getattr(FAST, function)(x), getattr(NUMPY, function)(x)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert np.isfinite(FAST.exp(np.array([-1e300, 1e300, 2.0**80]))).all()
    assert np.isfinite(FAST.log(np.array([-1.0, 0.0, 1e-320]))).all()


def in_process(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_small_networks_start_no_llvm_and_none_starts_torch() -> None:
    code = (
        "import sys\n"
        "from inrcodec.kernels import decoding\n"
        "most = decoding.COMPILED_NETWORKS_FROM_MACS * decoding.KEPT_SHARE - 1\n"
        "choose = decoding.decode_arithmetic\n"
        "print(choose(most).name, choose(1e12, fast=True).name)\n"
        "print('llvmlite' in sys.modules, choose(1e12).name)\n"
        "print(choose(0).name, 'torch' in sys.modules)"
    )
    pytest.importorskip("numba")
    assert in_process(code) == "numpy fast\nFalse compiled\ncompiled False\n"


@pytest.mark.parametrize(
    "trouble",
    [
        "sys.modules['numba'] = None",
        "import os; os.environ['NUMBA_DISABLE_JIT'] = '1'",
        "import os; os.environ['XDG_CACHE_HOME'] = '/dev/null'",
        "import numba; numba.njit = None",
    ],
)
def test_numpy_evaluates_where_compiled_code_cannot_be_made(trouble: str, tmp_path: Path) -> None:
    code = (
        f"import sys; {trouble}\n"
        "from inrcodec.kernels import decoding\n"
        "print(decoding.decode_arithmetic(1e12).name)"
    )
    assert in_process(code, XDG_CACHE_HOME=str(tmp_path)) == "numpy\n"


@pytest.mark.parametrize("function", ["sin", "cos", "exp", "log", "arctan", "affine"])
def test_numpy_evaluates_where_compiled_code_gives_other_values(
    function: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compiled = named("compiled")
    right = getattr(compiled, function)
    monkeypatch.setattr(
        compiled, function, lambda *arguments: np.nextafter(right(*arguments), 2), raising=False
    )
    caplog.set_level(logging.WARNING, logger="inrcodec")
    assert decoding.compiled_arithmetic.__wrapped__() is None
    assert "other values" in caplog.text
