"""Where a signal is sampled: the only coordinate convention of the project.

Sample *centres*: of N samples on an axis, sample i lies at x_i = (2i + 1)/N - 1 on [-1, 1],
whatever N is, so that every decode size covers the same extent. Positions are also given in native
samples, u = (x + 1)/2 * length, so that native sample i lies at u = i + 0.5.

Positions are kept as exact fractions `(start + i * step) / den` and become floating point by one
division, correctly rounded: the same place has the same bits in a tile and in the whole.

An output sample wider than a native one stands for all that lies in its cell: it is the mean over a
finer, `refined`, grid of at least one point per native sample. A point alone would alias.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Real

import numpy as np

from inrcodec.errors import BadOption

# Regions lie on multiples of 1/1024 pixel: numerators then stay below 2**53 on any image and output
# of up to 2**20 samples a side, so that a position is one correctly rounded division. A refined
# axis has less than two points per native sample, which costs one of the two bits to spare.
REGION_UNITS = 1024


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
        step = extent * den / count
        start = offset * den + step / 2
        return cls(length, count, int(start), int(step), den)

    @property
    def numerators(self) -> np.ndarray:
        """[count] int64: the positions as integers over `den`."""
        return self.start + self.step * np.arange(self.count, dtype=np.int64)

    @property
    def positions(self) -> np.ndarray:
        """[count] float64: the positions in native samples, each correctly rounded."""
        return self.numerators / np.float64(self.den)

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


@dataclass(frozen=True)
class Grid:
    """A regular grid of positions on an image: rows on `y`, columns on `x`."""

    y: Axis
    x: Axis

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
        corners = _floats("region", where, 4, "four finite numbers (x, y, width, height)")
        x0, y0, w, h = (Fraction(round(v * REGION_UNITS), REGION_UNITS) for v in corners)
        if w <= 0 or h <= 0 or x0 < 0 or y0 < 0 or x0 + w > width or y0 + h > height:
            raise BadOption(
                f"region {','.join(f'{float(v):g}' for v in (x0, y0, w, h))} (x,y,width,height) "
                f"does not lie inside the {width}x{height} image"
            )
        if size is None:
            number = 1.0 if scale is None else _float(scale)
            factor = Fraction(number if math.isfinite(number) else 0).limit_denominator(10**6)
            if factor <= 0:
                raise BadOption(f"scale is {scale!r}, expected a positive number")
            size = (max(1, round(h * factor)), max(1, round(w * factor)))
        sides = _floats("size", size, 2, "two whole numbers (height, width)")
        rows, columns = (int(side) for side in sides)
        if [rows, columns] != sides or min(rows, columns) < 1:
            raise BadOption(
                f"size is {size!r}, expected (height, width) in whole pixels, at least 1"
            )
        return cls(Axis.over(height, y0, h, rows), Axis.over(width, x0, w, columns))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the output."""
        return self.y.count, self.x.count

    def part(self, rows: tuple[int, int], columns: tuple[int, int]) -> Grid:
        """The sub-grid of output rows and columns [begin, end), with the same bits."""
        return Grid(self.y.part(*rows), self.x.part(*columns))

    def refined(self) -> Grid:
        """The grid of the points that the samples are means of."""
        return Grid(self.y.refined(), self.x.refined())


def _float(value: object) -> float:
    """A number of any type, numpy's included, as float; NaN for everything else."""
    try:
        return float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        return math.inf


def _floats(name: str, values: object, count: int, expected: str) -> list[float]:
    """[count] finite floats.

    Raises:
        BadOption: there are more or fewer, or not all are finite numbers.
    """
    found = [_float(value) for value in values] if isinstance(values, Iterable) else []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise BadOption(f"{name} is {values!r}, expected {expected}")
    return found
