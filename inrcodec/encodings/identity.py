"""No encoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inrcodec.encodings import Encoding
from inrcodec.registry import register


@register("encodings", "identity", id=1)
@dataclass(frozen=True)
class Identity(Encoding):
    """x: bare coordinates."""

    source = "SIREN, Sitzmann et al., arXiv 2006.09661"

    def features(self, in_features: int) -> int:
        return in_features

    def __call__(self, a: Any, theta: Mapping[str, Any], coords: Any) -> Any:
        return coords
