import math

import numpy as np
import pytest
import skimage.metrics

from inrcodec.errors import BadInput
from inrcodec.evaluate.metrics import mse, psnr_db
from inrcodec.evaluate.metrics.pixel import (
    channel_psnr_db,
    mean_of_psnr_db,
    psnr_of_mean_mse_db,
    rgb_to_ycbcr,
    yuv_psnr_db,
)


def test_psnr_of_a_constant_error_of_one_level():
    original = np.full((8, 8, 3), 100, np.uint8)
    assert psnr_db(original, original + np.uint8(1)) == pytest.approx(20 * math.log10(255))


def test_unsigned_differences_do_not_wrap():
    assert mse(np.array([0], np.uint8), np.array([255], np.uint8)) == 1.0


def test_equal_images_have_infinite_psnr():
    assert psnr_db(np.zeros(3, np.uint8), np.zeros(3, np.uint8)) == math.inf


def test_peak_scales_sixteen_bits():
    original = np.zeros((4, 4, 1), np.uint16)
    assert mse(original, original + np.uint16(65535), peak=65535) == 1.0


@pytest.mark.parametrize("peak", [255, 1023, 65535])
def test_psnr_is_that_of_scikit_image(pictures, peak):
    a, b = pictures((20, 30, 3), peak=peak)
    expected = skimage.metrics.peak_signal_noise_ratio(a, b, data_range=peak)
    assert psnr_db(a, b, peak) == pytest.approx(expected, abs=1e-12)


def test_psnr_is_symmetric(pictures):
    a, b = pictures((16, 16, 3))
    assert psnr_db(a, b) == psnr_db(b, a)
    assert yuv_psnr_db(a, b) == yuv_psnr_db(b, a)


def test_channels_are_measured_apart(pictures):
    a, b = pictures((16, 16, 3))
    b[..., 1] = a[..., 1]
    red, green, blue = channel_psnr_db(a, b)
    assert green == math.inf
    assert red == psnr_db(a[..., 0], b[..., 0])
    assert blue == psnr_db(a[..., 2], b[..., 2])


def test_an_error_in_grey_is_an_error_in_luma_alone():
    a = np.full((8, 8, 3), 77, np.uint8)
    for matrix in ("bt601", "bt709"):
        y, u, v, yuv = yuv_psnr_db(a, a + np.uint8(2), matrix=matrix)
        assert y == pytest.approx(20 * math.log10(255 / 2))
        assert (u, v, yuv) == (math.inf, math.inf, math.inf)


def test_the_bt601_matrix_is_that_of_jpeg():
    # ITU-T T.871 (JFIF), section 7, without the offset of chroma.
    red, green, blue = 200, 30, 120
    y, cb, cr = rgb_to_ycbcr(np.array([[[red, green, blue]]], np.uint8))
    assert y.item() == pytest.approx(0.299 * red + 0.587 * green + 0.114 * blue)
    assert cb.item() == pytest.approx(-0.16873589 * red - 0.33126411 * green + 0.5 * blue, abs=1e-5)
    assert cr.item() == pytest.approx(0.5 * red - 0.41868759 * green - 0.08131241 * blue, abs=1e-5)


def test_the_bt709_matrix_spans_the_whole_range():
    colours = np.array([[255, 255, 255], [0, 0, 255], [255, 0, 0]], np.uint8)
    y, cb, cr = rgb_to_ycbcr(colours, "bt709")
    assert y == pytest.approx([255, 0.0722 * 255, 0.2126 * 255])
    assert (cb[0], cb[1], cr[0], cr[2]) == pytest.approx((0, 127.5, 0, 127.5))


def test_yuv_is_six_parts_luma(pictures):
    y, u, v, yuv = yuv_psnr_db(*pictures((16, 16, 3)))
    assert yuv == pytest.approx((6 * y + u + v) / 8)


def test_the_two_means_over_pictures_are_told_apart():
    errors = [1e-4, 1e-2]
    assert mean_of_psnr_db(errors) == pytest.approx(30)
    assert psnr_of_mean_mse_db(errors) == pytest.approx(-10 * math.log10(5.05e-3))
    assert psnr_of_mean_mse_db([1e-3] * 5) == pytest.approx(mean_of_psnr_db([1e-3] * 5))
    for mean in (mean_of_psnr_db, psnr_of_mean_mse_db):
        with pytest.raises(BadInput, match="no picture"):
            mean([])


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (np.zeros((4, 5, 3), np.uint8), np.zeros((5, 4, 3), np.uint8), r"\(4, 5, 3\).*\(5, 4, 3\)"),
        (np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5, 3)), "float64, expected integers"),
        (np.zeros((4, 5, 3), np.uint16), np.full((4, 5, 3), 300, np.uint16), "pass the value of"),
        (np.zeros((0, 5, 3), np.uint8), np.zeros((0, 5, 3), np.uint8), "at least one sample"),
        (np.array(["a"]), np.array(["b"]), "expected integers"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_what_to_do(a, b, words):
    with pytest.raises(BadInput, match=words):
        psnr_db(a, b)


def test_planes_that_are_not_asked_for_are_refused():
    grey = np.zeros((4, 4, 1), np.uint8)
    with pytest.raises(BadInput, match="1 channels, expected 3"):
        yuv_psnr_db(grey, grey)
    with pytest.raises(BadInput, match="height, width, channels"):
        channel_psnr_db(grey[..., 0], grey[..., 0])
    colours = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(BadInput, match="bt2020"):
        yuv_psnr_db(colours, colours, matrix="bt2020")
