"""The tables of a comparison: BD-rates of every codec, and mean curves.

`bd.tsv` has one row for each signal, codec and metric, then two averages: `mean`, of the BD-rates
of all signals, with its 95% confidence interval, and `mean-curve`, of the curves averaged setting
by setting, which is what most papers print. Points at which a codec spends more bits for no more
quality are left out of its curve.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from statistics import fmean
from typing import Any

from inrcodec import files
from inrcodec.errors import BadInput
from inrcodec.evaluate.bd import bd_rate_percent, bootstrap_interval
from inrcodec.evaluate.points import Point

BD_NAME, CURVES_NAME, CURVES_FOLDER = "bd.tsv", "points.json", "curves"
MEAN, MEAN_CURVE = "mean", "mean-curve"
# In these a step means about the same everywhere, which a BD-rate asks for.
QUALITIES = {
    "image": ("psnr_db", "ms_ssim_db"),
    "audio": ("snr_db", "zimtohrli_mos", "visqol_mos"),
    "video": ("psnr_yuv_db", "vmaf"),
}
_MIN_POINTS = 4
# CompressAI's names; those that it does not have are ours.
_SCHEMA = {
    "psnr_db": "psnr-rgb",
    "ms_ssim": "ms-ssim-rgb",
    "psnr_y_db": "psnr-y",
    "psnr_u_db": "psnr-u",
    "psnr_v_db": "psnr-v",
    "psnr_yuv_db": "psnr-yuv",
}


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
    note: str = ""


def bd_rows(points: Sequence[Point], anchor: str) -> list[BdRow]:
    """The BD-rates of all codecs against one.

    Args:
        points: of one kind of signals.
        anchor: a codec; at other resolutions than 1, the first of its resampled decodes.
    """
    rows: list[BdRow] = []
    for resolution in dict.fromkeys(point.resolution for point in points):
        here = [point for point in points if point.resolution == resolution]
        codecs = list(dict.fromkeys(point.codec for point in here))
        base = next((c for c in codecs if c == anchor or c.startswith(anchor + "+")), None)
        for metric in QUALITIES[points[0].kind] if base else ():
            if any(metric in point.metrics for point in here):
                for codec in codecs:
                    if codec != base:
                        rows += _rows_of(here, base, codec, metric)
    return rows


def _rows_of(points: Sequence[Point], anchor: str, codec: str, metric: str) -> list[BdRow]:
    head = (anchor, codec, metric, points[0].resolution)
    chosen = {
        name: {
            signal: [p for p in points if (p.codec, p.signal) == (name, signal)]
            for signal in dict.fromkeys(p.signal for p in points)
        }
        for name in (anchor, codec)
    }
    rows = []
    for signal, ours in chosen[codec].items():
        if not ours:
            continue
        curves = [_curve(side, metric) for side in (chosen[anchor][signal], ours)]
        rows.append(_row(head, signal, *curves))
    if not rows:
        return []
    return [*rows, _mean_row(head, rows), _mean_curve_row(head, chosen, metric)]


def _curve(points: Sequence[Point], metric: str) -> list[tuple[float, float]]:
    return [(p.rate, p.metrics[metric]) for p in points if metric in p.metrics]


def rising(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points of a curve, by rate, that are better than all cheaper ones, and finite."""
    kept: list[tuple[float, float]] = []
    for rate, quality in sorted(curve, key=lambda point: (point[0], -point[1])):
        if math.isfinite(quality) and (not kept or quality > kept[-1][1]):
            kept.append((rate, quality))
    return kept


def _row(
    head: tuple[str, str, str, float],
    signal: str,
    anchor: Sequence[tuple[float, float]],
    test: Sequence[tuple[float, float]],
) -> BdRow:
    risen = rising(anchor), rising(test)
    dropped = len(anchor) + len(test) - len(risen[0]) - len(risen[1])
    note = f"{dropped} points left out that cost more for no more quality" if dropped else ""
    try:
        rate, overlap = bd_rate_percent(*risen)
    except BadInput as error:
        return BdRow(*head, signal, None, note=str(error))
    return BdRow(*head, signal, rate, overlap_percent=overlap, note=note)


def _mean_row(head: tuple[str, str, str, float], rows: Sequence[BdRow]) -> BdRow:
    rates = [row.bd_rate_percent for row in rows if row.bd_rate_percent is not None]
    if not rates:
        return BdRow(*head, MEAN, None, note="no signal has a BD-rate")
    missing = len(rows) - len(rates)
    return BdRow(
        *head,
        MEAN,
        fmean(rates),
        *bootstrap_interval(rates),
        min(row.overlap_percent for row in rows if row.overlap_percent is not None),
        f"{missing} of {len(rows)} signals have no BD-rate" if missing else "",
    )


def _mean_curve_row(
    head: tuple[str, str, str, float],
    chosen: dict[str, dict[str, list[Point]]],
    metric: str,
) -> BdRow:
    anchor, test = (chosen[name] for name in head[:2])
    signals = [s for s in test if anchor[s] and test[s]]
    curves = [
        [(rate, quality) for _, rate, quality in _means([side[s] for s in signals], metric)]
        for side in (anchor, test)
    ]
    if any(len(curve) < _MIN_POINTS for curve in curves):
        note = f"there are not {_MIN_POINTS} settings that all signals have"
        return BdRow(*head, MEAN_CURVE, None, note=note)
    return _row(head, MEAN_CURVE, *curves)


def _means(by_signal: Sequence[Sequence[Point]], metric: str) -> list[tuple[str, float, float]]:
    """(setting, mean rate, mean quality) of the settings that all signals have."""
    found = []
    tables = [{p.setting: p for p in points if metric in p.metrics} for points in by_signal]
    for setting in tables[0] if tables else ():
        if all(setting in table for table in tables):
            points = [table[setting] for table in tables]
            found.append(
                (setting, fmean(p.rate for p in points), fmean(p.metrics[metric] for p in points))
            )
    return found


def write_bd(folder: str, rows: Sequence[BdRow]) -> None:
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


def mean_curves(points: Sequence[Point]) -> list[dict[str, Any]]:
    """The curve of each codec averaged over signals, in the schema of CompressAI's results.

    Only settings that all signals have; infinite qualities are None.
    """
    found = []
    for codec, resolution in dict.fromkeys((p.codec, p.resolution) for p in points):
        here = [p for p in points if (p.codec, p.resolution) == (codec, resolution)]
        signals = dict.fromkeys(p.signal for p in here)
        by_setting = {p.setting: [q for q in here if q.setting == p.setting] for p in here}
        shared = [group for group in by_setting.values() if len(group) == len(signals)]
        shared.sort(key=lambda group: fmean(p.rate for p in group))
        if not shared:
            continue
        unit = "bpp" if here[0].rate_unit == "bpp" else "bitrate"
        results: dict[str, list[Any]] = {
            unit: [fmean(p.rate for p in group) for group in shared],
            "encoding_time": [fmean(p.encode_seconds for p in group) for group in shared],
            "decoding_time": [fmean(p.decode_seconds for p in group) for group in shared],
            "setting": [group[0].setting for group in shared],
        }
        for metric in dict.fromkeys(name for p in here for name in p.metrics):
            means = [_mean_of(group, metric) for group in shared]
            results[_SCHEMA.get(metric, metric.replace("_", "-"))] = means
        versions = dict.fromkeys(p.codec_version for p in here if p.codec_version)
        mark = "" if resolution == 1 else f" x{resolution:g}"
        found.append(
            {
                "name": codec + mark,
                "description": "; ".join([*versions, ""])
                + f"means over {len(signals)} signals of the metrics of each",
                "results": results,
            }
        )
    return found


def _mean_of(points: Sequence[Point], metric: str) -> float | None:
    values = [p.metrics.get(metric, math.nan) for p in points]
    return fmean(values) if all(map(math.isfinite, values)) else None


def write_curves(folder: str, curves: Sequence[dict[str, Any]]) -> None:
    """Writes the mean curves: all in one file, and each in its own, as CompressAI's plots read.

    Raises:
        OutputError: they cannot be written.
    """
    _write_json(os.path.join(folder, CURVES_NAME), curves)
    os.makedirs(os.path.join(folder, CURVES_FOLDER), exist_ok=True)
    for curve in curves:
        name = curve["name"].replace(" ", "_") + ".json"
        _write_json(os.path.join(folder, CURVES_FOLDER, name), curve)


def _write_json(path: str, content: Any) -> None:
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    files.write_atomic(path, text.encode(), force=True)
