"""What the remedy study says, as tables, charts, and sentences on what is left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from remedy_study_cells import BETWEEN, METRICS, UNITS
from remedy_study_differences import of_values
from remedy_study_ranking import (
    REFERENCE,
    Loss,
    Numbers,
    Pair,
    Place,
    at_rate,
    curves,
    losses,
    ranking,
)  # fmt: skip
from remedy_study_tables import CERTAIN, fields_table, remedies_table, signals_table
from reproduced.table import Row, number_text, write_rows

from inrcodec.evaluate.report.drawing import Drawing, Line, Mark, Text, panels
from inrcodec.evaluate.report.ticks import plain, scale_of
from inrcodec.evaluate.report.writing import write_figure
from inrcodec.files import write_atomic

RANKING = (
    "kind", "rate", "metric", "rank", "field", "remedy", "value", "encode_cpu_seconds",
    "over_siren_signals", "over_siren", "over_siren_low", "over_siren_high", "over_siren_p",
    "over_none_signals", "over_none", "over_none_low", "over_none_high", "over_none_p",
)  # fmt: skip
LOSSES = (
    "kind", "rate", "field", "remedy", "signals", "loss_db", "loss_low_db", "loss_high_db",
    "gain_signals", "float_gain_db", "unrounded_gain_db", "file_gain_db",
)  # fmt: skip


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


def loss_row(kind: str, rate: float, loss: Loss) -> Row:
    """A loss as the row of a table."""
    row = dict.fromkeys(LOSSES, "") | _head(kind, rate, loss.pair)
    row |= {
        "signals": str(loss.lost.count),
        "loss_db": number_text(loss.lost.mean),
        "loss_low_db": number_text(loss.lost.low),
        "loss_high_db": number_text(loss.lost.high),
    }
    for name, gain in zip(("float", "unrounded", "file"), loss.gains, strict=True):
        if gain is not None:
            row |= {"gain_signals": str(gain.count), f"{name}_gain_db": number_text(gain.mean)}
    return row


def _head(kind: str, rate: float, pair: Pair) -> Row:
    return {"kind": kind, "rate": f"{rate:g}", "field": pair[0], "remedy": pair[1]}


def write_report(
    folder: Path, rows: Sequence[Row], rates: Mapping[str, Sequence[float]], least: int
) -> tuple[list[Row], list[str]]:
    """Writes ranking.tsv, losses.tsv, tables.md, and charts where there is something to compare.

    Args:
        folder: that is there.
        rows: of files.
        rates: kind -> rates to compare at.
        least: signals that two pairs must share to be compared.

    Returns:
        The rows of ranking.tsv; and what is left out, as sentences.
    """
    ranked, lost_rows, notes, tables = [], [], [], []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = [row for row in rows if row["kind"] == kind]
        best, lost = {}, {}
        for rate in rates[kind]:
            seconds = at_rate(mine, rate, "encode_cpu_seconds")
            for metric in METRICS[kind]:
                places = ranking(at_rate(mine, rate, metric), metric, least)
                ranked += ranking_rows(kind, rate, metric, places, seconds)
                if metric == METRICS[kind][0]:
                    best[rate] = places
            lost[rate] = losses(kind, rate, mine, least)
            lost_rows += [loss_row(kind, rate, loss) for loss in lost[rate]]
            notes += left_out(mine, kind, rate, [place.pair for place in best[rate]])
        notes += worse_than_smaller(mine, kind)
        tables += fields_table(kind, best) + remedies_table(kind, best, lost)
        middle = sorted(rates[kind])[len(rates[kind]) // 2]
        tables += signals_table(kind, middle, at_rate(mine, middle, METRICS[kind][0]))
        if any(best.values()):
            write_figure(folder, f"{kind}_ranking", ranking_figure(kind, best), force=True)
            write_figure(folder, f"{kind}_gains", gains_figure(kind, lost), force=True)
    notes += [
        f"{row['signal']}: {row['field']} with {row['remedy']} at lambda {row['lmbda']} failed: "
        f"{row['failed']}"
        for row in rows
        if row["failed"]
    ]
    missing = Counter(why for row in rows for why in row["missing"].split(BETWEEN) if why)
    notes += [f"{count} of {len(rows)} files have no {why}" for why, count in missing.items()]
    write_rows(folder / "ranking.tsv", RANKING, ranked)
    write_rows(folder / "losses.tsv", LOSSES, lost_rows)
    write_atomic(folder / "tables.md", "\n".join(tables).encode(), force=True)
    return ranked, notes


def left_out(rows: Sequence[Row], kind: str, rate: float, compared: Sequence[Pair]) -> list[str]:
    """Which pairs lack signals at a rate, or have too few to be compared, as sentences."""
    found = at_rate(rows, rate, METRICS[kind][0])
    signals: dict[Pair, dict[str, None]] = defaultdict(dict)
    for row in rows:
        signals[row["field"], row["remedy"]][row["signal"]] = None
    notes = []
    for pair, mine in signals.items():
        without = [signal for signal in mine if signal not in found.get(pair, {})]
        if without or pair not in compared:
            note = (
                f"{' with '.join(pair)} at {rate:g} {UNITS[kind]}: {len(mine) - len(without)} of "
            )
            note += f"{len(mine)} signals have files around it"
            note += f", not {', '.join(without)}" if without else ""
            notes.append(note + ("" if pair in compared else "; left out"))
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


@dataclass(frozen=True)
class _Line:
    """One pair in a figure: a line from one number to another, and marks on it.

    Args:
        pair: (field, remedy).
        ends: of the line.
        colour: of the line.
        marks: (number, shape, colour) of each.
        tip: what marks say when they are pointed at.
    """

    pair: Pair
    ends: tuple[float, float]
    colour: str
    marks: Sequence[tuple[float, str, str]]
    tip: str


def ranking_figure(kind: str, places: Mapping[float, Sequence[Place]]) -> Drawing:
    """Every pair's difference to siren without a remedy, at each rate, the best on top."""
    drawings = []
    for rate, found in places.items():
        lines = []
        for place in found:
            d, p = place.over_siren or (of_values([0.0, 0.0]), 1.0)
            colour = "c1" if p < CERTAIN else "muted"
            tip = f"{plain(round(d.mean, 2))} dB, p {p:.2g}, {d.count} signals"
            marks = [(d.mean, "circle", colour)]
            lines.append(_Line(place.pair, (d.low, d.high), colour, marks, tip))
        name = METRICS[kind][0].removesuffix("_db").upper()
        label = f"{name} over {' '.join(REFERENCE)} (dB)"
        drawings.append(_panel(f"{rate:g} {UNITS[kind]}", label, f"blue: p < {CERTAIN:g}", lines))
    title = "Fields and remedies at equal file size, with 95% intervals"
    return panels(drawings, len(drawings), title)


def gains_figure(kind: str, lost: Mapping[float, Sequence[Loss]]) -> Drawing:
    """What each remedy gains in float and what is left in the file, at each rate."""
    drawings = []
    for rate, found in lost.items():
        lines = []
        for loss in found:
            before, _, after = loss.gains
            if before is not None and after is not None:
                ends = before.mean, after.mean
                marks = [(ends[0], "circle", "muted"), (ends[1], "square", "c1")]
                tip = " dB, then ".join(plain(round(end, 2)) for end in ends) + " dB"
                lines.append(_Line(loss.pair, ends, "muted", marks, tip))
        lines.sort(key=lambda line: -line.ends[1])
        title, label = f"{rate:g} {UNITS[kind]}", "Gain over the field's own none (dB)"
        drawings.append(_panel(title, label, "circles in float, squares in the file", lines))
    return panels(drawings, len(drawings), "Gains of remedies, in float and in the file")


def _panel(title: str, label: str, legend: str, lines: Sequence[_Line]) -> Drawing:
    """One line below the other; lines end at the frame, marks beyond it are numbers at its edge."""
    size, step, left, width = 11.0, 17.0, 130.0, 400.0
    top, bottom = 30.0, 30.0 + step * len(lines)
    drawing = Drawing(width, bottom + 4.8 * size, title, f"{title}: {label}, of each pair")
    items = drawing.items
    items.append(Text((0, 1.1 * size), title, 1.1 * size, bold=True))
    # A few failures would leave no room for the others.
    shown = sorted([0.0] + [number for line in lines for number, _, _ in line.marks])
    shown = shown[len(shown) // 12 :]
    room = 0.35 * (shown[-1] - shown[0]) + 0.1
    x = scale_of([shown[0] - room, shown[-1] + room], wanted=5)

    def across(value: float) -> float:
        return left + x.place(min(max(value, x.low), x.high)) * (width - left - size)

    for tick, text in zip(x.ticks, x.labels(), strict=True):
        colour = "muted" if tick == 0 else "grid"
        items.append(Line(((across(tick), top), (across(tick), bottom)), colour))
        items.append(Text((across(tick), bottom + 1.3 * size), text, size, "middle", "muted"))
    for below, text in ((2.7, label), (4.1, legend)):
        at = (left + width - size) / 2, bottom + below * size
        items.append(Text(at, text, size, "middle", "muted"))
    for i, line in enumerate(lines):
        y = top + (i + 0.5) * step
        items.append(Text((left - 8, y + 0.35 * size), " ".join(line.pair), size, "end"))
        marks = line.marks
        if min(number for number, _, _ in marks) < x.low:
            numbers = ", ".join(plain(round(number, 1)) for number, _, _ in marks)
            items.append(Text((left + 8, y + 0.35 * size), numbers, size))
            marks = [mark for mark in marks if mark[0] < x.low]
        else:
            low, high = line.ends
            items.append(Line(((across(low), y), (across(high), y)), line.colour, 1.6))
        for number, shape, colour in marks:
            items.append(Mark((across(number), y), shape, colour, 3.5, line.tip))
    return drawing
