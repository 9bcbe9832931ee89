"""Plots by themselves: axes, curves that stay inside them, names that do not cover each other."""

from __future__ import annotations

import io
import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inrcodec.evaluate.report.chart import PUBLISHED, Chart, Series, draw, look
from inrcodec.evaluate.report.drawing import COLOURS, MARKERS, Line, Mark, Text, outline, text_width
from inrcodec.evaluate.report.geometry import clipped
from inrcodec.evaluate.report.pictures import most_detailed
from inrcodec.evaluate.report.raster import PNG_SCALE, dashes, png_file
from inrcodec.evaluate.report.svg import svg_file
from inrcodec.evaluate.report.ticks import plain, scale_of

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=9), st.integers(3, 9))
def test_a_linear_axis_holds_its_values_and_has_a_few_even_ticks(values, wanted):
    scale = scale_of(values, wanted=wanted)
    assert scale.low <= min(values) <= max(values) <= scale.high
    assert 2 <= len(scale.ticks) <= 2 * wanted
    assert all(scale.low <= tick + 1e-9 * abs(tick) for tick in scale.ticks)
    steps = np.diff(scale.ticks)
    assert np.allclose(steps, steps[0])


@settings(deadline=None)
@given(st.lists(st.floats(1e-4, 1e6), min_size=1, max_size=9), st.integers(3, 9))
def test_a_logarithmic_axis_holds_its_values_and_has_a_few_ticks(values, wanted):
    scale = scale_of(values, is_log=True, wanted=wanted)
    assert scale.low <= min(values) <= max(values) <= scale.high
    assert 2 <= len(scale.ticks) <= 2 * wanted + 4
    assert all(0 <= scale.place(tick) <= 1.0001 for tick in scale.ticks)


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=9))
def test_ticks_of_an_axis_say_different_numbers(values):
    labels = scale_of(values).labels()
    assert len(set(labels)) == len(labels)


def test_ticks_are_the_numbers_that_people_expect():
    assert scale_of([26, 41], wanted=5).labels() == ["30", "35", "40"]
    assert scale_of([0.06, 2.4], is_log=True, wanted=6).labels() == ["0.1", "0.2", "0.5", "1", "2"]
    assert scale_of([-62, 0], wanted=6).labels()[0] == "−60"
    assert plain(-0.0) == "0"


def test_an_axis_without_numbers_is_drawn_all_the_same():
    assert "<svg" in svg_file(draw(Chart("empty", "x", "y"), 300, 200))
    assert "<svg" in svg_file(draw(Chart("empty", "x", "y", x_log=True), 300, 200))


def test_the_first_fifty_codecs_look_different_without_colour_too():
    looks = [look(i) for i in range(56)]
    assert len({(one.colour, one.marker, one.dash) for one in looks}) == 56
    assert len({(one.marker, one.dash) for one in looks[:8]}) == 8


def contrast(first: str, second: str) -> float:
    """Ratio of luminances as WCAG 2 has it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_readable_on_paper_and_on_dark_screens(dark):
    paper = COLOURS["paper"][dark]
    assert contrast(COLOURS["ink"][dark], paper) > 10
    assert contrast(COLOURS["muted"][dark], paper) > 4.5
    for i in range(7):
        assert contrast(COLOURS[f"c{i}"][dark], paper) > 2


def test_markers_cover_about_the_same_area():
    areas = []
    for shape in MARKERS[1:]:
        x, y = np.array(outline(Mark((0, 0), shape, "ink", 10))).T
        areas.append(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)
    assert all(0.5 < area / (math.pi * 100) < 1.3 for area in areas), areas


def test_a_curve_that_leaves_the_axes_is_cut_at_them():
    box = (0, 0, 10, 10)
    assert clipped([(-5, 5), (5, 5)], box) == [[(0, 5), (5, 5)]]
    assert clipped([(5, 5), (5, 15), (8, 15), (8, 5)], box) == [
        [(5, 5), (5, 10)],
        [(8, 10), (8, 5)],
    ]
    assert clipped([(-5, -5), (-1, 20)], box) == []
    assert clipped([(1, 1), (math.inf, 1)], box) == []


def test_curves_of_others_do_not_stretch_the_axes():
    ours = Series("ours", [(0.1, 30), (1, 40)], look(0))
    theirs = Series("theirs", [(0.01, 25), (5, 60)], PUBLISHED, background=True)
    alone = draw(Chart("t", "x", "y", [ours]), 400, 300)
    both = draw(Chart("t", "x", "y", [theirs, ours]), 400, 300)
    ticks = [
        [i.text for i in d.items if isinstance(i, Text) and i.anchor != "start"]
        for d in (alone, both)
    ]
    assert ticks[0] == ticks[1]
    names = [item.text for item in both.items if isinstance(item, Text)]
    assert "theirs" in names
    lines = [item for item in both.items if isinstance(item, Line) and item.curve == "theirs"]
    assert all(0 <= x <= 400 and 0 <= y <= 300 for line in lines for x, y in line.points)


@pytest.mark.parametrize("width", [300.0, 358.0, 620.0])
def test_names_in_a_legend_do_not_overlap_and_stay_inside(width):
    series = [Series(f"codec {i} " + "x" * i, [(1, i), (2, i + 1)], look(i)) for i in range(12)]
    check_texts_apart(draw(Chart("t", "Rate (bpp)", "PSNR (dB)", series), width, 300))


def test_names_at_points_do_not_overlap():
    series = [
        Series(f"codec {i}", [(10 ** (i % 3), -10.0 * (i // 3))], look(i), joined=False)
        for i in range(9)
    ]
    chart = Chart("t", "Seconds", "BD", series, x_log=True, labelled=True, y_zero_line=True)
    for width in (358.0, 620.0):
        check_texts_apart(draw(chart, width, 310))


def check_texts_apart(drawing):
    boxes = []
    for item in drawing.items:
        if isinstance(item, Text):
            wide = text_width(item.text, item.size, item.bold)
            left = item.at[0] - {"start": 0, "middle": wide / 2, "end": wide}[item.anchor]
            boxes.append((item.text, left, left + wide, item.at[1] - 0.7 * item.size, item.at[1]))
            assert left >= -0.5 and left + wide <= drawing.width + 0.5, item
            assert 0 <= item.at[1] <= drawing.height, item
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[1] or b[2] <= a[1] or a[4] <= b[3] or b[4] <= a[3], (a, b)


def test_a_png_has_the_drawing_at_twice_its_size():
    drawing = draw(Chart("t", "x", "y", [Series("a", [(0, 0), (1, 1)], look(0))]), 200, 150)
    image = Image.open(io.BytesIO(png_file(drawing))).convert("RGB")
    assert image.size == (PNG_SCALE * 200, PNG_SCALE * math.ceil(drawing.height))
    colours = {colour for _, colour in image.getcolors(1 << 20)}
    wanted = tuple(int(COLOURS["c0"][0][i : i + 2], 16) for i in (1, 3, 5))
    assert any(
        max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) < 9 for colour in colours
    )


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=2, max_size=5),
    st.sampled_from([[4.0, 2.0], [1.5, 2.0], [7.0, 2.0, 1.5, 2.0]]),
)
def test_dashes_are_as_long_as_their_share_of_the_line(points, lengths):
    def length(line):
        return sum(math.dist(a, b) for a, b in zip(line, line[1:], strict=False))

    drawn = sum(length(piece) for piece in dashes(points, lengths))
    share = sum(lengths[::2]) / sum(lengths)
    assert abs(drawn - share * length(points)) <= sum(lengths)
    assert dashes(points, []) == [points]


def test_the_crop_is_where_the_detail_is():
    picture = np.zeros((60, 90, 3), np.uint8)
    picture[40:50, 70:80] = np.random.default_rng(0).integers(0, 256, (10, 10, 3))
    x, y, width, height = most_detailed(picture, 16)
    assert (width, height) == (16, 16)
    assert x <= 71 and x + 16 >= 79 and y <= 41 and y + 16 >= 49
    assert most_detailed(picture[:10, :12], 16) == (0, 0, 12, 10)
