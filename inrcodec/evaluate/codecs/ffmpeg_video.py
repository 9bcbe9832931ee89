"""Video through FFmpeg in PyAV: H.264, HEVC, AV1 and VP9 at several constant qualities.

One thread each, as x264 and others give other bytes for other numbers of them. Where an encoder
can be tuned for PSNR it is, since that is what it is judged by here. Notes that encoders write into
the stream about themselves are left out: in a clip of a second they would count.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field, replace

import av
import numpy as np

from inrcodec.errors import BadInput
from inrcodec.evaluate.codecs import ffmpeg_audio
from inrcodec.evaluate.codecs.codec import Probe, Setting
from inrcodec.media.video import load_video
from inrcodec.signal import VideoSignal

_RANGES = {False: 1, True: 2}  # AVCOL_RANGE_MPEG, AVCOL_RANGE_JPEG
_GROUP_FRAMES = "250"


@dataclass(frozen=True)
class VideoCodec:
    """A video encoder of FFmpeg with a constant quality.

    Args:
        name, extension: see `Codec`.
        encoder: FFmpeg's name.
        container: FFmpeg's name of the file format.
        qualities: numbers for `crf`, from the smallest file to the largest.
        options: the encoder's other options.
        packet_filter: filter of FFmpeg over the packets, "" for none.
    """

    name: str
    extension: str
    encoder: str
    container: str
    qualities: tuple[int, ...]
    options: dict[str, str] = field(default_factory=dict)
    packet_filter: str = ""
    kinds: tuple[str, ...] = ("video",)
    slow: bool = False
    renders: bool = False

    def probe(self) -> Probe:
        """Whether FFmpeg in this PyAV has the encoder."""
        return ffmpeg_audio.probe(self.encoder)

    def refusal(self, signal: VideoSignal) -> str | None:
        """Why it does not take a video: a layout of planes or a depth that the encoder lacks."""
        name, known = _pixels(signal), self._known()
        if name in known:
            return None
        return (
            f"{self.name} in this FFmpeg holds {', '.join(known)}, the video is {name}; "
            "leave the codec out, or convert the video"
        )

    def _known(self) -> list[str]:
        return [pixels.name for pixels in av.codec.Codec(self.encoder, "w").video_formats]

    def settings(self, signal: VideoSignal) -> tuple[Setting, ...]:
        """One for each quality."""
        found = []
        for crf in self.qualities:
            options = {"crf": str(crf), "g": _GROUP_FRAMES, "threads": "1", **self.options}
            words = ", ".join(f"{name}={value}" for name, value in options.items())
            words += f", packets through {self.packet_filter}" if self.packet_filter else ""
            found.append(Setting(f"crf{crf}", f"{self.encoder} {words}", options))
        return tuple(found)

    def encode(self, signal: VideoSignal, setting: Setting) -> bytes:
        """The file of a video, without its sound; odd sizes are padded by one row or column."""
        reason = self.refusal(signal)
        if reason:
            raise BadInput(reason)
        pixels = _pixels(signal)
        # SVT-AV1 tells its settings on stderr unless told to tell errors only.
        os.environ.setdefault("SVT_LOG", "1")
        out = io.BytesIO()
        try:
            with av.open(out, "w", format=self.container, options={"fflags": "+bitexact"}) as file:
                stream = file.add_stream(
                    self.encoder, rate=signal.rate, options=dict(setting.options)
                )
                context = stream.codec_context
                context.width, context.height = _even(signal.width), _even(signal.height)
                context.pix_fmt, context.time_base = pixels, 1 / signal.rate
                context.color_range = _RANGES[signal.colour.full_range]
                context.flags |= av.codec.context.Flags.bitexact
                self._write(file, stream, signal, pixels)
        except av.FFmpegError as error:
            raise BadInput(
                f"{self.name} cannot hold {signal!r}: {error}; leave the codec or the video out"
            ) from error
        return out.getvalue()

    def _write(
        self,
        file: av.container.OutputContainer,
        stream: av.VideoStream,
        signal: VideoSignal,
        pixels: str,
    ) -> None:
        kept = None
        for i in range(signal.frames + 1):
            frame = None
            if i < signal.frames:
                frame = _frame([plane[i] for plane in signal.planes], signal, pixels)
                # Rates are constant: how frames are timed costs nobody a bit that counts.
                frame.pts, frame.time_base = i, 1 / signal.rate
            for packet in stream.encode(frame):
                if not self.packet_filter:
                    file.mux(packet)
                    continue
                if kept is None:
                    kept = av.bitstream.BitStreamFilterContext(self.packet_filter, stream)
                file.mux(kept.filter(packet))

    def decode(self, data: bytes, like: VideoSignal) -> VideoSignal:
        """The video, at the size and times of `like`."""
        video = load_video(data, f"the {self.name} file")
        if video.frames != like.frames or video.bit_depth != like.bit_depth:
            raise BadInput(
                f"{self.name} made {video!r} of {like!r}, expected as many frames and the same "
                "depth; leave the codec out, or try another version of PyAV"
            )
        planes = tuple(
            np.ascontiguousarray(plane[:, : wanted.shape[1], : wanted.shape[2]])
            for plane, wanted in zip(video.planes, like.planes, strict=True)
        )
        return replace(like, planes=planes)

    def payload_bytes(self, data: bytes) -> int:
        """Packets and headers of the codec."""
        return ffmpeg_audio.payload_bytes(data)


def _pixels(signal: VideoSignal) -> str:
    """FFmpeg's name of the planes of a video."""
    layout = signal.subsampling.replace(":", "")
    name = "gray" if layout == "400" else f"yuv{layout}p"
    return name if signal.bit_depth == 8 else f"{name}{signal.bit_depth}le"


def _even(length: int) -> int:
    return length + length % 2


def _frame(planes: list[np.ndarray], signal: VideoSignal, pixels: str) -> av.VideoFrame:
    frame = av.VideoFrame(_even(signal.width), _even(signal.height), pixels)
    for target, samples in zip(frame.planes, planes, strict=True):
        margin = [(0, target.height - samples.shape[0]), (0, target.width - samples.shape[1])]
        filled = np.pad(samples, margin, mode="edge")
        little = filled.astype(filled.dtype.newbyteorder("<"), copy=False)
        rows = little.view(np.uint8).reshape(target.height, -1)
        lines = np.zeros((target.buffer_size // target.line_size, target.line_size), np.uint8)
        lines[: rows.shape[0], : rows.shape[1]] = rows
        target.update(lines.tobytes())
    return frame


CODECS = (
    VideoCodec(
        "x264",
        ".mp4",
        "libx264",
        "mp4",
        (42, 38, 34, 30, 26, 22, 18),
        {"preset": "medium", "tune": "psnr"},
        "filter_units=remove_types=6",
    ),
    VideoCodec(
        "x265",
        ".mp4",
        "libx265",
        "mp4",
        (42, 38, 34, 30, 26, 22, 18),
        {
            "preset": "medium",
            "tune": "psnr",
            "x265-params": "info=0:log-level=none:pools=none:frame-threads=1",
        },
    ),
    VideoCodec(
        "svtav1",
        ".mp4",
        "libsvtav1",
        "mp4",
        (60, 54, 48, 42, 36, 30, 24),
        {"preset": "6", "svtav1-params": "tune=1:lp=1"},
    ),
    VideoCodec(
        "vp9",
        ".webm",
        "libvpx-vp9",
        "webm",
        (60, 54, 48, 42, 36, 30, 24),
        {"b": "0", "deadline": "good", "cpu-used": "2", "auto-alt-ref": "1"},
    ),
)
