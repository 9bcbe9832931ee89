"""The encoder's side: one file per field family that can be fitted, and the presets.

Nothing that decodes imports this room.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from numbers import Integral, Real
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from inrcodec import registry
from inrcodec.errors import BadOption
from inrcodec.fields import Field, family_of
from inrcodec.fit.presets import (
    DEFAULT_EFFORT,
    DEFAULT_LMBDA,
    HIGHEST_LMBDA,
    LOWEST_LMBDA,
    preset,
)
from inrcodec.progress import Reporter
from inrcodec.remedies import Fitting, NetworkStart
from inrcodec.remedies.auto import NAME as AUTO
from inrcodec.remedies.auto import SIZES, Choice, choose
from inrcodec.remedies.combined import Combined
from inrcodec.signal import AnySignal


class Observer(Protocol):
    """Looks at a coordinate network on its way, before weights are made cheap to write."""

    def steps(self, total: int) -> Container[int]:
        """After how many of so many steps it wants to look; 0 is the beginning.

        A fit that diverges begins again, at 0.
        """

    def see(self, step: int, phase: Fitting, theta: np.ndarray) -> None:
        """The network after that many steps of a phase, theta [parameters]."""


@dataclass(frozen=True)
class EncodeOptions:
    """What an encode may choose.

    Args:
        lmbda: weight of the rate in MSE + lmbda * bits per pixel; 1e-7..10.
        effort: 1 (quick) to 9 (small).
        field: name of the field family.
        device: auto, cpu or cuda[:n].
        engine: auto, reference, cpu or gpu.
        seed: of all randomness, 0 to 2**31 - 1. The same seed gives the same bytes on the same
            machine; with engine reference on CUDA up to the order in which gradients are added.
        reporter: told of every step.
        segment_seconds: length of the segments that a sound or video is cut into; default by kind.
        network: options of the field by name, such as hidden_features; what is left out
            is chosen. Names with a dot are options of remedies, as `ws.alpha`.
        remedies: names of remedies against spectral bias.
        remedy_options: those with a dot, whichever way they came.
        shape_lmbda: by which networks get their sizes and starts, where it is not lmbda: a search
            for a file size changes lambda a little while they stay.
        observer: shown coordinate networks while they are fitted.
        told: what the remedy `auto` picks for every signal or segment.
        parts: of how many segments of one file what is fitted is one.
        unrounded: shown (the network, theta [parameters]) of the weights that are about to be
            written, before they were rounded.

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
    remedies: Sequence[str] = ()
    remedy_options: Mapping[str, Any] = attribute(default_factory=dict)
    shape_lmbda: float | None = None
    observer: Observer | None = None
    told: Callable[[Choice], None] | None = None
    parts: int = 1
    unrounded: Callable[[NetworkStart, np.ndarray], None] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.lmbda, Real) or not LOWEST_LMBDA <= self.lmbda <= HIGHEST_LMBDA:
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
        dotted = {name: value for name, value in self.network.items() if "." in name}
        own = {name: value for name, value in self.network.items() if "." not in name}
        object.__setattr__(self, "network", own)
        object.__setattr__(self, "remedy_options", dict(self.remedy_options) | dotted)
        if isinstance(self.remedies, str):
            raise BadOption(f"remedies are {self.remedies!r}, expected a list of names")
        object.__setattr__(self, "remedies", tuple(self.remedies))
        self.combined()

    def combined(self) -> Combined:
        """The remedies.

        Raises:
            BadOption: there is none of a name, two contradict each other, or an option is wrong.
        """
        return Combined.of(self.remedies, self.remedy_options)


def fit(signal: AnySignal, options: EncodeOptions) -> tuple[int, Field]:
    """(field id, fitted field) of a signal.

    The family names the module whose `fit(signal, options)` does it (`Field.fit_module`).

    Raises:
        BadOption: the field does not exist, cannot represent such a signal or cannot be fitted, or
            the device is not usable.
        Diverged: the optimisation left the finite numbers.
    """
    entry = family_of(options.field, signal.kind)
    module = importlib.import_module(entry.part.fit_module)
    if AUTO in options.remedies:
        options = _picked(signal, options)
    if options.remedies:
        options = replace(options, network=_with_remedies(module, signal, options))
    field = module.fit(signal, options)
    return registry.of_part("fields", type(field)).id, field


def _picked(signal: AnySignal, options: EncodeOptions) -> EncodeOptions:
    """The options with what `auto` stands for."""
    given = set(options.network) - SIZES
    steps = preset(options.effort).steps
    choice = choose(signal, options.field, given, options.lmbda, steps)
    if options.told is not None:
        options.told(choice)
    return replace(options, remedies=choice.remedies)


def _with_remedies(module: ModuleType, signal: AnySignal, options: EncodeOptions) -> dict[str, Any]:
    """Options of the network that were given, and beside them those that remedies choose."""
    remedies = options.combined()
    if not hasattr(module, "start_of"):
        remedies.check(signal.kind, None)
        lmbda = options.shape_lmbda or options.lmbda
        return remedies.grid_options(signal, lmbda) | dict(options.network)

    def starts(network: Mapping[str, Any], seed: int) -> NetworkStart:
        return module.start_of(signal, replace(options, network=network, seed=seed))

    return remedies.options(signal, starts, options.network)
