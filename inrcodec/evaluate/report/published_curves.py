"""Curves that others published of the same pictures, to be drawn behind ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inrcodec.errors import BadInput
from inrcodec.evaluate import published
from inrcodec.evaluate.bd import mean_curve
from inrcodec.evaluate.metrics.structure import ms_ssim_db
from inrcodec.evaluate.points import Run
from inrcodec.evaluate.qualities import Quality
from inrcodec.evaluate.report.drawing import Position
from inrcodec.evaluate.results import Results

# Of all that are published, one or two of each family; more would hide our own.
_SHORT_LIST = (
    "COIN",
    "RECOMBINER",
    "C3 (adaptive)",
    "Cool-Chic 5.0",
    "BPG 4:4:4",
    "VVC (VTM)",
    "mbt2018",
    "MLIC+",
)


@dataclass(frozen=True)
class PublishedCurves:
    """What is drawn behind our curves.

    Args:
        comparable: curves by name that may be read against ours: (rate, quality).
        every: all that there are, means over the whole set of pictures.
        sources: where each is from.
        note: what is to be known of those that are comparable.
        warning: why those of `every` are not, "" if they are.
    """

    comparable: dict[str, Sequence[Position]] = field(default_factory=dict)
    every: dict[str, Sequence[Position]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    note: str = ""
    warning: str = ""


def published_for(run: Run, results: Results, quality: Quality) -> PublishedCurves:
    """The published curves that fit a chart of mean curves; none for other pictures or metrics."""
    signals = results.signals
    dataset = published.dataset_of(results.kind, signals)
    if not run.published or not dataset or quality.name not in ("psnr_db", "ms_ssim_db"):
        return PublishedCurves()
    found = published.curves(dataset)
    every = {name: _points(curve, quality) for name, curve in found.items()}
    every = {name: points for name, points in every.items() if points}
    sources = {name: found[name].source for name in every}
    note = "Thin grey curves were published by others and not measured here"
    if published.is_whole(dataset, signals):
        listed = {name: every[name] for name in _SHORT_LIST if name in every}
        return PublishedCurves(listed, every, sources, f"{note}.")
    pictures = len(published.PICTURES[dataset])
    count = f"{len(signals)} of the {pictures} {dataset.capitalize()} pictures"
    return PublishedCurves(
        _means_over(dataset, signals, quality),
        every,
        sources,
        f"{note}; they are means over the same {count}.",
        f"These are means over all {pictures} of them, ours over {count}: only "
        "their shapes can be compared, not their heights.",
    )


def published_of(run: Run, results: Results, signal: str, quality: Quality) -> dict:
    """The published curves of one picture, by name."""
    dataset = published.dataset_of(results.kind, [signal])
    if not run.published or not dataset or quality.name != "psnr_db":
        return {}
    found = published.image_curves(dataset, signal)
    return {name: _points(curve, quality) for name, curve in found.items()}


def _means_over(
    dataset: str, signals: Sequence[str], quality: Quality
) -> dict[str, Sequence[Position]]:
    """Mean curves over some pictures, of those who published every picture."""
    by_signal = [published.image_curves(dataset, signal) for signal in signals]
    means: dict[str, Sequence[Position]] = {}
    for name in by_signal[0]:
        if all(name in curves for curves in by_signal):
            points = [_points(curves[name], quality) for curves in by_signal]
            try:
                means[name] = mean_curve(points) if all(points) else ()
            except BadInput:
                continue  # one picture has more settings than another
    return {name: points for name, points in means.items() if points}


def _points(curve: published.Curve, quality: Quality) -> list[Position]:
    if quality.name == "psnr_db":
        return [(point.rate_bpp, point.psnr_db) for point in curve.points]
    return [
        (point.rate_bpp, ms_ssim_db(point.ms_ssim))
        for point in curve.points
        if point.ms_ssim is not None
    ]


def sources_listed(behind: Sequence[PublishedCurves]) -> Mapping[str, str]:
    """Where every curve of several charts is from, by name."""
    return {name: source for one in behind for name, source in one.sources.items()}
