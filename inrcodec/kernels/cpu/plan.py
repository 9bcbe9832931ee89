"""Where everything lies: padded levels, bands, scratch and partial gradients of one problem.

The picture and the levels are cut into bands that do not depend on the number of threads, and each
band sums its gradients in a place of its own. These are added in a fixed order, so results are the
same for any number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from inrcodec.kernels import GridProblem
from inrcodec.kernels.cpu import interpolation, rate
from inrcodec.kernels.cpu.dense import UNIT
from inrcodec.kernels.cpu.distortion import PictureBand
from inrcodec.kernels.kernel import phase_weights

_PICTURE_ROWS = 32
_RATE_SAMPLES = 24576  # per band: enough to hide the cost of starting one
_RATE_ROWS = 16  # at least, because a band sums rows above it too


class Level(NamedTuple):
    """A level in the flat array of padded levels; `at` is the index of its latent (0, 0)."""

    height: int
    width: int
    pitch: int
    at: int


class Part(NamedTuple):
    """Rows first .. last of a level's gradient, summed by one band, from index `at` on."""

    level: int
    first: int
    last: int
    at: int
    pitch: int


class Span(NamedTuple):
    """Elements start .. end of the partial gradients."""

    start: int
    end: int


def padded_levels(problem: GridProblem) -> tuple[list[Level], int]:
    """Levels and the length of the flat array that holds them.

    The parent of the coarsest level is one more level, which stays zero.
    """
    h, w = problem.level_shapes[-1]
    levels, at = [], UNIT
    slack = max(rate.RUN, problem.target.shape[2]) + 4 * UNIT  # runs read beyond the last row
    for height, width in (*problem.level_shapes, (-(-h // 2), -(-w // 2))):
        pitch = width + rate.PAD
        at += rate.PAD * pitch
        levels.append(Level(height, width, pitch, at))
        at += (height + 1) * pitch
    return levels, at + slack


class RatePlan:
    """Bands of the rate term."""

    def __init__(self, problem: GridProblem, levels: list[Level], at: int) -> None:
        self.bands: list[rate.RateBand] = []
        self.spans: list[Span] = []
        self.parts: list[Part] = []
        self.level_of_band: list[int] = []
        for index, level in enumerate(levels[:-1]):
            rows = max(_RATE_ROWS, _RATE_SAMPLES // level.width)
            for first in range(0, level.height, rows):
                at = self._add(levels, index, first, min(first + rows, level.height), at)
        self.end = at
        self.spatial = [
            np.array([dy * level.pitch + dx for dy, dx in problem.spatial_context], np.int64)
            for level in levels
        ]
        self.coarse = np.array(problem.coarse_context, np.int64).reshape(-1, 2)

    def _add(self, levels: list[Level], index: int, first: int, last: int, at: int) -> int:
        level, parent = levels[index], levels[index + 1]
        top = first - rate.PAD
        above, below = first // 2 - 1, (last - 1) // 2 + 2  # rows of parents and their neighbours
        start = at
        own = at + UNIT - top * level.pitch
        at += UNIT + (last - top) * level.pitch + UNIT
        parent_at = at + UNIT - above * parent.pitch
        at += UNIT + (below - above) * parent.pitch + UNIT
        self.bands.append(
            rate.RateBand(
                first, last, level.width, level.pitch, level.at, parent.at, parent.pitch,
                own + first * level.pitch, parent_at,
            )
        )  # fmt: skip
        self.spans.append(Span(start, at))
        self.level_of_band.append(index)
        low = max(top, 0)
        self.parts.append(Part(index, low, last, own + low * level.pitch, level.pitch))
        low, high = max(above, 0), min(below, parent.height)
        self.parts.append(Part(index + 1, low, high, parent_at + low * parent.pitch, parent.pitch))
        return at


class PicturePlan:
    """Bands of the distortion term."""

    def __init__(self, problem: GridProblem, levels: list[Level], at: int) -> None:
        self.problem = problem
        self.levels = levels[:-1]
        self.bands: list[PictureBand] = []
        self.level_parts: list[np.ndarray] = []
        self.spans: list[Span] = []
        self.parts: list[Part] = []
        self.channels, height, width = problem.target.shape
        self.hidden = problem.layout["syn.w1"][0]
        spacings = [1 << (problem.first_level + i) for i in range(len(self.levels))]
        self.pitch = _rounded(width + 2 * interpolation.MARGIN)
        self.wide_pitch = max(
            [self.pitch]
            + [
                _rounded(interpolation.MARGIN + level.width * spacing)
                for level, spacing in zip(self.levels, spacings, strict=True)
            ]
        )
        kernels = [phase_weights(problem.first_level + i) for i in range(len(self.levels))]
        self.kernels = np.concatenate([k.ravel() for k in kernels]).astype(np.float32)
        self._kernel_at = np.cumsum([0] + [k.size for k in kernels])
        self.spacings = spacings
        self.scratch = 0
        for first in range(0, height, _PICTURE_ROWS):
            at = self._add(first, min(first + _PICTURE_ROWS, height), height, width, at)
        self.end = at
        self.plane = self.bands[0].plane

    def _add(self, first: int, last: int, height: int, width: int, at: int) -> int:
        taps, start = self.problem.taps, at
        reach = 2 * taps
        low, high = max(first - reach, 0), min(last + reach, height)
        features_at = 0
        hidden_at = features_at + (len(self.levels) + 1) * interpolation.ROW
        line_at = hidden_at + (self.hidden + 1) * interpolation.ROW
        wide_at = line_at + _rounded(2 * self.levels[0].width + UNIT)
        parts = np.zeros(len(self.levels), interpolation.LEVEL_PART)
        for i, (level, spacing) in enumerate(zip(self.levels, self.spacings, strict=True)):
            top = low // spacing - 2 if spacing > 1 else low
            rows = (high - 1) // spacing + 3 - top if spacing > 1 else high - low
            size = rows * self.wide_pitch if spacing > 1 else 0
            from_row, to_row = max(top, 0), min(top + rows, level.height)
            parts[i] = (
                spacing, level.height, level.width, level.at, level.pitch, self._kernel_at[i],
                top, rows, wide_at, wide_at + size, at - from_row * level.width,
            )  # fmt: skip
            self.parts.append(Part(i, from_row, to_row, at, level.width))
            wide_at += 2 * size
            at += (to_row - from_row) * level.width
        guard = 2 * self.pitch
        plane = (_PICTURE_ROWS + 2 * reach + 4) * self.pitch
        planes_at = wide_at + guard
        self.scratch = max(self.scratch, planes_at + (taps + 1) * self.channels * plane + guard)
        self.bands.append(
            PictureBand(
                first, last, height, width, self.pitch, self.wide_pitch, self.channels, self.hidden,
                taps, features_at, hidden_at, planes_at, line_at, plane, first - reach - 2,
            )
        )  # fmt: skip
        self.level_parts.append(parts)
        self.spans.append(Span(start, at))
        return at

    def rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row starts for the layers: consecutive, nine shifts of each plane, planes."""
        count = max(self.hidden, len(self.levels)) + 1
        shifts = [
            c * self.plane + (ky - 1) * self.pitch + kx - 1
            for c in range(self.channels)
            for ky in range(3)
            for kx in range(3)
        ]
        return (
            np.arange(count, dtype=np.int64) * interpolation.ROW,
            np.array(shifts, np.int64),
            np.arange(self.channels, dtype=np.int64) * self.plane,
        )


def _rounded(count: int) -> int:
    """The next odd multiple of UNIT, so that rows below each other lie in different cache sets."""
    units = -(-count // UNIT)
    return (units | 1) * UNIT
