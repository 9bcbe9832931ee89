"""Signals with a time axis are cut into segments of equal length; the last one may be shorter.

The header gives the length: 0 stands for one segment that is the whole signal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from inrcodec.bitstream.header_values import check_range
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.errors import CorruptFile

if TYPE_CHECKING:
    from inrcodec.bitstream.audio_header import AudioHeader
    from inrcodec.bitstream.video_header import VideoHeader

    Header = TypeVar("Header", AudioHeader, VideoHeader)


class Segmented:
    """What headers with `frames` and `segment_frames` have in common."""

    frames: int
    segment_frames: int

    @property
    def segments(self) -> int:
        """How many segments, and fields, there are."""
        return -(-self.frames // self.segment_frames)

    def segment(self: Header, index: int, config_code: int) -> Header:
        """The header of one segment as if it were a signal of its own."""
        frames = min(self.segment_frames, self.frames - index * self.segment_frames)
        return replace(self, frames=frames, segment_frames=frames, config_code=config_code)

    def pack_length(self) -> bytes:
        """The length of a segment as the header section has it.

        Raises:
            BadOption: no length from 1 to that of the signal.
        """
        check_range("segment_frames", self.segment_frames, 1, self.frames)
        return pack_varint(0 if self.segment_frames == self.frames else self.segment_frames)


def read_length(payload: bytes, offset: int, frames: int) -> tuple[int, int]:
    """Frames of a segment, and the offset behind them.

    Raises:
        TruncatedFile: the payload ends before.
        CorruptFile: the signal is empty, or not longer than a segment.
    """
    length, offset = read_varint(payload, offset)
    if not frames or length >= frames:
        raise CorruptFile(
            f"the signal has {frames} frames in segments of {length}, expected at least one frame "
            "and shorter segments; the file was written by a faulty encoder"
        )
    return length or frames, offset
