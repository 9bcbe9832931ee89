"""Files of any kind as what the codec takes: an image as a whole, sound and video in segments."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

from inrcodec import files
from inrcodec.asked import frames_per_second
from inrcodec.bitstream.limits import Limits
from inrcodec.codec import Encoded, encode_parts
from inrcodec.errors import BadInput, BadOption
from inrcodec.media import y4m
from inrcodec.media.audio import AudioReader, load_audio, open_audio
from inrcodec.media.frames import is_frames
from inrcodec.media.image import load_image
from inrcodec.media.kind import AUDIO, IMAGE, INR, kind_of
from inrcodec.media.source import Source, head_of
from inrcodec.media.video import VideoReader, load_video, open_video
from inrcodec.segments import segment_frames
from inrcodec.signal import AnySignal

if TYPE_CHECKING:
    from inrcodec.target_size import Sized


@dataclass(frozen=True)
class MediaFile:
    """A file that was told by its content, and not yet read.

    Args:
        source: a path, its content, or a stream.
        kind: image, audio or video.
        name: what error messages call it.
    """

    source: Source
    kind: str
    name: str

    @classmethod
    def of(cls, path: str) -> Self:
        """The file at a path, a folder or pattern of PNG frames, or standard input for "-".

        Raises:
            BadInput: it cannot be read, or is of no known kind.
        """
        source, name = (_standard_input(), "") if path == files.STANDARD_STREAM else (path, "")
        if source is path:
            name = path if is_frames(path) else os.path.basename(path)
        kind = kind_of(source, name)
        if kind == INR:
            raise BadInput(f"{name or 'the input'}: is an .inr file, which is decoded, not encoded")
        return cls(source, kind, name)

    def load(self, fps: Real | None = None) -> AnySignal:
        """The whole signal.

        Args:
            fps: frames per second of PNG frames, or of a video whose own are wrong.

        Raises:
            BadInput, LimitExceeded: see `media`.
        """
        if self.kind == IMAGE:
            return load_image(self._bytes(), self.name)
        if self.kind == AUDIO:
            return load_audio(self.source, self.name)
        return load_video(self.source, self.name, _rate(fps))

    def encode(
        self, options: Any, *, strip: bool = False, fps: Real | None = None
    ) -> tuple[Encoded, str]:
        """(the file as an `.inr` file, what it was found to be, for people).

        Args:
            options: `fit.EncodeOptions`.
            strip: leave metadata out.
            fps: as for `load`.

        Raises:
            BadInput, BadOption, LimitExceeded: as `codec.encode` and `media`.
        """
        if self.kind == IMAGE:
            signal = self.load()
            parts: Iterable[AnySignal] = [signal.stripped() if strip else signal]
            return encode_parts(parts, 1, 1, options), repr(signal)
        with self._open(fps) as reader:
            frames, length = reader.info.frames, self._length(reader, options)
            count = None if frames is None else -(-frames // length)
            parts = self._parts(reader, length, strip)
            return encode_parts(parts, length, count, options), str(reader.info)

    def encode_to_size(
        self, target_bytes: int, options: Any, *, strip: bool = False, fps: Real | None = None
    ) -> tuple[Sized, str]:
        """(the file as an `.inr` file of at most that many bytes, what it was found to be).

        Args:
            target_bytes: see `target_size`.
            options, strip, fps: as for `encode`.

        Raises:
            BadInput, BadOption, LimitExceeded: as `encode`; no lambda gives a file of that size;
                or the input is a stream, which can be read only once.
        """
        from inrcodec.target_size import encode_to_size  # the encoder's side, as in `codec`

        if not isinstance(self.source, (bytes, str)):
            raise BadOption(
                "a search for a file size reads the input several times, and this is a stream; "
                "save it as a file, or give a lambda"
            )
        found = ""

        def once(tried: Any) -> Encoded:
            nonlocal found
            encoded, found = self.encode(tried, strip=strip, fps=fps)
            return encoded

        return encode_to_size(target_bytes, options, once, self._segments(options, fps)), found

    def _segments(self, options: Any, fps: Real | None) -> Iterator[AnySignal]:
        if self.kind == IMAGE:
            yield self.load()
            return
        with self._open(fps) as reader:
            yield from self._parts(reader, self._length(reader, options), strip=False)

    def _length(self, reader: AudioReader | VideoReader, options: Any) -> int:
        """Frames of a segment."""
        info = reader.info
        if self.kind == AUDIO:
            rate, samples = Fraction(info.rate_hz), info.channels
        else:
            rate, samples = info.rate, info.width * info.height
        return segment_frames(self.kind, rate, samples, info.frames, options.segment_seconds)

    def _open(self, fps: Real | None) -> AudioReader | VideoReader:
        if self.kind == AUDIO:
            return open_audio(self.source, self.name)
        return open_video(self.source, self.name, _rate(fps))

    def _parts(
        self, reader: AudioReader | VideoReader, length: int, strip: bool
    ) -> Iterator[AnySignal]:
        found = False
        for part in reader.segments(length):
            found = True
            yield part.stripped() if strip else part
        if not found:
            raise BadInput(f"{self.name or 'the input'}: holds not a single frame; check it")

    def _bytes(self) -> bytes:
        if isinstance(self.source, bytes):
            return self.source
        return files.read_bytes(self.source, Limits().max_file_bytes)


def _standard_input() -> Source:
    """Standard input as a stream where it is Y4M, which is read as it comes; else its content."""
    stream = sys.stdin.buffer
    if head_of(stream).startswith(y4m.MAGIC):
        return stream
    return files.read_bytes(files.STANDARD_STREAM, Limits().max_file_bytes)


def _rate(fps: Real | None) -> Fraction | None:
    return None if fps is None else frames_per_second(fps)
