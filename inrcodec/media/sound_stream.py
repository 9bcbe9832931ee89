"""Sound through FFmpeg: AAC, ALAC, the sound of a video, and whatever libsndfile does not read.

FFmpeg drops the samples that an encoder put before the first one, by the edit list, codec delay or
LAME tag of the container; bare AAC (ADTS, MPEG-TS) has none and keeps them, 1024 or so. What an
encoder put after the last sample is cut by the length that an MP4 edit list gives, which often is
exact to a millisecond only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import av
import numpy as np

from inrcodec.errors import BadInput
from inrcodec.media.sound_file import FLOAT_BITS, LOSSY_BITS, AudioInfo, Clipping, flac_depth
from inrcodec.media.streams import decoder_options, open_container

# Codecs of fixed frames, which pad the last one.
_PADDED = ("aac", "opus")
_INTEGER_DEPTHS = {"u8": 8, "s16": 16, "s32": 24}
# ALACSpecificConfig (Apple, ALACMagicCookieDescription): its bitDepth, after the box header.
_ALAC_DEPTH_AT = 17


class StreamSource:
    """The first sound in a container.

    Raises:
        BadInput: there is none.
        av.FFmpegError: it is damaged, or FFmpeg does not know it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._container = open_container(file)
        if not self._container.streams.audio:
            kinds = sorted({stream.type for stream in self._container.streams})
            raise BadInput(
                f"holds no sound (found {', '.join(kinds) or 'nothing'}), expected at least one "
                "stream of audio"
            )
        self._stream = self._container.streams.audio[0]
        # "explode" would refuse whole AAC files too; wrong check sums are what matters.
        self._stream.codec_context.options = decoder_options(err_detect="crccheck")
        self._frames = self._decoded()
        self._first = next(self._frames, None)
        if self._first is None:
            raise BadInput("holds a stream of audio without any sound")
        self._depth = self._bit_depth()
        self.info = AudioInfo(
            self._first.sample_rate,
            self._first.layout.nb_channels,
            self._depth,
            self._told_frames() if self._stream.codec_context.name in _PADDED else None,
            f"{self._container.format.name} {self._stream.codec_context.name}",
        )
        self.clipping = Clipping()

    def _decoded(self) -> Iterator[av.AudioFrame]:
        yield from self._container.decode(self._stream)

    def _bit_depth(self) -> int:
        name = self._first.format.name.removesuffix("p")
        if name not in _INTEGER_DEPTHS:
            return FLOAT_BITS if self._stream.codec_context.name.startswith("pcm_f") else LOSSY_BITS
        codec, extra = self._stream.codec_context.name, self._stream.codec_context.extradata or b""
        depth = _INTEGER_DEPTHS[name]
        if codec == "flac":
            depth = flac_depth(extra if extra[:4] == b"fLaC" else b"fLaC\0\0\0\0" + extra) or depth
        elif codec == "alac" and len(extra) > _ALAC_DEPTH_AT:
            depth = extra[_ALAC_DEPTH_AT]
        return min(depth, FLOAT_BITS)

    def _told_frames(self) -> int | None:
        """The length that the container tells, where it is that of this sound."""
        stream = self._stream
        if "mp4" not in self._container.format.name or not stream.duration:
            return None
        seconds, rate_hz = stream.duration * stream.time_base, self._first.sample_rate
        frames = int(seconds * rate_hz)
        # Edit lists often count in milliseconds, cut off: no sound may be lost to that.
        in_milliseconds = abs(seconds * 1000 - round(seconds * 1000)) * rate_hz < 1000
        return frames + (-(-rate_hz // 1000) if in_milliseconds else 0)

    def blocks(self, start_frame: int) -> Iterator[np.ndarray]:
        """Arrays [n, channels] of samples from a frame on.

        Raises:
            BadInput: the file holds NaN, or changes its rate or channels.
            av.FFmpegError: it is damaged.
        """
        position = 0
        frame: av.AudioFrame | None = self._first
        while frame is not None:
            block = self._samples(frame)
            if self.info.frames is not None:
                block = block[: max(0, self.info.frames - position)]
            skipped = max(0, start_frame - position)
            position += len(block)
            if skipped < len(block):
                yield block[skipped:]
            frame = next(self._frames, None)

    def _samples(self, frame: av.AudioFrame) -> np.ndarray:
        found = (frame.sample_rate, frame.layout.nb_channels)
        if found != self.info[:2]:
            raise BadInput(
                f"the sound changes from (rate, channels) {tuple(self.info[:2])} to {found}; "
                "convert it to one of them first"
            )
        values = frame.to_ndarray()
        values = values.T if frame.format.is_planar else values.reshape(-1, found[1])
        if values.dtype == np.uint8:
            return values.astype(np.int16) - np.int16(128)
        if values.dtype == np.int16:
            return values >> (16 - min(16, self._depth))
        if values.dtype == np.int32:
            rounding = 1 << (31 - self._depth) if self._depth == FLOAT_BITS else 0
            levels = (values.astype(np.int64) + rounding) >> (32 - self._depth)
            levels = np.minimum(levels, (1 << (self._depth - 1)) - 1)
            return levels.astype(np.int16 if self._depth <= 16 else np.int32)
        return self.clipping.quantized(values, self._depth)

    def close(self) -> None:
        """Frees the decoder; the file stays open."""
        self._container.close()
