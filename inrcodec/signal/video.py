"""The planes of one video, as its file stores them, and what is needed to write them back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from numbers import Integral, Rational
from typing import ClassVar

import numpy as np

from inrcodec.errors import BadInput
from inrcodec.signal.colour import (
    SUBSAMPLINGS,
    Colour,
    chroma_shape,
    luma_weights,
    rgb_of_frame,
)
from inrcodec.signal.metadata import check_metadata

PLANE_NAMES = ("Y", "Cb", "Cr")


@dataclass(frozen=True, eq=False)
class VideoSignal:
    """One video, or a stretch of one: Y'CbCr planes with their times, depth and colour.

    Planes stay as the file has them, so that nothing is lost on the way in and out, and distortion
    is measured where the field measures it. `rgb()` is for looking at them.

    Args:
        planes: Y [frames, height, width], then Cb and Cr [frames, rows, columns] unless grey, where
            rows and columns are those of Y divided by the subsampling, rounded up; uint8
            (bit_depth 8) or uint16.
        rate: frames per second; of a variable rate the mean.
        bit_depth: 8..16; samples lie in [0, 2**bit_depth - 1].
        subsampling: "4:2:0", "4:2:2", "4:4:4", "4:4:0", "4:1:1", or "4:0:0" for grey.
        colour: what the numbers mean.
        ticks: [frames] int64, increasing: when each frame is shown, in units of `time_base` from
            the start of the whole video; None for frames 0, 1, 2... of a constant rate.
        time_base: seconds per tick; None for 1/rate.
        pixel_aspect: width of a pixel over its height.
        metadata: opaque payloads kept verbatim, by name; see METADATA_NAMES.

    Raises:
        BadInput: shapes, dtype, depth, range or times do not fit together.
    """

    planes: tuple[np.ndarray, ...]
    rate: Fraction
    bit_depth: int = 8
    subsampling: str = "4:2:0"
    colour: Colour = Colour()
    ticks: np.ndarray | None = None
    time_base: Fraction | None = None
    pixel_aspect: Fraction = Fraction(1)
    metadata: dict[str, bytes] = field(default_factory=dict)
    kind: ClassVar[str] = "video"

    def __post_init__(self) -> None:
        object.__setattr__(self, "planes", tuple(self.planes))
        object.__setattr__(self, "rate", positive_fraction("rate", self.rate))
        base = 1 / self.rate if self.time_base is None else self.time_base
        object.__setattr__(self, "time_base", positive_fraction("time_base", base))
        object.__setattr__(
            self, "pixel_aspect", positive_fraction("pixel_aspect", self.pixel_aspect)
        )
        check_depth(self.bit_depth)
        object.__setattr__(self, "bit_depth", int(self.bit_depth))
        self._check_planes()
        if self.ticks is None:
            object.__setattr__(self, "ticks", np.arange(self.frames, dtype=np.int64))
        self._check_ticks()
        check_metadata(self.metadata)

    def _check_planes(self) -> None:
        if self.subsampling not in SUBSAMPLINGS:
            raise BadInput(
                f"subsampling is {self.subsampling!r}, expected one of {', '.join(SUBSAMPLINGS)}"
            )
        wanted = 1 if self.subsampling == "4:0:0" else 3
        if len(self.planes) != wanted or not all(isinstance(p, np.ndarray) for p in self.planes):
            raise BadInput(
                f"there are {len(self.planes)} planes, expected {wanted} numpy arrays "
                f"for {self.subsampling}"
            )
        luma = self.planes[0].shape
        if len(luma) != 3 or 0 in luma:
            raise BadInput(
                f"luma has shape {luma}, expected [frames, height, width] with at least one pixel"
            )
        chroma = (luma[0], *chroma_shape(luma[1], luma[2], self.subsampling))
        dtype = dtype_of(self.bit_depth)
        for name, plane, shape in zip(
            PLANE_NAMES, self.planes, (luma, chroma, chroma), strict=False
        ):
            if plane.shape != shape:
                raise BadInput(
                    f"plane {name} has shape {plane.shape}, expected {shape} "
                    f"for {self.subsampling} and luma of shape {luma}"
                )
            if plane.dtype != dtype:
                raise BadInput(
                    f"plane {name} is {plane.dtype}, expected {dtype.name} "
                    f"for bit_depth {self.bit_depth}"
                )
            if self.bit_depth not in (8, 16) and int(plane.max()) > self.peak:
                raise BadInput(
                    f"largest sample of plane {name} is {int(plane.max())}, above {self.peak} "
                    f"(bit_depth {self.bit_depth})"
                )

    def _check_ticks(self) -> None:
        t = self.ticks
        if not isinstance(t, np.ndarray) or t.dtype != np.int64 or t.shape != (self.frames,):
            raise BadInput(
                f"ticks are {t!r}, expected an int64 array of one entry for each "
                f"of the {self.frames} frames"
            )
        if t[0] < 0 or (np.diff(t) <= 0).any():
            raise BadInput("ticks do not increase from 0 or more; show frames one after the other")

    @property
    def frames(self) -> int:
        return self.planes[0].shape[0]

    @property
    def height(self) -> int:
        return self.planes[0].shape[1]

    @property
    def width(self) -> int:
        return self.planes[0].shape[2]

    @property
    def peak(self) -> int:
        """Largest value a sample can take: 2**bit_depth - 1."""
        return (1 << self.bit_depth) - 1

    @property
    def times_seconds(self) -> list[Fraction]:
        """When each frame is shown, exactly."""
        return [int(tick) * self.time_base for tick in self.ticks]

    @property
    def duration_seconds(self) -> Fraction:
        """From the first frame to the end of the last one, which is taken to last 1/rate."""
        return int(self.ticks[-1] - self.ticks[0]) * self.time_base + 1 / self.rate

    @property
    def is_constant_rate(self) -> bool:
        """Whether every frame but the last is shown for 1/rate seconds."""
        step = 1 / (self.rate * self.time_base)
        return step.denominator == 1 and bool((np.diff(self.ticks) == step.numerator).all())

    def rgb(self, begin: int = 0, end: int | None = None) -> np.ndarray:
        """[frames, height, width, 3] R'G'B' of frames begin..end-1, at the depth of the signal.

        Chroma is interpolated linearly; the matrix is that of the file or, where it does not say,
        BT.709 for wide or tall frames (from 1280 across or 577 down) and BT.601 for others.

        Raises:
            BadInput: the matrix of the file is none of BT.709, BT.601, BT.2020, FCC, SMPTE 240M.
        """
        planes = [plane[begin:end] for plane in self.planes]
        weights = luma_weights(self.colour, self.height, self.width)
        out = np.empty((*planes[0].shape, 3), planes[0].dtype)
        for i in range(len(out)):
            frame = tuple(plane[i] for plane in planes)
            out[i] = rgb_of_frame(frame, self.bit_depth, self.subsampling, self.colour, weights)
        return out

    def part(self, begin: int, end: int) -> VideoSignal:
        """Frames begin..end-1 of this signal, at the times they had."""
        planes = tuple(plane[begin:end] for plane in self.planes)
        return replace(self, planes=planes, ticks=self.ticks[begin:end])

    def stripped(self) -> VideoSignal:
        """This signal without its metadata."""
        return replace(self, metadata={})

    def __repr__(self) -> str:
        pace = "" if self.is_constant_rate else ", variable rate"
        return (
            f"VideoSignal({self.frames} frames of {self.width}x{self.height} at {self.rate} fps"
            f"{pace}, {self.subsampling}, {self.bit_depth} bit)"
        )


def dtype_of(bit_depth: int) -> np.dtype:
    """The type of the samples of that depth: uint8 for 8 bits, uint16 above."""
    return np.dtype(np.uint8 if bit_depth == 8 else np.uint16)


def positive_fraction(name: str, value: object) -> Fraction:
    """The value as a Fraction; floats as the fraction of least terms that they stand for.

    Raises:
        BadInput: it is no positive number.
    """
    if isinstance(value, float):
        try:
            value = Fraction(value).limit_denominator(100_000)
        except (ValueError, OverflowError):
            value = None
    if not isinstance(value, Rational) or value <= 0:
        raise BadInput(f"{name} is {value!r}, expected a positive number or Fraction")
    return Fraction(int(value.numerator), int(value.denominator))


def check_depth(bit_depth: object) -> None:
    """Refuses what is no depth of video.

    Raises:
        BadInput: no whole number from 8 to 16.
    """
    if not isinstance(bit_depth, Integral) or not 8 <= bit_depth <= 16:
        raise BadInput(f"bit_depth is {bit_depth!r}, expected a whole number from 8 to 16")
