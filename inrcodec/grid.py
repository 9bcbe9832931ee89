"""Where a signal is sampled: the only coordinate convention of the project.

Sample *centres*: of N samples on an axis, sample i lies at x_i = (2i + 1)/N - 1 on [-1, 1],
whatever N is, so that every decode size covers the same extent. Positions are also given in native
samples, u = (x + 1)/2 * length, so that native sample i lies at u = i + 0.5. Axes are those of the
samples in an array: (y, x) of an image, (t,) of a sound, (t, y, x) of a video.

Positions are kept as exact fractions `(start + i * step) / den` and become floating point by one
division, correctly rounded: the same place has the same bits in a tile and in the whole.

An output sample wider than a native one stands for all that lies in its cell: it is the mean over a
finer, `refined`, grid of at least one point per native sample. A point alone would alias.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Real

import numpy as np

from inrcodec.asked import (
    float_of,
    floats_of,
    frames_per_second,
    no_frame,
    no_sample,
    outside,
    span_of,
    whole_of,
)
from inrcodec.errors import BadOption

# Regions lie on multiples of 1/1024 pixel: numerators then stay below 2**53 on any image and output
# of up to 2**20 samples a side, so that a position is one correctly rounded division. A refined
# axis has less than two points per native sample, which costs one of the two bits to spare.
REGION_UNITS = 1024
MAX_RATE_HZ = 2**31 - 1
# Numerators of positions are 64-bit integers, twice a length times a count.
_POSITION_BITS = 60


@dataclass(frozen=True)
class Axis:
    """Sample positions along one axis: sample i lies at (start + i * step) / den native samples.

    Args:
        length: number of native samples, the extent of the axis.
        count: number of positions.
        start, step, den: integers; den is even, so that native centres are integers over den, and
            step is even, so that the borders of cells are.
    """

    length: int
    count: int
    start: int
    step: int
    den: int

    @classmethod
    def over(cls, length: int, offset: Fraction, extent: Fraction, count: int) -> Axis:
        """`count` sample centres over [offset, offset + extent) native samples."""
        den = 2 * count * math.lcm(offset.denominator, extent.denominator)
        step = int(extent * den / count)
        start = int(offset * den) + step // 2
        # The same positions with the smallest numerators: those of a long sound at its own rate
        # would be too large for 64 bits. `den` and `step` stay even.
        common = math.gcd(start, step // 2, den // 2)
        return cls(length, count, start // common, step // common, den // common)

    @classmethod
    def between(cls, length: int, begin: Fraction, end: Fraction, count: int) -> Axis:
        """`count` sample centres over [begin, end), each rounded to 1/1024 native sample."""
        first = min(_snapped(begin), length - Fraction(1, REGION_UNITS))
        extent = max(_snapped(end) - first, Fraction(1, REGION_UNITS))
        return cls.over(length, first, extent, count)

    @property
    def numerators(self) -> np.ndarray:
        """[count] int64: the positions as integers over `den`."""
        return self.start + self.step * np.arange(self.count, dtype=np.int64)

    @property
    def positions(self) -> np.ndarray:
        """[count] float64: the positions in native samples, each correctly rounded.

        Numerators reach 2**53 only in sounds of hours, at rates that have no short ratio. There
        Python divides, whose integers of any size have correctly rounded quotients.
        """
        numerators = self.numerators
        if max(self.start + self.step * self.count, self.den) < 1 << 53:
            return numerators / np.float64(self.den)
        return np.array([numerator / self.den for numerator in numerators.tolist()])

    @property
    def coords(self) -> np.ndarray:
        """[count] float64: the positions on [-1, 1]."""
        return self.positions * 2 / self.length - 1

    @property
    def oversampling(self) -> int:
        """Points that a sample is the mean of: the spacing in native samples, rounded up."""
        return -(-self.step // self.den)

    def refined(self) -> Axis:
        """The centres of `oversampling` equal parts of each sample's cell."""
        k = self.oversampling
        start = k * self.start - (k - 1) * (self.step // 2)
        return replace(self, count=k * self.count, start=start, den=k * self.den)

    def part(self, begin: int, end: int) -> Axis:
        """Positions begin..end-1 of this axis, with the same bits."""
        return replace(self, start=self.start + begin * self.step, count=end - begin)

    def first_at(self, position: int) -> int:
        """The first position, 0..count, that lies at `position` native samples or beyond."""
        found = -(-(position * self.den - self.start) // self.step)
        return min(max(found, 0), self.count)

    def within(self, begin: int, length: int) -> Axis:
        """These positions as seen from native sample `begin`, on an axis of `length` samples."""
        return replace(self, length=length, start=self.start - begin * self.den)

    def on(self, length: int, count: int) -> Axis:
        """`count` positions over the same extent of an axis that has `length` native samples.

        The extent of a region is rounded to 1/1024 of those samples.
        """
        ratio = Fraction(length, self.length)
        begin = Fraction(self.start - self.step // 2, self.den) * ratio
        end = begin + Fraction(self.step * self.count, self.den) * ratio
        return Axis.between(length, begin, end, count)


@dataclass(frozen=True)
class Grid:
    """A regular grid of positions: rows and columns of an image, frames of a sound or video.

    Args:
        axes: (y, x) of an image, (t,) of a sound, (t, y, x) of a video.
    """

    axes: tuple[Axis, ...]

    @property
    def y(self) -> Axis:
        """Rows."""
        return self.axes[-2]

    @property
    def x(self) -> Axis:
        """Columns."""
        return self.axes[-1]

    @property
    def t(self) -> Axis:
        """Time."""
        return self.axes[0]

    @classmethod
    def of(
        cls,
        height: int,
        width: int,
        size: tuple[int, int] | None = None,
        scale: float | None = None,
        region: tuple[float, float, float, float] | None = None,
    ) -> Grid:
        """The grid for a decode.

        Args:
            height, width: native size in pixels.
            size: (height, width) of the output, or None.
            scale: output samples per native pixel, > 0, or None; the size is rounded, at least 1.
            region: (x, y, width, height) in native pixels, inside the image, rounded to 1/1024;
                default the whole.

        Raises:
            BadOption: size and scale both given, not positive numbers, more or fewer numbers than
                expected, or a region outside the image.
        """
        if size is not None and scale is not None:
            raise BadOption("both a size and a scale were given; give one of them")
        where = (0, 0, width, height) if region is None else region
        corners = floats_of("region", where, 4, "four finite numbers (x, y, width, height)")
        x0, y0, w, h = (Fraction(round(v * REGION_UNITS), REGION_UNITS) for v in corners)
        if w <= 0 or h <= 0 or x0 < 0 or y0 < 0 or x0 + w > width or y0 + h > height:
            raise BadOption(
                f"region {','.join(f'{float(v):g}' for v in (x0, y0, w, h))} (x,y,width,height) "
                f"does not lie inside the {width}x{height} pixels"
            )
        if size is None:
            number = 1.0 if scale is None else float_of(scale)
            factor = Fraction(number if math.isfinite(number) else 0).limit_denominator(10**6)
            if factor <= 0:
                raise BadOption(f"scale is {scale!r}, expected a positive number")
            size = (max(1, round(h * factor)), max(1, round(w * factor)))
        sides = floats_of("size", size, 2, "two whole numbers (height, width)")
        rows, columns = (int(side) for side in sides)
        if [rows, columns] != sides or min(rows, columns) < 1:
            raise BadOption(
                f"size is {size!r}, expected (height, width) in whole pixels, at least 1"
            )
        return cls((Axis.over(height, y0, h, rows), Axis.over(width, x0, w, columns)))

    @classmethod
    def of_sound(
        cls,
        frames: int,
        rate_hz: int,
        wanted_hz: int | None = None,
        time: tuple[Real | None, Real | None] | None = None,
    ) -> Grid:
        """The grid for a decode of a sound.

        Args:
            frames, rate_hz: of the sound.
            wanted_hz: rate of the output, 1..2**31 - 1; default `rate_hz`.
            time: (begin, end) in seconds, rounded to frames; None for where the sound begins or
                ends. Default the whole.

        Raises:
            BadOption: a rate that is none, or a time outside the sound or without a sample.
        """
        rate = rate_hz if wanted_hz is None else whole_of("rate_hz", wanted_hz, MAX_RATE_HZ)
        duration = Fraction(frames, rate_hz)
        span = span_of(time, duration)
        begin, end = (round(t * rate_hz) for t in span)
        if span[0] >= span[1] or not 0 <= begin <= end <= frames:
            raise outside(*span, duration, "sound")
        if begin == end:
            raise no_sample(*span)
        count = max(1, round(Fraction(end - begin, rate_hz) * rate))
        if (end * count).bit_length() > _POSITION_BITS and rate != rate_hz:
            raise BadOption(
                f"{count} samples were asked for, too many for exact positions in a sound this "
                "long; ask for a part of its time"
            )
        return cls((Axis.over(frames, Fraction(begin), Fraction(end - begin), count),))

    @classmethod
    def of_video(
        cls,
        frames: int,
        height: int,
        width: int,
        rate: Fraction,
        *,
        size: tuple[int, int] | None = None,
        scale: float | None = None,
        region: tuple[float, float, float, float] | None = None,
        fps: Real | None = None,
        time: tuple[Real | None, Real | None] | None = None,
    ) -> Grid:
        """The grid for a decode of luma of a video of constant rate.

        Args:
            frames, height, width: of the video.
            rate: its frames per second.
            size, scale, region: of a frame, as in `of`.
            fps: frames per second of the output, > 0; default the frames that there are.
            time: (begin, end) in seconds. Without `fps` the frames that come up in that time.

        Raises:
            BadOption: as in `of`; fps not positive, a time outside the video or without a frame.
        """
        frame = cls.of(height, width, size, scale, region)
        duration = frames / rate
        begin, end = span_of(time, duration, 1 / rate / 2)
        if not 0 <= begin < end <= duration:
            raise outside(begin, end, duration, "video")
        if fps is None:
            first, last = math.ceil(begin * rate), math.ceil(end * rate)
            if first == last:
                raise no_frame(begin, end)
            t = Axis.over(frames, Fraction(first), Fraction(last - first), last - first)
        else:
            count = max(1, round((end - begin) * frames_per_second(fps)))
            if (frames * count * REGION_UNITS).bit_length() > _POSITION_BITS:
                raise BadOption(
                    f"{count} frames were asked for, too many for exact positions in a video this "
                    "long; ask for a part of its time"
                )
            t = Axis.between(frames, begin * rate, end * rate, count)
        return cls((t, *frame.axes))

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples of the output along each axis: (height, width) of an image."""
        return tuple(axis.count for axis in self.axes)

    def part(self, *spans: tuple[int, int]) -> Grid:
        """The sub-grid of samples [begin, end) along each axis, with the same bits."""
        return Grid(tuple(a.part(*span) for a, span in zip(self.axes, spans, strict=True)))

    def refined(self) -> Grid:
        """The grid of the points that the samples are means of."""
        return Grid(tuple(axis.refined() for axis in self.axes))


def _snapped(position: Fraction) -> Fraction:
    """A position in native samples, rounded to 1/1024 of one unless it is short anyway."""
    if position.denominator <= REGION_UNITS:
        return position
    return Fraction(round(position * REGION_UNITS), REGION_UNITS)
