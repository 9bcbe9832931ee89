"""The rankings and gains of the remedy study as tables that people read, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from remedy_study_cells import METRICS, PLAIN, UNITS
from remedy_study_differences import Difference
from remedy_study_ranking import REFERENCE, Loss, Numbers, Pair, Place

CERTAIN = 0.05  # p below which a difference is taken as one
NOTHING = "—"


def fields_table(kind: str, places: Mapping[float, Sequence[Place]]) -> list[str]:
    """Fields without a remedy over siren, at each rate, the best on average first."""
    cells: dict[Pair, dict[float, str]] = {}
    means: dict[Pair, list[float]] = {}
    for rate, found in places.items():
        for place in (p for p in found if p.pair[1] == PLAIN):
            text, mean = f"{place.value:.2f} dB itself", 0.0
            if place.over_siren is not None:
                text, mean = told(*place.over_siren), place.over_siren[0].mean
            cells.setdefault(place.pair, {})[rate] = text
            means.setdefault(place.pair, []).append(mean)
    order = sorted(means, key=lambda pair: -fmean(means[pair]))
    return _table(
        [f"{_metric(kind)} over `{REFERENCE[0]}`, dB", *(_rate(kind, rate) for rate in places)],
        [[f"`{p[0]}`", *(cells[p].get(rate, NOTHING) for rate in places)] for p in order],
    )


def remedies_table(
    kind: str, places: Mapping[float, Sequence[Place]], lost: Mapping[float, Sequence[Loss]]
) -> list[str]:
    """Remedies over their own field without one: files at each rate, and before, in the middle."""
    cells: dict[Pair, dict[float, str]] = {}
    means: dict[Pair, list[float]] = {}
    for rate, found in places.items():
        for place in found:
            if place.over_none is not None:
                cells.setdefault(place.pair, {})[rate] = told(*place.over_none)
                means.setdefault(place.pair, []).append(place.over_none[0].mean)
    middle = sorted(lost)[len(lost) // 2]
    before = {loss.pair: loss.gains[0] for loss in lost[middle] if loss.gains[0] is not None}
    fields = list(dict.fromkeys(pair[0] for pair in cells))
    order = sorted(means, key=lambda pair: (fields.index(pair[0]), -fmean(means[pair])))
    head = [f"{_metric(kind)} over no remedy, dB", *(_rate(kind, rate) for rate in places)]
    return _table(
        [*head, f"in float, {_rate(kind, middle)}"],
        [
            [
                f"`{p[0]}` `{p[1]}`",
                *(cells[p].get(rate, NOTHING) for rate in places),
                f"{before[p].mean:+.2f}" if p in before else NOTHING,
            ]
            for p in order
        ],
    )


def signals_table(kind: str, rate: float, numbers: Numbers) -> list[str]:
    """Every pair's number of each signal, the best of it bold; the best on average first.

    Args:
        kind, rate: see there.
        numbers: of the kind's first metric, at the rate.
    """
    signals = list(dict.fromkeys(signal for found in numbers.values() for signal in found))
    best = {s: max(found[s] for found in numbers.values() if s in found) for s in signals}
    behind = {pair: fmean(best[s] - found[s] for s in found) for pair, found in numbers.items()}
    return _table(
        [f"{_metric(kind)} at {_rate(kind, rate)}, dB", *signals],
        [
            [" ".join(f"`{name}`" for name in pair if name != PLAIN)]
            + [_number(numbers[pair].get(signal), best[signal]) for signal in signals]
            for pair in sorted(numbers, key=behind.__getitem__)
        ],
    )


def _number(value: float | None, best: float) -> str:
    if value is None:
        return NOTHING
    return f"**{value:.2f}**" if value == best else f"{value:.2f}"


def told(difference: Difference, p: float) -> str:
    """A difference with its interval, bold where chance alone is unlikely."""
    mean = f"{difference.mean:+.2f}"
    mean = f"**{mean}**" if p < CERTAIN else mean
    return f"{mean} ({difference.low:+.2f} to {difference.high:+.2f})"


def _metric(kind: str) -> str:
    return METRICS[kind][0].removesuffix("_db").upper()


def _rate(kind: str, rate: float) -> str:
    return f"{rate:g} {UNITS[kind]}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown, and an empty one; nothing of no rows."""
    lines = [head, ["---"] * len(head), *rows] if rows else []
    return ["| " + " | ".join(line) + " |" for line in lines] + [""] * bool(rows)
