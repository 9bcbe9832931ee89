"""Sound as people have it, in and out: files to AudioSignal and back, whole or in segments.

| format | in | out |
|---|---|---|
| WAV, RF64, W64 | 8 to 24 bits; 32 bits and floating point rounded to 24 | 8, 16, 24 bits, exact |
| FLAC | every depth | 8, 16, 24 bits, exact |
| AIFF, AU, CAF | as WAV; ALAC in CAF | AIFF: 16, 24 bits, exact |
| Ogg Vorbis, Opus, MP3 | at 16 bits | lossy, at the quality the encoder takes by default |
| M4A, MP4, MOV, MKV, WebM ... | AAC, Opus, MP3 at 16 bits; ALAC, FLAC, PCM at theirs | no |
| the sound of a video | its first track | no |

A depth that a format lacks is written as the next larger one, left-justified. Tags and cover
pictures are neither read nor written.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Self

import numpy as np
import soundfile

from inrcodec.errors import BadInput, BadOption
from inrcodec.media.kind import AUDIO, CONTAINER, found_in, mark_of
from inrcodec.media.limit import check_whole
from inrcodec.media.sound_file import (
    FORMATS_OUT,
    AudioInfo,
    SoundFileSource,
    is_foreign,
    write_sound,
)
from inrcodec.media.sound_stream import StreamSource
from inrcodec.media.source import Source, head_of, held, named_errors, open_source
from inrcodec.media.whole import check_whole_file
from inrcodec.signal import AudioSignal

EXTENSIONS_OUT = tuple(FORMATS_OUT)
EXTENSIONS_IN = (*EXTENSIONS_OUT, ".m4a", ".m4b", ".mp4", ".aac", ".caf", ".au", ".wma", ".mka")
_READ = "WAV, FLAC, Ogg, Opus, MP3, AIFF, M4A and the sound of videos are read"


class AudioReader:
    """A sound that is read from its beginning to its end, in segments of any length.

    Example:
        with open_audio("concert.flac") as reader:
            for segment in reader.segments(10 * reader.info.rate_hz):
                ...
    """

    def __init__(self, source: Source, name: str = "", start_frame: int = 0) -> None:
        self._file, self._label = open_source(source, name)
        self._owns_file = self._file is not source
        head = head_of(self._file)
        self._what = found_in(head)
        mark = mark_of(head)
        try:
            if mark is None or mark.kind not in (AUDIO, CONTAINER, "video"):
                raise BadInput(f"{self._label}: found {self._what}, expected a sound; {_READ}")
            with named_errors(self._label, self._what):
                if not self._file.seekable():
                    self._file = held(self._file)
                check_whole_file(self._file)
                self._source = self._opened(mark.kind)
                if self._source.info.frames == 0:
                    raise BadInput(
                        f"{self._what} without a single frame of sound; check what wrote it"
                    )
        except BaseException:
            self._close_file()
            raise
        self.info: AudioInfo = self._source.info
        self._blocks = self._source.blocks(start_frame)
        self._rest: np.ndarray | None = None

    def _opened(self, kind: str) -> SoundFileSource | StreamSource:
        if kind == AUDIO:
            try:
                return SoundFileSource(self._file)
            except (soundfile.SoundFileError, TypeError) as error:
                # TypeError: the name of the file says that it has no header.
                if not isinstance(error, TypeError) and not is_foreign(error):
                    raise
        return StreamSource(self._file)

    def read(self, n_frames: int) -> AudioSignal | None:
        """The next frames, fewer than `n_frames` only at the end; None after it.

        Raises:
            BadInput: the file is damaged or cut, or holds NaN.
        """
        if n_frames < 1:
            raise BadOption(f"n_frames is {n_frames}, expected at least 1")
        parts, wanted = [], n_frames
        with named_errors(self._label, self._what):
            while wanted:
                block = self._rest if self._rest is not None else self._next_block()
                if block is None:
                    break
                parts.append(block[:wanted])
                self._rest = block[wanted:] if len(block) > wanted else None
                wanted -= len(parts[-1])
        if not parts:
            return None
        return AudioSignal(np.concatenate(parts), self.info.rate_hz, self.info.bit_depth)

    def _next_block(self) -> np.ndarray | None:
        block = next(self._blocks, None)
        if block is None and self._source.clipping.samples:
            warnings.warn(
                f"{self._label}: {self._source.clipping.samples} samples beyond full scale were "
                "clipped",
                stacklevel=4,
            )
            self._source.clipping.samples = 0
        return block

    def segments(self, n_frames: int) -> Iterator[AudioSignal]:
        """What is left of the sound, in segments of `n_frames`; the last may be shorter."""
        while (segment := self.read(n_frames)) is not None:
            yield segment

    def close(self) -> None:
        """Frees the decoder; nothing can be read afterwards."""
        self._source.close()
        self._close_file()

    def _close_file(self) -> None:
        if self._owns_file:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_audio(source: Source, name: str = "", start_frame: int = 0) -> AudioReader:
    """A sound, ready to be read in segments; memory is that of one segment.

    Args:
        source: path, content, or open binary file.
        name: what error messages call it.
        start_frame: the first frame that is read. Formats without loss are searched there, others
            decoded up to there, so that the samples are those of the whole.

    Raises:
        BadInput: no sound, or one without a frame; an unknown format, a damaged file.
    """
    if start_frame < 0:
        raise BadOption(f"start_frame is {start_frame}, expected 0 or more")
    return AudioReader(source, name, start_frame)


def read_audio(source: Source, start_frame: int, frames: int, name: str = "") -> AudioSignal:
    """Frames start_frame..start_frame+frames-1 of a sound, fewer where it ends before.

    Raises:
        BadInput: no sound, an unknown format, a damaged file.
        BadOption: the sound ends before `start_frame`, or the numbers make no sense.
    """
    with open_audio(source, name, start_frame) as reader:
        segment = reader.read(frames)
        if segment is None:
            raise BadOption(
                f"the sound ends before frame {start_frame}"
                + (f": it has {reader.info.frames} frames" if reader.info.frames else "")
            )
        return segment


def load_audio(source: Source, name: str = "") -> AudioSignal:
    """A whole sound; the format is told by content, not by name.

    Depths of integer formats are kept, up to 24 bits. 32-bit and floating point samples are
    rounded to 24 bits, lossy formats decoded to 16; what is beyond full scale is clipped, with a
    warning.

    Args:
        source: path, content, or open binary file.
        name: what error messages call it.

    Raises:
        BadInput: no sound, an unknown format, a damaged or cut file, NaN.
        LimitExceeded: more than 2**32 samples; read it in segments.
    """
    with open_audio(source, name) as reader:
        parts, found = [], 0
        for segment in reader.segments(1 << 20):
            parts.append(segment.samples)
            found += segment.frames
            with named_errors(reader._label, reader._what):
                check_whole(found, reader.info.channels)
        samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return AudioSignal(samples, reader.info.rate_hz, reader.info.bit_depth)


def save_audio(signal: AudioSignal, extension: str) -> bytes:
    """The bytes of a sound file of the kind that the extension names.

    Args:
        signal: the sound.
        extension: one of EXTENSIONS_OUT, in any case, with or without its dot.

    Raises:
        BadOption: an unknown extension, or the format cannot hold the sound.
    """
    out = io.BytesIO()
    write_audio(out, extension, [signal])
    return out.getvalue()


def write_audio(file: BinaryIO, extension: str, segments: Iterable[AudioSignal]) -> None:
    """Writes a sound of one or more segments; memory is that of one segment.

    Args:
        file: a binary file that can seek.
        extension: one of EXTENSIONS_OUT, in any case, with or without its dot.
        segments: of one rate, depth and number of channels.

    Raises:
        BadOption: an unknown extension, or the format cannot hold the sound.
    """
    suffix = "." + extension.lower().removeprefix(".")
    if suffix not in FORMATS_OUT:
        raise BadOption(
            f"extension {extension!r} is not a sound format that is written; "
            f"choose one of {' '.join(EXTENSIONS_OUT)}"
        )
    write_sound(file, suffix, segments)
