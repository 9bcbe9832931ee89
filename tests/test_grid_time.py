"""Positions in time: sounds at every rate, videos at every pace, parts that equal the whole."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from inrcodec.errors import BadOption
from inrcodec.grid import Axis, Grid

QUICK = settings(max_examples=100, deadline=None)
NTSC = Fraction(30000, 1001)


def test_a_sound_at_its_own_rate_has_its_samples_at_their_centres() -> None:
    grid = Grid.of_sound(8, 44100)
    assert grid.shape == (8,)
    assert grid.t.coords.tolist() == [(2 * i + 1) / 8 - 1 for i in range(8)]
    assert Grid.of_sound(2**40, 48000).t.part(2**40 - 1, 2**40).positions == 2**40 - 0.5


@QUICK
@given(st.integers(1, 10**7), st.integers(1, 200_000), st.integers(1, 200_000))
def test_another_rate_has_the_nearest_number_of_samples_over_the_same_extent(
    frames: int, rate_hz: int, wanted_hz: int
) -> None:
    assume(frames * wanted_hz < 2**30 * rate_hz)  # more is refused, see below
    t = Grid.of_sound(frames, rate_hz, wanted_hz).t
    assert t.count == max(1, round(Fraction(frames, rate_hz) * wanted_hz))
    ends = [Fraction(t.start + i * t.step, t.den) for i in (0, t.count - 1)]
    assert sum(ends) == frames
    assert ends[0] == Fraction(frames, 2 * t.count)


def test_a_time_of_a_sound_is_the_same_samples_as_in_the_whole() -> None:
    whole, part = Grid.of_sound(44100, 44100), Grid.of_sound(44100, 44100, time=(0.25, 0.5))
    assert np.array_equal(part.t.positions, whole.t.positions[11025:22050])
    assert Grid.of_sound(44100, 44100, time=(0.5, None)).shape == (22050,)
    assert Grid.of_sound(44100, 44100, time=(None, 0.5)).shape == (22050,)
    assert Grid.of_sound(44100, 44100, 8000, (0.25, 0.5)).shape == (2000,)


@QUICK
@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 1000))
def test_segments_take_up_every_position_once_and_in_order(
    frames: int, count: int, length: int
) -> None:
    axis = Axis.over(frames, Fraction(0), Fraction(frames), count)
    cut = frames * 3 // 7
    first = axis.first_at(cut)
    exact = [Fraction(axis.start + i * axis.step, axis.den) for i in (first - 1, first)]
    assert first == 0 or exact[0] < cut
    assert first == count or exact[1] >= cut
    if first < count:
        local = axis.part(first, count).within(cut, frames - cut)
        start = Fraction(local.start, local.den)
        assert start == exact[1] - cut
        assert 0 <= start < frames - cut


def test_a_video_at_its_own_pace_has_all_its_frames() -> None:
    grid = Grid.of_video(12, 4, 6, NTSC, scale=2)
    assert grid.shape == (12, 8, 12)
    assert grid.t.positions.tolist() == [i + 0.5 for i in range(12)]
    assert grid.y == Grid.of(4, 6, scale=2).y and grid.x == Grid.of(4, 6, scale=2).x


def test_twice_the_frames_lie_between_them() -> None:
    assert Grid.of_video(4, 1, 1, Fraction(25), fps=50).t.positions.tolist() == [
        0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75,
    ]  # fmt: skip


def test_half_the_frames_are_means_of_two() -> None:
    t = Grid.of_video(8, 1, 1, Fraction(50), fps=25).t
    assert (t.count, t.oversampling) == (4, 2)
    assert t.refined().positions.tolist() == [i + 0.5 for i in range(8)]


@pytest.mark.parametrize(
    ("time", "frames"),
    [
        ((0, 0.4), range(10)),
        ((0.04, 0.12), range(1, 3)),
        ((0.05, 0.12), range(2, 3)),
        ((0.3, None), range(8, 10)),
        ((None, 0.001), range(1)),
        ((Fraction(1, 25), Fraction(2, 25)), range(1, 2)),
        ((0.2, 0.41), range(5, 10)),
    ],
)
def test_a_time_of_a_video_is_the_frames_that_come_up_in_it(time, frames) -> None:
    t = Grid.of_video(10, 1, 1, Fraction(25), time=time).t
    assert t.positions.tolist() == [i + 0.5 for i in frames]


def test_a_grid_on_another_axis_covers_the_same_extent() -> None:
    whole = Grid.of(5, 7, scale=2).x
    assert whole.on(4, 8) == Axis.over(4, Fraction(0), Fraction(4), 8)
    part = Grid.of(8, 8, region=(2, 2, 4, 4)).x.on(4, 2)
    assert part.positions.tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"wanted_hz": 0}, "rate_hz is 0"),
        ({"wanted_hz": 44100.5}, "whole number"),
        ({"wanted_hz": "x"}, "whole number"),
        ({"wanted_hz": 2**31}, "whole number"),
        ({"time": (0.5, 0.5)}, "does not lie inside the sound of 1 seconds"),
        ({"time": (0.6, 0.5)}, "does not lie inside"),
        ({"time": (-1, 0.5)}, "does not lie inside"),
        ({"time": (0, 1.1)}, "does not lie inside"),
        ({"time": (0, 0.0001)}, "no sample of the sound lies from 0 to 0.0001 seconds"),
        ({"time": (0, float("nan"))}, "two numbers"),
        ({"time": (Fraction(10**400), None)}, "two numbers"),
        ({"time": (0,)}, "two numbers"),
        ({"time": 3}, "two numbers"),
        ({"time": "ab"}, "two numbers"),
    ],
)
def test_senseless_sounds_are_refused(asked, words) -> None:
    with pytest.raises(BadOption, match=words):
        Grid.of_sound(1000, 1000, **asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"fps": 0}, "fps is 0"),
        ({"fps": float("inf")}, "fps is inf"),
        ({"fps": "fast"}, "fps is 'fast'"),
        ({"fps": Fraction(10**400)}, "expected a positive number up to a million"),
        ({"fps": Fraction(1, 10**12)}, "expected a positive number up to a million"),
        ({"time": (0.01, 0.02)}, "no frame of the video comes up"),
        ({"time": (0, 1)}, "does not lie inside the video of 0.4 seconds"),
        ({"scale": 0}, "scale is 0"),
    ],
)
def test_senseless_videos_are_refused(asked, words) -> None:
    with pytest.raises(BadOption, match=words):
        Grid.of_video(10, 4, 4, Fraction(25), **asked)


def test_positions_that_64_bits_cannot_hold_are_refused() -> None:
    with pytest.raises(BadOption, match="too many for exact positions"):
        Grid.of_sound(2**40 + 1, 44100, 44101)
    with pytest.raises(BadOption, match="too many for exact positions"):
        Grid.of_video(2**40 + 1, 1, 1, Fraction(25), fps=24)


def test_positions_in_the_longest_sounds_are_correctly_rounded_in_parts_as_in_the_whole() -> None:
    frames = 2**29 - 1001
    whole = Axis.over(frames, Fraction(0), Fraction(frames), 2**29 - 1)
    assert (whole.step * whole.count).bit_length() > 53
    for part in (whole.part(0, 5000), whole.part(whole.count - 5000, whole.count)):
        exact = [float(Fraction(numerator, part.den)) for numerator in part.numerators.tolist()]
        assert part.positions.tolist() == exact
