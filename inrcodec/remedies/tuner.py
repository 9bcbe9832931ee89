"""TUNER: a first layer on a lattice of frequencies, and bounds on how strongly they mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

import numpy as np

from inrcodec.encodings.lattice import LOW_RANGE, Lattice
from inrcodec.registry import register
from inrcodec.remedies import (
    BOUNDS,
    FREQUENCY,
    PARAMETERS,
    NetworkStart,
    Remedy,
    Starts,
    is_of_sines,
)
from inrcodec.signal import AnySignal


@register("remedies", "tuner")
@dataclass(frozen=True)
class Tuner(Remedy):
    """Whole frequencies before the first layer, whose columns stay within bounds of their |k|.

    A sine of sines has the frequencies sum k_j omega_j with amplitudes of at most
    prod (|W_ij| / 2)^|k_j| / |k_j|!: bounds on the matrix behind the lattice bound the spectrum.
    Bounds are taken from |k| itself, where the authors' code scales it by pi^2 first.

    Args:
        low, high: bounds of |W_ij| of columns whose frequency j is low (|k| of at most the
            lattice's low range along every axis) or high.
    """

    source = "TUNER, Novello et al., arXiv 2407.21121, theorem 2 and section 3.2"
    cost = "1.18 times"
    takes = frozenset({FREQUENCY, BOUNDS, PARAMETERS})

    low: float = attribute(default=1.0, metadata={"range": (0.001, 100)})
    high: float = attribute(default=0.6, metadata={"range": (0.001, 100)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if not is_of_sines(config):
            return "it bounds sines of sines, and the network has none; try --field siren"
        if not isinstance(config.encoding, Lattice):
            return "it needs the encoding lattice; leave --encoding out"
        return None

    def options(
        self, signal: AnySignal, starts: Starts, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {"encoding": "lattice"} if is_of_sines(starts(given, 0).config) else {}

    def bound(self, start: NetworkStart, theta: dict[str, np.ndarray]) -> None:
        limits = self.limits(theta["lattice"])
        np.clip(theta["weight0"], -limits, limits, out=theta["weight0"])

    def limits(self, frequencies: np.ndarray) -> np.ndarray:
        """[rows] bound of each column, for whole frequencies [rows, axes]."""
        low = np.abs(frequencies).max(axis=1) <= LOW_RANGE
        return np.where(low, self.low, self.high)
