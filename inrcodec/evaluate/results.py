"""What the points of a run say: the curve of each codec, their means, and BD-rates.

The one place where points become curves and curves are compared: what people see on the terminal,
in `bd.tsv` and in the report are the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from inrcodec.errors import BadInput
from inrcodec.evaluate.bd import (
    MIN_POINTS,
    bd_quality,
    bd_rate_percent,
    bootstrap_interval,
    mean_curve,
    rising,
)
from inrcodec.evaluate.points import Point
from inrcodec.evaluate.qualities import QUALITIES, Quality

OWN = "inr"


@dataclass(frozen=True)
class Delta:
    """One curve against another.

    Args:
        rate_percent: BD-rate, negative for fewer bits; None if it cannot be had.
        quality: BD-PSNR, or that of another quality in its unit; None if the curves share no rate.
        overlap_percent: common range of qualities, of the shorter curve's.
        note: why there is no BD-rate, or what is left out of it.
    """

    rate_percent: float | None = None
    quality: float | None = None
    overlap_percent: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """A codec against the anchor, in one quality.

    Args:
        codec: its name.
        by_signal: of each signal of which the codec has points.
        of_mean_curve: of the curves averaged setting by setting, which is what most papers print.
        mean_percent: the mean of the BD-rates; None if no signal has one.
        low_percent, high_percent: its 95% interval over the choice of signals; None below two.
    """

    codec: str
    by_signal: dict[str, Delta]
    of_mean_curve: Delta
    mean_percent: float | None = None
    low_percent: float | None = None
    high_percent: float | None = None

    @property
    def rates_percent(self) -> dict[str, float]:
        """The BD-rates that can be had, by signal."""
        return {s: d.rate_percent for s, d in self.by_signal.items() if d.rate_percent is not None}

    @property
    def refused(self) -> dict[str, str]:
        """Why the others cannot."""
        return {s: d.note for s, d in self.by_signal.items() if d.rate_percent is None}

    @property
    def overlaps_percent(self) -> list[float]:
        """The overlap of each signal that has a BD-rate."""
        found = (delta.overlap_percent for delta in self.by_signal.values())
        return [overlap for overlap in found if overlap is not None]

    @property
    def mean_quality(self) -> float | None:
        """The mean difference of quality at equal rate; None without any."""
        found = [d.quality for d in self.by_signal.values() if d.quality is not None]
        return fmean(found) if found else None


@dataclass
class Results:
    """The points of one kind of signal at one resolution.

    Args:
        kind: "image", "audio" or "video".
        resolution: as in `Point`.
        points: what was measured.
        codecs: their names, our own first.
        signals: their names.
        anchor: the codec that others are measured against.
        scaled: those at other resolutions, where this is the resolution of the originals.
    """

    kind: str
    resolution: float
    points: list[Point]
    codecs: list[str]
    signals: list[str]
    anchor: str
    scaled: list[Results] = field(default_factory=list)
    _compared: dict[str, list[Comparison]] = field(default_factory=dict)

    @property
    def rate_unit(self) -> str:
        return self.points[0].rate_unit

    def qualities(self) -> list[Quality]:
        """Those that were measured."""
        return [
            quality
            for quality in QUALITIES[self.kind]
            if any(quality.of(point) is not None for point in self.points)
        ]

    def compared(self) -> list[Quality]:
        """Those that BD-rates are had of."""
        return [quality for quality in self.qualities() if quality.compares]

    def of(self, codec: str, signal: str | None = None) -> list[Point]:
        """The points of a codec, of one signal or of all."""
        return [p for p in self.points if p.codec == codec and signal in (None, p.signal)]

    def curve(self, codec: str, signal: str, quality: Quality) -> list[Point]:
        """The points with a finite quality, by rate."""
        points = [p for p in self.of(codec, signal) if _is_finite(quality.of(p))]
        return sorted((p for p in points if _is_finite(p.rate) and p.rate > 0), key=_rate)

    def comparisons(self, quality: Quality) -> list[Comparison]:
        """Every codec but the anchor against it."""
        if quality.name not in self._compared:
            others = [codec for codec in self.codecs if codec != self.anchor]
            self._compared[quality.name] = [self._comparison(c, quality) for c in others]
        return self._compared[quality.name]

    def _comparison(self, codec: str, quality: Quality) -> Comparison:
        deltas = {
            signal: _delta(
                *(
                    [(p.rate, quality.of(p)) for p in self.curve(name, signal, quality)]
                    for name in (self.anchor, codec)
                )
            )
            for signal in self.signals
            if self.of(codec, signal)
        }
        of_means = self._delta_of_means(codec, quality)
        rates = [d.rate_percent for d in deltas.values() if d.rate_percent is not None]
        if not rates:
            return Comparison(codec, deltas, of_means)
        return Comparison(codec, deltas, of_means, fmean(rates), *bootstrap_interval(rates))

    def _delta_of_means(self, codec: str, quality: Quality) -> Delta:
        signals = self.common_signals([self.anchor, codec], quality)
        curves = [
            [(rate, value) for rate, value, _ in self.means(name, quality, signals)]
            for name in (self.anchor, codec)
        ]
        if any(len(curve) < MIN_POINTS for curve in curves):
            return Delta(note=f"there are not {MIN_POINTS} settings that all signals have")
        return _delta(*curves)

    def common_signals(self, codecs: Sequence[str], quality: Quality) -> list[str]:
        """Signals of which every one of the codecs has a curve."""
        return [s for s in self.signals if all(self.curve(c, s, quality) for c in codecs)]

    def means(
        self, codec: str, quality: Quality, signals: Sequence[str]
    ) -> list[tuple[float, float, str]]:
        """(mean rate, mean quality, setting) of the settings that all the signals have, by rate."""
        by_signal = [
            {p.setting: (p.rate, quality.of(p)) for p in self.curve(codec, signal, quality)}
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


def _delta(anchor: list[tuple[float, float]], test: list[tuple[float, float]]) -> Delta:
    curves = rising(anchor), rising(test)
    dropped = len(anchor) + len(test) - sum(map(len, curves))
    note = f"{dropped} points left out that cost more for no more quality" if dropped else ""
    try:
        rate, overlap = bd_rate_percent(*curves)
    except BadInput as error:
        return Delta(note=str(error))
    try:
        gain = bd_quality(*curves)[0]
    except BadInput:  # curves may share qualities but no rate
        gain = None
    return Delta(rate, gain, overlap, note)


def _rate(point: Point) -> float:
    return point.rate


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def results_of(points: Sequence[Point], anchor: str) -> list[Results]:
    """The points of each kind and resolution: images first, each at its own size first.

    Args:
        points: of a run.
        anchor: the codec that others are measured against; where it has no points, another one.
    """
    found = []
    for kind in QUALITIES:
        of_kind = [p for p in points if p.kind == kind]
        factors = sorted({p.resolution for p in of_kind}, key=lambda factor: (factor != 1, factor))
        for factor in factors:
            here = [p for p in of_kind if p.resolution == factor]
            codecs = list(dict.fromkeys(p.codec for p in here))
            codecs.sort(key=lambda codec: not is_own(codec))
            signals = list(dict.fromkeys(p.signal for p in here))
            found.append(Results(kind, factor, here, codecs, signals, _base(codecs, anchor)))
    return found


def results_by_kind(points: Sequence[Point], anchor: str) -> list[Results]:
    """The same at the resolution of the originals, those at others in `scaled`."""
    every = results_of(points, anchor)
    native = [results for results in every if results.resolution == 1]
    for results in native:
        results.scaled = [r for r in every if r.kind == results.kind and r is not results]
    return native


def _base(codecs: Sequence[str], anchor: str) -> str:
    # A decode that was resampled afterwards is called by its codec, "+" and how.
    likely = (c for c in codecs if anchor and (c == anchor or c.startswith(f"{anchor}+")))
    others = (codec for codec in codecs if not is_own(codec))
    return next(likely, None) or next(others, codecs[0])


def is_own(codec: str) -> bool:
    """Whether it is a configuration of ours."""
    return codec == OWN or codec.startswith(f"{OWN}-")
