"""The table of a comparison: BD-rates of every codec, for scripts and for people.

`bd.tsv` has one row for each signal, codec and metric, then two averages: `mean`, of the BD-rates
of all signals, with its 95% confidence interval, and `mean-curve`, of the curves averaged setting
by setting, which is what most papers print. Points at which a codec spends more bits for no more
quality are left out of its curve.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields

from inrcodec import files
from inrcodec.evaluate.points import Point
from inrcodec.evaluate.results import Comparison, Delta, results_of

BD_NAME = "bd.tsv"
MEAN, MEAN_CURVE = "mean", "mean-curve"


@dataclass(frozen=True)
class BdRow:
    """One BD-rate.

    Args:
        anchor, codec: the rate of the second against the first.
        metric: at equal values of it.
        resolution: of the points.
        signal: a signal, or `mean` or `mean-curve` over all of them.
        bd_rate_percent: negative if the codec needs fewer bits; None if it cannot be had.
        low_percent, high_percent: 95% confidence interval of `mean` if two signals or more have a
            BD-rate, None elsewhere.
        overlap_percent: common range of qualities, of the shorter curve's; the least one of all
            signals for `mean`.
        bd_quality: difference of the metric at equal rate, in its unit; None if it cannot be had.
        note: why there is no number, or what is left out of it.
    """

    anchor: str
    codec: str
    metric: str
    resolution: float
    signal: str
    bd_rate_percent: float | None
    low_percent: float | None = None
    high_percent: float | None = None
    overlap_percent: float | None = None
    bd_quality: float | None = None
    note: str = ""


def bd_rows(points: Sequence[Point], anchor: str) -> list[BdRow]:
    """The BD-rates of all codecs against one.

    Args:
        points: of a run.
        anchor: a codec; at other resolutions than 1, the first of its resampled decodes.
    """
    rows: list[BdRow] = []
    for results in results_of(points, anchor):
        for quality in results.compared():
            for comparison in results.comparisons(quality):
                head = (results.anchor, comparison.codec, quality.name, results.resolution)
                rows += _rows_of(head, comparison)
    return rows


def _rows_of(head: tuple[str, str, str, float], found: Comparison) -> Iterator[BdRow]:
    for signal, delta in found.by_signal.items():
        yield _row(head, signal, delta)
    missing = len(found.refused)
    note = f"{missing} of {len(found.by_signal)} signals have no BD-rate" if missing else ""
    yield BdRow(
        *head,
        MEAN,
        found.mean_percent,
        found.low_percent,
        found.high_percent,
        min(found.overlaps_percent, default=None),
        found.mean_quality,
        note,
    )
    yield _row(head, MEAN_CURVE, found.of_mean_curve)


def _row(head: tuple[str, str, str, float], signal: str, delta: Delta) -> BdRow:
    return BdRow(
        *head,
        signal,
        delta.rate_percent,
        overlap_percent=delta.overlap_percent,
        bd_quality=delta.quality,
        note=delta.note,
    )


def write_bd(folder: str | os.PathLike[str], rows: Sequence[BdRow]) -> None:
    """Writes the table of BD-rates.

    Raises:
        OutputError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow([f.name for f in fields(BdRow)])
    for row in rows:
        writer.writerow(
            [
                "" if value is None else f"{value:.4g}" if isinstance(value, float) else value
                for value in astuple(row)
            ]
        )
    files.write_atomic(os.path.join(folder, BD_NAME), text.getvalue().encode(), force=True)


def bd_text(rows: Sequence[BdRow]) -> str:
    """The averages as a table for people."""
    cells = [["codec", "against", "at equal", "scale", "mean", "95%", "mean curve", "overlap"]]
    curves = {_case(row): row for row in rows if row.signal == MEAN_CURVE}
    for row in rows:
        if row.signal != MEAN:
            continue
        curve = curves[_case(row)]
        interval = ""
        if row.low_percent is not None:
            interval = f"{row.low_percent:+.1f} .. {row.high_percent:+.1f}"
        cells.append(
            [
                row.codec,
                row.anchor,
                row.metric,
                f"{row.resolution:g}",
                _percent(row.bd_rate_percent),
                interval,
                _percent(curve.bd_rate_percent),
                "" if row.overlap_percent is None else f"{row.overlap_percent:.0f}%",
            ]
        )
    if len(cells) == 1:
        return ""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    return "BD-rate: bits more (+) or fewer (-) at equal quality\n" + "\n".join(lines) + "\n"


def _case(row: BdRow) -> tuple[str, str, float]:
    return row.codec, row.metric, row.resolution


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:+.1f}%"
