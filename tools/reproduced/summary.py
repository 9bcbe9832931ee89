"""What a table of rows says, beside what the paper says."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean, median, stdev
from typing import Any

from reproduced.description import Cell, Experiment
from reproduced.table import Row, number_text

COLUMNS = (
    "cell", "task", "signals", "step", "metric", "paper", "ours", "difference", "beyond_spread",
    "median", "over_seeds", "over_signals", "trainings", "seconds", "cpu_seconds",
)  # fmt: skip


def summary(experiment: Experiment, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """One line for each number of the paper, and for what it has none of at the end.

    Means are over the signals that all cells of a task have been trained on, which is how they
    compare where a part of the table was made.

    `over_seeds` is the standard deviation of the mean over signals between seeds, `over_signals`
    that of the mean over seeds between signals; both None below two. `beyond_spread` says whether
    the difference is larger than both, None where there is neither.
    """
    rows = _comparable(rows)
    found: dict[tuple[str, str, int, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["cell"], row["task"], int(row["step"]), row["metric"]].append(row)
    lines = []
    for cell in experiment.cells:
        for task in experiment.tasks:
            for step, metric, signal, paper in _wanted(experiment, cell, task):
                at = [
                    row
                    for row in found[cell.name, task, step, metric]
                    if row["value"] and signal in ("", row["signal"])
                ]
                if at:
                    lines.append(_line(cell.name, task, signal, step, metric, paper, at))
    return lines


def _comparable(rows: Iterable[Row]) -> list[Row]:
    """The rows of signals that all cells with rows of a task have."""
    rows = list(rows)
    signals: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        signals[row["task"]][row["cell"]].add(row["signal"])
    common = {task: set.intersection(*cells.values()) for task, cells in signals.items()}
    return [row for row in rows if row["signal"] in common[row["task"]]]


def _wanted(
    experiment: Experiment, cell: Cell, task: str
) -> list[tuple[int, str, str, float | None]]:
    """(step, metric, signal, the paper's number) of the lines of a cell."""
    end = experiment.steps
    named = [p for p in cell.published if p.task == task]
    wanted = [(p.step or end, p.metric, p.signal, p.value) for p in named]
    there = {(step, metric) for step, metric, *_ in wanted}
    wanted += [(end, metric, "", None) for metric in experiment.metrics
               if (end, metric) not in there]  # fmt: skip
    return wanted


def _line(
    cell: str, task: str, signal: str, step: int, metric: str, paper: float | None, rows: list[Row]
) -> dict[str, Any]:
    values = [float(row["value"]) for row in rows]
    ours = fmean(values)
    difference = None if paper is None else ours - paper
    over_seeds, over_signals = _spread(rows, "seed"), _spread(rows, "signal")
    spread = max((s for s in (over_seeds, over_signals) if s is not None), default=None)
    known = difference is not None and spread is not None
    return {
        "cell": cell,
        "task": task,
        "signals": signal or str(len({row["signal"] for row in rows})),
        "step": step,
        "metric": metric,
        "paper": paper,
        "ours": ours,
        "difference": difference,
        "beyond_spread": ("yes" if abs(difference) > spread else "no") if known else None,
        "median": median(values),
        "over_seeds": over_seeds,
        "over_signals": over_signals,
        "trainings": len(rows),
        "seconds": fmean(float(row["seconds"]) for row in rows),
        "cpu_seconds": fmean(float(row["cpu_seconds"]) for row in rows),
    }


def _spread(rows: list[Row], key: str) -> float | None:
    """Standard deviation between groups of their means; None below two groups."""
    groups: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(float(row["value"]))
    means = [fmean(values) for values in groups.values()]
    return stdev(means) if len(means) > 1 and all(map(math.isfinite, means)) else None


def as_text(lines: list[dict[str, Any]]) -> str:
    """The lines as a table for people and programs: tab-separated, a header first."""

    def cell(value: Any) -> str:
        if value is None:
            return ""
        return number_text(value) if isinstance(value, float) else str(value)

    rows = ["\t".join(COLUMNS)]
    rows += ["\t".join(cell(line[column]) for column in COLUMNS) for line in lines]
    return "\n".join(rows) + "\n"
