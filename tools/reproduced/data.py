"""What experiments make of files: the pictures, sounds and films that papers train on."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np
from PIL import Image

from inrcodec.errors import BadInput
from inrcodec.media.audio import load_audio
from inrcodec.media.video import read_video
from inrcodec.signal import AnySignal, AudioSignal, Signal, VideoSignal, audio_signal, image_signal


def located(folder: Path, name: str) -> Path:
    """Where a file of the data is: in their folder, or beside scikit-image's code.

    Args:
        folder: of the data.
        name: below it; `skimage/NAME` is a picture that scikit-image brings along.
    """
    package = importlib.util.find_spec("skimage")
    if name.startswith("skimage/") and package is not None:
        return Path(package.origin).parent / "data" / Path(name).name
    return folder / name


class Preparation(Protocol):
    """Makes a signal of a file.

    Args of classes:
        axes: whose samples become fewer in a smaller one. Of a sound it is the beginning.
    """

    axes: ClassVar[int]

    def shrunk(self, factor: int) -> Self:
        """The same, smaller."""

    def load(self, path: Path) -> AnySignal:
        """The signal."""


@dataclass(frozen=True)
class Picture:
    """A picture; a grey one keeps its one channel.

    Args:
        side: of a square that it is cut to and brought to; 0 leaves its shape.
        corner: the square is the top left one rather than the middle one.
        grey: only its first channel.
        shrink: its sides are divided by this.
    """

    axes: ClassVar[int] = 2

    side: int = 0
    corner: bool = False
    grey: bool = False
    shrink: int = 1

    def shrunk(self, factor: int) -> Picture:
        return replace(self, shrink=self.shrink * factor)

    def load(self, path: Path) -> Signal:
        picture = Image.open(path)
        if picture.mode != "L":
            picture = picture.convert("RGB")
        size = picture.width, picture.height
        if self.side:
            least = min(size)
            left, top = (0, 0) if self.corner else ((n - least) // 2 for n in size)
            picture = picture.crop((left, top, left + least, top + least))
            size = (self.side, self.side)
        size = tuple(max(1, n // self.shrink) for n in size)
        if picture.size != size:  # with the filter of torchvision's Resize
            picture = picture.resize(size, Image.Resampling.BILINEAR)
        samples = np.asarray(picture)
        return image_signal(samples[..., :1] if self.grey and samples.ndim == 3 else samples)


@dataclass(frozen=True)
class Sound:
    """The beginning of a sound, its channels' mean, as loud as it gets.

    Args:
        frames: so many of the first; 0 for all.
        shrink: the length is divided by this.
    """

    axes: ClassVar[int] = 1

    frames: int = 0
    shrink: int = 1

    def shrunk(self, factor: int) -> Sound:
        return replace(self, shrink=self.shrink * factor)

    def load(self, path: Path) -> AudioSignal:
        signal = load_audio(str(path))
        mono = signal.samples.mean(axis=1) / signal.full_scale
        peak = np.abs(mono).max()
        if not peak:
            raise BadInput(f"{path.name}: is silent, and is to be scaled to full loudness")
        frames = min(self.frames or len(mono), len(mono)) // self.shrink
        return audio_signal(mono[: max(1, frames)] / peak, signal.rate_hz)


@dataclass(frozen=True)
class Film:
    """The luma of the middle square of the first frames of a video.

    Args:
        frames: how many; 0 for all.
        side: of the square, px; no more than the picture has.
        shrink: length and side are divided by this.
    """

    axes: ClassVar[int] = 3

    frames: int = 64
    side: int = 256
    shrink: int = 1

    def shrunk(self, factor: int) -> Film:
        return replace(self, shrink=self.shrink * factor)

    def load(self, path: Path) -> VideoSignal:
        video = read_video(str(path), 0, max(1, self.frames // self.shrink))
        luma = video.planes[0]
        side = min(self.side, *luma.shape[1:]) // self.shrink
        top, left = ((n - side) // 2 for n in luma.shape[1:])
        luma = np.ascontiguousarray(luma[:, top : top + side, left : left + side])
        return VideoSignal((luma,), Fraction(video.rate), video.bit_depth, "4:0:0", video.colour)
