"""Positional encoding in octaves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, Self

from inrcodec.encodings import Encoding
from inrcodec.registry import register


@register("encodings", "positional", id=2)
@dataclass(frozen=True)
class Positional(Encoding):
    """x, sin(2^i pi x), cos(2^i pi x): positional encoding in octaves."""

    source = "NeRF, Mildenhall et al., arXiv 2003.08934, eq. 4, with the bands that Nyquist allows"
    field = "pe"

    bands: int = attribute(default=7, metadata={"range": (1, 24)})

    @classmethod
    def of(cls, shape: tuple[int, ...], hidden_features: int, weights: float | None = None) -> Self:
        """floor(log2(samples / 4)) bands of the longest axis: 7 for 512."""
        return cls(min(24, max(1, int(math.log2(max(4, *shape) / 4)))))

    def features(self, in_features: int) -> int:
        return in_features * (1 + 2 * self.bands)

    def __call__(self, a: Any, theta: Mapping[str, Any], coords: Any) -> Any:
        octaves = [coords * (math.pi * 2**i) for i in range(self.bands)]
        return a.concatenate([coords, *map(a.sin, octaves), *map(a.cos, octaves)])
