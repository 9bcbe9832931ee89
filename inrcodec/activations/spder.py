"""SPDER: a sine, damped, whose amplitude grows with its argument.

The damping applies to the boosted pre-activation, omega_0 (W h + b), as in the authors' code; the
paper's section 4.1 prints it of the bare one. Derivatives follow from the arithmetic's own `sqrt`
and `log`, which have none that is infinite: that of sin(x) sqrt|x| at 0 is its limit, 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inrcodec.activations.sine import SineLike
from inrcodec.registry import register

_SOURCE = "SPDER, Shah and Sitawarin, arXiv 2306.15242, "


@register("activations", "spder", id=2)
@dataclass(frozen=True)
class SpderSqrt(SineLike):
    """sin(x) sqrt|x|: SPDER; sound gets sin(x) arctan(x) in its place."""

    # With 30, as in the paper, deep narrow networks do not leave the mean of the picture.
    first_boost = 12.0
    learning_rate = 3e-3
    source = _SOURCE + "section 4, but for omega_0 of the first layer, 12"
    field = "spder"

    def __call__(self, a: Any, x: Any) -> Any:
        return a.sin(x) * a.sqrt(a.abs(x))


@register("activations", "spder-arctan", id=3)
@dataclass(frozen=True)
class SpderArctan(SineLike):
    """sin(x) arctan(x): SPDER, for sound."""

    source = _SOURCE + "section 5.2"
    sound_of = "spder"

    def __call__(self, a: Any, x: Any) -> Any:
        return a.sin(x) * a.arctan(x)


@register("activations", "spder-log", id=4)
@dataclass(frozen=True)
class SpderLog(SineLike):
    """sin(x) log|x|: SPDER's ablation of its damping."""

    source = _SOURCE + "figure 20"

    def __call__(self, a: Any, x: Any) -> Any:
        return a.sin(x) * a.log(a.abs(x))


@register("activations", "spder-sqrt-relu", id=5)
@dataclass(frozen=True)
class SpderSqrtRelu(SineLike):
    """sin(x) sqrt(max(x, 0)): SPDER's ablation of its damping, zero on one side."""

    source = _SOURCE + "figure 20"

    def __call__(self, a: Any, x: Any) -> Any:
        return a.sin(x) * a.sqrt(a.maximum(x, 0.0))
