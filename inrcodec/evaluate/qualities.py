"""The metrics that curves are drawn and compared in."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inrcodec.evaluate.metrics.structure import ms_ssim_db
from inrcodec.evaluate.points import Point


@dataclass(frozen=True)
class Quality:
    """A metric as curves show it.

    Args:
        name: of the metric in the points.
        label: what readers call it.
        unit: "" if it has none.
        digits: behind the point.
        rises: whether more is better.
        compares: whether a step means about the same everywhere, which a BD-rate asks for.
    """

    name: str
    label: str
    unit: str = ""
    digits: int = 2
    rises: bool = True
    compares: bool = True

    @property
    def axis(self) -> str:
        """The label of an axis."""
        note = "" if self.rises else ", less is better"
        if not self.unit:
            return self.label + note
        return f"{self.label} ({self.unit}{note})"

    def text(self, value: float | None) -> str:
        """A value with its unit."""
        if value is None:
            return "not measured"
        shown = "lossless" if value == math.inf else f"{value:.{self.digits}f}"
        return f"{shown} {self.unit}" if self.unit and value != math.inf else shown

    def of(self, point: Point) -> float | None:
        """That of a point; MS-SSIM in dB also where only the plain one was measured."""
        found = point.metrics.get(self.name)
        if found is None and self.name == "ms_ssim_db" and "ms_ssim" in point.metrics:
            return ms_ssim_db(point.metrics["ms_ssim"])
        return None if found is None or math.isnan(found) else found


# By kind of signal, the main one first. Of each kind, those that were measured are shown.
QUALITIES = {
    "image": (
        Quality("psnr_db", "PSNR", "dB"),
        Quality("ms_ssim_db", "MS-SSIM", "dB"),
    ),
    "video": (
        Quality("psnr_yuv_db", "PSNR-YUV", "dB"),
        Quality("vmaf", "VMAF"),
        Quality("psnr_y_db", "PSNR-Y", "dB", compares=False),
        Quality("ssim", "SSIM", "", 4, compares=False),
    ),
    "audio": (
        Quality("snr_db", "SNR", "dB"),
        Quality("visqol_mos", "ViSQOL", "MOS"),
        Quality("zimtohrli_mos", "Zimtohrli", "MOS"),
        Quality("log_spectral_distance", "Log-spectral distance", "dB", 2, False, False),
    ),
}
