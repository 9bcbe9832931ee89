"""The part of a file whose spectrum is looked at."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from inrcodec import files
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadInput
from inrcodec.inr_file import InrFile
from inrcodec.media.audio import open_audio
from inrcodec.media.image import load_image
from inrcodec.media.kind import AUDIO, IMAGE, INR, kind_of
from inrcodec.media.source import Source
from inrcodec.media.video import open_video
from inrcodec.signal import AnySignal, AudioSignal, VideoSignal
from inrcodec.signal.spectrum import colours_of

# Samples of a channel of sound, or of luma, that are looked at: a Fourier transform of them takes
# 0.4 GB. Images are looked at as a whole.
MOST_SAMPLES = 1 << 23


@dataclass(frozen=True, eq=False)
class View:
    """A signal, or its beginning, as its spectrum sees it.

    Args:
        signal: that part.
        samples: [*grid, channels] float64: the colours of an image and the luma of a video on
            [0, 1], sound on [-1, 1].
        taken: which part it is, for people.
    """

    signal: AnySignal
    samples: np.ndarray
    taken: str

    @classmethod
    def of(cls, signal: AnySignal, frames: int | None = 0) -> Self:
        """What is looked at of a signal.

        Args:
            signal: that one, or its beginning.
            frames: that the whole sound or video has, None where nobody knows; 0 for those of the
                signal.
        """
        if isinstance(signal, AudioSignal):
            return cls(signal, colours_of(signal), _stretch(signal.frames, frames))
        if isinstance(signal, VideoSignal):
            return cls(signal, colours_of(signal), f"luma of {_stretch(signal.frames, frames)}")
        taken = f"all {signal.width}x{signal.height} pixels"
        if signal.has_alpha:
            taken += " without alpha"
        return cls(signal, colours_of(signal), taken)

    @property
    def grid(self) -> tuple[int, ...]:
        """Samples along each axis."""
        return self.samples.shape[:-1]

    @property
    def dimensions(self) -> int:
        """1 of sound, 2 of images, 3 of videos."""
        return self.samples.ndim - 1

    @property
    def rate_hz(self) -> int | None:
        """Samples per second of a sound."""
        return self.signal.rate_hz if isinstance(self.signal, AudioSignal) else None

    @property
    def quality_name(self) -> str:
        """The measure of closeness that goes with such signals."""
        return "snr_db" if isinstance(self.signal, AudioSignal) else "psnr_db"

    def quality_db(self, other: np.ndarray) -> float:
        """SNR of sound, PSNR of others, of samples like these; infinite where nothing differs."""
        error = float(np.square(other - self.samples).mean())
        whole = float(np.square(self.samples).mean()) if self.rate_hz else 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(10 * (np.log10(whole) - np.log10(error)))


def read_view(path: str) -> View:
    """The view of a file of any kind; of an `.inr` file that of its decode.

    Args:
        path: of the file, of a folder or pattern of PNG frames, or "-" for standard input.

    Raises:
        BadInput, CorruptFile, LimitExceeded, UnsupportedFile: it cannot be read.
    """
    standard = path == files.STANDARD_STREAM
    name = "" if standard else os.path.basename(path)
    most_bytes = Limits().max_file_bytes
    source: Source = files.read_bytes(path, most_bytes) if standard else path
    kind = kind_of(source, name)
    if kind in (INR, IMAGE):
        data = source if isinstance(source, bytes) else files.read_bytes(path, most_bytes)
        return _decoded(data) if kind == INR else View.of(load_image(data, name))
    with open_audio(source, name) if kind == AUDIO else open_video(source, name) as reader:
        info = reader.info
        each = 1 if kind == AUDIO else info.width * info.height
        signal = reader.read(max(1, MOST_SAMPLES // each))
    if signal is None:
        raise BadInput(f"{name or 'the input'}: holds not a single frame; check it")
    return View.of(signal, info.frames)


def _decoded(data: bytes) -> View:
    """The native decode of an `.inr` file, no more segments than needed."""
    limits = Limits()
    file = InrFile.parse(data, limits)
    stretches = file.stretches(limits)
    first = next(stretches)
    if not isinstance(first, AudioSignal | VideoSignal):
        return View.of(first)
    each = 1 if isinstance(first, AudioSignal) else first.width * first.height
    wanted = max(1, MOST_SAMPLES // each)
    held, frames = [first], first.frames
    while frames < wanted and (stretch := next(stretches, None)) is not None:
        held.append(stretch)
        frames += stretch.frames
    signal = file.joined(held)
    return View.of(signal.part(0, min(wanted, signal.frames)), file.header.frames)


def first_part(view: View, frames: int) -> View:
    """The view of the first frames of a sound or video."""
    signal = view.signal.part(0, frames)
    return replace(View.of(signal), taken=f"{View.of(signal, None).taken}, as a segment is fitted")


def _stretch(frames: int, of: int | None) -> str:
    if of is None:
        return f"the first {frames} frames"
    return f"the first {frames} of {of} frames" if of > frames else f"all {frames} frames"
