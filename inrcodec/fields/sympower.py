"""Multilayer perceptrons behind a power curve: the decoder's side of the sympower remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inrcodec.entropy.parameters import Layout
from inrcodec.fields import Variant
from inrcodec.fields.mlp import MlpConfig, MlpField
from inrcodec.registry import register

LEVEL_UNIT, EXPONENT_UNIT = 1024, 256
_SMALLEST = 2.0**-60  # powers are made of logarithms


@register("fields", "sympower", id=5)
class SympowerField(MlpField):
    """low + (high - low) ((y + 1) / 2)^p of the outputs y of an `mlp`.

    low, high and p are whole numbers of their units, three parameters that no fit moves.
    """

    @classmethod
    def layout(cls, config: MlpConfig, in_features: int, out_features: int) -> Layout:
        return super().layout(config, in_features, out_features) | {"curve": ("curve", (3,))}

    @classmethod
    def network(cls, a: Any, config: MlpConfig, theta: Mapping[str, Any], coords: Any) -> Any:
        return curve(a, theta["curve"], MlpField.network(a, config, theta, coords))

    @classmethod
    def variants(cls) -> dict[str, Variant]:
        """None: the remedy makes any multilayer perceptron one of these."""
        return {}


def curve(a: Any, numbers: Any, y: Any) -> Any:
    """[out_features, samples] values of what the network gives, for the curve's three numbers."""
    low, high = numbers[0] * (1 / LEVEL_UNIT), numbers[1] * (1 / LEVEL_UNIT)
    power = a.maximum(numbers[2], 0.0) * (1 / EXPONENT_UNIT)
    share = a.minimum(a.maximum((y + 1.0) * 0.5, _SMALLEST), 1.0)
    return a.exp(a.log(share) * power) * (high - low) + low
