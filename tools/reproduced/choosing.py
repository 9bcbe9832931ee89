"""SEC-Conf, and the best there is, of trainings that a table has already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from statistics import fmean

from reproduced.description import Experiment
from reproduced.table import Row

CENTROID = "target_centroid"
SEC_CONF, BEST = "SEC-Conf, by the other pictures", "best of the grid for each picture"


def with_choices(experiment: Experiment, rows: list[Row]) -> tuple[Experiment, list[Row]]:
    """The experiment and its rows with those that a choice among its candidates gives.

    For each signal SEC-Conf takes the candidate that is best, on average, for the signals whose
    centroids in whole cycles are the nearest; the signal itself is left out.

    Args:
        experiment: as described; without candidates nothing is chosen.
        rows: its own.
    """
    values = _final(experiment, rows, experiment.metrics[0])
    measured = _final(experiment, rows, CENTROID).items()
    centroids = {signal: fmean(by_cell.values()) for signal, by_cell in measured}
    found = []
    for signal, own in values.items():
        if len(own) < len(experiment.candidates):
            continue
        others = {
            other: abs(round(centroids[other]) - round(centroids[signal]))
            for other, their in values.items()
            if other != signal and len(their) == len(experiment.candidates)
        }
        chosen = {BEST: max(own, key=own.get)}
        if others:
            near = [other for other, d in others.items() if d == min(others.values())]
            mean = {name: fmean(values[other][name] for other in near) for name in own}
            chosen[SEC_CONF] = max(mean, key=mean.get)
        for name, cell in chosen.items():
            found += [
                row | {"cell": name}
                for row in rows
                if (row["cell"], row["signal"]) == (cell, signal)
            ]
    if not found:
        return experiment, rows
    base = replace(experiment.cells[0], published=())
    cells = [replace(base, name=name) for name in (SEC_CONF, BEST)]
    return replace(experiment, cells=(*experiment.cells, *cells)), [*rows, *found]


def _final(experiment: Experiment, rows: Iterable[Row], metric: str) -> dict[str, dict[str, float]]:
    """Signal -> candidate -> mean of a metric at the end."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["cell"] not in experiment.candidates or not row["value"]:
            continue
        if row["metric"] == metric and int(row["step"]) == experiment.steps:
            found[row["signal"]][row["cell"]].append(float(row["value"]))
    return {s: {c: fmean(v) for c, v in cells.items()} for s, cells in found.items()}
