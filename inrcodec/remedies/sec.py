"""SEC-Conf: the frequencies that served pictures of about the same spectral centroid best."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import cache
from importlib import resources
from typing import Any

from inrcodec.encodings.identity import Identity
from inrcodec.registry import register
from inrcodec.remedies import FREQUENCY, Remedy, Starts, is_of_sines, refusal_of_grid
from inrcodec.signal import AnySignal
from inrcodec.signal.spectrum import energy_centroid

TABLE = "sec.tsv"  # made by tools/calibrate_sec


@register("remedies", "sec")
@dataclass(frozen=True)
class CentroidConfiguration(Remedy):
    """Chooses omega_0 of the first layer from a table, by the picture's centroid: SEC-Conf.

    The table has the final cost of sine networks at several omega_0 on pictures whose spectral
    energy centroids are known. Of the pictures with the nearest centroids, by their ratio, the
    omega_0 counts that is best on average. The authors' table is not public: this one is ours.

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
        if is_of_sines(config) and isinstance(config.encoding, Identity):
            return None
        return refusal_of_grid(config) or (
            "its table is of sines on bare coordinates, and the network has none; try --field siren"
        )

    def options(
        self, signal: AnySignal, starts: Starts, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        if self.refusal(signal.kind, starts(given, 0).config) or "first_omega_0" in given:
            return {}
        sec = energy_centroid(signal.samples)
        return {} if math.isnan(sec) else {"first_omega_0": chosen(sec, table(), self.nearest)}


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
