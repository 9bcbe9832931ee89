"""What the files of the remedy study say: rankings, losses by rounding, charts.

Quality at a rate is interpolated over the logarithm of file sizes, between the files of one cell
around it (monotone cubics of at least three, as BD-rates are); a cell whose files do not enclose a
rate has none there. Differences are paired: over the signals that both have, means over seeds
first. Intervals are Student's, each for itself; p are Holm's, over all pairs of one ranking.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import numpy as np
from remedy_study_cells import ANCHOR, METRICS, PLAIN, UNITS
from remedy_study_differences import Difference, difference, holm, of_values
from reproduced.table import Row, number_text, write_rows

from inrcodec.evaluate.cubics import curve_value
from inrcodec.evaluate.report.chart import PUBLISHED, Chart, Series, draw, look
from inrcodec.evaluate.report.drawing import Drawing, Line, Mark, Text, panels
from inrcodec.evaluate.report.ticks import plain, scale_of
from inrcodec.evaluate.report.writing import write_figure

RANKING = (
    "kind", "rate", "metric", "rank", "field", "remedy", "value", "encode_cpu_seconds",
    "over_siren_signals", "over_siren", "over_siren_low", "over_siren_high", "over_siren_p",
    "over_none_signals", "over_none", "over_none_low", "over_none_high", "over_none_p",
)  # fmt: skip
LOSSES = (
    "kind", "rate", "field", "remedy", "signals", "loss_db", "loss_low_db", "loss_high_db",
    "gain_signals", "float_gain_db", "unrounded_gain_db", "file_gain_db",
)  # fmt: skip
LEAST_FILES = 3  # of a curve
LOWER_IS_BETTER = {"sec_error"}
CERTAIN = 0.05  # p below which a difference is taken as one

Pair = tuple[str, str]  # (field, remedy)
Curve = Sequence[tuple[float, float]]  # (rate, number)
Numbers = Mapping[Pair, Mapping[str, float]]  # by signal
_BEST = ANCHOR, PLAIN


@dataclass(frozen=True)
class Place:
    """A pair in a ranking.

    Args:
        pair: (field, remedy).
        value: mean over its signals.
        over_siren: to siren without a remedy, and Holm's p; None for itself.
        over_none: to its own field without a remedy; None where there is nothing to compare.
    """

    pair: Pair
    value: float
    over_siren: tuple[Difference, float] | None
    over_none: tuple[Difference, float] | None


def curves(rows: Iterable[Row], column: str) -> dict[tuple[Pair, str, str], Curve]:
    """A column of the table by the rate of files, of each (pair, signal, seed), rising.

    Args:
        rows: of one kind of signal.
        column: a number of each file; files without it are left out.
    """
    found: dict[tuple[Pair, str, str], dict[float, float]] = defaultdict(dict)
    for row in rows:
        if row[column] and math.isfinite(value := float(row[column])):
            cell = (row["field"], row["remedy"]), row["signal"], row["seed"]
            found[cell][float(row["rate"])] = value
    return {cell: sorted(curve.items()) for cell, curve in found.items()}


def at_rate(rows: Iterable[Row], rate: float, column: str) -> dict[Pair, dict[str, float]]:
    """A column at a rate, of every pair and signal that has files around it; see `curves`."""
    found: dict[Pair, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (pair, signal, _), curve in curves(rows, column).items():
        if len(curve) >= LEAST_FILES and curve[0][0] <= rate <= curve[-1][0]:
            x, y = np.array(curve).T
            value = curve_value(np.log(x), y, math.log(rate))
            found[pair][signal].append(abs(value) if column in LOWER_IS_BETTER else value)
    return {p: {s: fmean(v) for s, v in values.items()} for p, values in found.items()}


def ranking(numbers: Numbers, metric: str, least: int) -> list[Place]:
    """Pairs by their mean difference to siren without a remedy, the best first.

    Args:
        numbers: of a metric at a rate.
        metric: its name.
        least: signals that two pairs must share to be compared.
    """
    compared = {
        pair: found
        for pair in numbers
        if (found := difference(numbers[pair], numbers.get(_BEST, {}), least)) is not None
    }
    over_siren = _with_p({p: found for p, found in compared.items() if p != _BEST})
    plain = {p: numbers.get((p[0], PLAIN), {}) for p in compared if p[1] != PLAIN}
    over_none = _with_p(
        {p: d for p in plain if (d := difference(numbers[p], plain[p], least)) is not None}
    )
    sign = 1 if metric in LOWER_IS_BETTER else -1
    return [
        Place(pair, fmean(numbers[pair].values()), over_siren.get(pair), over_none.get(pair))
        for pair in sorted(compared, key=lambda p: sign * compared[p].mean)
    ]


def _with_p(found: Mapping[Pair, Difference]) -> dict[Pair, tuple[Difference, float]]:
    """Each difference with Holm's p among all of them."""
    ps = holm([d.p for d in found.values()])
    return {pair: (d, p) for (pair, d), p in zip(found.items(), ps, strict=True)}


def ranking_rows(
    kind: str, rate: float, metric: str, places: Sequence[Place], seconds: Numbers
) -> list[Row]:
    """A ranking as rows of a table."""
    rows = []
    for rank, place in enumerate(places, 1):
        row = dict.fromkeys(RANKING, "") | _head(kind, rate, place.pair)
        row |= {"metric": metric, "rank": str(rank), "value": number_text(place.value)}
        # The first fit of a run compiles.
        row["encode_cpu_seconds"] = number_text(median(seconds[place.pair].values()))
        for name in ("over_siren", "over_none"):
            if (compared := getattr(place, name)) is not None:
                d, p = compared
                row |= {
                    f"{name}_signals": str(d.count),
                    name: number_text(d.mean),
                    f"{name}_low": number_text(d.low),
                    f"{name}_high": number_text(d.high),
                    f"{name}_p": f"{p:.2g}",
                }
        rows.append(row)
    return rows


def losses(kind: str, rate: float, rows: Sequence[Row], least: int) -> list[Row]:
    """What each pair loses by rounding weights, and what its remedy gains before and after."""
    stages = {"float": "float_db", "unrounded": "unrounded_db", "file": METRICS[kind][0]}
    numbers = {name: at_rate(rows, rate, column) for name, column in stages.items()}
    found = []
    for pair in numbers["unrounded"]:
        lost = difference(numbers["unrounded"][pair], numbers["file"][pair], least)
        if lost is None:
            continue
        row = dict.fromkeys(LOSSES, "") | _head(kind, rate, pair)
        row |= {
            "signals": str(lost.count),
            "loss_db": number_text(lost.mean),
            "loss_low_db": number_text(lost.low),
            "loss_high_db": number_text(lost.high),
        }
        field, remedy = pair
        for name, values in numbers.items():
            plain = values.get((field, PLAIN), {})
            gain = difference(values.get(pair, {}), plain, least) if remedy != PLAIN else None
            if gain is not None:
                row |= {
                    "gain_signals": str(gain.count),
                    f"{name}_gain_db": number_text(gain.mean),
                }
        found.append(row)
    return found


def _head(kind: str, rate: float, pair: Pair) -> Row:
    return {"kind": kind, "rate": f"{rate:g}", "field": pair[0], "remedy": pair[1]}


def write_report(
    folder: Path, rows: Sequence[Row], rates: Mapping[str, Sequence[float]], least: int
) -> tuple[list[Row], list[str]]:
    """Writes ranking.tsv, losses.tsv and charts.

    Args:
        folder: that is there.
        rows: of files.
        rates: kind -> rates to compare at.
        least: signals that two pairs must share to be compared.

    Returns:
        The rows of ranking.tsv; and what is left out, as sentences.
    """
    ranked, lost, notes = [], [], []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = [row for row in rows if row["kind"] == kind]
        best, here = {}, []
        for rate in rates[kind]:
            seconds = at_rate(mine, rate, "encode_cpu_seconds")
            for metric in METRICS[kind]:
                places = ranking(at_rate(mine, rate, metric), metric, least)
                ranked += ranking_rows(kind, rate, metric, places, seconds)
                if metric == METRICS[kind][0]:
                    best[rate] = places
            here += losses(kind, rate, mine, least)
            notes += left_out(mine, kind, rate, least)
        notes += worse_than_smaller(mine, kind)
        lost += here
        write_figure(folder, f"{kind}_ranking", ranking_figure(kind, best), force=True)
        write_figure(folder, f"{kind}_gains", gains_figure(kind, rates[kind], here), force=True)
    notes += [
        f"{row['signal']}: {row['field']} with {row['remedy']} at lambda {row['lmbda']} failed: "
        f"{row['failed']}"
        for row in rows
        if row["failed"]
    ]
    missing = Counter(why for row in rows for why in row["missing"].split("; ") if why)
    notes += [f"{count} of {len(rows)} files have no {why}" for why, count in missing.items()]
    write_rows(folder / "ranking.tsv", RANKING, ranked)
    write_rows(folder / "losses.tsv", LOSSES, lost)
    return ranked, notes


def left_out(rows: Sequence[Row], kind: str, rate: float, least: int) -> list[str]:
    """Which cells have no files around a rate, as sentences."""
    found = at_rate(rows, rate, METRICS[kind][0])
    signals: dict[Pair, dict[str, None]] = defaultdict(dict)
    for row in rows:
        signals[row["field"], row["remedy"]][row["signal"]] = None
    notes = []
    for pair, mine in signals.items():
        without = [signal for signal in mine if signal not in found.get(pair, {})]
        if without:
            end = "" if len(mine) - len(without) >= least else ", and is not compared"
            notes.append(
                f"{' with '.join(pair)} has no files around {rate:g} {UNITS[kind]} of "
                f"{len(without)} of {len(mine)} signals ({', '.join(without)}){end}"
            )
    return notes


def worse_than_smaller(rows: Sequence[Row], kind: str) -> list[str]:
    """Which pairs have files that are worse than a smaller one, as sentences: fits that failed."""
    found: dict[Pair, dict[str, None]] = defaultdict(dict)
    for (pair, signal, _), curve in curves(rows, METRICS[kind][0]).items():
        quality_db = [value for _, value in curve]
        if quality_db != sorted(quality_db):
            found[pair][signal] = None
    return [
        f"{' with '.join(pair)} has files that are worse than a smaller one, of {', '.join(mine)}"
        for pair, mine in found.items()
    ]


def ranking_figure(kind: str, places: Mapping[float, Sequence[Place]]) -> Drawing:
    """Every pair's difference to siren without a remedy, at each rate."""
    name = METRICS[kind][0].removesuffix("_db").upper()
    drawings = [
        _ranking_panel(f"{rate:g} {UNITS[kind]}", f"{name} over {ANCHOR} without (dB)", found)
        for rate, found in places.items()
    ]
    title = "Fields and remedies at equal file size, with 95% intervals"
    return panels(drawings, len(drawings), title)


def _ranking_panel(title: str, label: str, places: Sequence[Place]) -> Drawing:
    """One line per pair, the best on top; intervals end at the frame at the latest."""
    size, line, left, width = 11.0, 17.0, 130.0, 400.0
    top, bottom = 30.0, 30.0 + line * len(places)
    drawing = Drawing(width, bottom + 4.8 * size, title, f"{title}: {label}, of each pair")
    items = drawing.items
    items.append(Text((0, 1.1 * size), title, 1.1 * size, bold=True))
    means = [0.0] + [p.over_siren[0].mean for p in places if p.over_siren]
    reach = 0.35 * (max(means) - min(means)) + 0.1  # of intervals of few signals, which are wide
    x = scale_of([min(means) - reach, max(means) + reach], wanted=5)

    def across(value: float) -> float:
        return left + x.place(min(max(value, x.low), x.high)) * (width - left - size)

    for tick, text in zip(x.ticks, x.labels(), strict=True):
        colour = "muted" if tick == 0 else "grid"
        items.append(Line(((across(tick), top), (across(tick), bottom)), colour))
        items.append(Text((across(tick), bottom + 1.3 * size), text, size, "middle", "muted"))
    middle = (left + width - size) / 2
    items.append(Text((middle, bottom + 2.7 * size), label, size, "middle", "muted"))
    coloured = f"blue where p < {CERTAIN:g}"
    items.append(Text((middle, bottom + 4.1 * size), coloured, size, "middle", "muted"))
    for i, place in enumerate(places):
        y = top + (i + 0.5) * line
        items.append(Text((left - 8, y + 0.35 * size), " ".join(place.pair), size, "end"))
        found, p = place.over_siren or (of_values([0.0, 0.0]), 1.0)
        colour = "c1" if p < CERTAIN else "muted"
        items.append(Line(((across(found.low), y), (across(found.high), y)), colour, 1.6))
        tip = f"{plain(round(found.mean, 2))} dB, p {p:.2g}, {found.count} signals"
        items.append(Mark((across(found.mean), y), "circle", colour, 3.5, tip))
    return drawing


def gains_figure(kind: str, rates: Sequence[float], rows: Sequence[Row]) -> Drawing:
    """What each remedy gains in the file over what it gains in float, at each rate."""
    charts = []
    for rate in rates:
        mine = [r for r in rows if r["rate"] == f"{rate:g}" and r["float_gain_db"]]
        fields = list(dict.fromkeys(r["field"] for r in mine))
        series = [
            Series(
                f"{row['field']} {row['remedy']}",
                [(float(row["float_gain_db"]), float(row["file_gain_db"]))],
                look(fields.index(row["field"])),
                joined=False,
            )
            for row in mine
        ]
        ends = [x for one in series for x, _ in one.points]
        if ends:  # where a gain is the same in both
            same = [(end, end) for end in (min(ends), max(ends))]
            series.append(Series("", same, PUBLISHED, background=True))
        title, x, y = f"{rate:g} {UNITS[kind]}", "Gain in float (dB)", "Gain in the file (dB)"
        charts.append(draw(Chart(title, x, y, series, labelled=True, y_zero_line=True), 460, 380))
    return panels(charts, len(charts), "Gains of remedies, before weights are made cheap and after")
