import math

import numpy as np
import pytest
import pytorch_msssim
import skimage.metrics
import torch

from inrcodec.errors import BadInput
from inrcodec.evaluate.metrics.structure import ms_ssim, ms_ssim_db, ssim


def as_batch(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float64))


def window(channels: int) -> torch.Tensor:
    """The window of pytorch-msssim before it rounds it to float32."""
    g = torch.exp(-((torch.arange(11, dtype=torch.float64) - 5) ** 2) / (2 * 1.5**2))
    return (g / g.sum()).repeat(channels, 1, 1, 1)


@pytest.mark.parametrize(
    ("shape", "peak"),
    [((161, 161, 1), 255), ((177, 200, 3), 255), ((210, 163, 3), 1023), ((192, 176, 2), 65535)],
)
def test_both_are_those_of_pytorch_msssim(pictures, shape, peak):
    a, b = pictures(shape, peak=peak)
    x, y = as_batch(a), as_batch(b)
    for ours, theirs in ((ssim, pytorch_msssim.ssim), (ms_ssim, pytorch_msssim.ms_ssim)):
        found = ours(a, b, peak)
        assert 0.5 < found < 0.999
        assert found == pytest.approx(theirs(x, y, data_range=peak).item(), abs=1e-6)
        exact = theirs(x, y, data_range=peak, win=window(shape[2])).item()
        assert found == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("shape", [(11, 40, 3), (64, 48, 1)])
def test_ssim_is_that_of_scikit_image(pictures, shape):
    a, b = pictures(shape)
    expected = skimage.metrics.structural_similarity(
        a,
        b,
        data_range=255,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(a, b) == pytest.approx(expected, abs=1e-10)


def test_equal_pictures_are_exactly_alike(pictures):
    a, _ = pictures((170, 165, 3))
    assert ssim(a, a) == 1
    assert ms_ssim(a, a) == 1
    assert ms_ssim_db(ms_ssim(a, a)) == math.inf


def test_both_are_symmetric_and_fall_with_the_error(pictures):
    a, near = pictures((161, 170, 1), sigma=4)
    _, far = pictures((161, 170, 1), sigma=20)
    for metric in (ssim, ms_ssim):
        assert metric(a, near) == pytest.approx(metric(near, a), abs=1e-14)
        assert metric(a, far) < metric(a, near) < 1


def test_an_inverted_picture_is_unlike(pictures):
    a, _ = pictures((161, 161, 1))
    assert ssim(a, 255 - a) < 0
    assert ms_ssim(a, 255 - a) == 0  # negative terms are cut, as in pytorch-msssim


def test_pictures_too_small_for_the_window_have_none(pictures):
    assert math.isnan(ssim(*pictures((10, 40, 3))))
    assert math.isnan(ms_ssim(*pictures((160, 300, 3))))
    assert math.isfinite(ms_ssim(*pictures((161, 161, 1))))


def test_decibels_are_of_the_distance_from_one():
    assert ms_ssim_db(0.99) == pytest.approx(20)
    assert ms_ssim_db(0.0) == 0
    assert math.isnan(ms_ssim_db(math.nan))


def test_other_shapes_are_refused():
    a = np.zeros((20, 20, 3), np.uint8)
    for metric in (ssim, ms_ssim):
        with pytest.raises(BadInput, match=r"\(20, 20, 3\).*\(20, 21, 3\).*same"):
            metric(a, np.zeros((20, 21, 3), np.uint8))
        with pytest.raises(BadInput, match="height, width, channels"):
            metric(a[None], a[None])
