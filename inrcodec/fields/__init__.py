"""One file per INR family. Each registers a class with the interface of `Field`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from inrcodec import registry
from inrcodec.bitstream.config import pack_config
from inrcodec.bitstream.header import Header
from inrcodec.bitstream.image_header import ImageHeader
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadOption
from inrcodec.grid import Grid


@dataclass(frozen=True)
class Variant:
    """What a user's name of a field stands for.

    Args:
        summary: one line.
        source: the paper.
        config: a default; encodes choose its sizes by the rate.
        options: names of what a user may choose instead.
    """

    summary: str
    source: str
    config: Any
    options: tuple[str, ...] = ()


class Field(Protocol):
    """A decoded INR: everything needed to render one signal, and to write it.

    The constructor's arguments are the family's own. `config` is a frozen dataclass whose fields
    carry their legal range in `metadata["range"]`; the header codes it as one integer.
    """

    config_class: ClassVar[type]
    fit_module: ClassVar[str]  # of `fit(signal, options)`; only encoders import it
    kinds: ClassVar[frozenset[str]]  # of signals it can represent: image, audio, video
    config: Any
    device: str  # where it renders: cpu, auto or cuda[:n]; cpu unless it is set

    def pack(self) -> bytes:
        """The payload section: every integer of the field, entropy-coded."""

    @classmethod
    def unpack(cls, payload: bytes, header: Header, limits: Limits) -> Self:
        """The field that `pack` wrote; limits are checked before anything is allocated."""

    def render(self, grid: Grid, fast: bool = False) -> np.ndarray:
        """[*grid.shape, channels] values of the field on a grid of one, two or three axes.

        Image: 0 black, 1 white. Sound: -1 to 1, full scale. Video: Y, Cb and Cr, each 0 to 1 over
        all levels of its samples; chroma is what the field has at the centres of its own, coarser
        grid. float64 and the same bits everywhere; or where `fast` float32, for previews.
        """

    @classmethod
    def describe(cls, header: Header) -> dict[str, int]:
        """The config by name, from the header alone."""

    @classmethod
    def complexity(cls, header: Header) -> dict[str, Any]:
        """Parameters and MACs per sample, from the header alone."""

    @classmethod
    def variants(cls) -> dict[str, Variant]:
        """User's name -> what it stands for; a fit tells them apart. The family's own is one."""

    @classmethod
    def render_work(cls, header: Header, grid: Grid) -> tuple[int, int]:
        """How many positions `render` evaluates for a grid, and MACs of each, rounded up."""


def fields_table() -> list[dict[str, Any]]:
    """Every name that a user can ask for: summary, source, kinds, options, default shape and costs.

    Costs are those for a picture of 768x512 in RGB.
    """
    rows = []
    for entry in registry.entries("fields"):
        for name, variant in entry.part.variants().items():
            code = pack_config(variant.config)
            header = ImageHeader(768, 512, 3, 8, entry.id, code)
            rows.append(
                {
                    "name": name,
                    "family": entry.name,
                    "summary": variant.summary,
                    "source": variant.source,
                    "kinds": sorted(entry.part.kinds),
                    "config": entry.part.describe(header),
                    "options": list(variant.options),
                    **entry.part.complexity(header),
                }
            )
    return rows


def family_of(name: str, kind: str | None = None) -> registry.Entry:
    """The family that a user's name of a field means: `siren` is an `mlp`.

    Args:
        name: of a family, or of a variant of one.
        kind: of the signal that it shall represent; None for any.

    Raises:
        BadOption: there is no such field, or it cannot represent such a signal; the message lists
            those that can.
    """
    families = registry.entries("fields")
    found = next((e for e in families if name in e.part.variants()), None)
    if found is not None and (kind is None or kind in found.part.kinds):
        return found
    fitting = [e for e in families if kind is None or kind in e.part.kinds]
    known = ", ".join(n for e in fitting for n in e.part.variants()) or "none"
    if found is None:
        raise BadOption(f"there is no field {name!r}; there are: {known}")
    raise BadOption(
        f"the field {name!r} represents {' and '.join(sorted(found.part.kinds))} signals, and this "
        f"is {'an' if kind[0] in 'ai' else 'a'} {kind} signal; fields for it: {known}"
    )


def default_field(kind: str) -> str:
    """The name of the field for a kind of signal where none was asked for.

    Raises:
        BadOption: there is no field for it.
    """
    for entry in registry.entries("fields"):
        if kind in entry.part.kinds:
            return entry.name
    raise BadOption(f"there is no field for {kind} signals; update inrcodec")
