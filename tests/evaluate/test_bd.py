"""BD-rate and BD-PSNR: against the package of FAU Erlangen, and against cases known by hand."""

import bjontegaard
import numpy as np
import pytest

from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.bd import (
    bd_quality,
    bd_rate_percent,
    bootstrap_interval,
    mean_curve,
    rising,
)


def curves(seed: int):
    rng = np.random.default_rng(seed)

    def curve(n: int):
        rate, quality = (np.cumsum(rng.random(n) + 0.1) for _ in range(2))
        return list(zip(rate, 30 + 3 * quality, strict=True))

    return curve(6), curve(8)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_scaling_every_rate_is_that_difference(factor):
    anchor, _ = curves(3)
    scaled = [(factor * rate, quality) for rate, quality in anchor]
    difference, overlap = bd_rate_percent(anchor, scaled)
    assert difference == pytest.approx(100 * (factor - 1), abs=1e-9)
    assert overlap == pytest.approx(100)


@pytest.mark.parametrize("method", ["pchip", "akima"])
@pytest.mark.parametrize("seed", range(10))
def test_both_deltas_are_those_of_the_bjontegaard_package(seed, method):
    anchor, test = curves(seed)
    given = (*zip(*anchor, strict=True), *zip(*test, strict=True))
    arrays = [np.array(values) for values in given]
    options = {"method": method, "require_matching_points": False, "min_overlap": 0}
    for ours, theirs in ((bd_rate_percent, bjontegaard.bd_rate), (bd_quality, bjontegaard.bd_psnr)):
        assert ours(anchor, test, method)[0] == pytest.approx(theirs(*arrays, **options), rel=1e-9)


def test_akima_of_points_on_a_line_is_that_line():
    anchor = [(10**k, 30.0 + k) for k in range(6)]
    test = [(2 * 10**k, 30.0 + k) for k in range(6)]
    assert bd_rate_percent(anchor, test, "akima")[0] == pytest.approx(100)


def test_quality_that_is_better_everywhere_is_that_difference():
    anchor, _ = curves(3)
    better = [(rate, quality + 1.5) for rate, quality in anchor]
    for method in ("pchip", "akima"):
        difference, overlap = bd_quality(anchor, better, method)
        assert difference == pytest.approx(1.5)
        assert overlap == pytest.approx(100)


def test_swapping_the_curves_inverts_both_deltas():
    anchor, test = curves(5)
    forth, back = bd_rate_percent(anchor, test)[0], bd_rate_percent(test, anchor)[0]
    assert (1 + forth / 100) * (1 + back / 100) == pytest.approx(1)
    assert bd_quality(anchor, test)[0] == pytest.approx(-bd_quality(test, anchor)[0])


def test_frozen_value():
    anchor = [(0.25, 30.0), (0.5, 33.0), (1.0, 36.5), (2.0, 41.0)]
    test = [(0.2, 30.5), (0.4, 33.4), (0.8, 37.0), (1.7, 41.2)]
    difference, overlap = bd_rate_percent(anchor, test)
    assert difference == pytest.approx(-25.6955720, abs=1e-6)
    assert overlap == pytest.approx(100 * 10.5 / 10.7)


def test_curves_without_common_quality_are_refused():
    low = [(r, 20.0 + r) for r in range(1, 5)]
    high = [(r, 40.0 + r) for r in range(1, 5)]
    with pytest.raises(BadInput, match="no quality in common"):
        bd_rate_percent(low, high)
    cheap = [(r, 20.0 + r) for r in range(1, 5)]
    dear = [(100.0 * r, 20.0 + r) for r in range(1, 5)]
    with pytest.raises(BadInput, match="no log rate in common"):
        bd_quality(cheap, dear)


def test_too_few_points_and_falling_quality_are_refused():
    good = [(r, 30.0 + r) for r in range(1, 5)]
    with pytest.raises(BadInput, match="at least 4"):
        bd_rate_percent(good[:3], good)
    with pytest.raises(BadInput, match="does not rise"):
        bd_rate_percent(good, [(1, 30), (2, 31), (3, 30.5), (4, 33)])
    for bad in ((0, 29), (-1, 29), (0.5, -np.inf), (np.nan, 29)):
        with pytest.raises(BadInput, match=r"finite ones with rates above 0"):
            bd_rate_percent(good, [bad, *good])
    with pytest.raises(BadOption, match="'cubic', expected one of pchip, akima"):
        bd_rate_percent(good, good, "cubic")


def test_curves_measured_at_other_settings_have_no_mean():
    with pytest.raises(BadInput, match=r"\[1, 2\] points.*same settings"):
        mean_curve([[(1, 30)], [(1, 30), (2, 33)]])


def test_a_mean_curve_is_the_mean_of_rates_and_qualities():
    assert mean_curve([[(1, 30), (2, 34)], [(3, 32), (6, 35)]]) == [(2, 31), (4, 34.5)]


def test_the_bootstrap_gives_the_normal_interval_of_many_values():
    values = np.random.default_rng(0).normal(3, 2, 2000)
    low, high = bootstrap_interval(values.tolist(), resamples=2000)
    half = 1.96 * values.std() / np.sqrt(2000)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.01)
    narrow = bootstrap_interval(values.tolist(), confidence=0.5, resamples=2000)
    assert low < narrow[0] < narrow[1] < high


def test_one_value_has_no_interval():
    assert bootstrap_interval([7.0]) == (None, None)
    for values, options in (
        ([], {}),
        ([np.nan], {}),
        ([1.0], {"confidence": 1}),
        ([1.0], {"resamples": 0}),
    ):
        with pytest.raises(BadInput, match="expected"):
            bootstrap_interval(values, **options)


@pytest.mark.parametrize(
    "curve", [5, None, "abcd", ["ab", "cd"], [1, 2, 3, 4], [("1", "30")] * 4, [(1, 2, 3)] * 4]
)
def test_what_is_no_curve_is_refused_with_what_one_is(curve):
    good = [(r, 30.0 + r) for r in range(1, 5)]
    for function in (bd_rate_percent, bd_quality):
        with pytest.raises(BadInput, match=r"expected a list of \(rate, quality\) pairs"):
            function(curve, good)
        with pytest.raises(BadInput, match="pairs of numbers"):
            function(good, curve)
    with pytest.raises(BadInput, match="pairs of numbers"):
        rising(curve)


@pytest.mark.parametrize("curves", [5, None, ["ab"], [[1, 2]], [[(1, "x")]], [[(1, 2, 3)]]])
def test_what_has_no_mean_curve_is_refused(curves):
    with pytest.raises(BadInput, match="expected"):
        mean_curve(curves)


def test_odd_arguments_are_refused_by_name():
    good = [(r, 30.0 + r) for r in range(1, 5)]
    for method in (5, None, ["pchip"]):
        with pytest.raises(BadOption, match="expected one of pchip, akima"):
            bd_rate_percent(good, good, method)
    for values in (5, None, "ab", ["a"], [[1.0]]):
        with pytest.raises(BadInput, match="expected a list of finite numbers"):
            bootstrap_interval(values)
    for options in ({"confidence": "a"}, {"resamples": 1.5}, {"seed": -1}, {"seed": None}):
        with pytest.raises(BadInput, match="expected a confidence"):
            bootstrap_interval([1.0, 2.0], **options)
