"""Y4M, exactly: uncompressed Y'CbCr frames with a header of one line, from and to pipes too.

Format: yuv4mpeg(5) of mjpegtools; depths above 8 and the range as FFmpeg writes them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from inrcodec.errors import BadInput, BadOption
from inrcodec.media.limit import check_pixels
from inrcodec.media.video_info import Frame, VideoInfo
from inrcodec.signal import Colour, VideoSignal
from inrcodec.signal.colour import chroma_shape
from inrcodec.signal.video import dtype_of

MAGIC = b"YUV4MPEG2"
_LINE_BYTES = 4096
_DEFAULT_RATE = Fraction(25)
_LOCATIONS = {"jpeg": "center", "": "center", "mpeg2": "left", "paldv": "topleft"}
_TAGS = {"center": "jpeg", "left": "mpeg2", "topleft": "paldv"}
_DEPTHS = (8, 9, 10, 12, 14, 16)


def read_header(file: BinaryIO) -> VideoInfo:
    """What the first line says; the file is left at the first frame.

    Raises:
        BadInput: it is no header, or of a layout that is not read.
        LimitExceeded: more pixels than Pillow would read.
    """
    line = file.readline(_LINE_BYTES)
    if not line.startswith(MAGIC + b" ") or not line.endswith(b"\n"):
        raise BadInput(f"found {line[:24]!r}, expected a line that begins with YUV4MPEG2")
    fields: dict[str, str] = {}
    for token in line.decode("ascii", "replace").split()[1:]:
        fields[token[:11] if token.startswith("XCOLORRANGE") else token[0]] = token
    width, height = (_whole(fields, name) for name in "WH")
    check_pixels(width, height)
    subsampling, depth, location = _layout(fields.get("C", "C420jpeg"))
    if fields.get("I", "Ip")[1:] not in ("p", "?"):
        warnings.warn("interlaced video: both fields are kept in one frame", stacklevel=3)
    rate = _ratio(fields.get("F", ""))
    if rate is None:
        warnings.warn(f"no frame rate in the header: {_DEFAULT_RATE} is taken", stacklevel=3)
        rate = _DEFAULT_RATE
    full = fields.get("XCOLORRANGE", "").upper() == "XCOLORRANGE=FULL"
    colour = Colour(full_range=full, chroma_location=location)
    aspect = _ratio(fields.get("A", "")) or Fraction(1)
    return VideoInfo(width, height, rate, 1 / rate, None, depth, subsampling, colour, aspect, "Y4M")


def _whole(fields: dict[str, str], name: str) -> int:
    token = fields.get(name, "")
    if not re.fullmatch(r"[WH][1-9]\d{0,9}", token):
        raise BadInput(f"Y4M header has {token!r} for its {name}, expected a number above 0")
    return int(token[1:])


def _ratio(token: str) -> Fraction | None:
    found = re.fullmatch(r"[FA](\d{1,9}):(\d{1,9})", token)
    if not found or "0" in (found[1].lstrip("0") or "0", found[2].lstrip("0") or "0"):
        return None
    return Fraction(int(found[1]), int(found[2]))


def _layout(token: str) -> tuple[str, int, str]:
    """(subsampling, bit depth, chroma location) of a C tag such as "C420mpeg2" or "C422p10"."""
    if found := re.fullmatch(r"Cmono(\d{0,2})", token):
        subsampling, depth, location = "4:0:0", int(found[1] or 8), "left"
    elif found := re.fullmatch(r"C(420|422|444|411)(?:p(\d{1,2}))?", token):
        subsampling, depth = ":".join(found[1]), int(found[2] or 8)
        location = "center" if token == "C420" else "left"
    elif (found := re.fullmatch(r"C420(\w+)", token)) and found[1] in _LOCATIONS:
        subsampling, depth, location = "4:2:0", 8, _LOCATIONS[found[1]]
    else:
        raise BadInput(
            f"Y4M header has the layout {token}, expected C420, C422, C444, C411 or Cmono; "
            "convert it first"
        )
    if not 8 <= depth <= 16:
        raise BadInput(f"Y4M header has {depth} bits per sample, expected 8 to 16")
    return subsampling, depth, location


def read_frames(file: BinaryIO, info: VideoInfo) -> Iterator[Frame]:
    """The frames of a file that is at its first one.

    Raises:
        BadInput: the file ends within a frame, or something else follows one.
    """
    luma = (info.height, info.width)
    chroma = chroma_shape(*luma, info.subsampling)
    shapes = [luma] if info.subsampling == "4:0:0" else [luma, chroma, chroma]
    dtype = dtype_of(info.bit_depth).newbyteorder("<")
    tick = 0
    while line := file.readline(_LINE_BYTES):
        if not line.startswith(b"FRAME"):
            raise BadInput(f"found {line[:24]!r} after frame {tick}, expected FRAME")
        planes = []
        for rows, columns in shapes:
            wanted = rows * columns * dtype.itemsize
            data = file.read(wanted) if line.endswith(b"\n") else b""
            if len(data) < wanted:
                raise BadInput(f"truncated within frame {tick + 1}; get the file again")
            plane = np.frombuffer(data, dtype).reshape(rows, columns)
            planes.append(plane.astype(dtype.newbyteorder("="), copy=False))
        yield Frame(tuple(planes), tick)
        tick += 1


def write_y4m(file: BinaryIO, segments: Iterable[VideoSignal]) -> None:
    """Writes a video of one or more segments, every sample exact; the file need not seek.

    Raises:
        BadOption: what Y4M cannot hold (a variable rate, depths 11, 13 and 15, other layouts).
    """
    following = None
    for segment in segments:
        step = 1 / (segment.rate * segment.time_base)
        if following is None:
            file.write(_header(segment))
            following = int(segment.ticks[0])
        if not segment.is_constant_rate or segment.ticks[0] != following:
            raise BadOption(
                ".y4m holds one frame rate only, the video has frames of different length; "
                "choose .mkv or .mp4"
            )
        following = int(segment.ticks[-1]) + step
        dtype = dtype_of(segment.bit_depth).newbyteorder("<")
        for i in range(segment.frames):
            file.write(b"FRAME\n")
            for plane in segment.planes:
                file.write(plane[i].astype(dtype, copy=False).tobytes())


def _header(video: VideoSignal) -> bytes:
    depth = video.bit_depth
    if depth not in _DEPTHS or video.subsampling == "4:4:0":
        raise BadOption(f".y4m cannot hold {video.subsampling} at {depth} bits; choose .mkv")
    wide = "" if depth == 8 else str(depth)
    if video.subsampling == "4:0:0":
        layout = f"mono{wide}"
    else:
        layout = video.subsampling.replace(":", "") + (f"p{wide}" if wide else "")
        if layout == "420":
            layout += _TAGS.get(video.colour.chroma_location, "mpeg2")
    rate, aspect = video.rate, video.pixel_aspect
    full = "FULL" if video.colour.full_range else "LIMITED"
    return (
        f"YUV4MPEG2 W{video.width} H{video.height} F{rate.numerator}:{rate.denominator} Ip "
        f"A{aspect.numerator}:{aspect.denominator} C{layout} XCOLORRANGE={full}\n"
    ).encode()
