"""What the rows of the remedy study say: rankings, losses from float to file, charts.

All numbers come from the rows alone. Differences are paired: of the same signals, with the same
field, at the same file size. Intervals are 95% bootstraps over signals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from remedy_study_cells import PLAIN, QUALITY, UNITS
from reproduced.table import Row, number_text, write_rows

from inrcodec.evaluate.bd import bootstrap_interval
from inrcodec.evaluate.report.chart import Chart, Series, draw, look
from inrcodec.evaluate.report.drawing import Drawing, panels
from inrcodec.evaluate.report.writing import write_figure

RANKING = (
    "kind", "rate", "rank", "field", "remedy", "signals", "quality_db", "gain_db", "gain_low_db",
    "gain_high_db", "float_gain_db", "loss_db", "encode_seconds",
)  # fmt: skip
LOSSES = (
    "kind", "rate", "remedy", "fields", "signals", "loss_db", "loss_low_db", "loss_high_db",
    "float_gain_db", "float_gain_low_db", "float_gain_high_db",
    "file_gain_db", "file_gain_low_db", "file_gain_high_db",
)  # fmt: skip
PLOTTED_FIELDS = 8

Pair = tuple[str, str]  # (field, remedy)


@dataclass(frozen=True)
class Mean:
    """A mean over signals with its interval; low and high are None for a single signal."""

    value: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        return cls(fmean(values), *bootstrap_interval(values))


@dataclass(frozen=True)
class Group:
    """The cells of one kind of signal at one rate, means over seeds.

    Args:
        kind, rate: see there.
        signals: names of all.
        numbers: (field, remedy) -> signal -> column -> number.
    """

    kind: str
    rate: float
    signals: tuple[str, ...]
    numbers: dict[Pair, dict[str, dict[str, float]]]

    def complete(self) -> list[Pair]:
        """Pairs that every signal has; only those can be compared."""
        return [p for p, found in self.numbers.items() if set(found) == set(self.signals)]

    def values(self, pair: Pair, column: str) -> list[float]:
        """One number per signal."""
        return [self.numbers[pair][signal][column] for signal in self.signals]

    def gains(self, pair: Pair, column: str) -> list[float] | None:
        """What a remedy adds to its field, per signal; None where that cannot be said."""
        plain = pair[0], PLAIN
        if plain not in self.complete() or any(
            column not in self.numbers[p][s] for p in (pair, plain) for s in self.signals
        ):
            return None
        both = zip(self.values(pair, column), self.values(plain, column), strict=True)
        return [a - b for a, b in both]


def groups(rows: Iterable[Row]) -> list[Group]:
    """The rows by kind and rate, without those that failed."""
    found: dict[tuple[str, float], dict[Pair, dict[str, list[Row]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    signals: dict[tuple[str, float], dict[str, None]] = defaultdict(dict)
    for row in rows:
        place = row["kind"], float(row["rate"])
        signals[place][row["signal"]] = None
        if not row["failed"]:
            found[place][row["field"], row["remedy"]][row["signal"]].append(row)
    return [
        Group(
            *place,
            tuple(signals[place]),
            {
                pair: {signal: _mean(at) for signal, at in by_signal.items()}
                for pair, by_signal in found[place].items()
            },
        )
        for place in sorted(signals)
    ]


def _mean(rows: Sequence[Row]) -> dict[str, float]:
    """column -> mean over seeds, of the columns that all of them have."""
    names = ("file_db", "float_db", "encode_seconds")
    return {n: fmean(float(r[n]) for r in rows) for n in names if all(r[n] for r in rows)}


def ranking(group: Group) -> list[Row]:
    """Fields and remedies by mean quality of the decoded files, the best first."""
    pairs = sorted(group.complete(), key=lambda p: -fmean(group.values(p, "file_db")))
    rows = []
    for rank, pair in enumerate(pairs, 1):
        gains = group.gains(pair, "file_db")
        gain = Mean.of(gains) if gains and pair[1] != PLAIN else None
        float_gains = group.gains(pair, "float_db")
        lost = _losses(group, pair)
        rows.append(
            {
                "kind": group.kind,
                "rate": f"{group.rate:g}",
                "rank": str(rank),
                "field": pair[0],
                "remedy": pair[1],
                "signals": str(len(group.signals)),
                "quality_db": _text(fmean(group.values(pair, "file_db"))),
                "gain_db": _text(gain and gain.value),
                "gain_low_db": _text(gain and gain.low),
                "gain_high_db": _text(gain and gain.high),
                "float_gain_db": _text(fmean(float_gains) if float_gains and gain else None),
                "loss_db": _text(fmean(lost) if lost else None),
                "encode_seconds": _text(fmean(group.values(pair, "encode_seconds"))),
            }
        )
    return rows


def losses(group: Group) -> list[Row]:
    """For each remedy what is lost from float to file, and what is gained over no remedy.

    Means are over the fields that it fits, then over signals.
    """
    rows = []
    pairs = group.complete()
    for remedy in dict.fromkeys(remedy for _, remedy in pairs):
        mine = [p for p in pairs if p[1] == remedy and _losses(group, p)]
        if not mine:
            continue
        row = {
            "kind": group.kind,
            "rate": f"{group.rate:g}",
            "remedy": remedy,
            "fields": str(len(mine)),
            "signals": str(len(group.signals)),
        }
        row |= _interval("loss", [_losses(group, p) for p in mine])
        for column in ("float", "file"):
            gains = [g for p in mine if (g := group.gains(p, f"{column}_db")) is not None]
            row |= _interval(f"{column}_gain", gains if remedy != PLAIN else [])
        rows.append(row)
    return rows


def _interval(name: str, by_field: Sequence[Sequence[float]]) -> Row:
    """Columns of a mean over fields, with its interval over signals."""
    mean = Mean.of([fmean(values) for values in zip(*by_field, strict=True)]) if by_field else None
    return {
        f"{name}_db": _text(mean and mean.value),
        f"{name}_low_db": _text(mean and mean.low),
        f"{name}_high_db": _text(mean and mean.high),
    }


def _losses(group: Group, pair: Pair) -> list[float]:
    """Float less file quality per signal; empty where a field has no float weights."""
    if any("float_db" not in group.numbers[pair][signal] for signal in group.signals):
        return []
    both = zip(group.values(pair, "float_db"), group.values(pair, "file_db"), strict=True)
    return [a - b for a, b in both]


def _text(value: float | None) -> str:
    return "" if value is None else number_text(value)


def write_report(folder: Path, rows: Sequence[Row]) -> list[str]:
    """Writes ranking.tsv, losses.tsv and charts; what cannot be compared, as sentences."""
    found = groups(rows)
    write_rows(folder / "ranking.tsv", RANKING, [row for g in found for row in ranking(g)])
    write_rows(folder / "losses.tsv", LOSSES, [row for g in found for row in losses(g)])
    for kind in dict.fromkeys(g.kind for g in found):
        mine = [g for g in found if g.kind == kind]
        write_figure(folder, f"{kind}_quality", quality_figure(mine), force=True)
        write_figure(folder, f"{kind}_gains", gains_figure(mine), force=True)
    notes = [
        f"{g.kind} at {g.rate:g} {UNITS[g.kind]}: {field} with {remedy} has "
        f"{len(signals)} of {len(g.signals)} signals, and is left out"
        for g in found
        for (field, remedy), signals in g.numbers.items()
        if (field, remedy) not in g.complete()
    ]
    failed = [row for row in rows if row["failed"]]
    return notes + [
        f"{row['signal']} at {row['rate']}: {row['field']} with {row['remedy']} failed: "
        f"{row['failed']}"
        for row in failed
    ]


def quality_figure(found: Sequence[Group]) -> Drawing:
    """Quality over rate of each field, with the remedy that is best for it at each rate."""
    kind = found[0].kind
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    tips: dict[str, list[str]] = defaultdict(list)
    for group in found:
        best: dict[str, tuple[float, str]] = {}
        for field, remedy in group.complete():
            value = fmean(group.values((field, remedy), "file_db"))
            best[field] = max(best.get(field, (value, remedy)), (value, remedy))
        for field, (value, remedy) in best.items():
            points[field].append((group.rate, value))
            tips[field].append(f"{field} with {remedy}: {value:.2f} dB")
    order = sorted(points, key=lambda f: -max(y for _, y in points[f]))[:PLOTTED_FIELDS]
    series = [Series(f, points[f], look(i), tips[f]) for i, f in enumerate(order)]
    name = QUALITY[kind].removesuffix("_db").upper()
    chart = Chart(
        "Fields with their best remedy", UNITS[kind], f"{name} (dB)", series[::-1], x_log=True
    )
    return draw(chart, 640, 400)


def gains_figure(found: Sequence[Group]) -> Drawing:
    """What each remedy gains in the file over what it gains in float, means over its fields."""
    charts = []
    for group in found:
        series = []
        for i, row in enumerate(r for r in losses(group) if r["file_gain_db"]):
            at = float(row["float_gain_db"]), float(row["file_gain_db"])
            series.append(Series(row["remedy"], [at], look(i), joined=False))
        title = f"{group.rate:g} {UNITS[group.kind]}"
        x, y = "Gain in float (dB)", "Gain in the file (dB)"
        charts.append(draw(Chart(title, x, y, series, labelled=True, y_zero_line=True), 420, 340))
    return panels(charts, 2, "Gains of remedies, before and after quantization")
