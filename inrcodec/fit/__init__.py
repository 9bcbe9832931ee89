"""The encoder's side: one file per field family that can be fitted, and the presets.

Nothing that decodes imports this room.
"""

from __future__ import annotations

from dataclasses import dataclass

from inrcodec import registry
from inrcodec.errors import BadOption
from inrcodec.fields import Field
from inrcodec.fit import grid
from inrcodec.fit.presets import DEFAULT_EFFORT, DEFAULT_LMBDA, choose_config, preset
from inrcodec.progress import Reporter
from inrcodec.signal import Signal

FITS = {"grid": grid.fit}


@dataclass(frozen=True)
class EncodeOptions:
    """What an encode may choose.

    Args:
        lmbda: weight of the rate in MSE + lmbda * bits per pixel; 1e-7..10.
        effort: 1 (quick) to 9 (small).
        field: name of the field family.
        device: auto, cpu or cuda[:n].
        engine: auto, reference or cpu.
        seed: of all randomness.
        reporter: told of every step.
    """

    lmbda: float = DEFAULT_LMBDA
    effort: int = DEFAULT_EFFORT
    field: str = "grid"
    device: str = "auto"
    engine: str = "auto"
    seed: int = 0
    reporter: Reporter | None = None

    def __post_init__(self) -> None:
        if not 1e-7 <= self.lmbda <= 10:
            raise BadOption(f"lmbda is {self.lmbda:g}, expected 1e-7 (finest) to 10 (smallest)")
        preset(self.effort)
        if not 0 <= self.seed < 2**31:
            raise BadOption(f"seed is {self.seed}, expected 0 to 2**31 - 1")


def fit(signal: Signal, options: EncodeOptions) -> tuple[int, Field]:
    """(field id, fitted field) of a signal.

    Raises:
        BadOption: the field does not exist or cannot be fitted, or the device is not usable.
    """
    entry = registry.get("fields", options.field)
    field = FITS[entry.name](
        signal,
        choose_config(options.lmbda, signal.height, signal.width),
        preset(options.effort),
        options.lmbda,
        seed=options.seed,
        device=options.device,
        engine=options.engine,
        reporter=options.reporter,
    )
    return entry.id, field
