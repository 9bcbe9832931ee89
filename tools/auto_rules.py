"""Which remedy is better than none, and where: what `--remedy auto` goes by.

A remedy becomes the rule of a kind of signal and a field where on every signal of the calibration
set it costs no more than nothing, it is the best of those on the mean of logarithms, and other
signals confirm it: it costs less on that mean and nowhere more than NOISE. The rule reaches as far
as a range of sizes, lambdas and numbers of steps at all of which that holds; where it holds for
fewer than LEAST_SIGNALS, there is no rule.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import product
from statistics import fmean
from typing import Any

from inrcodec.remedies.auto import Rule

NOISE, GAIN, LEAST_FITS, LEAST_SIGNALS = 1.03, 0.99, 2, 3
_AT = "pixels", "lmbda", "steps"
_SAME = "field", "image", "pixels", "lmbda", "steps", "seed"


def ratios(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(field, settings) -> every fit that also was made without: its row, and `ratio` of costs.

    Args:
        rows: of a table of tools/ablate_network.
    """
    rows = list(rows)
    plain = {tuple(r[k] for k in _SAME): float(r["cost"]) for r in rows if not r["settings"]}
    found = defaultdict(list)
    for row in rows:
        key = tuple(row[k] for k in _SAME)
        if row["settings"] and key in plain:
            found[row["field"], row["settings"]].append(
                dict(row) | {"ratio": float(row["cost"]) / plain[key]}
            )
    return dict(found)


At = tuple[str | None, str, str]


def calibrated(fit: Mapping[str, Any], images: Collection[str], at: At) -> bool:
    """Whether a fit is of the calibration set: at (pixels or None, lmbda, steps) of those."""
    wanted = zip(_AT, at, strict=True)
    return fit["image"] in images and all(w is None or fit[name] == w for name, w in wanted)


def mean_of(fits: Iterable[Mapping[str, Any]]) -> float:
    """Geometric mean of the ratios; NaN of none."""
    logs = [math.log(fit["ratio"]) for fit in fits]
    return math.exp(fmean(logs)) if logs else math.nan


def worst_of(fits: Iterable[Mapping[str, Any]]) -> float:
    """The largest ratio; NaN of none."""
    return max((fit["ratio"] for fit in fits), default=math.nan)


def reach(fits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The fits of a range of sizes, lambdas and steps in all of which a remedy is better than none.

    Of several ranges it is that of the most fits.
    """
    at: dict[tuple[float, ...], list[dict[str, Any]]] = defaultdict(list)
    for fit in fits:
        at[tuple(float(fit[name]) for name in _AT)].append(fit)
    held = {
        key
        for key, each in at.items()
        if len(each) >= LEAST_FITS and mean_of(each) <= GAIN and worst_of(each) <= NOISE
    }
    ends = [
        [(low, high) for low in values for high in values if low <= high]
        for values in (sorted(set(axis)) for axis in zip(*at, strict=True))
    ]
    reached: list[dict[str, Any]] = []
    for box in product(*ends):
        inside = {
            key
            for key in at
            if all(low <= x <= high for x, (low, high) in zip(key, box, strict=True))
        }
        found = [fit for key in at if key in inside for fit in at[key]]
        if inside <= held and len(found) > len(reached):
            reached = found
    return reached


def rules_of(
    rows: Iterable[Mapping[str, str]],
    kind: str,
    images: Collection[str],
    at: At,
    centroid: Callable[[str, int], float],
) -> tuple[list[Rule], list[dict[str, str]]]:
    """(the rules, what is known of every remedy).

    Args:
        rows: of a table of tools/ablate_network.
        kind: of the signals.
        images: names of the calibration set.
        at: its pixels, None for all, lmbda and steps.
        centroid: of (image, pixels), what `auto.centroid_of` says of that signal.
    """
    best: dict[str, str] = {}
    known = []
    found = ratios(rows)
    means = {}
    for (field, settings), fits in found.items():
        first = [fit for fit in fits if calibrated(fit, images, at)]
        others = [fit for fit in fits if not calibrated(fit, images, at)]
        whole = {fit["image"] for fit in first} == set(images)
        means[field, settings] = mean_of(first)
        if whole and worst_of(first) <= 1 and len(settings.split()) == 1:
            rival = best.get(field)
            if rival is None or means[field, settings] < means[field, rival]:
                best[field] = settings
        known.append((field, settings, first, others))
    rules, table = [], []
    for field, settings, first, others in known:
        held = reach(first + others)
        confirmed = [fit for fit in others if fit in held]
        enough = len({fit["image"] for fit in held}) >= LEAST_SIGNALS
        picked = best.get(field) == settings and bool(confirmed) and enough
        if picked:
            rules.append(_rule(kind, field, settings, held, centroid))
        table.append(
            {"kind": kind, "field": field, "settings": settings,
             "calibration_fits": str(len(first)), "calibration_mean": _shown(mean_of(first)),
             "calibration_worst": _shown(worst_of(first)), "check_fits": str(len(others)),
             "check_mean": _shown(mean_of(others)), "check_worst": _shown(worst_of(others)),
             "picked": "yes" if picked else "no"}
        )  # fmt: skip
    return rules, table


def _rule(
    kind: str,
    field: str,
    settings: str,
    fits: list[dict[str, Any]],
    centroid: Callable[[str, int], float],
) -> Rule:
    samples = [int(fit["pixels"]) for fit in fits]
    lmbdas, steps = ([float(fit[name]) for fit in fits] for name in ("lmbda", "steps"))
    centroids = [centroid(fit["image"], int(fit["pixels"])) for fit in fits]
    return Rule(
        kind, field, settings.removeprefix("remedy="), min(samples), max(samples),
        math.floor(10 * min(centroids)) / 10, math.ceil(10 * max(centroids)) / 10,
        min(lmbdas), max(lmbdas), int(min(steps)), int(max(steps)),
        len({fit["image"] for fit in fits}), len(fits), mean_of(fits), worst_of(fits),
    )  # fmt: skip


def _shown(number: float) -> str:
    return "" if math.isnan(number) else f"{number:.4f}"
