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
from inrcodec.signal import AnySignal
from inrcodec.signal.spectrum import colours_of, energy_centroid

TABLE = "sec.tsv"  # made by tools/calibrate_sec

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

    Args:
        nearest: how many pictures count.
    """

    source = "SEC, Dadela et al., arXiv 2605.12709, section 5; table: results/remedies/omega.tsv"
    cost = "1.0 times"
    takes = frozenset({FREQUENCY})

    nearest: int = attribute(default=3, metadata={"range": (1, 100)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if kind != "image":
            return "its table is of pictures"
        activation, encoding = (getattr(config, n, None) for n in ("activation", "encoding"))
        if isinstance(activation, Sine) and isinstance(encoding, Identity):
            return None
        return refusal_of_grid(config) or "its table is of SIREN; try --field siren"

    def options(
        self, signal: AnySignal, starts: Starts, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        if self.refusal(signal.kind, starts(given, 0).config) or "first_omega_0" in given:
            return {}
        sec = energy_centroid(colours_of(signal))
        known = [row.sec for row in table()]
        if not min(known) <= sec <= max(known):
            _log.info(
                "remedy sec: omega_0 as without it; the centroid is %.4g cycles per picture, and "
                "%.4g to %.4g were measured", sec, min(known), max(known),
            )  # fmt: skip
            return {}
        return {"first_omega_0": chosen(sec, table(), self.nearest)}


@dataclass(frozen=True)
class Row:
    """How well one omega_0 served one picture.

    Args:
        image: its name.
        sec: its centroid, cycles per picture.
        first_omega_0: of the network.
        cost: MSE / lambda + bits per pixel of the file, over that of the picture's best omega_0.
    """

    image: str
    sec: float
    first_omega_0: float
    cost: float


@cache
def table() -> tuple[Row, ...]:
    """What was measured."""
    text = (resources.files("inrcodec.remedies") / TABLE).read_text()
    lines = csv.DictReader(text.splitlines(), delimiter="\t")
    return tuple(
        Row(r["image"], float(r["sec"]), float(r["first_omega_0"]), float(r["cost"])) for r in lines
    )


def chosen(sec: float, rows: Sequence[Row], nearest: int) -> float:
    """The omega_0 of least mean cost over the pictures of nearest centroid."""
    secs = {row.image: row.sec for row in rows}
    near = sorted(secs, key=lambda image: abs(math.log(secs[image] / sec)))[:nearest]
    costs = defaultdict(list)
    for row in rows:
        if row.image in near:
            costs[row.first_omega_0].append(row.cost)
    return min(costs, key=lambda omega: sum(costs[omega]) / len(costs[omega]))
