"""Points of several codecs with nearly the same number of bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inrcodec.evaluate.points import Point
from inrcodec.evaluate.results import Results, is_own

# How far apart two files may be and still be called equal in size.
NEAR = 0.1
RATES = ("low rate", "middle rate", "high rate")


@dataclass(frozen=True)
class Match:
    """The point of each codec nearest to a number of bytes.

    Args:
        label: what readers call this rate.
        bytes: of the codec that sets them.
        points: by codec.
    """

    label: str
    bytes: int
    points: dict[str, Point]

    def difference(self, codec: str) -> float:
        """How many more bytes the codec's file has, as a fraction: 0.1 for 10% more."""
        return self.points[codec].file_bytes / self.bytes - 1

    @property
    def worst(self) -> float:
        """The largest ratio of bytes between a codec and the one that sets them, at least 1."""
        return math.exp(max(abs(math.log(p.file_bytes / self.bytes)) for p in self.points.values()))


def matches(results: Results, signal: str) -> list[Match]:
    """Up to three rates at which every codec has a point, as nearly as there are points.

    The first codec sets the bytes, our own if it took part; of its points those are taken to which
    the others come nearest, from low to high rates.
    """
    found = {codec: [p for p in results.of(codec, signal) if p.decoded] for codec in results.codecs}
    found = {codec: points for codec, points in found.items() if points}
    if not found:
        return []
    leader = next((codec for codec in found if is_own(codec)), next(iter(found)))
    every = [_match(point, found) for point in sorted(found[leader], key=_bytes)]
    near = [match for match in every if match.worst <= 1 + 2 * NEAR]
    if len(near) < len(RATES):
        near = sorted(every, key=lambda match: match.worst)[: len(RATES)]
        near.sort(key=lambda match: match.bytes)
    if len(near) > len(RATES):
        near = [near[0], near[len(near) // 2], near[-1]]
    names = {1: ("rate",), 2: ("lower rate", "higher rate")}.get(len(near), RATES)
    return [Match(name, match.bytes, match.points) for name, match in zip(names, near, strict=True)]


def middle(found: list[Match]) -> Match:
    """The one in the middle of some."""
    return found[len(found) // 2]


def _match(point: Point, found: dict[str, list[Point]]) -> Match:
    wanted = point.file_bytes
    nearest = {
        codec: min(points, key=lambda p: abs(math.log(max(p.file_bytes, 1) / wanted)))
        for codec, points in found.items()
    }
    return Match("", wanted, nearest | {point.codec: point})


def _bytes(point: Point) -> int:
    return point.file_bytes
