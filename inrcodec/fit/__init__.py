"""The encoder's side: one file per field family that can be fitted, and the presets.

Nothing that decodes imports this room.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from numbers import Integral, Real
from typing import Any

from inrcodec.errors import BadOption
from inrcodec.fields import Field, family_of
from inrcodec.fit.presets import DEFAULT_EFFORT, DEFAULT_LMBDA, preset
from inrcodec.progress import Reporter
from inrcodec.signal import AnySignal


@dataclass(frozen=True)
class EncodeOptions:
    """What an encode may choose.

    Args:
        lmbda: weight of the rate in MSE + lmbda * bits per pixel; 1e-7..10.
        effort: 1 (quick) to 9 (small).
        field: name of the field family.
        device: auto, cpu or cuda[:n].
        engine: auto, reference or cpu.
        seed: of all randomness, 0 to 2**31 - 1. The same seed gives the same bytes on the CPU; on
            CUDA up to the order in which gradients are added.
        reporter: told of every step.
        segment_seconds: length of the segments that a sound or video is cut into; default by kind.
        network: options of coordinate networks by name, such as hidden_features; what is left out
            is chosen.

    Raises:
        BadOption: a value is out of range or of another type.
    """

    lmbda: float = DEFAULT_LMBDA["image"]
    effort: int = DEFAULT_EFFORT
    field: str = "grid"
    device: str = "auto"
    engine: str = "auto"
    seed: int = 0
    reporter: Reporter | None = None
    segment_seconds: float | None = None
    network: Mapping[str, Any] = attribute(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.lmbda, Real) or not 1e-7 <= self.lmbda <= 10:
            raise BadOption(f"lmbda is {self.lmbda!r}, expected 1e-7 (finest) to 10 (smallest)")
        if not isinstance(self.effort, Integral):
            raise BadOption(f"effort is {self.effort!r}, expected 1 (quick) to 9 (small)")
        preset(self.effort)
        if not isinstance(self.seed, Integral) or not 0 <= self.seed < 2**31:
            raise BadOption(f"seed is {self.seed!r}, expected 0 to 2**31 - 1")
        for name in ("field", "device", "engine"):
            if not isinstance(getattr(self, name), str):
                raise BadOption(f"{name} is {getattr(self, name)!r}, expected its name")
        # Numbers of numpy become Python's, so that JSON takes them and the arithmetic is float64.
        for name, number in (("lmbda", float), ("effort", int), ("seed", int)):
            object.__setattr__(self, name, number(getattr(self, name)))


def fit(signal: AnySignal, options: EncodeOptions) -> tuple[int, Field]:
    """(field id, fitted field) of a signal.

    The family names the module whose `fit(signal, options)` does it (`Field.fit_module`).

    Raises:
        BadOption: the field does not exist, cannot represent such a signal or cannot be fitted, or
            the device is not usable.
        Diverged: the optimisation left the finite numbers.
    """
    entry = family_of(options.field, signal.kind)
    return entry.id, importlib.import_module(entry.part.fit_module).fit(signal, options)
