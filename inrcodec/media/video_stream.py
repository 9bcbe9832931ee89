"""Video through FFmpeg: planes as stored, upright, each with its exact time."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO, NamedTuple

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData

from inrcodec.errors import BadInput
from inrcodec.media.limit import check_pixels
from inrcodec.media.orientation import Orientation
from inrcodec.media.streams import decoder_options, open_container, picture_stream
from inrcodec.media.video_info import Frame, VideoInfo
from inrcodec.signal import Colour
from inrcodec.signal.colour import BT709, SUBSAMPLINGS, chroma_shape, frame_of_rgb, luma_weights
from inrcodec.signal.video import dtype_of

_PLANAR = re.compile(r"(?:yuv[aj]?(\d{3})p|gray)(\d{1,2})?(?:le)?")
# What FFmpeg repacks to planes without changing a sample.
_REPACKED = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "nv42": "yuv444p",
    "yuyv422": "yuv422p",
    "yvyu422": "yuv422p",
    "uyvy422": "yuv422p",
    "p010le": "yuv420p10le",
    "p012le": "yuv420p12le",
    "p016le": "yuv420p16le",
    "p210le": "yuv422p10le",
    "p216le": "yuv422p16le",
    "p410le": "yuv444p10le",
    "p416le": "yuv444p16le",
    "nv20le": "yuv422p10le",
    "ya8": "gray",
}
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
# Codecs whose chroma lies in the middle (H.261, JPEG, MPEG-1); all later ones have it to the left.
_CENTRED = ("mjpeg", "mpeg1video", "h261", "h263")
_DEFAULT_RATE = Fraction(25)


class _Layout(NamedTuple):
    """How a decoded frame is taken apart: first repacked to `format`, unless it is None."""

    format: str | None
    subsampling: str
    bit_depth: int
    is_rgb: bool


class StreamFrames:
    """The first moving picture in a container.

    Raises:
        BadInput: there is none, it is empty, or of a layout that is not read.
        av.FFmpegError: it is damaged, or FFmpeg does not know it.
    """

    def __init__(self, file: BinaryIO) -> None:
        with open_container(file) as container:
            self._pace = _pace(container, _picture(container))
        self._container = open_container(file)
        stream = _picture(self._container)
        context = stream.codec_context
        check_pixels(context.width, context.height)
        context.options = decoder_options()
        self._frames = self._container.decode(stream)
        self._first = next(self._frames, None)
        if self._first is None:
            raise BadInput("holds a stream of video without a frame that can be decoded")
        self._layout = _layout_of(self._first.format)
        self._turn, colour, subsampling = self._upright(context)
        size = (self._first.width, self._first.height)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        self.info = VideoInfo(
            *(reversed(size) if self._turn.transpose else size),
            self._pace.rate,
            self._pace.time_base,
            self._pace.frames,
            self._layout.bit_depth,
            subsampling,
            colour,
            1 / aspect if self._turn.transpose else aspect,
            f"{self._container.format.name} {context.name}",
            self._turn != Orientation(),
        )
        if self._first.interlaced_frame:
            warnings.warn("interlaced video: both fields are kept in one frame", stacklevel=4)

    def _upright(self, context: av.VideoCodecContext) -> tuple[Orientation, Colour, str]:
        """How frames are turned, and the colour and subsampling that they have then."""
        frame, layout = self._first, self._layout
        turn = Orientation()
        if (matrix := frame.side_data.get(SideData.DISPLAYMATRIX)) is not None:
            found = Orientation.of_matrix(bytes(matrix))
            if found is None:
                warnings.warn("a rotation that is no quarter turn is left out", stacklevel=5)
            turn = found or turn
        if layout.is_rgb:
            return turn, Colour(BT709, BT709, BT709), "4:4:4"
        subsampling = turn.subsampling(layout.subsampling)
        if subsampling is None:
            raise BadInput(f"{layout.subsampling} video lying on its side; convert it to 4:2:0")
        full = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
        if layout.subsampling == "4:0:0" and frame.color_range == 0:
            full = True  # grey formats mean full range where nothing is said (FFmpeg's pixdesc)
        location = "center" if context.name in _CENTRED else "left"
        points = (frame.colorspace, context.color_primaries, context.color_trc)
        colour = Colour(*(min(int(point), 255) for point in points), full, location)
        return turn, turn.colour(colour), subsampling

    def frames(self) -> Iterator[Frame]:
        """The frames, decoded one by one.

        Raises:
            BadInput: the size or layout changes between frames.
            av.FFmpegError: the file is damaged.
        """
        frame: av.VideoFrame | None = self._first
        count, last, concealed = 0, -1, 0
        while frame is not None:
            tick = self._pace.tick(frame.pts, count)
            if tick <= last:
                warnings.warn(f"frame {count} is not later than the one before", stacklevel=2)
                tick = last + 1
            last = tick
            concealed += frame.is_corrupt
            yield Frame(self._planes(frame, count), tick)
            count += 1
            frame = next(self._frames, None)
        lost = max(0, (self._pace.frames or 0) - count)
        if lost or concealed:
            warnings.warn(
                f"damaged: of {count + lost} frames {lost} are lost and {concealed} are guessed in "
                "parts",
                stacklevel=2,
            )

    def _planes(self, frame: av.VideoFrame, count: int) -> tuple[np.ndarray, ...]:
        first, layout = self._first, self._layout
        if (frame.width, frame.height) != (first.width, first.height):
            raise BadInput(
                f"frames change from {first.width}x{first.height} to {frame.width}x{frame.height} "
                f"at frame {count}; convert the video to one size first"
            )
        if frame.format.name != first.format.name:
            raise BadInput(
                f"frames change from {first.format.name} to {frame.format.name} "
                f"at frame {count}; convert the video to one of them first"
            )
        if layout.format is not None:
            frame = frame.reformat(format=layout.format)
        if layout.is_rgb:
            rgb = _rgb(frame, layout.bit_depth)
            colour = Colour(BT709, BT709, BT709)
            weights = luma_weights(colour, *rgb.shape[:2])
            planes = frame_of_rgb(rgb, layout.bit_depth, "4:4:4", colour, weights)
        else:
            luma = (frame.height, frame.width)
            chroma = chroma_shape(*luma, layout.subsampling)
            shapes = [luma] if layout.subsampling == "4:0:0" else [luma, chroma, chroma]
            planes = tuple(_plane(frame, i, shape) for i, shape in enumerate(shapes))
        return tuple(self._turn.plane(plane) for plane in planes)

    def close(self) -> None:
        """Frees the decoder; the file stays open."""
        self._container.close()


def _picture(container: av.container.InputContainer) -> av.VideoStream:
    stream = picture_stream(container)
    if stream is None:
        kinds = sorted({stream.type for stream in container.streams})
        raise BadInput(
            f"holds no moving pictures (found {', '.join(kinds) or 'nothing'}), expected at least "
            "one stream of video"
        )
    return stream


class _Pace(NamedTuple):
    """When frames are shown: `frames` of them, the first at `start` in units of `stamp_base`."""

    rate: Fraction
    time_base: Fraction
    frames: int | None
    start: int
    stamp_base: Fraction

    def tick(self, stamp: int | None, count: int) -> int:
        """The time of a frame in units of `time_base`; of one without a stamp, by its number."""
        if stamp is None or self.frames is None:
            return count
        return round((stamp - self.start) * self.stamp_base / self.time_base)


def _pace(container: av.container.InputContainer, stream: av.VideoStream) -> _Pace:
    """The times of all frames, from their packets: nothing is decoded for it.

    Containers round times, Matroska to milliseconds. Where all of them are those of one rate, up to
    that rounding, the rate is constant and frame i is shown at exactly i / rate.
    """
    stamps = {p.pts for p in container.demux(stream) if p.size > 0 and not p.is_discard}
    told = stream.average_rate or stream.guessed_rate or _DEFAULT_RATE
    base = stream.time_base
    if not stamps or None in stamps:
        return _Pace(told, 1 / told, None, 0, base)
    pts = np.array(sorted(stamps), np.int64)
    start, steps = int(pts[0]), np.diff(pts)
    rates = [rate for rate in (told, stream.guessed_rate, stream.base_rate) if rate]
    if len(steps) and (steps == steps[0]).all():
        rates.insert(0, 1 / (int(steps[0]) * base))
    for rate in rates:
        if _is_constant(pts - start, 1 / (rate * base)):
            return _Pace(rate, 1 / rate, len(pts), start, base)
    mean = (len(pts) - 1) / (int(pts[-1] - start) * base)
    return _Pace(mean, base, len(pts), start, base)


def _is_constant(offsets: np.ndarray, spacing: Fraction) -> bool:
    """Whether offsets [n] are multiples of the spacing, rounded by less than a quarter of it."""
    if len(offsets) * spacing >= 2**40:
        return False
    ideal = np.arange(len(offsets), dtype=np.float64) * float(spacing)
    return bool((np.abs(offsets - ideal) <= min(1.0, float(spacing) / 4)).all())


def _layout_of(pixels: av.VideoFormat) -> _Layout:
    """How frames of a pixel format are taken apart.

    Raises:
        BadInput: they hold floating point, or something that is neither RGB nor Y'CbCr.
    """
    name = pixels.name
    little = name[:-2] + "le" if name.endswith("be") else name
    planes = _REPACKED.get(little, little)
    planar = _PLANAR.fullmatch(planes)
    if planar and (subsampling := ":".join(planar[1]) if planar[1] else "4:0:0") in SUBSAMPLINGS:
        if name.startswith(("yuva", "ya")):
            warnings.warn("the transparency of the video is left out", stacklevel=4)
        repack = None if planes == name else planes
        return _Layout(repack, subsampling, int(planar[2] or 8), False)
    if "f16" in name or "f32" in name:
        raise BadInput(f"holds floating point frames ({name}); convert it to 8 or 16 bits first")
    if not pixels.is_rgb and not pixels.has_palette:
        raise BadInput(
            f"holds frames of the layout {name}; convert it to yuv420p, yuv422p or yuv444p first"
        )
    depth = max(component.bits for component in pixels.components)
    if found := re.fullmatch(r"gbra?p(\d{0,2})(?:le)?", name):
        return _Layout(None, "4:4:4", int(found[1] or 8), True)
    return _Layout("gbrp" if depth <= 8 else "gbrp16le", "4:4:4", 8 if depth <= 8 else 16, True)


def _rgb(frame: av.VideoFrame, bit_depth: int) -> np.ndarray:
    """[height, width, 3] of a frame in planes G, B, R."""
    shape = (frame.height, frame.width)
    g, b, r = (_plane(frame, i, shape) for i in range(3))
    return np.stack([r, g, b], axis=2).astype(dtype_of(bit_depth), copy=False)


def _plane(frame: av.VideoFrame, index: int, shape: tuple[int, int]) -> np.ndarray:
    """A copy [rows, columns] of a plane, without what pads its lines."""
    plane = frame.planes[index]
    wide = max(component.bits for component in frame.format.components) > 8
    dtype = np.dtype("<u2" if wide else np.uint8)
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    samples = np.ascontiguousarray(lines[: shape[0], : shape[1] * dtype.itemsize]).view(dtype)
    return samples.astype(dtype.newbyteorder("="), copy=False)
