"""BD-rate: against the reference package where installed, and against cases known by hand."""

import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.evaluate.bd import bd_rate_percent


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


@pytest.mark.parametrize("seed", range(10))
def test_equals_the_bjontegaard_package(seed):
    bjontegaard = pytest.importorskip("bjontegaard")
    anchor, test = curves(seed)
    expected = bjontegaard.bd_rate(
        *map(np.array, zip(*anchor, strict=True)),
        *map(np.array, zip(*test, strict=True)),
        method="pchip",
        require_matching_points=False,
        min_overlap=0,
    )
    assert bd_rate_percent(anchor, test)[0] == pytest.approx(expected, rel=1e-9)


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


def test_too_few_points_and_falling_quality_are_refused():
    good = [(r, 30.0 + r) for r in range(1, 5)]
    with pytest.raises(BadInput, match="at least 4"):
        bd_rate_percent(good[:3], good)
    with pytest.raises(BadInput, match="does not rise"):
        bd_rate_percent(good, [(1, 30), (2, 31), (3, 30.5), (4, 33)])
