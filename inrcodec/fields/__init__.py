"""One file per INR family. Each registers a class with the interface of `Field`."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

import numpy as np

from inrcodec.bitstream.header import Header
from inrcodec.bitstream.limits import Limits
from inrcodec.grid import Grid


class Field(Protocol):
    """A decoded INR: everything needed to render one signal, and to write it.

    The constructor's arguments are the family's own. `config` is a frozen dataclass whose fields
    carry their legal range in `metadata["range"]`; the header codes it as one integer.
    """

    config_class: ClassVar[type]
    fit_module: ClassVar[str]  # of `fit(signal, options)`; only encoders import it
    config: Any

    def pack(self) -> bytes:
        """The payload section: every integer of the field, entropy-coded."""

    @classmethod
    def unpack(cls, payload: bytes, header: Header, limits: Limits) -> Self:
        """The field that `pack` wrote; limits are checked before anything is allocated."""

    def render(self, grid: Grid, fast: bool = False) -> np.ndarray:
        """[height, width, channels] values of the field on a grid, 0 black, 1 white.

        float64 and the same bits everywhere; or where `fast` float32, for previews.
        """

    @classmethod
    def describe(cls, header: Header) -> dict[str, int]:
        """The config by name, from the header alone."""

    @classmethod
    def complexity(cls, header: Header) -> dict[str, Any]:
        """Parameters and MACs per sample, from the header alone."""

    @classmethod
    def render_work(cls, header: Header, grid: Grid) -> tuple[int, int]:
        """How many positions `render` evaluates for a grid, and MACs of each, rounded up."""
