"""Positions: sample centres at every size, exact, and the same bits in a part as in the whole."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inrcodec.errors import BadOption
from inrcodec.grid import Axis, Grid

QUICK = settings(max_examples=150, deadline=None)


def test_native_positions_are_sample_centres() -> None:
    axis = Grid.of(5, 8).x
    assert axis.positions.tolist() == [i + 0.5 for i in range(8)]
    assert axis.coords.tolist() == [(2 * i + 1) / 8 - 1 for i in range(8)]


@QUICK
@given(
    st.integers(1, 2**20 - 1), st.integers(1, 2**20 - 1), st.integers(0, 10**6), st.integers(1, 5)
)
def test_positions_are_correctly_rounded_at_any_size(
    length: int, count: int, start: int, step: int
) -> None:
    axis = Grid.of(1, length, size=(1, count)).x
    begin = min(start, count - 1)
    part = axis.part(begin, min(count, begin + step))
    exact = [Fraction((2 * i + 1) * length, 2 * count) for i in range(begin, begin + part.count)]
    assert part.positions.tolist() == [float(u) for u in exact]


@QUICK
@given(st.data())
def test_positions_of_regions_are_correctly_rounded(data: st.DataObject) -> None:
    width = data.draw(st.integers(2, 2**20 - 1))
    x = data.draw(st.floats(0, width - 1))
    w = data.draw(st.floats(0.5, width - x - 0.25))
    count = data.draw(st.integers(1, 2**20 - 1))
    axis = Grid.of(1, width, size=(1, count), region=(x, 0, w, 1)).x
    x0, extent = Fraction(round(x * 1024), 1024), Fraction(round(w * 1024), 1024)
    tail = axis.part(count - 1, count)
    exact = x0 + (2 * (count - 1) + 1) * extent / (2 * count)
    assert tail.positions[0] == float(exact)
    assert abs(float(x0) - x) <= 1 / 2048


@pytest.mark.parametrize(
    ("scale", "size"),
    [
        (1, (10, 7)),
        (2, (20, 14)),
        (0.5, (5, 4)),
        (1.37, (14, 10)),
        (0.001, (1, 1)),
        (1 / 3, (3, 2)),
    ],
)
def test_a_scale_gives_the_nearest_size(scale: float, size: tuple[int, int]) -> None:
    assert Grid.of(10, 7, scale=scale).shape == size


def test_every_size_covers_the_same_extent() -> None:
    for count in (1, 2, 3, 7, 100):
        x = Grid.of(9, 9, size=(count, count)).x.positions
        assert x.mean() == pytest.approx(4.5)
        assert x[0] == pytest.approx(9 / count / 2)


def test_a_region_at_a_whole_scale_lies_on_positions_of_the_whole() -> None:
    for scale in (1, 2, 3, 7):
        whole = Grid.of(50, 64, scale=scale).x.positions
        region = Grid.of(50, 64, scale=scale, region=(11, 0, 20, 50)).x.positions
        assert np.array_equal(region, whole[11 * scale : 31 * scale])


def test_only_whole_native_steps_are_native() -> None:
    assert Grid.of(6, 6).x.is_native
    assert Grid.of(6, 6, region=(2, 1, 3, 3)).x.is_native
    assert Grid.of(6, 6).part((1, 3), (2, 5)).x.is_native
    assert not Grid.of(6, 6, scale=2).x.is_native
    assert not Grid.of(6, 6, region=(0.5, 0, 3, 3)).x.is_native


@pytest.mark.parametrize(
    "asked",
    [
        {"size": (4, 4), "scale": 2},
        {"size": (0, 4)},
        {"size": (4, -1)},
        {"size": (4, 4.5)},
        {"size": (math.nan, 4)},
        {"scale": 0},
        {"scale": -1},
        {"scale": math.nan},
        {"scale": math.inf},
        {"region": (0, 0, 0, 5)},
        {"region": (-1, 0, 3, 3)},
        {"region": (0, 0, 9, 3)},
        {"region": (5, 5, 4, 1)},
        {"region": (0, 0, math.nan, 1)},
        {"region": (0, -math.inf, 1, 1)},
        {"region": (0, 0, 1e-5, 1)},
    ],
    ids=str,
)
def test_a_grid_that_makes_no_sense_is_refused(asked: dict) -> None:
    with pytest.raises(BadOption):
        Grid.of(8, 8, **asked)


def test_huge_outputs_cost_nothing_until_they_are_rendered() -> None:
    grid = Grid.of(1000, 1000, scale=1e6)
    assert grid.shape == (10**9, 10**9)
    assert isinstance(grid.part((0, 5), (10**9 - 3, 10**9)).x, Axis)
