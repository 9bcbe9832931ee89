"""Video as people have it, in and out: files to VideoSignal and back, whole or in segments.

| format | in | out |
|---|---|---|
| Y4M | 8 to 16 bits, exact; also from a pipe | exact, one frame rate; also to a pipe |
| MKV | what FFmpeg decodes | FFV1, exact; times to the millisecond, or one frame rate |
| MP4, MOV | what FFmpeg decodes, upright | H.264 4:2:0, visually lossless (crf 17), exact times |
| WebM, AVI, MPEG-TS ... | what FFmpeg decodes | no |
| folder of PNG frames | RGB becomes Y'CbCr 4:4:4 by BT.709, grey is kept | R'G'B', no times |

Planes are kept as they are decoded: 8 to 16 bits, 4:2:0, 4:2:2, 4:4:0, 4:4:4, 4:1:1 or grey. RGB
video becomes Y'CbCr 4:4:4 of limited range by the matrix of BT.709. Transparency is left out, with
a warning; sound too, which `media.audio` reads from the same file. MKV and PNG do not keep the
aspect of pixels, Y4M only the range of the colours and where chroma lies.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import BinaryIO, Self

import numpy as np

from inrcodec.errors import BadInput, BadOption
from inrcodec.media import y4m
from inrcodec.media.frames import frame_paths, frames_info, is_frames, read_png_frames
from inrcodec.media.kind import CONTAINER, VIDEO, found_in, mark_of
from inrcodec.media.limit import check_whole
from inrcodec.media.source import Source, head_of, held, named_errors, open_source
from inrcodec.media.video_info import Frame, VideoInfo
from inrcodec.media.video_sink import CONTAINERS, write_stream
from inrcodec.media.video_stream import StreamFrames
from inrcodec.media.whole import check_whole_file
from inrcodec.signal import VideoSignal
from inrcodec.signal.video import positive_fraction

EXTENSIONS_OUT = (".y4m", *CONTAINERS)
EXTENSIONS_IN = (*EXTENSIONS_OUT, ".webm", ".avi", ".m4v", ".ts", ".mpg", ".mpeg", ".wmv", ".flv")
_READ = "MP4, MOV, MKV, WebM, AVI, MPEG, Y4M and folders of PNG frames are read"
_DEFAULT_RATE = Fraction(25)
# Room for this many frames is made where the file does not tell how many there are.
_READ_FRAMES = 16


class VideoReader:
    """A video that is read from its beginning to its end, in segments of any length.

    Example:
        with open_video("film.mp4") as reader:
            for segment in reader.segments(32):
                ...
    """

    def __init__(self, source: Source, name: str = "", rate: Fraction | None = None) -> None:
        self._stream: StreamFrames | None = None
        self._file: BinaryIO | None = None
        if isinstance(source, (str, os.PathLike)) and is_frames(source):
            self._label, self._what = name or os.fspath(source), "PNG frames"
            paths = frame_paths(source)
            self.info: VideoInfo = frames_info(paths, rate or _DEFAULT_RATE)
            self._frames: Iterator[Frame] = read_png_frames(paths, self.info)
            return
        self._file, self._label = open_source(source, name)
        self._owns_file = self._file is not source
        head = head_of(self._file)
        self._what = found_in(head)
        try:
            mark = mark_of(head)
            if mark is None or mark.kind not in (VIDEO, CONTAINER):
                raise BadInput(f"{self._label}: found {self._what}, expected a video; {_READ}")
            with named_errors(self._label, self._what):
                self.info, self._frames = self._opened(head.startswith(y4m.MAGIC))
        except BaseException:
            self.close()
            raise
        if rate is not None:
            self.info = self.info._replace(
                rate=rate, time_base=self.info.time_base * self.info.rate / rate
            )

    def _opened(self, is_y4m: bool) -> tuple[VideoInfo, Iterator[Frame]]:
        if is_y4m:
            info = y4m.read_header(self._file)
            return info, y4m.read_frames(self._file, info)
        if not self._file.seekable():
            self._file = held(self._file)
        check_whole_file(self._file)
        self._stream = StreamFrames(self._file)
        return self._stream.info, self._stream.frames()

    def read(self, n_frames: int) -> VideoSignal | None:
        """The next frames, fewer than `n_frames` only at the end; None after it.

        Raises:
            BadInput: the file is damaged or cut.
        """
        if n_frames < 1:
            raise BadOption(f"n_frames is {n_frames}, expected at least 1")
        stack = _Stack()
        with named_errors(self._label, self._what):
            while len(stack.ticks) < n_frames and (frame := next(self._frames, None)) is not None:
                stack.append(frame, min(n_frames, self.info.frames or _READ_FRAMES))
            return stack.video(self.info) if stack.ticks else None

    def skip(self, n_frames: int) -> None:
        """Leaves frames out; they are decoded, since others build on them."""
        with named_errors(self._label, self._what):
            for _ in range(n_frames):
                if next(self._frames, None) is None:
                    break

    def segments(self, n_frames: int) -> Iterator[VideoSignal]:
        """What is left of the video, in segments of `n_frames`; the last may be shorter.

        Frames keep the times that they have in the whole.
        """
        while (segment := self.read(n_frames)) is not None:
            yield segment

    def close(self) -> None:
        """Frees the decoder; nothing can be read afterwards."""
        if self._stream is not None:
            self._stream.close()
        if self._file is not None and self._owns_file:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Stack:
    """Frames put one behind the other, in arrays that grow with what arrives."""

    def __init__(self) -> None:
        self.ticks: list[int] = []
        self._planes: list[np.ndarray] = []

    def append(self, frame: Frame, capacity: int) -> None:
        """Adds a frame; the first one makes room for `capacity` of them."""
        count = len(self.ticks)
        check_whole(max(capacity, count + 1), sum(plane.size for plane in frame.planes))
        if not count:
            self._planes = [np.empty((capacity, *p.shape), p.dtype) for p in frame.planes]
        elif count == len(self._planes[0]):
            self._planes = [np.concatenate([p, np.empty_like(p)]) for p in self._planes]
        for stack, plane in zip(self._planes, frame.planes, strict=True):
            stack[count] = plane
        self.ticks.append(frame.tick)

    def video(self, info: VideoInfo) -> VideoSignal:
        """The frames so far."""
        count = len(self.ticks)
        return VideoSignal(
            tuple(plane[:count] for plane in self._planes),
            info.rate,
            info.bit_depth,
            info.subsampling,
            info.colour,
            np.array(self.ticks, np.int64),
            info.time_base,
            info.pixel_aspect,
        )


def open_video(source: Source, name: str = "", rate: Fraction | None = None) -> VideoReader:
    """A video, ready to be read in segments; memory is that of one segment.

    Args:
        source: path, content, or open binary file; a folder of PNG frames, or a pattern such as
            frame_%05d.png. Y4M may come from a pipe (`sys.stdin.buffer`), other formats are read
            into memory from there.
        name: what error messages call it.
        rate: frames per second, where the source does not tell (PNG frames, else taken as 25) or
            where another one is wanted.

    Raises:
        BadInput: no video, an unknown format, a damaged file.
        LimitExceeded: more pixels than twice `PIL.Image.MAX_IMAGE_PIXELS`.
    """
    return VideoReader(source, name, None if rate is None else positive_fraction("rate", rate))


def read_video(source: Source, start_frame: int, frames: int, name: str = "") -> VideoSignal:
    """Frames start_frame..start_frame+frames-1 of a video, fewer where it ends before.

    Raises:
        BadInput: no video, an unknown format, a damaged file.
        BadOption: the video ends before `start_frame`, or the numbers make no sense.
    """
    if start_frame < 0:
        raise BadOption(f"start_frame is {start_frame}, expected 0 or more")
    with open_video(source, name) as reader:
        reader.skip(start_frame)
        segment = reader.read(frames)
        if segment is None:
            raise BadOption(f"the video ends before frame {start_frame}")
        return segment


def load_video(source: Source, name: str = "", rate: Fraction | None = None) -> VideoSignal:
    """A whole video; arguments as in `open_video`.

    Raises:
        BadInput: no video, an unknown format, a damaged or cut file.
        LimitExceeded: more than 2**32 samples; read it in segments.
    """
    with open_video(source, name, rate) as reader:
        samples = reader.info.width * reader.info.height
        with named_errors(reader._label, reader._what):
            check_whole(reader.info.frames or 0, samples)
        video = reader.read(2**62)
        if video is None:
            raise BadInput(f"{reader._label}: {reader._what} without a single frame")
        return video


def save_video(video: VideoSignal, extension: str) -> bytes:
    """The bytes of a video file of the kind that the extension names.

    Args:
        video: what to write; its first frame is shown at 0.
        extension: one of EXTENSIONS_OUT, in any case, with or without its dot.

    Raises:
        BadOption: an unknown extension, or the format cannot hold the video.
    """
    out = io.BytesIO()
    write_video(out, extension, [video])
    return out.getvalue()


def write_video(file: BinaryIO, extension: str, segments: Iterable[VideoSignal]) -> None:
    """Writes a video of one or more segments; memory is that of one segment.

    Args:
        file: a binary file; it must seek, except for Y4M.
        extension: one of EXTENSIONS_OUT, in any case, with or without its dot.
        segments: of one size, layout and rate, in the order of their times.

    Raises:
        BadOption: an unknown extension, or the format cannot hold the video.
    """
    suffix = "." + extension.lower().removeprefix(".")
    if suffix == ".y4m":
        y4m.write_y4m(file, segments)
    elif suffix in CONTAINERS:
        write_stream(file, suffix, segments)
    else:
        raise BadOption(
            f"extension {extension!r} is not a video format that is written; "
            f"choose one of {' '.join(EXTENSIONS_OUT)}, or a folder for PNG frames"
        )
