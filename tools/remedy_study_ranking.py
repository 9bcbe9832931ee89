"""How fields and remedies compare at a rate, by the rows of the remedy study.

Quality at a rate is interpolated over the logarithm of file sizes, between the files of one cell
around it (monotone cubics of at least three, as BD-rates are); a cell whose files do not enclose a
rate has none there. Differences are paired: over the signals that both have, means over seeds
first. Intervals are Student's, each for itself; p are Holm's, over all pairs of one ranking.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from remedy_study_cells import ANCHOR, METRICS, PLAIN
from remedy_study_differences import Difference, difference, holm
from reproduced.table import Row

from inrcodec.evaluate.cubics import curve_value

LEAST_FILES = 3  # of a curve
LOWER_IS_BETTER = {"sec_error"}

Pair = tuple[str, str]  # (field, remedy)
Curve = Sequence[tuple[float, float]]  # (rate, number)
Numbers = Mapping[Pair, Mapping[str, float]]  # by signal
REFERENCE: Pair = ANCHOR, PLAIN


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
        if (found := difference(numbers[pair], numbers.get(REFERENCE, {}), least)) is not None
    }
    over_siren = _with_p({p: found for p, found in compared.items() if p != REFERENCE})
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


@dataclass(frozen=True)
class Loss:
    """What a pair loses by rounding weights, and what its remedy gains before and after.

    Args:
        pair: (field, remedy).
        lost: unrounded less file.
        gains: of the float phase, the unrounded weights and the file, over the field's own without
            a remedy; None where there is nothing to compare.
    """

    pair: Pair
    lost: Difference
    gains: tuple[Difference | None, Difference | None, Difference | None]


def losses(kind: str, rate: float, rows: Sequence[Row], least: int) -> list[Loss]:
    """The losses of every pair that has unrounded weights; arguments as above."""
    columns = "float_db", "unrounded_db", METRICS[kind][0]
    stages = [at_rate(rows, rate, column) for column in columns]
    _, unrounded, file = stages
    found = []
    for pair in unrounded:
        lost = difference(unrounded[pair], file[pair], least)
        if lost is not None:
            plain = pair[0], PLAIN
            gains = tuple(
                None if pair == plain else difference(s.get(pair, {}), s.get(plain, {}), least)
                for s in stages
            )
            found.append(Loss(pair, lost, gains))
    return found
