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


@pytest.mark.parametrize(
    ("length", "count", "k"),
    [(8, 8, 1), (8, 9, 1), (8, 800, 1), (8, 7, 2), (8, 4, 2), (9, 4, 3), (8, 2, 4), (9, 1, 9)],
)
def test_a_sample_has_one_point_per_native_sample_it_covers(
    length: int, count: int, k: int
) -> None:
    axis = Grid.of(1, length, size=(1, count)).x
    assert axis.oversampling == k
    assert axis.refined().count == k * count
    if k == 1:
        assert axis.refined() == axis


def test_points_are_the_centres_of_equal_parts_of_a_cell() -> None:
    axis = Grid.of(1, 10, size=(1, 3)).x.part(1, 2)
    first, width = Fraction(10, 3), Fraction(10, 12)
    expected = [float(first + (2 * j + 1) * width / 2) for j in range(4)]
    assert axis.refined().positions.tolist() == expected


def test_at_half_the_size_the_points_are_the_native_samples() -> None:
    for scale in (1 / 2, 1 / 4, 1 / 8):
        points = Grid.of(16, 32, scale=scale).refined()
        assert points.shape == (16, 32)
        assert np.array_equal(points.x.positions, np.arange(32) + 0.5)
    region = Grid.of(16, 32, scale=0.5, region=(3, 2, 8, 4)).refined()
    assert np.array_equal(region.x.positions, np.arange(3, 11) + 0.5)


@QUICK
@given(st.data())
def test_points_are_correctly_rounded_and_the_same_in_a_part(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 2**20 - 1))
    count = data.draw(st.integers(1, length))
    x = Fraction(data.draw(st.integers(0, 1024 * length - 1)), 1024)
    extent = Fraction(data.draw(st.integers(1, 1024 * length - int(1024 * x))), 1024)
    axis = Axis.over(length, x, extent, count)
    k = axis.oversampling
    assert k == max(1, math.ceil(extent / count))
    begin = data.draw(st.integers(0, count - 1))
    part = axis.part(begin, begin + 1).refined()
    assert part == axis.refined().part(begin * k, (begin + 1) * k)
    assert part.den % 2 == 0
    assert abs(int(part.numerators[-1])) < 2**53
    last = x + (2 * ((begin + 1) * k - 1) + 1) * extent / (2 * count * k)
    assert part.positions[-1] == float(last)
    assert sum(map(Fraction, part.numerators.tolist())) / part.count / part.den == Fraction(
        int(axis.numerators[begin]), axis.den
    )


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
        {"size": (4,)},
        {"size": (4, 4, 4)},
        {"size": 4},
        {"size": "4x4"},
        {"size": ("4", "4")},
        {"size": (4, None)},
        {"size": (10**400, 4)},
        {"scale": "2"},
        {"scale": (2, 2)},
        {"scale": 10**400},
        {"scale": 2j},
        {"region": 5},
        {"region": (0, 0, 4)},
        {"region": (0, 0, 4, 4, 4)},
        {"region": "1,1,2,2"},
        {"region": (0, 0, "4", 4)},
    ],
    ids=str,
)
def test_a_grid_that_makes_no_sense_is_refused(asked: dict) -> None:
    with pytest.raises(BadOption):
        Grid.of(8, 8, **asked)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.uint8, Fraction])
def test_numbers_of_every_type_mean_the_same_grid(kind: type) -> None:
    assert Grid.of(8, 9, scale=kind(2)) == Grid.of(8, 9, scale=2)
    assert Grid.of(8, 9, size=(kind(4), kind(5))) == Grid.of(8, 9, size=(4, 5))
    region = tuple(map(kind, (1, 2, 3, 4)))
    assert Grid.of(8, 9, region=region) == Grid.of(8, 9, region=(1, 2, 3, 4))
    assert Grid.of(8, 9, size=np.array([4, 5])) == Grid.of(8, 9, size=(4, 5))


def test_huge_outputs_cost_nothing_until_they_are_rendered() -> None:
    grid = Grid.of(1000, 1000, scale=1e6)
    assert grid.shape == (10**9, 10**9)
    assert isinstance(grid.part((0, 5), (10**9 - 3, 10**9)).x, Axis)
