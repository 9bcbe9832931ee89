"""The remedies of one fit, together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Self, TypeVar

import numpy as np

from inrcodec import registry
from inrcodec.entropy.parameters import Layout
from inrcodec.errors import BadOption
from inrcodec.kernels.network import split
from inrcodec.remedies import (
    Fitting,
    NetworkStart,
    Optimizer,
    Remedy,
    Sampler,
    Shaper,
    Starts,
    Trained,
    checked,
    describe,
)
from inrcodec.signal import AnySignal

T = TypeVar("T")


@dataclass(frozen=True)
class Combined:
    """Several remedies that do not get into each other's way; see the methods of `Remedy`.

    Args:
        parts: name -> remedy, in the order in which they apply.
    """

    parts: Mapping[str, Remedy]

    @classmethod
    def of(cls, names: Sequence[str], settings: Mapping[str, Any]) -> Self:
        """The remedies of those names.

        Args:
            names: of remedies.
            settings: "NAME.OPTION" -> value; others are left alone.

        Raises:
            BadOption: there is no such remedy or option, a value is out of range, or two remedies
                take the same thing in hand, or there is no field that takes both.
        """
        parts: dict[str, Remedy] = {}
        for name in names:
            remedy = registry.get("remedies", name).part
            if name in parts:
                raise BadOption(f"the remedy {name} is named twice; once is enough")
            for other, part in parts.items():
                shared = sorted(part.takes & remedy.takes)
                if shared:
                    raise BadOption(
                        f"the remedies {other} and {name} cannot be combined: both change "
                        f"{' and '.join(shared)}; name one of them"
                    )
                if not fields_of(type(part)) & fields_of(remedy):
                    raise BadOption(
                        f"the remedies {other} and {name} cannot be combined: no field takes both; "
                        "name one of them"
                    )
            parts[name] = _with_options(remedy, name, settings)
        for key in settings:
            name = key.split(".")[0]
            if "." in key and name not in parts:
                raise BadOption(
                    f"{key} was set, and the remedy {name} was not asked for; add --remedy {name}"
                )
        return cls(parts)

    def check(self, kind: str, config: Any) -> None:
        """Refuses what cannot apply.

        Raises:
            BadOption: it says why.
        """
        for name, remedy in self.parts.items():
            reason = remedy.refusal(kind, config)
            if reason is not None:
                raise BadOption(f"the remedy {name} cannot apply here: {reason}")

    def options(
        self, signal: AnySignal, starts: Starts, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What was given, and beside it what the remedies choose for the signal."""
        chosen = dict(given)
        for remedy in self.parts.values():
            chosen = remedy.options(signal, starts, chosen) | chosen
        return chosen

    def grid_options(self, signal: AnySignal, lmbda: float) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        for remedy in self.parts.values():
            chosen |= remedy.grid_options(signal, lmbda)
        return chosen

    def begin(
        self, start: NetworkStart, signal: AnySignal, rng: np.random.Generator
    ) -> NetworkStart:
        for remedy in self.parts.values():
            start = remedy.begin(start, signal, rng)
        return start

    def trained(self, plain: Trained, fitting: Fitting) -> Trained:
        for remedy in self.parts.values():
            plain = remedy.trained(plain, fitting)
        return plain

    def optimizer(
        self, shapes: Mapping[str, tuple[int, ...]], usual: Callable[[], Optimizer]
    ) -> Optimizer:
        found = self._first(lambda remedy: remedy.optimizer(shapes))
        return usual() if found is None else found

    def rate_share(self, progress: float, usual: float) -> float:
        found = self._first(lambda remedy: remedy.rate_share(progress))
        return usual if found is None else found

    def sampler(self, fitting: Fitting) -> Sampler | None:
        return self._first(lambda remedy: remedy.sampler(fitting))

    def shaper(self, fitting: Fitting) -> Shaper | None:
        return self._first(lambda remedy: remedy.shaper(fitting))

    def least_bits(self, kind: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for remedy in self.parts.values():
            for group, bits in remedy.least_bits(kind).items():
                found[group] = max(bits, found.get(group, 0))
        return found

    def bound(self, start: NetworkStart, layout: Layout, theta: np.ndarray) -> np.ndarray:
        """Flat parameters within the bounds of all remedies."""
        bounding = [r for r in self.parts.values() if type(r).bound is not Remedy.bound]
        if not bounding:
            return theta
        theta = theta.copy()
        views = split(theta, {name: shape for name, (_, shape) in layout.items()})
        for remedy in bounding:
            remedy.bound(start, views)
        return theta

    def _first(self, of: Callable[[Remedy], T | None]) -> T | None:
        return next((f for r in self.parts.values() if (f := of(r)) is not None), None)


@cache
def fields_of(remedy: type[Remedy]) -> frozenset[str]:
    """Names of the fields that a remedy takes as they are, for some kind of signal."""
    made = remedy()
    return frozenset(
        name
        for family in registry.entries("fields")
        for name, variant in family.part.variants().items()
        if any(made.refusal(kind, variant.config) is None for kind in family.part.kinds)
    )


def _with_options(remedy: type[Remedy], name: str, settings: Mapping[str, Any]) -> Remedy:
    """A remedy with what was set for it."""
    given = {
        key.removeprefix(name + "."): value
        for key, value in settings.items()
        if key.startswith(name + ".")
    }
    defaults = describe(remedy)
    for option in given:
        if option not in defaults:
            known = ", ".join(f"{name}.{o}" for o in defaults) or "no options"
            raise BadOption(f"there is no option {name}.{option}; the remedy has {known}")
    made = remedy(**given)
    wrong = checked(made, name)
    if wrong is not None:
        raise BadOption(wrong)
    whole = {f.name: int(given[f.name]) for f in fields(remedy) if isinstance(f.default, int)
             and f.name in given}  # fmt: skip
    return replace(made, **whole)


def remedies_table() -> list[dict[str, Any]]:
    """Every remedy: name, summary, source, cost, what it combines with, options, and what else."""
    rows = []
    for entry in registry.entries("remedies"):
        remedy = entry.part
        rows.append(
            {
                "name": entry.name,
                "summary": remedy.__doc__.splitlines()[0].rstrip("."),
                "source": remedy.source,
                "cost": remedy.cost,
                "combines": _partners(remedy),
                "grid": "grid" in fields_of(remedy),
                "note": remedy.note(),
                "decoder": remedy.decoder,
                "options": describe(remedy),
            }
        )
    return rows


def _partners(remedy: type[Remedy]) -> str:
    """What a remedy combines with, in words."""
    others = [entry for entry in registry.entries("remedies") if entry.part is not remedy]
    own = fields_of(remedy)
    rivals = [
        entry.name
        for entry in others
        if entry.part.takes & remedy.takes or not fields_of(entry.part) & own
    ]
    if len(rivals) == len(others):
        return "none"
    return f"all but {', '.join(rivals)}" if rivals else "all others"
