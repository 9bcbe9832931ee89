"""Figures of spectra, also of signals that leave little to draw."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from inrcodec.evaluate.report.chart import Chart, Look, Series, draw, look
from inrcodec.evaluate.report.drawing import Drawing, Mark, Picture, Text, padded, panels
from inrcodec.evaluate.report.raster import PNG_SCALE, png_file
from inrcodec.evaluate.report.spectral_charts import ORIGINAL, Curve, spectrum_chart
from inrcodec.evaluate.report.spectral_figures import (
    NAMES,
    figures_of,
    gradient_figure,
    telling_moments,
)
from inrcodec.evaluate.report.svg import svg_file
from inrcodec.evaluate.report.ticks import plain
from inrcodec.evaluate.spectra.study import study_pair, study_signal
from inrcodec.evaluate.spectra.training import Moment
from inrcodec.evaluate.spectra.view import View
from inrcodec.signal import image_signal


def texts(drawing: Drawing) -> list[str]:
    return [item.text for item in drawing.items if isinstance(item, Text)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (9, 200)])
def test_pictures_of_every_shape_can_be_drawn(shape):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    views = View.of(image_signal(picture)), View.of(image_signal(picture ^ np.uint8(3)))
    for study in (study_signal(views[0]), study_pair(*views), study_pair(views[0], views[0])):
        found = figures_of(study, "a name")
        assert found.keys() <= set(NAMES)
        for drawing in found.values():
            assert svg_file(drawing).startswith("<?xml")
            assert png_file(drawing).startswith(b"\x89PNG")


def test_a_constant_picture_can_be_drawn():
    view = View.of(image_signal(np.full((16, 16), 7, np.uint8)))
    for drawing in figures_of(study_pair(view, view), "flat").values():
        assert png_file(drawing)


def test_where_there_is_nothing_to_show_figures_say_so_and_make_up_no_axes():
    view = View.of(image_signal(np.full((16, 16), 7, np.uint8)))
    for drawing in figures_of(study_pair(view, view), "flat").values():
        if drawing.title != "Gradients":
            assert texts(drawing) == [drawing.title, "nothing to show"]
            assert not [item for item in drawing.items if not isinstance(item, Text)]


def test_legends_name_only_curves_that_can_be_seen():
    seen, absent = Series("seen", [(1, 1.0), (2, 2.0)], look(0)), Series("absent", [], look(1))
    assert "seen" in texts(draw(Chart("t", "x", "y", [seen, absent]), 400, 300))
    assert "absent" not in texts(draw(Chart("t", "x", "y", [seen, absent]), 400, 300))
    below = Series("below", [(1, -3.0)], look(1))
    assert "below" not in texts(draw(Chart("t", "x", "y", [seen, below], y_log=True), 400, 300))


def test_a_line_of_one_point_is_seen():
    line = Look("c0", "", (), 2.4)
    for points, marks in (([(1, 2.0)], 1), ([(1, 2.0), (2, 3.0)], 0)):
        drawing = draw(Chart("t", "x", "y", [Series("", points, line)]), 400, 300)
        assert len([item for item in drawing.items if isinstance(item, Mark)]) == marks


@pytest.mark.parametrize("silent", [False, True])
def test_errors_are_shown_from_the_beginning_to_the_end_also_of_silence(silent):
    qualities = [-math.inf] * 9 if silent else [0, 0.1, 0.2, 5, 10, 20, 21, 22, 40]
    moments = [Moment(k, 1.0, q, None) for k, q in enumerate(qualities)]
    found = telling_moments(moments)
    assert len(found) >= 4
    assert (found[0], found[-1]) == (0, 8)


def test_an_axis_of_values_can_be_logarithmic_and_leaves_zeros_out():
    points = [(1, 1e-9), (10, 1e-3), (100, 1.0)]
    chart = Chart("t", "x", "y", [Series("a", points, look(0))], x_log=True, y_log=True)
    drawing = draw(chart, 400, 300)
    assert {"10⁻⁸", "10⁻⁴", "1"} <= set(texts(drawing))
    assert "logarithmic" in drawing.description
    empty = [Series("a", [(1, 0.0)], look(0), joined=True)]
    assert draw(Chart("t", "x", "y", empty, y_log=True), 400, 300).height > 0


def test_numbers_without_a_readable_form_are_powers_of_ten():
    assert [plain(value) for value in (1e-9, 3e-5, 2e7, -4.25e-7, 0.001, 500.0)] == [
        "10⁻⁹", "3·10⁻⁵", "2·10⁷", "−4.25·10⁻⁷", "0.001", "500",
    ]  # fmt: skip


def test_panels_lie_side_by_side_and_do_not_overlap():
    one = draw(Chart("left", "x", "y", [Series("a", [(0, 0), (1, 1)], look(0))]), 200, 150)
    both = panels([one, one, one], 2, "both", gap=10)
    assert both.width == 2 * 200 + 10
    assert both.height == pytest.approx(2 * one.height + 10)
    titles = [item.at for item in both.items if isinstance(item, Text) and item.text == "left"]
    below = one.height + 10
    assert np.array(titles) == pytest.approx(np.array([(0, 13.2), (210, 13.2), (0, 13.2 + below)]))


def test_a_picture_in_a_drawing_keeps_its_pixels():
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[1, 2] = (255, 0, 128)
    drawing = padded(Drawing(60, 40, "t", items=[Picture((0, 0), 60, 40, pixels, "p")]), 5)
    with Image.open(io.BytesIO(png_file(drawing))) as shown:
        assert shown.size == (70 * PNG_SCALE, 50 * PNG_SCALE)
        assert shown.getpixel((60 * PNG_SCALE, 40 * PNG_SCALE)) == (255, 0, 128)
        assert shown.getpixel((10 * PNG_SCALE, 10 * PNG_SCALE)) == (0, 0, 0)
        assert shown.getpixel((1, 1)) == (255, 255, 255)
    assert 'href="data:image/png;base64,' in svg_file(drawing)


def test_gradients_have_one_scale_and_say_it():
    weak = np.full((20, 30), 0.1)
    drawing = gradient_figure({"Original": weak, "Other": weak / 2})
    shown = [item for item in drawing.items if isinstance(item, Picture)]
    assert [int(item.samples.max()) for item in shown] == [255, 128, 255]
    assert "white: 0.1 of full scale per pixel" in " ".join(texts(drawing))
    large = gradient_figure({"Original": np.ones((3000, 2000))})
    assert max(large.items[1].samples.shape) <= 1024


def test_sound_has_an_axis_in_khz():
    frequency = np.linspace(0.01, 0.49, 20)
    chart = spectrum_chart("t", frequency, [Curve("a", frequency, ORIGINAL)], rate_hz=48_000)
    assert chart.x_label == "Frequency (kHz)"
    assert chart.series[0].points[0][0] == pytest.approx(frequency[1] * 48)
