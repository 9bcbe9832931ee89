import math

import numpy as np
import pytest

from inrcodec.evaluate.metrics import mse, psnr_db


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
