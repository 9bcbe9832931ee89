"""Video that a camera stored lying on its side: planes turned as the file asks for."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from inrcodec.signal import Colour
from inrcodec.signal.colour import CHROMA_LOCATIONS

_TURNED_SUBSAMPLING = {"4:2:2": "4:4:0", "4:4:0": "4:2:2"}


class Orientation(NamedTuple):
    """How stored frames become upright: first rows and columns are exchanged, then mirrored."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @classmethod
    def of_matrix(cls, matrix: bytes) -> Orientation | None:
        """That of a display matrix; None where it is no quarter turn.

        Args:
            matrix: 9 native 32-bit integers a b u c d v x y w, where a point (p, q) of the stored
                frame is shown at (a p + c q + x, b p + d q + y), y down (ISO/IEC 14496-12, 8.2.2).
        """
        if len(matrix) < 36:
            return None
        a, b, _, c, d, *_ = (np.sign(v) for v in struct.unpack("9i", matrix[:36]))
        if a and d and not b and not c:
            return cls(False, bool(a < 0), bool(d < 0))
        if b and c and not a and not d:
            return cls(True, bool(c < 0), bool(b < 0))
        return None

    def plane(self, plane: np.ndarray) -> np.ndarray:
        """A plane [rows, columns], upright; a view."""
        turned = plane.T if self.transpose else plane
        return turned[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]

    def subsampling(self, subsampling: str) -> str | None:
        """The subsampling of the upright planes; None where it has no name (4:1:1, turned)."""
        if not self.transpose:
            return subsampling
        return None if subsampling == "4:1:1" else _TURNED_SUBSAMPLING.get(subsampling, subsampling)

    def colour(self, colour: Colour) -> Colour:
        """The colour with the nearest chroma location: none is named that lies to the right."""
        x, y = CHROMA_LOCATIONS[colour.chroma_location]
        if self.transpose:
            x, y = y, x
        x, y = (1 - x if self.mirror_x else x), (1 - y if self.mirror_y else y)
        names = {place: name for name, place in CHROMA_LOCATIONS.items()}
        return replace(colour, chroma_location=names[min(x, 0.5), y])
