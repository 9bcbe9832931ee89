"""What a comparison is made of: files of one kind, loaded as the codecs take them."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inrcodec import files
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadInput
from inrcodec.media.audio import load_audio
from inrcodec.media.frames import frame_paths, is_frames
from inrcodec.media.image import load_image
from inrcodec.media.kind import INR, kind_of
from inrcodec.media.video import load_video
from inrcodec.signal import AnySignal, VideoSignal


@dataclass(frozen=True)
class Original:
    """One input.

    Args:
        name: stem of its file, unique in the comparison.
        path: where it is.
        kind: "image", "audio" or "video".
    """

    name: str
    path: str
    kind: str

    def load(self) -> AnySignal:
        """Its samples, without metadata; video at a constant rate.

        Raises:
            BadInput: it cannot be read.
        """
        if self.kind == "image":
            data = files.read_bytes(self.path, Limits().max_file_bytes)
            return load_image(data, os.path.basename(self.path)).stripped()
        signal = {"audio": load_audio, "video": load_video}[self.kind](self.path).stripped()
        if isinstance(signal, VideoSignal) and not signal.is_constant_rate:
            warnings.warn(
                f"{self.name} has a variable frame rate; all codecs get its frames at the mean, "
                f"{float(signal.rate):g} per second",
                stacklevel=2,
            )
        if isinstance(signal, VideoSignal):
            signal = replace(signal, ticks=None, time_base=None)
        return signal

    def digest(self) -> str:
        """SHA-256 of its content.

        Raises:
            BadInput: it cannot be read.
        """
        found = hashlib.sha256()
        for path in frame_paths(self.path) if is_frames(self.path) else [self.path]:
            try:
                with open(path, "rb") as file:
                    found.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise BadInput(
                    f"{os.fspath(path)!r} cannot be read: {error.strerror or error}; check whether "
                    "it was moved"
                ) from error
        return found.hexdigest()


def find_originals(inputs: Sequence[str], skip: Callable[[str], None]) -> list[Original]:
    """The signals that some paths name, in order of the paths; of folders, their files by name.

    Args:
        inputs: files, patterns of PNG frames such as frame_%05d.png, and folders of files.
        skip: told of every file of a folder that is left out, with the reason.

    Raises:
        BadInput: nothing there, different kinds of signals, two of one name, or no paths.
    """
    found: list[Original] = []
    for path in _paths(inputs):
        if not os.path.isdir(path):
            found.append(_original(path))
            continue
        before = len(found)
        for entry in _entries(path):
            inner = os.path.join(path, entry)
            if entry.startswith(".") or os.path.isdir(inner):
                continue
            try:
                found.append(_original(inner))
            except BadInput as error:
                skip(f"left out: {error}")
        if len(found) == before:
            raise BadInput(f"the folder {path!r} holds no image, sound or video; name another one")
    _check_alike(found)
    return found


def _paths(inputs: Sequence[str]) -> list[str]:
    fits = isinstance(inputs, Sequence) and not isinstance(inputs, str | bytes) and len(inputs)
    if not fits or not all(isinstance(path, str | os.PathLike) for path in inputs):
        raise BadInput(f"the inputs are {inputs!r}, expected a list of paths, one or more")
    return [os.fspath(path) for path in inputs]


def _entries(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise BadInput(
            f"the folder {folder!r} cannot be read: {error.strerror or error}; name another one"
        ) from error


def _original(path: str) -> Original:
    if not is_frames(path) and not os.path.exists(path):
        raise BadInput(f"there is no file {path!r}; check its name and folder")
    kind = kind_of(path)
    if kind == INR:
        raise BadInput(f"{path!r} is an .inr file, expected an original; name what it was made of")
    # Names go into tables and file names: nothing there may end a line or a cell.
    stem = os.path.splitext(os.path.basename(path))[0]
    name = "".join(c if c.isprintable() and c != "\\" else "_" for c in stem)
    return Original(name or "_", os.path.abspath(path), kind)


def _check_alike(found: Sequence[Original]) -> None:
    by_kind = {original.kind: original.path for original in found}
    if len(by_kind) > 1:
        listed = ", ".join(f"{kind} {os.path.basename(path)!r}" for kind, path in by_kind.items())
        raise BadInput(f"the inputs are of different kinds: {listed}; compare one kind at a time")
    names: dict[str, str] = {}
    for original in found:
        if original.name in names:
            raise BadInput(
                f"{names[original.name]!r} and {original.path!r} would have the same name "
                f"{original.name!r} in the tables; rename one, or leave one out"
            )
        names[original.name] = original.path
