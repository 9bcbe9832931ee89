"""The bit depth of an output."""

from __future__ import annotations

import operator

from inrcodec.errors import BadOption


def depth_of(wanted: object, native: int, lowest: int, highest: int) -> int:
    """The bits per sample that were asked for, else those of the file.

    Raises:
        BadOption: no whole number in that range.
    """
    try:
        depth = native if wanted is None else operator.index(wanted)
    except TypeError:
        depth = 0
    if not lowest <= depth <= highest:
        raise BadOption(
            f"bit_depth is {wanted!r}, expected a whole number from {lowest} to {highest}"
        )
    return depth
