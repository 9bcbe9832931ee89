import math
import re

import av.filter
import numpy as np
import pytest

from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.metrics.ffmpeg import LOG, filter_log
from inrcodec.evaluate.metrics.structure import ssim
from inrcodec.evaluate.metrics.video import (
    video_psnr,
    video_ssim,
    vmaf,
    vmaf_missing,
)


def clip(subsampling: tuple[int, int] = (2, 2), bit_depth: int = 8, frames: int = 3):
    """Planes of a video of 47 x 63 and the same with errors that grow with time."""
    rng, peak = np.random.default_rng(0), (1 << bit_depth) - 1
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    down, across = subsampling
    shapes = [(47, 63)] + [(-(-47 // down), -(-63 // across))] * 2
    planes = [rng.integers(0, peak + 1, (frames, *s)).astype(dtype) for s in shapes]
    noise = [
        rng.normal(0, peak / 64, p.shape) * (1 + np.arange(frames))[:, None, None] for p in planes
    ]
    noisy = [np.clip(np.rint(p + n), 0, peak) for p, n in zip(planes, noise, strict=True)]
    return planes, [p.astype(dtype) for p in noisy]


@pytest.mark.parametrize("subsampling", [(2, 2), (1, 2), (1, 1)])
@pytest.mark.parametrize("bit_depth", [8, 10, 12])
def test_psnr_of_every_plane_is_that_of_ffmpeg(subsampling, bit_depth):
    reference, decoded = clip(subsampling, bit_depth)
    log = filter_log("psnr", {"stats_file": LOG}, reference, decoded, bit_depth)
    expected = [
        [float(value) for value in re.findall(rf"psnr_{plane}:(\S+)", log)] for plane in "yuv"
    ]
    found = video_psnr(reference, decoded, (1 << bit_depth) - 1)
    assert np.array([found.y_db, found.u_db, found.v_db]) == pytest.approx(
        np.array(expected),
        abs=0.00501,  # FFmpeg prints two decimals
    )


def test_the_filters_of_ffmpeg_get_the_reconstruction_first():
    reference, decoded = clip()
    decoded[0][1] = reference[0][1]
    log = filter_log("psnr", {"stats_file": LOG}, reference, decoded, 8)
    assert re.findall(r"n:(\d) .*psnr_y:inf", log) == ["2"]


def test_ssim_of_luma_is_that_of_its_frames():
    reference, decoded = clip()
    found = video_ssim(reference, decoded)
    assert found.tolist() == [ssim(a, b) for a, b in zip(reference[0], decoded[0], strict=True)]
    assert found[0] > found[1] > found[2]


def test_yuv_is_six_parts_luma_and_the_two_means_differ():
    found = video_psnr(*clip())
    assert found.yuv_db == pytest.approx((6 * found.y_db + found.u_db + found.v_db) / 8)
    mean, whole = found.mean_of_psnr_db(), found.psnr_of_mean_mse_db()
    assert mean["yuv"] == pytest.approx(found.yuv_db.mean())
    assert whole["y"] == pytest.approx(-10 * math.log10(np.mean(10 ** (-found.y_db / 10))))
    assert all(whole[name] < mean[name] for name in ("y", "u", "v", "yuv"))


def test_one_exact_frame_makes_the_mean_of_psnr_infinite_only():
    reference, decoded = clip()
    for a, b in zip(reference, decoded, strict=True):
        b[0] = a[0]
    found = video_psnr(reference, decoded)
    assert found.mean_of_psnr_db()["yuv"] == math.inf
    assert math.isfinite(found.psnr_of_mean_mse_db()["yuv"])


def test_grey_video_has_luma_alone():
    reference, decoded = clip()
    found = video_psnr(reference[:1], decoded[:1])
    assert found.y_db.tolist() == video_psnr(reference, decoded).y_db.tolist()
    assert np.isnan(found.yuv_db).all()


def test_vmaf_runs_where_ffmpeg_has_it_and_says_so_where_not():
    reference, decoded = clip(frames=2)
    if "libvmaf" in av.filter.filters_available:
        found = vmaf(reference, decoded)
        assert found.shape == (2,)
        assert ((found >= 0) & (found <= 100)).all()
        assert vmaf_missing() is None
    else:
        assert "no libvmaf" in vmaf_missing()
        with pytest.raises(BadOption, match="no libvmaf filter; install"):
            vmaf(reference, decoded)


def test_videos_that_do_not_fit_are_refused():
    reference, decoded = clip()
    for metric in (video_psnr, video_ssim):
        with pytest.raises(BadInput, match=r"\(3, 47, 63\).*\(2, 47, 63\).*frame rate"):
            metric(reference, [plane[:2] for plane in decoded])
        with pytest.raises(BadInput, match="expected Y, U and V"):
            metric(reference[:2], decoded[:2])
        with pytest.raises(BadInput, match="as many frames"):
            metric([reference[0][:2], *reference[1:]], decoded)
        with pytest.raises(BadInput, match="no frame"):
            metric([plane[:0] for plane in reference], decoded)
    with pytest.raises(BadInput, match="bit depth is 9"):
        filter_log("psnr", {}, reference, decoded, 9)
    odd = [reference[0], reference[1][:, :5], reference[2][:, :5]]
    with pytest.raises(BadInput, match="4:2:0, 4:2:2 or 4:4:4"):
        filter_log("psnr", {}, odd, odd, 8)
