"""Filters of FFmpeg that compare two videos, run through PyAV on planes in memory."""

from __future__ import annotations

import contextlib
import gc
import os
import tempfile
from collections.abc import Sequence
from fractions import Fraction

import av
import av.filter
import numpy as np

from inrcodec.errors import BadInput

Planes = Sequence[np.ndarray]
LOG = "{log}"
# (vertical, horizontal) samples of luma per sample of chroma: name in FFmpeg.
_PIXEL_FORMATS = {(2, 2): "yuv420p", (1, 2): "yuv422p", (1, 1): "yuv444p"}
_FORMAT_DEPTHS = (8, 10, 12)
_TICK = Fraction(1, 25)  # any will do: frames are paired by their times


def has_filter(name: str) -> bool:
    """Whether the FFmpeg in PyAV was built with a filter."""
    return name in av.filter.filters_available


def version() -> str:
    """The version of PyAV."""
    return av.__version__


def filter_log(
    name: str, options: dict[str, str], reference: Planes, decoded: Planes, bit_depth: int
) -> str:
    """What a filter of FFmpeg that compares two videos writes to its log file.

    Args:
        name: the filter, such as "psnr", "ssim" or "libvmaf".
        options: its options; the value `LOG` becomes the path of the log file.
        reference, decoded: Y, U and V, each [frames, height, width] unsigned integers, of the same
            shapes; 4:2:0, 4:2:2 or 4:4:4.
        bit_depth: 8, 10 or 12.

    Raises:
        BadInput: planes of other sizes or depths.
    """
    pixel_format = _pixel_format(reference, bit_depth)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log")
        given = {key: path if value == LOG else value for key, value in options.items()}
        _run_filter(name, given, reference, decoded, pixel_format)
        # Filters complete their log when they are freed, and PyAV's hold each other in a cycle.
        gc.collect()
        with open(path, encoding="utf-8") as log:
            return log.read()


def _run_filter(
    name: str, options: dict[str, str], reference: Planes, decoded: Planes, pixel_format: str
) -> None:
    graph = av.filter.Graph()
    height, width = reference[0].shape[1:]
    shape = {"width": width, "height": height, "format": pixel_format, "time_base": _TICK}
    compare, sink = graph.add(name, **options), graph.add("buffersink")
    # These filters take the distorted video first.
    sources = [graph.add_buffer(**shape), graph.add_buffer(**shape)]
    for place, source in enumerate(sources):
        source.link_to(compare, 0, place)
    compare.link_to(sink)
    graph.configure()
    for time in range(len(reference[0])):
        for source, planes in zip(sources, (decoded, reference), strict=True):
            source.push(_frame([plane[time] for plane in planes], pixel_format, time))
        _drain(sink)
    for source in sources:
        source.push(None)
    _drain(sink)


def _drain(sink: av.filter.context.FilterContext) -> None:
    """Takes what is ready, so that a graph never holds a whole video."""
    with contextlib.suppress(av.BlockingIOError, av.EOFError):
        while True:
            sink.pull()


def _frame(planes: Planes, pixel_format: str, time: int) -> av.VideoFrame:
    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], pixel_format)
    for plane, target in zip(planes, frame.planes, strict=True):
        dtype = np.dtype("<u2" if pixel_format.endswith("le") else "u1")
        # Lines of a frame are padded to a width of FFmpeg's choice.
        lines = np.zeros((target.height, target.line_size // dtype.itemsize), dtype)
        lines[:, : target.width] = plane
        target.update(lines.tobytes())
    frame.pts, frame.time_base = time, _TICK
    return frame


def _pixel_format(planes: Planes, bit_depth: int) -> str:
    """FFmpeg's name of planes of these sizes and this depth."""
    if len(planes) != 3:
        raise BadInput(
            "the video is grey, expected chroma of 4:2:0, 4:2:2 or 4:4:4; leave this metric out, "
            "or convert the video"
        )
    (height, width), *chroma = (plane.shape[1:] for plane in planes)
    names = {
        (-(-height // down), -(-width // across)): name
        for (down, across), name in _PIXEL_FORMATS.items()
    }
    name = names.get(chroma[0]) if chroma[0] == chroma[1] else None
    if name is None:
        raise BadInput(
            f"chroma planes are {chroma[0]} and {chroma[1]} for luma of {(height, width)}, "
            "expected those of 4:2:0, 4:2:2 or 4:4:4; leave this metric out, or convert the video"
        )
    if bit_depth not in _FORMAT_DEPTHS:
        raise BadInput(
            f"the bit depth is {bit_depth!r}, expected one of "
            f"{', '.join(map(str, _FORMAT_DEPTHS))}; leave this metric out, or convert the video"
        )
    return name if bit_depth == 8 else f"{name}{bit_depth}le"
