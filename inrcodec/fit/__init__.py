"""The encoder's side: one file per field family that can be fitted, and the presets.

Nothing that decodes imports this room.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from numbers import Integral, Real

from inrcodec import registry
from inrcodec.errors import BadOption
from inrcodec.fields import Field
from inrcodec.fit.presets import DEFAULT_EFFORT, DEFAULT_LMBDA, preset
from inrcodec.progress import Reporter
from inrcodec.signal import Signal


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

    Raises:
        BadOption: a value is out of range or of another type.
    """

    lmbda: float = DEFAULT_LMBDA
    effort: int = DEFAULT_EFFORT
    field: str = "grid"
    device: str = "auto"
    engine: str = "auto"
    seed: int = 0
    reporter: Reporter | None = None

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


def fit(signal: Signal, options: EncodeOptions) -> tuple[int, Field]:
    """(field id, fitted field) of a signal.

    The family names the module whose `fit(signal, options)` does it (`Field.fit_module`).

    Raises:
        BadOption: the field does not exist or cannot be fitted, or the device is not usable.
        Diverged: the optimisation left the finite numbers.
    """
    entry = registry.get("fields", options.field)
    return entry.id, importlib.import_module(entry.part.fit_module).fit(signal, options)
