"""The elementary functions: how precise they are, and that their bits are these and no others."""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inrcodec.kernels import elementary

ROOT = Path(__file__).parents[2]
NAMES = ("sin", "cos", "exp", "log", "arctan")

# (argument, result): what every machine must find.
GOLDEN = {
    "sin": [
        ("0x0.0p+0", "0x0.0p+0"),
        ("-0x0.0p+0", "0x0.0p+0"),
        ("0x0.0000000000001p-1022", "0x0.0000000000001p-1022"),
        ("0x1.56e1fc2f8f359p-997", "0x1.56e1fc2f8f359p-997"),
        ("0x1.0000000000000p-27", "0x1.0000000000000p-27"),
        ("0x1.0000000000000p-1", "0x1.eaee8744b05f0p-2"),
        ("-0x1.921fb54442d18p-1", "-0x1.6a09e667f3bccp-1"),
        ("0x1.921fb54442d19p-1", "0x1.6a09e667f3bcdp-1"),
        ("0x1.0000000000000p+0", "0x1.aed548f090ceep-1"),
        ("0x1.921fb54442d18p+0", "0x1.0000000000000p+0"),
        ("0x1.0000000000000p+1", "0x1.d18f6ead1b446p-1"),
        ("0x1.921fb54442d18p+1", "0x1.1a62633145c00p-53"),
        ("-0x1.4000000000000p+3", "0x1.1689ef5f34f53p-1"),
        ("0x1.9000000000000p+6", "-0x1.03425b78c4db8p-1"),
        ("0x1.81cd6c8b43958p+13", "-0x1.687d5890974a5p-1"),
        ("-0x1.e848000000000p+19", "0x1.6664b2568d867p-2"),
        ("0x1.0000000200000p+30", "-0x1.51133452478d7p-3"),
        ("-0x1.0000000000000p+31", "0x1.f14f913e9af98p-1"),
        ("0x1.2a05f20000000p+33", "-0x1.f334c7896a4e4p-2"),
        ("0x1.0000000000000p+40", "-0x1.9f6fc376ebcfcp-2"),
        ("0x1.7e43c8800759cp+996", "-0x1.9f6fc376ebcfcp-2"),
        ("-0x1.7e43c8800759cp+996", "0x1.9f6fc376ebcfcp-2"),
    ],
    "cos": [
        ("0x0.0p+0", "0x1.0000000000000p+0"),
        ("-0x0.0p+0", "0x1.0000000000000p+0"),
        ("0x0.0000000000001p-1022", "0x1.0000000000000p+0"),
        ("0x1.56e1fc2f8f359p-997", "0x1.0000000000000p+0"),
        ("0x1.0000000000000p-27", "0x1.0000000000000p+0"),
        ("0x1.0000000000000p-1", "0x1.c1528065b7d50p-1"),
        ("-0x1.921fb54442d18p-1", "0x1.6a09e667f3bcdp-1"),
        ("0x1.921fb54442d19p-1", "0x1.6a09e667f3bccp-1"),
        ("0x1.0000000000000p+0", "0x1.14a280fb5068cp-1"),
        ("0x1.921fb54442d18p+0", "0x1.1a62633145c00p-54"),
        ("0x1.0000000000000p+1", "-0x1.aa22657537205p-2"),
        ("0x1.921fb54442d18p+1", "-0x1.0000000000000p+0"),
        ("-0x1.4000000000000p+3", "-0x1.ad9ac890c6b1fp-1"),
        ("0x1.9000000000000p+6", "0x1.b981dbf665fe0p-1"),
        ("0x1.81cd6c8b43958p+13", "0x1.6b94c3bbe24b8p-1"),
        ("-0x1.e848000000000p+19", "0x1.df9df9906d32cp-1"),
        ("0x1.0000000200000p+30", "0x1.f904817b569bep-1"),
        ("-0x1.0000000000000p+31", "0x1.e70c2d5131e55p-3"),
        ("0x1.2a05f20000000p+33", "0x1.bf098901c9319p-1"),
        ("0x1.0000000000000p+40", "-0x1.d3f8a56057ebap-1"),
        ("0x1.7e43c8800759cp+996", "-0x1.d3f8a56057ebap-1"),
        ("-0x1.7e43c8800759cp+996", "-0x1.d3f8a56057ebap-1"),
    ],
    "exp": [
        ("0x0.0p+0", "0x1.0000000000000p+0"),
        ("-0x0.0p+0", "0x1.0000000000000p+0"),
        ("0x1.56e1fc2f8f359p-997", "0x1.0000000000000p+0"),
        ("0x1.0000000000000p-53", "0x1.0000000000000p+0"),
        ("0x1.62e42fefa39efp-2", "0x1.6a09e667f3bccp+0"),
        ("0x1.62e42fefa39f0p-2", "0x1.6a09e667f3bcdp+0"),
        ("-0x1.6666666666666p-2", "0x1.68cce09671f71p-1"),
        ("0x1.0000000000000p-1", "0x1.a61298e1e069cp+0"),
        ("0x1.0000000000000p+0", "0x1.5bf0a8b14576ap+1"),
        ("-0x1.0000000000000p+0", "0x1.78b56362cef38p-2"),
        ("0x1.0000000000000p+1", "0x1.d8e64b8d4ddaep+2"),
        ("-0x1.c000000000000p+1", "0x1.eec1018e4ff66p-6"),
        ("0x1.4000000000000p+3", "0x1.5829dcf950560p+14"),
        ("-0x1.4400000000000p+4", "0x1.b93de1e27ca3bp-30"),
        ("0x1.9000000000000p+6", "0x1.3494a9b171bf5p+144"),
        ("-0x1.2c80000000000p+8", "0x1.629f5b5352a54p-434"),
        ("0x1.5e00000000000p+9", "0x1.d945df4f8ec8ep+1009"),
        ("0x1.6200000000000p+9", "0x1.586f6bf260cf0p+1021"),
        ("0x1.6280000000000p+9", "0x1.586f6bf260cf0p+1021"),
        ("-0x1.6200000000000p+9", "0x1.7c8ab2288c9acp-1022"),
        ("-0x1.7480000000000p+9", "0x1.7c8ab2288c9acp-1022"),
    ],
    "log": [
        ("0x0.0p+0", "-0x1.6232bdd7abcd2p+9"),
        ("-0x1.0000000000000p+0", "-0x1.6232bdd7abcd2p+9"),
        ("0x0.0000000000001p-1022", "-0x1.6232bdd7abcd2p+9"),
        ("0x1.0000000000000p-1022", "-0x1.6232bdd7abcd2p+9"),
        ("0x1.56e1fc2f8f359p-997", "-0x1.5963447f87fb5p+9"),
        ("0x1.b7cdfd9d7bdbbp-34", "-0x1.7069e2aa2aa5bp+4"),
        ("0x1.999999999999ap-4", "-0x1.26bb1bbb55515p+1"),
        ("0x1.0000000000000p-1", "-0x1.62e42fefa39efp-1"),
        ("0x1.6a09e667f3bccp-1", "-0x1.62e42fefa39f1p-2"),
        ("0x1.6a09e667f3bcdp-1", "-0x1.62e42fefa39eep-2"),
        ("0x1.fffffffffffffp-1", "-0x1.0000000000000p-53"),
        ("0x1.0000000000000p+0", "0x0.0p+0"),
        ("0x1.0000000000001p+0", "0x1.fffffffffffffp-53"),
        ("0x1.6a09e667f3bcdp+0", "0x1.62e42fefa39f0p-2"),
        ("0x1.0000000000000p+1", "0x1.62e42fefa39efp-1"),
        ("0x1.5bf0a8b145769p+1", "0x1.0000000000000p+0"),
        ("0x1.4000000000000p+3", "0x1.26bb1bbb55516p+1"),
        ("0x1.81cd6c8b43958p+13", "0x1.2d79559791e31p+3"),
        ("0x1.249ad2594c37dp+332", "0x1.cc845b54b54f2p+7"),
        ("0x1.fffffffffffffp+1023", "0x1.62e42fefa39efp+9"),
    ],
    "arctan": [
        ("0x0.0p+0", "0x0.0p+0"),
        ("-0x0.0p+0", "0x0.0p+0"),
        ("0x0.0000000000001p-1022", "0x0.0000000000001p-1022"),
        ("0x1.b7cdfd9d7bdbbp-34", "0x1.b7cdfd9d7bdbbp-34"),
        ("0x1.999999999999ap-4", "0x1.983e282e2cc4dp-4"),
        ("-0x1.0000000000000p-2", "-0x1.f5b75f92c80ddp-3"),
        ("0x1.a827999fcef32p-2", "0x1.921fb54442d18p-2"),
        ("0x1.a827999fcef33p-2", "0x1.921fb54442d19p-2"),
        ("0x1.0000000000000p-1", "0x1.dac670561bb50p-2"),
        ("-0x1.8000000000000p-1", "-0x1.4978fa3269ee1p-1"),
        ("0x1.0000000000000p+0", "0x1.921fb54442d18p-1"),
        ("0x1.8000000000000p+0", "0x1.f730bd281f69bp-1"),
        ("-0x1.0000000000000p+1", "-0x1.1b6e192ebbe44p+0"),
        ("0x1.3504f333f9de6p+1", "0x1.2d97c7f3321d2p+0"),
        ("0x1.3504f333f9de7p+1", "0x1.2d97c7f3321d2p+0"),
        ("0x1.8000000000000p+1", "0x1.3fc176b7a8560p+0"),
        ("-0x1.4000000000000p+3", "-0x1.789bd2c160054p+0"),
        ("0x1.86a0000000000p+16", "0x1.921f0d7e968a8p+0"),
        ("0x1.6345785d8a000p+56", "0x1.921fb54442d18p+0"),
        ("0x1.fffffffffffffp+1023", "0x1.921fb54442d18p+0"),
        ("-0x1.fffffffffffffp+1023", "-0x1.921fb54442d18p+0"),
    ],
}
BORDERS = np.array([0.0, 5e-324, 1e-310, 2.0**-1022, 1e-300, 1e-17, 1.0, 1e300, 2.0**40])
LAST = np.array([2.0**40 * (1 + 2.0**-52), 708.0, 709.0, 746.0, np.finfo(float).max, np.inf])


def arguments(count: int = 20_000) -> np.ndarray:
    """Random ones of all magnitudes and signs, and where formulas change."""
    rng = np.random.default_rng(5)
    size = np.concatenate([2.0 ** rng.uniform(-1074, 1023, count), 10 ** rng.uniform(-9, 9, count)])
    quadrants = (rng.integers(0, 1 << 32, count) * 2 + 1) * (np.pi / 4)
    halves = (rng.integers(0, 1500, count) + 0.5) * np.log(2.0)
    roots = np.sqrt(0.5) * 2.0 ** rng.integers(-300, 300, count)
    turns = np.tan(np.array([np.pi / 8, 3 * np.pi / 8]))
    ends = [BORDERS, LAST, quadrants, halves, roots, turns]
    with np.errstate(over="ignore"):
        near = [np.nextafter(np.concatenate(ends), to) for to in (0.0, np.inf)]
    positive = np.concatenate([size, *ends, *near])
    return np.concatenate([positive, -positive])


def error(name: str, x: np.ndarray, relative: bool) -> float:
    """The largest error against 200 bits."""
    mpmath = pytest.importorskip("mpmath")
    true = getattr(mpmath, {"arctan": "atan"}.get(name, name))
    worst = 0.0
    with mpmath.workprec(200):
        for argument, found in zip(x.tolist(), getattr(elementary, name)(x).tolist(), strict=True):
            expected = true(mpmath.mpf(argument))
            off = abs(mpmath.mpf(found) - expected)
            worst = max(worst, float(off / abs(expected) if relative else off))
    return worst


@pytest.mark.parametrize("name", NAMES)
def test_the_bits_are_those_of_every_other_machine(name: str) -> None:
    x = np.array([float.fromhex(argument) for argument, _ in GOLDEN[name]])
    found = [value.hex() for value in getattr(elementary, name)(x).tolist()]
    assert found == [result for _, result in GOLDEN[name]]


@pytest.mark.parametrize("name", ["sin", "cos"])
@pytest.mark.parametrize(
    ("bound", "most"), [(1, 2e-16), (1e3, 2e-16), (1e6, 2e-16), (2.0**31, 2e-16), (2.0**40, 1e-4)]
)
def test_sines_are_precise_up_to_billions_of_radians(name: str, bound: float, most: float) -> None:
    rng = np.random.default_rng(int(bound))
    borders = rng.integers(-int(bound), int(bound), 200, endpoint=True) * (np.pi / 4)
    x = np.concatenate([rng.uniform(-bound, bound, 800), np.clip(borders, -bound, bound)])
    assert error(name, x, relative=False) < most


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("exp", np.concatenate([np.linspace(-708, 708, 997), np.linspace(-1, 1, 501)])),
        ("log", np.exp(np.concatenate([np.linspace(-708, 709, 997), np.linspace(-1, 1, 500)]))),
        ("arctan", np.sinh(np.concatenate([np.linspace(-40, 40, 997), np.linspace(-2, 2, 500)]))),
    ],
)
def test_other_functions_are_precise_relative_to_their_value(name: str, x: np.ndarray) -> None:
    assert error(name, x[x != 0], relative=True) < 3e-16


@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_a_finite_value_within_the_range(name: str) -> None:
    low, high = {
        "sin": (-1, 1),
        "cos": (-1, 1),
        "exp": (2.0**-1022, 2.0**1023),
        "log": (-709, 710),
        "arctan": (-math.pi / 2, math.pi / 2),
    }[name]
    values = getattr(elementary, name)(arguments())
    assert ((low <= values) & (values <= high)).all()


def test_beyond_their_bounds_functions_stay_what_they_are_there() -> None:
    beyond = np.array([2.0**41, 1e300, np.inf])
    for function in (elementary.sin, elementary.cos):
        assert (function(beyond) == function(np.array([2.0**40]))).all()
        assert (function(-beyond) == function(np.array([-(2.0**40)]))).all()
    assert (elementary.exp(beyond) == elementary.exp(np.array([708.0]))).all()
    assert (elementary.exp(-beyond) == elementary.exp(np.array([-708.0]))).all()
    below = np.array([0.0, -0.0, 5e-324, -1.0, -np.inf])
    assert (elementary.log(below) == elementary.log(np.array([2.0**-1022]))).all()


def test_nan_counts_as_the_lower_bound() -> None:
    nan = np.array([np.nan, -np.nan])
    for name, bound in (
        ("sin", -(2.0**40)),
        ("cos", -(2.0**40)),
        ("exp", -708),
        ("log", 2.0**-1022),
    ):
        function = getattr(elementary, name)
        assert (function(nan) == function(np.array([bound], np.float64))).all()
    assert np.isnan(elementary.arctan(nan)).all()


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_layout_of_the_array_do_not_matter(name: str) -> None:
    function, x = getattr(elementary, name), arguments(300)[:3600].reshape(4, 30, 30)
    expected = function(x)
    assert expected.shape == x.shape
    assert np.array_equal(function(x.transpose(2, 0, 1)), expected.transpose(2, 0, 1))
    assert np.array_equal(function(x[:, ::3]), expected[:, ::3])
    assert np.array_equal([function(x[1, 2, i : i + 1])[0] for i in range(30)], expected[1, 2])
    assert function(np.empty((3, 0))).shape == (3, 0)


@pytest.mark.parametrize("name", NAMES)
def test_compiled_functions_have_the_same_bits(name: str) -> None:
    pytest.importorskip("numba")
    from inrcodec.kernels.compiled.elementary import COMPILED

    x = arguments()
    found, expected = getattr(COMPILED, name)(x), getattr(elementary, name)(x)
    same = found.view(np.int64) == expected.view(np.int64)
    assert same.all(), x[~same][:5].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processor", "features"),
    [("generic", ""), ("haswell", "+avx,+avx2,+fma,+bmi,+bmi2"), ("nehalem", "+sse4.2,+popcnt")],
)
def test_code_for_other_processors_has_the_same_bits(
    processor: str, features: str, tmp_path: Path
) -> None:
    binding = pytest.importorskip("llvmlite.binding")
    if platform.machine() not in ("x86_64", "AMD64") and processor != "generic":
        pytest.skip("not a processor of this family")
    if "+avx2" in features and not binding.get_host_cpu_features().get("avx2"):
        pytest.skip("this processor lacks AVX2")
    code = (
        "from inrcodec.kernels import decoding\n"
        "print(decoding.compiled_arithmetic().name)"  # which compares all functions with numpy
    )
    environment = {
        "NUMBA_CPU_NAME": processor,
        "NUMBA_CPU_FEATURES": features,
        "XDG_CACHE_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "compiled\n", done.stderr
