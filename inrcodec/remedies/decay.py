"""The course of the learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from inrcodec.registry import register
from inrcodec.remedies import SCHEDULE, Remedy


@register("remedies", "decay")
@dataclass(frozen=True)
class Decay(Remedy):
    """Learning rates that fall exponentially, or stay; usually they fall as a cosine.

    Args:
        final: share of the rates that is left at the end, reached as final**(t/T); 1 keeps them.
            FINER's experiments have 0.1.
    """

    source = "FINER, Liu et al., arXiv 2312.02434, section 4 and the authors' train_image.py"
    cost = "1.0 times"
    takes = frozenset({SCHEDULE})

    final: float = attribute(default=0.1, metadata={"range": (1e-6, 1)})

    def refusal(self, kind: str, config: Any) -> str | None:
        if hasattr(config, "hidden_features"):
            return None
        return "the schedule of the grid field is tuned as a whole"

    def rate_share(self, progress: float) -> float:
        return self.final**progress
