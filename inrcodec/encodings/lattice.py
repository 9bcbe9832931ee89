"""Sines on an integer lattice of frequencies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, Self

import numpy as np

from inrcodec.encodings import Encoding
from inrcodec.registry import register

_LOW_SHARE = 0.7
LOW_RANGE = 10
_PERIOD = 4  # of the lattice, on coordinates of extent 2: the border is not forced to be periodic


@register("encodings", "lattice", id=4)
@dataclass(frozen=True)
class Lattice(Encoding):
    """sin(pi/2 k x + phi), k whole and fixed: TUNER's first layer, in whole frequencies.

    Args:
        rows: number of frequencies.
        bandlimit: largest |k| along an axis; the encoder samples up to it.
    """

    source = "TUNER, Novello et al., arXiv 2407.21121, eq. 8; 70% of the rows within |k| <= 10"
    field = "tuner"
    activation = "sine"

    rows: int = attribute(default=64, metadata={"range": (1, 1024)})
    bandlimit: int = attribute(default=85, metadata={"range": (1, 65535)})

    @classmethod
    def of(cls, shape: tuple[int, ...], hidden_features: int, weights: float | None = None) -> Self:
        """As many rows as the network is wide, up to a sixth of the samples of an axis."""
        return cls(min(1024, hidden_features), min(65535, max(LOW_RANGE, max(shape) // 6)))

    def features(self, in_features: int) -> int:
        return self.rows

    def macs(self, in_features: int) -> int:
        return self.rows * in_features

    def layout(self, in_features: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        return {
            "lattice": ("lattice", (self.rows, in_features)),
            "phase": ("phase", (self.rows,)),
        }

    def frozen(self) -> frozenset[str]:
        return frozenset({"lattice"})

    def initial(self, rng: np.random.Generator, in_features: int) -> dict[str, np.ndarray]:
        """The unit vectors, most of the others low, the rest on a coarse grid up to the limit.

        Only half of the directions are drawn: sin is odd, and the phase turns.
        """
        units = np.eye(in_features)[: self.rows]
        rest = self.rows - len(units)
        low = round(_LOW_SHARE * rest)
        chosen = np.concatenate(
            [units, self._low(rng, low, in_features), self._high(rng, rest - low, in_features)]
        )
        return {"lattice": chosen, "phase": rng.uniform(-math.pi / 2, math.pi / 2, self.rows)}

    def _low(self, rng: np.random.Generator, count: int, in_features: int) -> np.ndarray:
        """[count, in_features] low frequencies, the first coordinate not negative.

        The source has 10 of 85; of sound, whose limit is far higher, it is as large a share.
        """
        high = LOW_RANGE if in_features > 1 else max(LOW_RANGE, self.bandlimit * LOW_RANGE // 85)
        lows = [0] + [-high] * (in_features - 1)
        return rng.integers(lows, high + 1, (count, in_features)).astype(float)

    def _high(self, rng: np.random.Generator, count: int, in_features: int) -> np.ndarray:
        """[count, in_features] points of a lattice of wide steps over the whole band."""
        side = int((count / 2 ** (in_features - 1)) ** (1 / in_features)) + 1
        step = max(self.bandlimit // side, 1)
        axis = np.arange(-self.bandlimit, self.bandlimit + 1, step)
        first = axis[: side + 2]
        points = np.stack(np.meshgrid(first, *[axis] * (in_features - 1), indexing="ij"), axis=-1)
        points = points.reshape(-1, in_features)
        return points[rng.choice(len(points), count, replace=count > len(points))]

    def __call__(self, a: Any, theta: Mapping[str, Any], coords: Any) -> Any:
        return a.sin(a.affine(theta["lattice"] * (2 * math.pi / _PERIOD), theta["phase"], coords))
