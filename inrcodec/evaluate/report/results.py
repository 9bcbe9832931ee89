"""What the points of a run say: curves of each codec, their means, and BD-rates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from inrcodec.errors import BadInput
from inrcodec.evaluate.bd import bd_quality, bd_rate_percent, bootstrap_interval, mean_curve
from inrcodec.evaluate.metrics.structure import ms_ssim_db
from inrcodec.evaluate.points import Point, Run
from inrcodec.evaluate.summary import rising

OWN = "inr"


@dataclass(frozen=True)
class Quality:
    """A metric as a chart shows it.

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


@dataclass(frozen=True)
class BdRow:
    """A codec against the anchor, in one quality.

    Args:
        codec: its name.
        per_signal_percent: BD-rate of each signal where there is one.
        overlap_percent: of each of those.
        refused: why there is none, by signal.
        mean_percent, low_percent, high_percent: mean of the BD-rates and its 95% interval; None
            if no signal has one, the interval also if only one has.
        of_mean_curve_percent: BD-rate of the mean curves; None, with `mean_refused`, without one.
        mean_db: mean difference of quality at equal rate, BD-PSNR; None without one.
    """

    codec: str
    per_signal_percent: dict[str, float]
    overlap_percent: dict[str, float]
    refused: dict[str, str]
    mean_percent: float | None = None
    low_percent: float | None = None
    high_percent: float | None = None
    of_mean_curve_percent: float | None = None
    mean_refused: str = ""
    mean_db: float | None = None


@dataclass
class Results:
    """The points of one kind of signal.

    Args:
        kind: "image", "audio" or "video".
        points: at the resolution of the original.
        scaled: at others.
        codecs: their names, our own first.
        signals: their names.
        anchor: the codec that others are measured against.
    """

    kind: str
    points: list[Point]
    scaled: list[Point]
    codecs: list[str]
    signals: list[str]
    anchor: str
    _rows: dict[str, list[BdRow]] = field(default_factory=dict)

    @property
    def rate_unit(self) -> str:
        return self.points[0].rate_unit if self.points else "bpp"

    @property
    def rate_axis(self) -> str:
        """The label of the axis of rates."""
        of = {"image": "bits per pixel", "video": "bits per pixel"}.get(self.kind, "bit rate")
        return f"Rate ({of}, {self.rate_unit})" if self.rate_unit == "bpp" else "Rate (kbps)"

    def qualities(self) -> list[Quality]:
        """Those that were measured."""
        return [
            quality
            for quality in QUALITIES[self.kind]
            if any(value_of(point, quality) is not None for point in self.points)
        ]

    def compared(self) -> list[Quality]:
        """Those that BD-rates are had of."""
        return [quality for quality in self.qualities() if quality.compares]

    def of(self, codec: str, signal: str | None = None) -> list[Point]:
        """The points of a codec, of one signal or of all."""
        return [p for p in self.points if p.codec == codec and signal in (None, p.signal)]

    def curve(self, codec: str, signal: str, quality: Quality) -> list[Point]:
        """The points with a finite quality, by rate."""
        points = [p for p in self.of(codec, signal) if _is_finite(value_of(p, quality))]
        return sorted((p for p in points if _is_finite(p.rate) and p.rate > 0), key=_rate)

    def bd_rows(self, quality: Quality) -> list[BdRow]:
        """Every codec but the anchor against it."""
        if quality.name not in self._rows:
            others = [codec for codec in self.codecs if codec != self.anchor]
            self._rows[quality.name] = [self._bd_row(codec, quality) for codec in others]
        return self._rows[quality.name]

    def _bd_row(self, codec: str, quality: Quality) -> BdRow:
        rates, overlaps, refused, gains = {}, {}, {}, []
        for signal in self.signals:
            curves = [
                rising(pairs(self.curve(c, signal, quality), quality)) for c in (self.anchor, codec)
            ]
            try:
                rates[signal], overlaps[signal] = bd_rate_percent(*curves)
            except BadInput as error:
                refused[signal] = str(error)
                continue
            try:
                gains.append(bd_quality(*curves)[0])
            except BadInput:
                # Curves may share qualities but no rate; the table then lacks this one number.
                continue
        if not rates:
            return BdRow(codec, {}, {}, refused)
        low, high = bootstrap_interval(list(rates.values()))
        percent, why = self._bd_of_means(codec, quality)
        gain = fmean(gains) if gains else None
        mean = fmean(rates.values())
        return BdRow(codec, rates, overlaps, refused, mean, low, high, percent, why, gain)

    def _bd_of_means(self, codec: str, quality: Quality) -> tuple[float | None, str]:
        signals = self.common_signals([self.anchor, codec], quality)
        try:
            curves = [
                rising([(rate, value) for rate, value, _ in self.means(c, quality, signals)])
                for c in (self.anchor, codec)
            ]
            return bd_rate_percent(*curves)[0], ""
        except BadInput as error:
            return None, str(error)

    def common_signals(self, codecs: Sequence[str], quality: Quality) -> list[str]:
        """Signals of which every one of the codecs has a curve."""
        return [s for s in self.signals if all(self.curve(c, s, quality) for c in codecs)]

    def means(
        self, codec: str, quality: Quality, signals: Sequence[str]
    ) -> list[tuple[float, float, str]]:
        """(mean rate, mean quality, setting) of the settings that all the signals have, by rate."""
        by_signal = [
            {p.setting: (p.rate, value_of(p, quality)) for p in self.curve(codec, signal, quality)}
            for signal in signals
        ]
        if not by_signal:
            return []
        settings = [s for s in by_signal[0] if all(s in points for points in by_signal)]
        if not settings:
            return []
        means = mean_curve([[points[s] for s in settings] for points in by_signal])
        return sorted(
            (rate, value, setting) for (rate, value), setting in zip(means, settings, strict=True)
        )

    def seconds(self, codec: str, which: str) -> float | None:
        """The median time of a point; None if none was taken."""
        taken = [getattr(p, which) for p in self.of(codec)]
        known = [t for t in taken if t is not None and math.isfinite(t) and t > 0]
        return median(known) if known else None


def value_of(point: Point, quality: Quality) -> float | None:
    """A metric of a point; MS-SSIM in dB also where only the plain one was written down."""
    found = point.metrics.get(quality.name)
    if found is None and quality.name == "ms_ssim_db" and "ms_ssim" in point.metrics:
        return ms_ssim_db(point.metrics["ms_ssim"])
    return None if found is None or math.isnan(found) else found


def pairs(points: Iterable[Point], quality: Quality) -> list[tuple[float, float]]:
    """(rate, quality) of points."""
    return [(p.rate, value_of(p, quality)) for p in points]


def _rate(point: Point) -> float:
    return point.rate


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def results_by_kind(points: Sequence[Point], run: Run) -> list[Results]:
    """One for each kind of signal that was measured, images first."""
    found = []
    for kind in QUALITIES:
        of_kind = [p for p in points if p.kind == kind]
        native = [p for p in of_kind if p.resolution in (None, 1)]
        if native:
            scaled = [p for p in of_kind if p.resolution not in (None, 1)]
            found.append(_results(kind, native, scaled, run.anchor))
    return found


def results_by_resolution(results: Results) -> dict[float, Results]:
    """The points at other resolutions, those of each as if they were all."""
    factors = sorted({p.resolution for p in results.scaled})
    return {
        factor: _results(
            results.kind,
            [p for p in results.scaled if p.resolution == factor],
            [],
            results.anchor,
        )
        for factor in factors
    }


def _results(kind: str, points: list[Point], scaled: list[Point], anchor: str) -> Results:
    codecs = list(dict.fromkeys(p.codec for p in points))
    codecs.sort(key=lambda codec: not is_own(codec))
    signals = list(dict.fromkeys(p.signal for p in points))
    # A decode that was resampled afterwards is called by its codec, "+" and how.
    likely = (c for c in codecs if c == anchor or c.startswith(f"{anchor}+"))
    base = next(likely, None) if anchor else None
    return Results(kind, points, scaled, codecs, signals, base or _default_anchor(codecs))


def is_own(codec: str) -> bool:
    """Whether it is a configuration of ours."""
    return codec == OWN or codec.startswith(f"{OWN}-")


def _default_anchor(codecs: Sequence[str]) -> str:
    return next((codec for codec in codecs if not is_own(codec)), codecs[0])
