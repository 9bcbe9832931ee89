"""Video through FFmpeg, out: H.264 in MP4 for players, FFV1 in Matroska without loss."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import BinaryIO, NamedTuple

import av
import numpy as np

from inrcodec.errors import BadOption
from inrcodec.signal import VideoSignal
from inrcodec.signal.colour import chroma_shape
from inrcodec.signal.video import dtype_of

# Visually lossless: 18 is what FFmpeg's guide to H.264 calls so, one step finer to be sure.
_CRF = "17"
_SLICED_PX = 16
# ChromaLocType of H.264 (ITU-T H.264, annex E.2.1), as x264 takes it.
_CHROMA_LOCATIONS = ("left", "center", "topleft", "top", "bottomleft", "bottom")
_RANGES = {False: 1, True: 2}  # AVCOL_RANGE_MPEG, AVCOL_RANGE_JPEG


class _Container(NamedTuple):
    format: str
    codec: str


CONTAINERS = {
    ".mp4": _Container("mp4", "libx264"),
    ".mov": _Container("mov", "libx264"),
    ".mkv": _Container("matroska", "ffv1"),
}


def write_stream(file: BinaryIO, suffix: str, segments: Iterable[VideoSignal]) -> None:
    """Writes a video of one or more segments, without holding more than one.

    Args:
        file: a binary file that can seek.
        suffix: one of CONTAINERS.
        segments: of one size, layout and rate, in the order of their times.

    Raises:
        BadOption: the format cannot hold the video, this FFmpeg lacks the encoder, or the segments
            differ.
    """
    sink = None
    try:
        for segment in segments:
            if sink is None:
                sink = _Sink(file, suffix, segment)
            sink.write(segment)
        if sink is None:
            raise BadOption("there are no segments, expected at least one")
        sink.finish()
    except av.FFmpegError as error:
        raise BadOption(f"{suffix} cannot hold this video ({error}); choose .y4m") from error
    finally:
        if sink is not None:
            sink.container.close()


class _Sink:
    """An open output, for segments like the first one."""

    def __init__(self, file: BinaryIO, suffix: str, first: VideoSignal) -> None:
        kind = CONTAINERS[suffix]
        if kind.codec not in av.codec.codecs_available:
            raise BadOption(
                f"this installation of PyAV has no encoder {kind.codec}, which {suffix} takes; "
                "choose .y4m"
            )
        self._first, self._lossless = first, kind.codec == "ffv1"
        self._start, self._last = int(first.ticks[0]), -1
        self._depth, self._pixels = self._format(first, kind.codec)
        # x264 takes even sizes only where chroma is halved.
        even = 1 if self._lossless else 2
        self._width, self._height = (-(-n // even) * even for n in (first.width, first.height))
        if (self._width, self._height) != (first.width, first.height):
            warnings.warn(
                f"{suffix} holds even sizes: the last row or column of {first.width}x"
                f"{first.height} pixels is written twice",
                stacklevel=4,
            )
        self.container = av.open(file, "w", format=kind.format)
        try:
            self._stream = self._opened(kind.codec)
        except OverflowError as error:  # FFmpeg has rates as two integers of 32 bits
            raise BadOption(
                f"{suffix} cannot hold a rate of {first.rate}; ask for another one, or choose .y4m"
            ) from error

    @staticmethod
    def _format(video: VideoSignal, codec: str) -> tuple[int, str]:
        """Bit depth and pixel format that are written."""
        if codec != "ffv1":
            return (8, "yuv420p") if video.bit_depth == 8 else (10, "yuv420p10le")
        layout = video.subsampling.replace(":", "")
        base = "gray" if layout == "400" else f"yuv{layout}p"
        names = {pixels.name for pixels in av.codec.Codec(codec, "w").video_formats}
        # FFmpeg 8 loses the last chroma column of 4:1:1 where the width is odd in this way.
        fits = video.subsampling != "4:1:1" or video.width % 4 in (0, 3)
        for depth in range(video.bit_depth, 17) if fits else ():
            name = base if depth == 8 else f"{base}{depth}le"
            if name in names:
                return depth, name
        raise BadOption(
            f".mkv cannot hold {video.subsampling} at {video.bit_depth} bits and this size; "
            "choose .y4m"
        )

    def _opened(self, codec: str) -> av.VideoStream:
        video = self._first
        location = _CHROMA_LOCATIONS.index(video.colour.chroma_location)
        options = {"crf": _CRF, "x264-params": f"chromaloc={location}"}
        if self._lossless:
            # Level 3 adds check sums to its slices, of which very small frames cannot have four.
            large = min(video.height, video.width) >= _SLICED_PX
            options = {"level": "3"} if large else {"level": "1"}
        stream = self.container.add_stream(codec, rate=video.rate, options=options)
        context = stream.codec_context
        context.width, context.height = self._width, self._height
        context.pix_fmt = self._pixels
        context.time_base = video.time_base
        context.sample_aspect_ratio = video.pixel_aspect
        context.color_range = _RANGES[video.colour.full_range]
        context.colorspace = video.colour.matrix
        context.color_primaries = video.colour.primaries
        context.color_trc = video.colour.transfer
        return stream

    def write(self, segment: VideoSignal) -> None:
        first = self._first
        facts = [
            (s.height, s.width, s.bit_depth, s.subsampling, s.time_base, s.colour)
            for s in (segment, first)
        ]
        if facts[0] != facts[1] or segment.ticks[0] <= self._last:
            raise BadOption(f"the segments differ, or overlap: {segment!r} follows {first!r}")
        self._last = int(segment.ticks[-1])
        video = video_at_depth(segment, self._depth)
        for i in range(video.frames):
            frame = self._frame(tuple(plane[i] for plane in video.planes))
            frame.pts = int(segment.ticks[i]) - self._start
            frame.time_base = first.time_base
            self.container.mux(self._stream.encode(frame))

    def _frame(self, planes: tuple[np.ndarray, ...]) -> av.VideoFrame:
        first = self._first
        if self._lossless:
            return _frame_of(planes, self._pixels)
        luma = (self._height, self._width)
        shapes = [luma, *2 * [chroma_shape(*luma, first.subsampling)]]
        planes = tuple(map(_edge_padded, planes, shapes))
        wide = "" if self._depth == 8 else f"{self._depth}le"
        if first.subsampling == "4:0:0":
            grey = np.full((self._height // 2, self._width // 2), 1 << (self._depth - 1))
            grey = grey.astype(planes[0].dtype)
            return _frame_of((planes[0], grey, grey), self._pixels)
        frame = _frame_of(planes, f"yuv{first.subsampling.replace(':', '')}p{wide}")
        return frame if frame.format.name == self._pixels else frame.reformat(format=self._pixels)

    def finish(self) -> None:
        """Writes what the encoder still holds, and the index of the container."""
        self.container.mux(self._stream.encode(None))
        self.container.close()


def _edge_padded(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A plane whose last row and column are written twice where `shape` has one more."""
    missing = [(0, wanted - found) for wanted, found in zip(shape, plane.shape, strict=True)]
    return np.pad(plane, missing, mode="edge")


def _frame_of(planes: tuple[np.ndarray, ...], pixels: str) -> av.VideoFrame:
    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], pixels)
    for plane, samples in zip(frame.planes, planes, strict=True):
        lines = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
        little = np.ascontiguousarray(samples).astype(samples.dtype.newbyteorder("<"), copy=False)
        data = little.view(np.uint8)
        lines[: data.shape[0], : data.shape[1]] = data
        plane.update(lines.tobytes())
    return frame


def video_at_depth(video: VideoSignal, bit_depth: int) -> VideoSignal:
    """The video at another depth, rounded.

    Limited range is scaled by a power of two, as its levels are (ITU-T H.273, 8.3); full range so
    that the peak becomes the peak.

    Args:
        video: what to convert.
        bit_depth: 8..16.
    """
    if bit_depth == video.bit_depth:
        return video
    peak, old_peak = (1 << bit_depth) - 1, video.peak
    levels = np.arange(old_peak + 1, dtype=np.int64)
    if video.colour.full_range:
        table = (levels * peak + old_peak // 2) // old_peak
    elif bit_depth > video.bit_depth:
        table = levels << (bit_depth - video.bit_depth)
    else:
        shift = video.bit_depth - bit_depth
        table = np.minimum((levels + (1 << (shift - 1))) >> shift, peak)
    table = table.astype(dtype_of(bit_depth))
    planes = tuple(table[plane] for plane in video.planes)
    return replace(video, planes=planes, bit_depth=bit_depth)
