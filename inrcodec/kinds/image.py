"""Images: one field, one grid, one signal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inrcodec.bitstream.header import ImageHeader
from inrcodec.bitstream.limits import Limits
from inrcodec.grid import Grid
from inrcodec.kinds.depth import depth_of
from inrcodec.sampling import Levels, Renderer, samples_of
from inrcodec.signal import Signal


@dataclass(frozen=True)
class ImagePlan:
    """An image on a grid."""

    grid: Grid
    bit_depth: int
    metadata: dict[str, bytes]

    @property
    def samples(self) -> int:
        """Pixels of the output."""
        return self.grid.shape[0] * self.grid.shape[1]

    def grids(self) -> Iterator[Grid]:
        """The one there is."""
        yield self.grid

    def render(self, field: Renderer, fast: bool = False) -> Iterator[Signal]:
        """The image."""
        samples = samples_of(field, self.grid, Levels.unsigned(self.bit_depth), fast=fast)
        yield Signal(samples, self.bit_depth, metadata=self.metadata)


class Image:
    """See `Kind`."""

    def header(self, signal: Signal, field_id: int, config_code: int) -> ImageHeader:
        """The header of an image."""
        size = signal.width, signal.height, signal.channels
        return ImageHeader(*size, signal.bit_depth, field_id, config_code)

    def whole(
        self, header: ImageHeader, frames: int, segment_frames: int, times: None
    ) -> tuple[ImageHeader, None]:
        """The header as it is: an image is one segment."""
        return header, None

    def plan(
        self,
        header: ImageHeader,
        times: None,
        metadata: dict[str, bytes],
        limits: Limits,
        bit_depth: int | None,
        where: dict[str, Any],
    ) -> ImagePlan:
        """The image at a size, scale and region."""
        grid = Grid.of(header.height, header.width, **where)
        limits.check_size(grid.shape[1], grid.shape[0])
        return ImagePlan(grid, depth_of(bit_depth, header.bit_depth, 1, 16), metadata)

    def joined(self, stretches: Sequence[Signal]) -> Signal:
        """The only one."""
        (image,) = stretches
        return image

    def blocks(self, signal: Signal) -> Iterator[bytes]:
        """Row by row, channels together, 16-bit samples little-endian."""
        samples = signal.samples
        yield samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes()

    def errors(self, signal: Signal, decoded: Signal) -> tuple[float, float, int]:
        """Over all samples and channels."""
        samples = signal.samples.astype(np.float64) / signal.peak
        error = (decoded.samples.astype(np.float64) - signal.samples) / signal.peak
        return float(np.sum(error * error)), float(np.sum(samples * samples)), error.size

    def rates(self, header: ImageHeader, file_bytes: int) -> dict[str, float]:
        """Bits of the whole file per pixel."""
        return {"rate_bpp": 8 * file_bytes / (header.width * header.height)}

    def facts(self, header: ImageHeader) -> dict[str, Any]:
        """Its size and samples."""
        return {
            "width": header.width,
            "height": header.height,
            "channels": header.channels,
            "bit_depth": header.bit_depth,
        }
