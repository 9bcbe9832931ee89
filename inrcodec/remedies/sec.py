"""SEC-Conf: the frequencies that served pictures of about the same spectral centroid best."""

from __future__ import annotations

import csv
import logging
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import cache
from importlib import resources
from typing import Any

from inrcodec.activations.sine import Sine
from inrcodec.encodings.identity import Identity
from inrcodec.registry import register
from inrcodec.remedies import FREQUENCY, Remedy, Starts, refusal_of_grid
from inrcodec.signal import AnySignal, Signal
from inrcodec.signal.spectrum import colours_of, energy_centroid

TABLE = "sec.tsv"  # made by tools/calibrate_sec
LEVELS_TABLE = "sec_levels.tsv"  # made by tools/calibrate_levels

_log = logging.getLogger(__name__)


@register("remedies", "sec")
@dataclass(frozen=True)
class CentroidConfiguration(Remedy):
    """Chooses SIREN's first omega_0 by the centroid, SEC-Conf; 2.5% costlier than always 30.

    The table has the final cost of SIREN at several omega_0 on pictures whose spectral energy
    centroids are known. Of the pictures with the nearest centroids, by their ratio, the omega_0
    counts that is best on average; for centroids beyond those of the table nothing is chosen. The
    authors' table is not public: this one is ours, of pictures at a quarter of their size. By what
    is costlier it is said above: each of its pictures by a table without it, on average
    (results/remedies/frequency_choice.tsv).

    Of the field grid it chooses, in the same way, whether there are latents at every sample: by a
    table of the nearest lambda, of centroids in cycles per sample. That is not worth more than what
    the encoder goes by without it, a transform's coefficients (results/remedies/first_level.tsv).
    It chooses no start of the networks, as all of ours were learned from one set of pictures; and
    no interpolation, as files have only one.

    Args:
        nearest: how many pictures count.
    """

    source = "SEC, Dadela et al., arXiv 2605.12709, section 5; table: results/remedies/omega.tsv"
    cost = "1.0 times"
    takes = frozenset({FREQUENCY})

    nearest: int = attribute(default=3, metadata={"range": (1, 100)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if kind != "image":
            return "its tables are of pictures"
        if refusal_of_grid(config):
            return None
        activation, encoding = (getattr(config, n, None) for n in ("activation", "encoding"))
        if isinstance(activation, Sine) and isinstance(encoding, Identity):
            return None
        return "its tables are of SIREN and of the field grid; try --field siren"

    def options(
        self, signal: AnySignal, starts: Starts, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        if self.refusal(signal.kind, starts(given, 0).config) or "first_omega_0" in given:
            return {}
        sec = energy_centroid(colours_of(signal))
        if not _known(sec, table(), "omega_0"):
            return {}
        return {"first_omega_0": chosen(sec, table(), self.nearest)}

    def grid_options(self, signal: AnySignal, lmbda: float) -> dict[str, Any]:
        measured = levels_table()
        if not min(measured) <= lmbda <= max(measured):
            _log.info("remedy sec: levels as without it; none were measured at this lambda")
            return {}
        rows = measured[min(measured, key=lambda each: abs(math.log(each / lmbda)))]
        sec = centroid_per_sample(signal)
        if not _known(sec, rows, "levels"):
            return {}
        return {"first_level": int(chosen(sec, rows, self.nearest))}


@dataclass(frozen=True)
class Row:
    """How well one choice served one picture.

    Args:
        image: its name.
        sec: its centroid.
        choice: omega_0 of the network, or the first level of the grid field.
        cost: MSE / lambda + bits per pixel of the file, over that of the picture's best choice.
    """

    image: str
    sec: float
    choice: float
    cost: float


@cache
def table() -> tuple[Row, ...]:
    """What was measured of omega_0; centroids in cycles per picture."""
    return tuple(_row(line, "first_omega_0") for line in _lines(TABLE))


@cache
def levels_table() -> dict[float, tuple[Row, ...]]:
    """lambda -> what was measured of first levels; centroids in cycles per sample."""
    lines = _lines(LEVELS_TABLE)
    return {
        lmbda: tuple(_row(line, "first_level") for line in lines if float(line["lmbda"]) == lmbda)
        for lmbda in sorted({float(line["lmbda"]) for line in lines})
    }


def _lines(name: str) -> list[dict[str, str]]:
    text = (resources.files("inrcodec.remedies") / name).read_text()
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


def _row(line: Mapping[str, str], choice: str) -> Row:
    return Row(line["image"], float(line["sec"]), float(line[choice]), float(line["cost"]))


def centroid_per_sample(signal: Signal) -> float:
    """SEC in cycles per pixel, of which latents at every sample and at every second one differ."""
    return energy_centroid(colours_of(signal)) / math.sqrt(signal.width * signal.height)


def chosen(sec: float, rows: Sequence[Row], nearest: int) -> float:
    """The choice of least mean cost over the pictures of nearest centroid."""
    secs = {row.image: row.sec for row in rows}
    near = sorted(secs, key=lambda image: abs(math.log(secs[image] / sec)))[:nearest]
    costs = defaultdict(list)
    for row in rows:
        if row.image in near:
            costs[row.choice].append(row.cost)
    return min(costs, key=lambda choice: sum(costs[choice]) / len(costs[choice]))


def _known(sec: float, rows: Sequence[Row], what: str) -> bool:
    """Whether a centroid lies among those that were measured; else it is said."""
    low, high = min(row.sec for row in rows), max(row.sec for row in rows)
    if low <= sec <= high:
        return True
    _log.info(
        "remedy sec: %s as without it; the centroid is %.3g, and %.3g to %.3g were measured",
        what, sec, low, high,
    )  # fmt: skip
    return False
