"""Videos: fields one behind the other in time, of three outputs that each have their own grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from inrcodec.bitstream.header import VideoHeader
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.ticks import Times
from inrcodec.grid import Axis, Grid
from inrcodec.kinds.depth import depth_of
from inrcodec.kinds.pace import Pace
from inrcodec.sampling import Levels, Renderer, samples_of
from inrcodec.signal import Colour, VideoSignal
from inrcodec.signal.colour import chroma_shape
from inrcodec.signal.video import dtype_of

# Samples of luma that are rendered at once, unless a frame has more.
STRETCH_SAMPLES = 1 << 24


def levels_of(header: VideoHeader, bit_depth: int) -> Levels:
    """1.0 is the largest sample; limited range is spread by powers of two, as its levels are."""
    peak, scale = (1 << bit_depth) - 1, float((1 << bit_depth) - 1)
    if not header.full_range and bit_depth != header.bit_depth:
        scale = ((1 << header.bit_depth) - 1) * 2.0 ** (bit_depth - header.bit_depth)
    return Levels(0.0, scale, peak, dtype_of(bit_depth))


@dataclass(frozen=True)
class VideoPlan:
    """A video, or a part of its time, at a size and pace."""

    header: VideoHeader
    frame: Grid
    pace: Pace
    bit_depth: int
    metadata: dict[str, bytes]

    @property
    def samples(self) -> int:
        """Frames x pixels of the output."""
        return self.pace.frames * self.frame.shape[0] * self.frame.shape[1]

    @cached_property
    def planes(self) -> list[tuple[Grid, slice]]:
        """Rows and columns of each group of planes that share a grid, and their outputs."""
        h = self.header
        if h.channels == 1:
            return [(self.frame, slice(0, 1))]
        native = chroma_shape(h.height, h.width, h.subsampling)
        if native == (h.height, h.width) and h.subsampling == "4:4:4":
            return [(self.frame, slice(0, 3))]
        wanted = chroma_shape(*self.frame.shape, h.subsampling)
        chroma = Grid(tuple(map(Axis.on, self.frame.axes, native, wanted)))
        return [(self.frame, slice(0, 1)), (chroma, slice(1, 3))]

    def grids(self) -> Iterator[Grid]:
        """Those of luma, and of chroma where it has its own."""
        for t in self.pace.axes:
            for plane, _ in self.planes:
                yield Grid((t, *plane.axes))

    def render(self, field: Renderer, fast: bool = False) -> Iterator[VideoSignal]:
        """The video, some frames at a time."""
        h, first = self.header, 0
        step = max(1, STRETCH_SAMPLES // (self.frame.shape[0] * self.frame.shape[1]))
        for t in self.pace.axes:
            for begin in range(0, t.count, step):
                part = t.part(begin, min(t.count, begin + step))
                yield VideoSignal(
                    self._planes(field, part, fast),
                    self.pace.rate,
                    self.bit_depth,
                    h.subsampling,
                    Colour(*h.code_points, h.full_range, h.chroma_location),
                    np.array(self.pace.ticks[first : first + part.count], np.int64),
                    self.pace.time_base,
                    h.pixel_aspect,
                    self.metadata,
                )
                first += part.count

    def _planes(self, field: Renderer, t: Axis, fast: bool) -> tuple[np.ndarray, ...]:
        levels, found = levels_of(self.header, self.bit_depth), []
        for plane, outputs in self.planes:
            samples = samples_of(field, Grid((t, *plane.axes)), levels, outputs, fast)
            found += [np.ascontiguousarray(samples[..., i]) for i in range(samples.shape[-1])]
        return tuple(found)


class Video:
    """See `Kind`."""

    def header(self, signal: VideoSignal, field_id: int, config_code: int) -> VideoHeader:
        """The header of a video in one segment."""
        colour = signal.colour
        return VideoHeader(
            signal.width,
            signal.height,
            signal.frames,
            signal.subsampling,
            signal.bit_depth,
            (colour.matrix, colour.primaries, colour.transfer),
            colour.full_range,
            colour.chroma_location,
            signal.rate,
            not signal.is_constant_rate,
            signal.pixel_aspect,
            signal.frames,
            field_id,
            config_code,
        )

    def whole(
        self, header: VideoHeader, frames: int, segment_frames: int, times: Times | None
    ) -> tuple[VideoHeader, Times | None]:
        """The header with all segments; times where the rate varies, the first frame at 0."""
        step = 1 / (header.rate * times.base)
        steps = {after - t for t, after in zip(times.ticks, times.ticks[1:], strict=False)}
        varies = not steps <= {step}
        whole = replace(
            header,
            frames=frames,
            segment_frames=min(segment_frames, frames),
            has_ticks=varies,
        )
        first = times.ticks[0]
        return whole, Times([t - first for t in times.ticks], times.base) if varies else None

    def plan(
        self,
        header: VideoHeader,
        times: Times | None,
        metadata: dict[str, bytes],
        limits: Limits,
        bit_depth: int | None,
        where: dict[str, Any],
    ) -> VideoPlan:
        """The video at a size and pace, or a part of its time."""
        shown = {name: where.get(name) for name in ("size", "scale", "region")}
        frame = Grid.of(header.height, header.width, **shown)
        limits.check_size(frame.shape[1], frame.shape[0], "frame")
        pace = Pace.of(header, times, where.get("fps"), where.get("time"))
        depth = depth_of(bit_depth, header.bit_depth, 8, 16)
        return VideoPlan(header, frame, pace, depth, metadata)

    def joined(self, stretches: Sequence[VideoSignal]) -> VideoSignal:
        """One video of those that follow each other."""
        if len(stretches) == 1:
            return stretches[0]
        planes = zip(*(s.planes for s in stretches), strict=True)
        return replace(
            stretches[0],
            planes=tuple(map(np.concatenate, planes)),
            ticks=np.concatenate([s.ticks for s in stretches]),
        )

    def blocks(self, signal: VideoSignal) -> Iterator[bytes]:
        """Frame by frame: Y, Cb and Cr, each row by row, 16-bit samples little-endian."""
        little = signal.planes[0].dtype.newbyteorder("<")
        for i in range(signal.frames):
            for plane in signal.planes:
                yield plane[i].astype(little, copy=False).tobytes()

    def errors(self, signal: VideoSignal, decoded: VideoSignal) -> tuple[float, float, int]:
        """Over all samples of all planes."""
        error = power = 0.0
        for plane, found in zip(signal.planes, decoded.planes, strict=True):
            for i in range(signal.frames):
                samples = plane[i].astype(np.float64) / signal.peak
                difference = found[i].astype(np.float64) / signal.peak - samples
                error += float(np.sum(difference * difference))
                power += float(np.sum(samples * samples))
        return error, power, sum(plane.size for plane in signal.planes)

    def rates(self, header: VideoHeader, file_bytes: int) -> dict[str, float]:
        """Bits of the whole file per pixel of luma, and thousands of them per second."""
        bits = 8 * file_bytes
        return {
            "rate_bpp": bits / (header.width * header.height * header.frames),
            "rate_kbps": float(bits / (header.frames / header.rate) / 1000),
        }

    def facts(self, header: VideoHeader) -> dict[str, Any]:
        """Its length, size and samples."""
        return {
            "duration_seconds": float(header.frames / header.rate),
            "frames": header.frames,
            "fps": float(header.rate),
            "variable_rate": header.has_ticks,
            "width": header.width,
            "height": header.height,
            "subsampling": header.subsampling,
            "bit_depth": header.bit_depth,
        }
