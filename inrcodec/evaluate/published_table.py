"""Measured curves against published ones of the same pictures, at equal quality.

`published.tsv` has a row for each point of each published curve and each codec whose mean curve
reaches its PSNR: what the codec needs for the same PSNR, read off the curve of its mean points.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from inrcodec import files
from inrcodec.errors import BadInput
from inrcodec.evaluate import published
from inrcodec.evaluate.bd import MIN_POINTS, Curve, bd_rate_percent, rising
from inrcodec.evaluate.cubics import curve_value
from inrcodec.evaluate.points import Point
from inrcodec.evaluate.qualities import QUALITIES
from inrcodec.evaluate.results import Results, results_by_kind

PUBLISHED_NAME = "published.tsv"
_PSNR = QUALITIES["image"][0]


@dataclass(frozen=True)
class PublishedRow:
    """What a codec needs for the quality of a published point.

    Args:
        published: name of the published curve.
        psnr_db: of its point.
        published_bpp: what was published for it.
        codec: one that was measured.
        measured_bpp: its rate at that PSNR.
        difference_percent: of the measured rate from the published one.
        bd_rate_percent: of the codec's whole mean curve against the published one; None if it
            cannot be had.
    """

    published: str
    psnr_db: float
    published_bpp: float
    codec: str
    measured_bpp: float
    difference_percent: float
    bd_rate_percent: float | None


def published_rows(points: Sequence[Point]) -> list[PublishedRow]:
    """Every point of the published curves against every codec that reaches it.

    Args:
        points: of a run; none of them counts unless its images are all of a set of pictures that
            there are published curves for.
    """
    rows: list[PublishedRow] = []
    for results in results_by_kind(points, ""):
        dataset = published.dataset_of(results.kind, results.signals)
        if dataset is None or not published.is_whole(dataset, results.signals):
            continue
        measured = {codec: _mean_curve(results, codec) for codec in results.codecs}
        for name, curve in published.curves(dataset).items():
            for codec, found in measured.items():
                rows += _rows(name, [(p.rate_bpp, p.psnr_db) for p in curve.points], codec, found)
    return rows


def _mean_curve(results: Results, codec: str) -> list[tuple[float, float]]:
    """The (rate, quality) points of a codec's mean curve; none unless it took every picture."""
    signals = results.common_signals([codec], _PSNR)
    if len(signals) < len(results.signals):
        return []
    return rising([(rate, value) for rate, value, _ in results.means(codec, _PSNR, signals)])


def _rows(name: str, curve: Curve, codec: str, measured: Curve) -> Iterator[PublishedRow]:
    if len(measured) < MIN_POINTS:
        return
    try:
        bd_rate, _ = bd_rate_percent(rising(curve), measured)
    except BadInput:
        bd_rate = None
    rates, quality = np.array(measured, np.float64).T
    for rate_bpp, psnr_db in curve:
        if quality[0] <= psnr_db <= quality[-1]:
            found = math.exp(curve_value(quality, np.log(rates), psnr_db))
            difference = 100 * (found / rate_bpp - 1)
            yield PublishedRow(name, psnr_db, rate_bpp, codec, found, difference, bd_rate)


def write_published(folder: str | os.PathLike[str], rows: Sequence[PublishedRow]) -> None:
    """Writes the table.

    Raises:
        OutputError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow([field.name for field in fields(PublishedRow)])
    for row in rows:
        writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in astuple(row)])
    files.write_atomic(os.path.join(folder, PUBLISHED_NAME), text.getvalue().encode(), force=True)
