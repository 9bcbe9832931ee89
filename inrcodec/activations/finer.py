"""The activation of FINER."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from inrcodec.activations.sine import SineLike
from inrcodec.registry import register


@register("activations", "finer", id=6)
@dataclass(frozen=True)
class Finer(SineLike):
    """sin((|x| / omega_0 + 1) x): FINER, sines of variable period.

    With x = omega_0 z this is the paper's sin(omega_0 (|z| + 1) z). As in the authors' code no
    gradient flows through the scale |z| + 1.
    """

    source = "FINER, Liu et al., arXiv 2312.02434, eq. 5"
    field = "finer"

    omega_0: int = attribute(default=30, metadata={"range": (1, 1023)})

    def __call__(self, a: Any, x: Any) -> Any:
        return a.sin((a.detached(a.abs(x)) * (1 / self.omega_0) + 1.0) * x)
