"""A video as a folder of PNG frames, in and out."""

from __future__ import annotations

import contextlib
import os
import re
import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from inrcodec import files
from inrcodec.errors import BadInput, BadOption
from inrcodec.media.image import convert_depth, load_image, save_image
from inrcodec.media.limit import check_pixels
from inrcodec.media.video_info import Frame, VideoInfo
from inrcodec.signal import Colour, Signal, VideoSignal
from inrcodec.signal.colour import BT709, frame_of_rgb, luma_weights

PathLike = str | os.PathLike[str]
DEFAULT_PATTERN = "frame_%05d.png"
# One frame at a time is in memory, and no camera makes PNG files of this size.
_MAX_FRAME_BYTES = 2**31
_NUMBER = re.compile(r"%(0?)(\d{0,2})d")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _GREY_ALPHA = 0, 4


class _PngHeader(NamedTuple):
    width: int
    height: int
    bits: int
    colour_type: int


def is_frames(path: PathLike) -> bool:
    """Whether a path is a folder with PNG files, or a pattern such as frame_%05d.png."""
    name = os.fspath(path)
    if os.path.isdir(name):
        return any(entry.lower().endswith(".png") for entry in os.listdir(name))
    return bool(_NUMBER.search(os.path.basename(name))) and not os.path.exists(name)


def is_frames_target(path: PathLike) -> bool:
    """Whether PNG frames can go to a path: a folder that exists, or a pattern."""
    name = os.fspath(path)
    return os.path.isdir(name) or bool(_NUMBER.search(os.path.basename(name)))


def frame_path(path: PathLike, number: int) -> str:
    """The file of one frame in a folder or pattern.

    Raises:
        BadOption: the pattern has no single number.
    """
    name = os.fspath(path)
    if os.path.isdir(name):
        name = os.path.join(name, DEFAULT_PATTERN)
    folder, pattern = os.path.split(name)
    head, zero, width, tail = _split(pattern)
    digits = str(number).rjust(int(width or 0), "0" if zero else " ")
    return os.path.join(folder, head + digits + tail)


def frame_paths(path: PathLike) -> list[str]:
    """The files of the frames, by the numbers in their names.

    Raises:
        BadInput: there are none, or numbers of a pattern are missing between them.
    """
    name = os.fspath(path)
    folder, pattern = (name, None) if os.path.isdir(name) else os.path.split(name)
    try:
        entries = os.listdir(folder or os.curdir)
    except OSError as error:
        raise BadInput(f"{folder!r} cannot be read: {error.strerror or error}") from error
    if pattern is None:
        found = sorted((e for e in entries if e.lower().endswith(".png")), key=_natural)
    else:
        head, zero, width, tail = _split(pattern)
        digits = rf"\d{{{int(width)},}}" if zero and width else r"\d+"
        wanted = re.compile(re.escape(head) + f"({digits})" + re.escape(tail))
        numbers = {int(m[1]): e for e in entries if (m := wanted.fullmatch(e))}
        found = [numbers[number] for number in sorted(numbers)]
        if numbers and max(numbers) - min(numbers) + 1 != len(numbers):
            missing = next(n for n in range(min(numbers), max(numbers)) if n not in numbers)
            raise BadInput(f"{name}: frame {missing} is missing; get it, or number them anew")
    if not found:
        raise BadInput(f"{name}: no PNG frames there; check the folder and the pattern")
    return [os.path.join(folder, entry) for entry in found]


def _split(pattern: str) -> tuple[str, str, str, str]:
    found = _NUMBER.search(pattern)
    if found is None or _NUMBER.search(pattern, found.end()):
        raise BadOption(f"the pattern {pattern!r} has no single number such as %05d")
    return pattern[: found.start()], found[1], found[2], pattern[found.end() :]


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts frame_2 before frame_10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def frames_info(paths: list[str], rate: Fraction) -> VideoInfo:
    """What the headers of the frames say; RGB frames become Y'CbCr 4:4:4 by BT.709.

    Raises:
        BadInput: a file is no PNG, or the frames differ in size.
        LimitExceeded: more pixels than Pillow would read.
    """
    first = _header(paths[0])
    check_pixels(first.width, first.height)
    wide, colourful = False, False
    for path in paths:
        header = _header(path)
        if header[:2] != first[:2]:
            raise BadInput(
                f"{path}: {header.width}x{header.height} pixels, expected "
                f"{first.width}x{first.height} as in {os.path.basename(paths[0])}; "
                "make all frames of one size"
            )
        wide |= header.bits == 16
        colourful |= header.colour_type not in (_GREY, _GREY_ALPHA)
    colour = Colour(BT709, BT709, BT709) if colourful else Colour(full_range=True)
    return VideoInfo(
        first.width,
        first.height,
        rate,
        1 / rate,
        len(paths),
        16 if wide else 8,
        "4:4:4" if colourful else "4:0:0",
        colour,
        Fraction(1),
        "PNG frames",
    )


def _header(path: str) -> _PngHeader:
    try:
        with open(path, "rb") as file:
            head = file.read(26)
    except OSError as error:
        raise BadInput(f"{path!r} cannot be read: {error.strerror or error}") from error
    if len(head) < 26 or not head.startswith(_SIGNATURE):
        raise BadInput(f"{path}: found {head[:8]!r}, expected a PNG file; remove it, or convert it")
    return _PngHeader(*struct.unpack(">IIBB", head[16:26]))


def read_png_frames(paths: list[str], info: VideoInfo) -> Iterator[Frame]:
    """The frames, decoded one by one; transparency is left out.

    Raises:
        BadInput: a file is damaged.
    """
    weights = luma_weights(info.colour, info.height, info.width)
    for tick, path in enumerate(paths):
        picture = load_image(files.read_bytes(path, _MAX_FRAME_BYTES), os.path.basename(path))
        samples = convert_depth(picture, info.bit_depth).samples
        if samples.shape[:2] != (info.height, info.width):
            # EXIF may turn one picture, which its header does not tell.
            raise BadInput(f"{path}: turned by its EXIF block; save it upright")
        if info.subsampling == "4:0:0":
            yield Frame((samples[:, :, 0],), tick)
            continue
        rgb = np.repeat(samples[:, :, :1], 3, 2) if picture.channels < 3 else samples[:, :, :3]
        planes = frame_of_rgb(rgb, info.bit_depth, "4:4:4", info.colour, weights)
        yield Frame(planes, tick)


def write_frames(
    path: PathLike, segments: Iterable[VideoSignal], force: bool = False, first: int = 1
) -> int:
    """Writes frames as PNG files in R'G'B' or grey, and returns their number.

    Depths 9 to 15 are scaled to 16 bits. The times of a variable rate are not kept. Where it fails,
    the frames that were written are removed.

    Args:
        path: a folder, for frame_00001.png and on, or a pattern with one number such as %05d.
        segments: the video.
        force: whether existing files may be replaced.
        first: number of the first frame.

    Raises:
        OutputError: a file exists and `force` is false, or cannot be written.
        BadOption: the pattern has no number.
    """
    written: list[str] = []
    try:
        for segment in segments:
            for i in range(segment.frames):
                rgb = segment.rgb(i, i + 1)[0]
                if segment.subsampling == "4:0:0":
                    rgb = np.ascontiguousarray(rgb[:, :, :1])
                data = save_image(Signal(rgb, segment.bit_depth), ".png")
                name = frame_path(path, first + len(written))
                files.write_atomic(name, data, force)
                written.append(name)
    except BaseException:
        for name in written:
            with contextlib.suppress(OSError):
                os.unlink(name)
        raise
    return len(written)
