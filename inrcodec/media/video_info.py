"""What all readers of video give: facts of the file, then frame by frame."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from inrcodec.signal import Colour


class VideoInfo(NamedTuple):
    """What a file says of its video; see VideoSignal for what the numbers mean.

    Args:
        frames: how many there are; None where only reading tells.
        format: of the file, for people.
        turned: whether frames are turned or mirrored against how they are stored, as the file asks
            for; width and height are those afterwards.
    """

    width: int
    height: int
    rate: Fraction
    time_base: Fraction
    frames: int | None
    bit_depth: int
    subsampling: str
    colour: Colour
    pixel_aspect: Fraction
    format: str
    turned: bool = False


class Frame(NamedTuple):
    """One frame: its planes [rows, columns], and when it is shown, in units of the time base."""

    planes: tuple[np.ndarray, ...]
    tick: int
