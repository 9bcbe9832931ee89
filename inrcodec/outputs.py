"""Decodes as files that people have: formats by kind, whole files or none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Self

from inrcodec import files
from inrcodec.errors import BadOption
from inrcodec.media.frames import frame_path, is_frames_target, write_frames
from inrcodec.signal import AnySignal

DEFAULT_EXTENSIONS = {"image": ".png", "audio": ".wav", "video": ".mp4"}
# MP4 is written with gaps that are filled later, which a pipe cannot do.
PIPE_EXTENSIONS = DEFAULT_EXTENSIONS | {"video": ".y4m"}


@dataclass(frozen=True)
class Written:
    """What became of a decode.

    Args:
        facts: size and samples of the output.
        output_bytes: of its file or files.
    """

    facts: dict[str, Any]
    output_bytes: int


@dataclass(frozen=True)
class Output:
    """Where a decode goes.

    Args:
        target: a path, "-", or a folder or pattern for PNG frames.
        kind: of the signal.
        extension: of the format, with its dot; None for PNG frames.
    """

    target: str
    kind: str
    extension: str | None

    @classmethod
    def of(cls, target: str, kind: str, extension: str | None) -> Self:
        """The output with that name, in a format that was asked for or that follows from the name.

        Raises:
            BadOption: signals of that kind are not written in such a format.
        """
        if kind == "video" and extension is None and is_frames_target(target):
            return cls(target, kind, None)
        if extension is None:
            nameless = target == files.STANDARD_STREAM or files.is_special(target)
            suffix = os.path.splitext(target)[1].lower()
            extension = PIPE_EXTENSIONS[kind] if nameless else suffix
        known = _media(kind).EXTENSIONS_OUT
        if extension not in known:
            of_kind = "" if kind == "image" else f" for {kind}"
            raise BadOption(
                f"the output has {'extension ' + repr(extension) if extension else 'no extension'}"
                f", expected one of {' '.join(known)}{of_kind}; "
                "choose one with OUT or --format"
            )
        return cls(target, kind, extension)

    def check(self, force: bool, source: str) -> None:
        """Refuses an output that cannot be written, before the work.

        Raises:
            OutputError: it exists without `force`, is the input, or has no place.
        """
        first = self.target if self.extension is not None else frame_path(self.target, 1)
        files.check_output(first, force, source)

    def write(self, stretches: Iterable[AnySignal], force: bool) -> Written:
        """Writes a decode; of a sound or video no more than a stretch is held.

        Raises:
            BadOption: the format cannot hold it.
            OutputError: it cannot be written.
        """
        seen = _Seen(stretches)
        if self.extension is None:
            count = write_frames(self.target, seen, force)
            n_bytes = sum(os.path.getsize(frame_path(self.target, i + 1)) for i in range(count))
        elif self.kind == "image":
            (picture,) = seen
            data = _media("image").save_image(picture, self.extension)
            files.write_atomic(self.target, data, force)
            n_bytes = len(data)
        else:
            write = getattr(_media(self.kind), f"write_{self.kind}")
            n_bytes = files.write_streamed(
                self.target,
                lambda file: write(file, self.extension, seen),
                force,
                seeks=self.extension != ".y4m",
            )
        return Written(seen.facts(), n_bytes)


def _media(kind: str) -> ModuleType:
    """What writes a kind; that of sounds and videos loads FFmpeg, which pictures do without."""
    return import_module(f"inrcodec.media.{kind}")


class _Seen:
    """Stretches on their way into a file, of which the length is taken down."""

    def __init__(self, stretches: Iterable[AnySignal]) -> None:
        self._stretches = stretches
        self._first: AnySignal | None = None
        self._frames = 0

    def __iter__(self) -> Iterator[AnySignal]:
        for stretch in self._stretches:
            self._first = self._first or stretch
            self._frames += getattr(stretch, "frames", 1)
            yield stretch

    def facts(self) -> dict[str, Any]:
        """As `Kind.facts` tells them of a file."""
        first, frames = self._first, self._frames
        if first is None:
            raise AssertionError("a decode has at least one sample")
        if first.kind == "image":
            shape = {"width": first.width, "height": first.height, "channels": first.channels}
        elif first.kind == "audio":
            shape = {
                "duration_seconds": frames / first.rate_hz,
                "frames": frames,
                "rate_hz": first.rate_hz,
                "channels": first.channels,
            }
        else:
            shape = {
                "duration_seconds": float(frames / first.rate),
                "frames": frames,
                "fps": float(first.rate),
                "width": first.width,
                "height": first.height,
                "subsampling": first.subsampling,
            }
        return {**shape, "bit_depth": first.bit_depth}
