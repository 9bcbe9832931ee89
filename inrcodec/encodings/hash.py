"""The multi-resolution hash grid of Instant-NGP."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import Any, Self

import numpy as np

from inrcodec.encodings import Encoding
from inrcodec.registry import register

PRIMES = (1, 2654435761, 805459861)
_FINEST_SHARE = 0.5  # resolution of the finest level over that of the signal
# Where the rate chooses: entries of the smallest table, and vertices of a level that share one.
# Networks of a few kilobytes are better without levels of more (results/design/README.md).
_FEWEST_LOG2, _MOST_SHARED = 8, 8


@register("encodings", "hash", id=5)
@dataclass(frozen=True)
class Hash(Encoding):
    """Linear interpolation of learned tables, hashed at fine levels: hash grid.

    Args:
        levels: number of tables.
        level_features: of each entry.
        log2_entries: no table has more entries than 2 to this; coarse levels have one per vertex.
        coarsest: resolution of the first level, vertices along an axis less one.
        growth_64ths: factor between levels, in 64ths.
    """

    source = "Instant-NGP, Mueller et al., arXiv 2201.05989, eq. 2 to 4; tables U(+-1e-4)"
    field = "ngp"
    share = 0.7
    hidden_layers = 1

    levels: int = attribute(default=8, metadata={"range": (1, 16)})
    level_features: int = attribute(default=2, metadata={"range": (1, 8)})
    log2_entries: int = attribute(default=12, metadata={"range": (2, 20)})
    coarsest: int = attribute(default=16, metadata={"range": (1, 64)})
    growth_64ths: int = attribute(default=96, metadata={"range": (64, 255)})

    @classmethod
    def of(cls, shape: tuple[int, ...], hidden_features: int, weights: float | None = None) -> Self:
        """Levels by the source's factor 1.5, from 16 up to half of the samples of an axis.

        Where that takes more than 16 of them, the factor is larger. Tables are the largest that the
        weights allow, without levels that would be too fine for them.
        """
        default = cls()
        ratio = max(1.0, _FINEST_SHARE * max(shape) / default.coarsest)
        levels = min(16, 1 + round(math.log(ratio) / math.log(default.growth_64ths / 64)))
        growth = default.growth_64ths
        if levels == 16:
            growth = min(255, max(growth, round(64 * ratio ** (1 / 15))))
        made = cls(levels=levels, growth_64ths=growth)
        if weights is None:
            return made
        # Not even the first level may share more.
        fewest = math.ceil(math.log2(made.coarsest ** len(shape) / _MOST_SHARED))
        by_size = [
            replace(made, log2_entries=log2)._levels_told_apart(len(shape), levels)
            for log2 in range(20, max(_FEWEST_LOG2, fewest) - 1, -1)
        ]
        by_size += [replace(by_size[-1], levels=n) for n in range(by_size[-1].levels - 1, 0, -1)]
        fits = (e for e in by_size if e._weights(len(shape)) <= cls.share * weights)
        return next(fits, by_size[-1])

    def _levels_told_apart(self, in_features: int, most: int) -> Self:
        """At most so many levels, and none whose vertices share entries by too many."""
        whole = replace(self, levels=most)
        shared = _MOST_SHARED << self.log2_entries
        fits = sum(side**in_features <= shared for side in whole._resolutions())
        return replace(self, levels=max(1, fits))

    def features(self, in_features: int) -> int:
        return self.levels * self.level_features

    def macs(self, in_features: int) -> int:
        return self.levels * self.level_features * 2**in_features

    def scales(self) -> list[float]:
        """Cells along an axis of each level, not rounded."""
        found, scale = [], float(self.coarsest)
        for _ in range(self.levels):
            found.append(scale - 1.0)
            scale *= self.growth_64ths / 64
        return found

    def _resolutions(self) -> list[int]:
        return [math.ceil(scale) + 1 for scale in self.scales()]

    def _weights(self, in_features: int) -> int:
        return sum(math.prod(shape) for _, shape in self.layout(in_features).values())

    def layout(self, in_features: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        most = 1 << self.log2_entries
        return {
            f"table{level}": (f"table{level}", (min(most, side**in_features), self.level_features))
            for level, side in enumerate(self._resolutions())
        }

    def initial(self, rng: np.random.Generator, in_features: int) -> dict[str, np.ndarray]:
        return {
            name: rng.uniform(-1e-4, 1e-4, shape)
            for name, (_, shape) in self.layout(in_features).items()
        }

    def __call__(self, a: Any, theta: Mapping[str, Any], coords: Any) -> Any:
        dimensions, found = len(coords), []
        unit = (coords + 1.0) * 0.5
        for level, (scale, side) in enumerate(zip(self.scales(), self._resolutions(), strict=True)):
            table = theta[f"table{level}"]
            position = unit * scale + 0.5
            corner = a.floor(position)
            share = position - corner
            corner = a.integers(corner)
            total = None
            for offset in itertools.product((0, 1), repeat=dimensions):
                vertex = [corner[d] + offset[d] for d in range(dimensions)]
                weight = share[0] if offset[0] else 1.0 - share[0]
                for d in range(1, dimensions):
                    weight = weight * (share[d] if offset[d] else 1.0 - share[d])
                part = a.take(table, _index(vertex, side, len(table))) * weight
                total = part if total is None else total + part
            found.append(total)
        return a.concatenate(found)


def _index(vertex: list[Any], side: int, entries: int) -> Any:
    """Entry of a vertex: its number where the table has one for each, else its hash."""
    if side ** len(vertex) <= entries:
        index = vertex[-1] % side
        for coordinate in reversed(vertex[:-1]):
            index = index * side + coordinate % side
        return index
    index = vertex[0] * PRIMES[0] & 0xFFFFFFFF
    for coordinate, prime in zip(vertex[1:], PRIMES[1:], strict=False):
        index = index ^ (coordinate * prime & 0xFFFFFFFF)
    return index % entries
