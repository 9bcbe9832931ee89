"""Sounds: fields one behind the other in time, rendered stretch by stretch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inrcodec.bitstream.header import AudioHeader
from inrcodec.bitstream.limits import Limits
from inrcodec.grid import Grid
from inrcodec.kinds.depth import depth_of
from inrcodec.sampling import Levels, Renderer, samples_of
from inrcodec.signal import AudioSignal
from inrcodec.signal.audio import dtype_of

# Samples that are rendered at once.
STRETCH_SAMPLES = 1 << 20


def levels_of(bit_depth: int) -> Levels:
    """1.0 is one above the largest sample, as everywhere with sound."""
    scale = 1 << (bit_depth - 1)
    return Levels(-1.0, float(scale), scale - 1, dtype_of(bit_depth))


@dataclass(frozen=True)
class AudioPlan:
    """A sound, or a part of its time, at a rate."""

    grid: Grid
    channels: int
    rate_hz: int
    bit_depth: int
    metadata: dict[str, bytes]

    @property
    def samples(self) -> int:
        """Frames x channels of the output."""
        return self.grid.shape[0] * self.channels

    def grids(self) -> Iterator[Grid]:
        """The one there is."""
        yield self.grid

    def render(self, field: Renderer, fast: bool = False) -> Iterator[AudioSignal]:
        """The sound, a million samples at a time."""
        levels, count = levels_of(self.bit_depth), self.grid.shape[0]
        step = max(1, STRETCH_SAMPLES // self.channels)
        for begin in range(0, count, step):
            part = self.grid.part((begin, min(count, begin + step)))
            samples = samples_of(field, part, levels, fast=fast)
            yield AudioSignal(samples, self.rate_hz, self.bit_depth, self.metadata)


class Audio:
    """See `Kind`."""

    def header(self, signal: AudioSignal, field_id: int, config_code: int) -> AudioHeader:
        """The header of a sound in one segment."""
        return AudioHeader(
            signal.channels,
            signal.bit_depth,
            signal.frames,
            signal.rate_hz,
            signal.frames,
            field_id,
            config_code,
        )

    def whole(
        self, header: AudioHeader, frames: int, segment_frames: int, times: None
    ) -> tuple[AudioHeader, None]:
        """The header with the frames of all segments."""
        return replace(header, frames=frames, segment_frames=min(segment_frames, frames)), None

    def plan(
        self,
        header: AudioHeader,
        times: None,
        metadata: dict[str, bytes],
        limits: Limits,
        bit_depth: int | None,
        where: dict[str, Any],
    ) -> AudioPlan:
        """The sound at a rate, or a part of its time."""
        wanted = where.get("rate_hz")
        grid = Grid.of_sound(header.frames, header.rate_hz, wanted, where.get("time"))
        rate = header.rate_hz if wanted is None else int(wanted)
        depth = depth_of(bit_depth, header.bit_depth, 1, 24)
        return AudioPlan(grid, header.channels, rate, depth, metadata)

    def joined(self, stretches: Sequence[AudioSignal]) -> AudioSignal:
        """One sound of those that follow each other."""
        if len(stretches) == 1:
            return stretches[0]
        return replace(stretches[0], samples=np.concatenate([s.samples for s in stretches]))

    def blocks(self, signal: AudioSignal) -> Iterator[bytes]:
        """Frame by frame, channels together, 16 bits up to that depth, else 32, little-endian."""
        samples = signal.samples
        yield samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes()

    def errors(self, signal: AudioSignal, decoded: AudioSignal) -> tuple[float, float, int]:
        """Over all samples and channels."""
        samples = signal.samples.astype(np.float64) / signal.full_scale
        error = decoded.samples.astype(np.float64) / signal.full_scale - samples
        return float(np.sum(error * error)), float(np.sum(samples * samples)), error.size

    def rates(self, header: AudioHeader, file_bytes: int) -> dict[str, float]:
        """Thousands of bits of the whole file per second."""
        return {"rate_kbps": float(8 * file_bytes / header.duration_seconds / 1000)}

    def facts(self, header: AudioHeader) -> dict[str, Any]:
        """Its length and samples."""
        return {
            "duration_seconds": float(header.duration_seconds),
            "frames": header.frames,
            "rate_hz": header.rate_hz,
            "channels": header.channels,
            "bit_depth": header.bit_depth,
        }
