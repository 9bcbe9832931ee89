"""Metrics of video, frame by frame, on planes as codecs code them: Y, U, V at their own sizes.

The mean over frames of PSNR-YUV 6:1:1 is what video coding experiments report (Ohm et al., IEEE
TCSVT 22(12), 2012). It is infinite as soon as one frame is exact; `psnr_of_mean_mse_db` is not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inrcodec.errors import BadInput, BadOption
from inrcodec.evaluate.metrics.pixel import mse, psnr_of_mse_db, six_one_one_db
from inrcodec.evaluate.metrics.structure import ssim

Planes = Sequence[np.ndarray]


@dataclass(frozen=True, eq=False)
class VideoPsnr:
    """PSNR of a video in dB, one value per frame.

    Args:
        y_db, u_db, v_db: [frames] of each plane; U and V of grey video are NaN.
        yuv_db: [frames] (6 Y + U + V) / 8; NaN for grey video.
        mean_mse: mean squared error of Y, U, V over all frames, at peak 1; NaN as above.
    """

    y_db: np.ndarray
    u_db: np.ndarray
    v_db: np.ndarray
    yuv_db: np.ndarray
    mean_mse: tuple[float, float, float]

    def mean_of_psnr_db(self) -> dict[str, float]:
        """The mean over frames of each of them: "y", "u", "v", "yuv"."""
        return {name: float(getattr(self, f"{name}_db").mean()) for name in ("y", "u", "v", "yuv")}

    def psnr_of_mean_mse_db(self) -> dict[str, float]:
        """The same of the mean squared errors over all frames; "yuv" weighs the three PSNR."""
        values = [psnr_of_mse_db(error) for error in self.mean_mse]
        return dict(zip(("y", "u", "v", "yuv"), [*values, six_one_one_db(*values)], strict=True))


def video_psnr(reference: Planes, decoded: Planes, peak: int = 255) -> VideoPsnr:
    """The PSNR of each frame of Y, U and V.

    Args:
        reference, decoded: Y, U and V, or Y alone, each [frames, height, width] integers in
            [0, peak]; U and V may be smaller than Y.
        peak: the largest code value, 2**bit_depth - 1, also of limited-range video.

    Raises:
        BadInput: not one or three planes of as many frames, shapes differ, or samples outside
            [0, peak].
    """
    first, second = plane_pair(reference, decoded)
    errors = np.full((3, len(first[0])), np.nan)
    for row, before, after in zip(errors, first, second, strict=False):
        row[:] = [mse(a, b, peak) for a, b in zip(before, after, strict=True)]
    y, u, v = (np.array([psnr_of_mse_db(float(e)) for e in plane]) for plane in errors)
    mean_mse = tuple(float(error) for error in errors.mean(axis=1))
    return VideoPsnr(y, u, v, np.array([*map(six_one_one_db, y, u, v)]), mean_mse)


def video_ssim(reference: Planes, decoded: Planes, peak: int = 255) -> np.ndarray:
    """SSIM of luma, [frames]; NaN where a side is below 11 pixels. Args and errors as above."""
    first, second = plane_pair(reference, decoded)
    return np.array([ssim(a, b, peak) for a, b in zip(first[0], second[0], strict=True)])


def vmaf_missing() -> str | None:
    """Why VMAF cannot be had, and what to do; None if it can."""
    from inrcodec.evaluate.metrics import ffmpeg

    if ffmpeg.has_filter("libvmaf"):
        return None
    return (
        f"FFmpeg in PyAV {ffmpeg.version()} has no libvmaf filter; "
        "install a PyAV that has it (pip install --upgrade av)"
    )


def vmaf(reference: Planes, decoded: Planes, bit_depth: int = 8) -> np.ndarray:
    """VMAF of each frame, 0..100, by the default model of FFmpeg's libvmaf filter.

    Netflix, "Toward a Practical Perceptual Video Quality Metric" (2016); the model is made for
    1080p from three heights away. The mean over frames is the usual single number.

    Args:
        reference, decoded: as `video_psnr`, 4:2:0, 4:2:2 or 4:4:4.
        bit_depth: 8, 10 or 12.

    Raises:
        BadInput: as `video_psnr`, or planes of other sizes or depths.
        BadOption: FFmpeg has no libvmaf.
    """
    reason = vmaf_missing()
    if reason:
        raise BadOption(reason)
    from inrcodec.evaluate.metrics import ffmpeg

    first, second = plane_pair(reference, decoded)
    options = {"log_fmt": "json", "log_path": ffmpeg.LOG}
    log = ffmpeg.filter_log("libvmaf", options, first, second, bit_depth)
    return np.array([frame["metrics"]["vmaf"] for frame in json.loads(log)["frames"]])


def plane_pair(reference: Planes, decoded: Planes) -> tuple[Planes, Planes]:
    """Both videos, if they can be compared frame by frame.

    Args:
        reference, decoded: as `video_psnr`.

    Raises:
        BadInput: not one or three planes of as many frames, or other shapes in both.
    """
    for name, planes in (("reference", reference), ("reconstruction", decoded)):
        try:
            shapes = [np.shape(plane) for plane in planes]
        except (TypeError, ValueError):
            raise BadInput(
                f"the {name} is a {type(planes).__name__}, expected a list of planes: Y, U and V, "
                "or Y alone, of [frames, height, width]"
            ) from None
        if len(shapes) not in (1, 3) or any(len(s) != 3 or s[0] != shapes[0][0] for s in shapes):
            raise BadInput(
                f"the {name} has planes of shapes {shapes}, "
                "expected Y, U and V, or Y alone, of [frames, height, width] with as many frames"
            )
        if not shapes[0][0]:
            raise BadInput(f"the {name} has no frame, expected at least one")
    found = [[np.shape(plane) for plane in planes] for planes in (reference, decoded)]
    if found[0] != found[1]:
        raise BadInput(
            f"the reference has planes of shapes {found[0]}, the reconstruction {found[1]}; both "
            "must have the same: decode at native size and frame rate, or cut or scale one of them"
        )
    return [np.asarray(p) for p in reference], [np.asarray(p) for p in decoded]
