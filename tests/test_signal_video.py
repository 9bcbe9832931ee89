"""VideoSignal: planes, times and colour that fit together, and the RGB that they show."""

from fractions import Fraction

import numpy as np
import pytest

from inrcodec.errors import BadInput
from inrcodec.signal import Colour, VideoSignal, video_signal
from inrcodec.signal.frames import rgb_planes

Y = np.zeros((2, 3, 5), np.uint8)
C = np.zeros((2, 2, 3), np.uint8)


def test_chroma_of_odd_sizes_is_rounded_up() -> None:
    video = VideoSignal((Y, C, C), 25)
    assert (video.frames, video.height, video.width) == (2, 3, 5)
    assert "2 frames of 5x3 at 25 fps, 4:2:0, 8 bit" in repr(video)


@pytest.mark.parametrize(
    ("planes", "rest", "match"),
    [
        ((Y,), {}, "there are 1 planes, expected 3"),
        ((Y, C, C[:, :1]), {}, r"plane Cr has shape \(2, 1, 3\), expected \(2, 2, 3\)"),
        ((Y, C[:1], C), {}, "plane Cb has shape"),
        ((Y, C, C), {"subsampling": "4:4:4"}, "plane Cb has shape"),
        ((Y, C, C), {"subsampling": "4:2:1"}, "subsampling is '4:2:1'"),
        ((Y, C, C.astype(np.uint16)), {}, "plane Cr is uint16, expected uint8"),
        ((Y, C, C), {"bit_depth": 10}, "plane Y is uint8, expected uint16"),
        ((Y, C, C), {"bit_depth": 7}, "bit_depth is 7"),
        ((Y[:0], C[:0], C[:0]), {}, "at least one pixel"),
        ((Y, C, C), {"rate": 0}, "rate is 0"),
        ((Y, C, C), {"rate": float("nan")}, "rate is"),
        ((Y, C, C), {"ticks": np.array([0])}, "one entry for each"),
        ((Y, C, C), {"ticks": np.array([3, 3])}, "do not increase"),
        ((Y, C, C), {"ticks": np.array([-1, 3])}, "do not increase"),
        ((Y, C, C), {"time_base": -1}, "time_base is -1"),
        ((Y, C, C), {"pixel_aspect": 0}, "pixel_aspect is 0"),
        ((Y, C, C), {"metadata": {"icc": "text"}}, "metadata"),
    ],
)
def test_what_does_not_fit_together_is_refused(planes: tuple, rest: dict, match: str) -> None:
    with pytest.raises(BadInput, match=match):
        VideoSignal(planes, **({"rate": 25} | rest))


def test_samples_above_the_depth_are_refused() -> None:
    with pytest.raises(BadInput, match="largest sample of plane Y is 1024, above 1023"):
        VideoSignal((np.full((1, 2, 2), 1024, np.uint16),), 25, 10, "4:0:0")


def test_times_are_exact() -> None:
    steady = VideoSignal((Y, C, C), Fraction(30000, 1001))
    assert steady.is_constant_rate
    assert steady.times_seconds == [0, Fraction(1001, 30000)]
    assert steady.duration_seconds == Fraction(2002, 30000)
    uneven = VideoSignal((Y, C, C), 25, ticks=np.array([10, 13]), time_base=Fraction(1, 90))
    assert not uneven.is_constant_rate
    assert uneven.times_seconds == [Fraction(10, 90), Fraction(13, 90)]
    assert uneven.part(1, 2).times_seconds == [Fraction(13, 90)]


@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("bit_depth", [8, 10])
def test_rgb_comes_back_within_rounding(matrix: int, full_range: bool, bit_depth: int) -> None:
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    rgb = np.random.default_rng(0).integers(0, 1 << bit_depth, (2, 9, 7, 3), dtype)
    colour = Colour(matrix, full_range=full_range)
    video = VideoSignal(rgb_planes(rgb, bit_depth, "4:4:4", colour), 25, bit_depth, "4:4:4", colour)
    assert np.abs(video.rgb().astype(int) - rgb).max() <= (1 if full_range else 2)
    assert np.array_equal(video.rgb(1, 2)[0], video.rgb()[1])


@pytest.mark.parametrize(
    ("full_range", "white", "black"), [(False, (235, 128, 128), 16), (True, (255, 128, 128), 0)]
)
def test_white_and_black_have_the_levels_of_their_range(full_range, white, black) -> None:
    rgb = np.array([[[[255] * 3, [0] * 3]]], np.uint8)
    planes = video_signal(rgb, 25, full_range=full_range).planes
    assert tuple(int(plane[0, 0, 0]) for plane in planes) == white
    assert planes[0][0, 0, 1] == black


@pytest.mark.parametrize("location", ["left", "center"])
def test_halved_chroma_lies_where_it_is_said_to(location: str) -> None:
    y, x = np.mgrid[:20, :31]
    ramp = np.stack([4 * x, 6 * y, 120 - 3 * x], axis=2).astype(np.uint8)[None]
    colour = Colour(1, chroma_location=location)
    video = VideoSignal(rgb_planes(ramp, 8, "4:2:0", colour), 25, colour=colour)
    # A chroma plane shifted by half a pixel would be off by 4 levels and more.
    inside = (video.rgb().astype(int) - ramp)[0, 2:-2, 2:-2]
    assert np.abs(inside).max() <= 2
    assert abs(inside.mean()) < 0.2


def test_grey_frames_are_kept_as_they_are() -> None:
    grey = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10
    for array in (grey, grey[..., None]):
        video = video_signal(array, 25)
        assert video.subsampling == "4:0:0"
        assert np.array_equal(video.planes[0], grey)
        assert np.array_equal(video.rgb(), np.repeat(grey[..., None], 3, axis=3))


def test_an_unknown_matrix_is_that_of_the_size() -> None:
    planes = [np.full((1, 2, 2), value, np.uint8) for value in (100, 90, 180)]
    small = VideoSignal(planes, 25, subsampling="4:4:4")
    named = VideoSignal(planes, 25, subsampling="4:4:4", colour=Colour(6))
    assert np.array_equal(small.rgb(), named.rgb())
    with pytest.raises(BadInput, match="H.273 number 14"):
        VideoSignal(planes, 25, subsampling="4:4:4", colour=Colour(14)).rgb()


@pytest.mark.parametrize("rest", [{"chroma_location": "right"}, {"matrix": 256}, {"transfer": "x"}])
def test_colours_without_a_name_are_refused(rest: dict) -> None:
    with pytest.raises(BadInput, match=next(iter(rest))):
        Colour(**rest)


def test_arrays_become_signals_with_their_times() -> None:
    array = np.zeros((3, 4, 4, 3))
    video = video_signal(array, 29.97, times_seconds=[0, Fraction(1, 30), 0.25])
    assert video.rate == Fraction(2997, 100)
    assert video.times_seconds == [0, Fraction(1, 30), Fraction(1, 4)]
    assert video_signal(array, 25, subsampling="4:2:0").planes[1].shape == (3, 2, 2)
    assert video_signal(array, 25, 10).bit_depth == 10


@pytest.mark.parametrize(
    ("array", "rest", "match"),
    [
        (np.full((1, 2, 2, 3), np.nan), {}, "12 NaN"),
        (np.full((1, 2, 2, 3), 1.5), {}, "expected .0, 1."),
        (np.zeros((1, 2, 2, 3), np.int32), {}, "the array is int32"),
        (np.full((1, 2, 2, 3), 1024, np.uint16), {"bit_depth": 10}, "above 1023"),
        (np.zeros((1, 2, 2, 4), np.uint8), {}, "shape"),
        (np.zeros((2, 2), np.uint8), {}, "shape"),
        (np.zeros((0, 2, 2), np.uint8), {}, "shape"),
        (np.zeros((1, 2, 2), np.uint8), {"rate": -1}, "rate is -1"),
        (np.zeros((1, 2, 2, 3), np.uint8), {"subsampling": "4:2:2"}, "subsampling"),
        (np.zeros((2, 2, 2), np.uint8), {"times_seconds": [0, "x"]}, "times_seconds"),
        (np.zeros((2, 2, 2), np.uint8), {"times_seconds": [0, 3.14159265358979]}, "time base"),
        (np.zeros((2, 2, 2), np.uint8), {"times_seconds": [0]}, "one entry for each"),
    ],
)
def test_arrays_that_are_no_video_are_refused(array: np.ndarray, rest: dict, match: str) -> None:
    with pytest.raises(BadInput, match=match):
        video_signal(array, **({"rate": 25} | rest))
