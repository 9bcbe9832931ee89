#!/usr/bin/env python3
"""A second decoder, written from bitstreams/SPEC.md: slow, short, nothing of inrcodec in it.

    python tools/reference_decoder.py IN.inr OUT.npy [WIDTHxHEIGHT]

A video becomes OUT.npz with planes y, cb, cr. Python numbers and numpy's arrays only; the one thing
it shares with the package is the committed table `inrcodec/entropy/laplace.npz`. Numbers in
comments, here and in the other files reference_*.py, are those of sections of SPEC.md.
"""

from __future__ import annotations

import sys
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from fractions import Fraction
from math import ceil, gcd
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from reference_entropy import RangeDecoder, row, varint
from reference_grid import GridField
from reference_networks import LoeField, MfnField, MlpField, SympowerField

__all__ = ["RangeDecoder", "decode", "fields", "header", "row", "sections", "ticks"]

FIELDS = {1: GridField, 2: MlpField, 3: MfnField, 4: LoeField, 5: SympowerField}
CHROMA = {1: (2, 2), 2: (2, 1), 3: (1, 1), 4: (1, 2), 5: (4, 1)}  # 3.3: across, down


def sections(data: bytes) -> dict[int, list[bytes]]:  # 2
    if data[:9] != b"\x93INR\r\n\x1a\n\x01":
        raise ValueError("not an .inr file of version 1")
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise ValueError("wrong CRC-32")
    found, at = {}, 10
    while at < len(data) - 4:
        length, start = varint(data, at + 1)
        found.setdefault(data[at], []).append(data[start : start + length])
        at = start + length
    if at != len(data) - 4 or any(4 < type_ < 128 for type_ in found):
        raise ValueError("sections do not tile the file, or one is critical and unknown")
    return found


def image_header(data: bytes) -> dict[str, Any]:  # 3.1
    channels, depth = (data[1] >> 4) + 1, (data[1] & 15) + 1
    width, at = varint(data, 2)
    height, at = varint(data, at)
    if data[1] >> 6:
        raise ValueError("reserved bits")
    return {"width": width, "height": height, "channels": channels, "bit_depth": depth, "at": at}


def audio_header(data: bytes) -> dict[str, Any]:  # 3.2
    layout, at = varint(data, 1)
    frames, at = varint(data, at)
    rate_hz, at = varint(data, at)
    length, at = segment_length(data, at, frames)
    channels, depth = layout // 32 + 1, layout % 32 + 1
    if channels > 255 or depth > 24 or not 0 < rate_hz < 1 << 31:
        raise ValueError("unsupported sound")
    return {"channels": channels, "bit_depth": depth, "frames": frames, "rate_hz": rate_hz,
            "segment_frames": length, "at": at}  # fmt: skip


def video_header(data: bytes) -> dict[str, Any]:  # 3.3
    layout, flags, at = data[1], data[2], 3
    found: dict[str, Any] = {
        "full_range": layout >> 7, "bit_depth": (layout >> 3 & 15) + 8, "subsampling": layout & 7,
        "chroma_location": flags & 7, "code_points": (2, 2, 2), "aspect": Fraction(1),
        "has_ticks": flags >> 5 & 1,
    }  # fmt: skip
    if found["bit_depth"] > 16 or max(layout & 7, flags & 7) > 5 or flags >> 6:
        raise ValueError("unsupported video")
    if flags & 8:
        found["code_points"], at = tuple(data[3:6]), 6
    if flags & 16:
        found["aspect"], at = fraction(data, at)
    for name in ("width", "height", "frames"):
        found[name], at = varint(data, at)
    found["rate"], at = fraction(data, at)
    length, at = segment_length(data, at, found["frames"])
    channels = 3 if found["subsampling"] else 1
    if flags & 8 and found["code_points"] == (2, 2, 2) or flags & 16 and found["aspect"] == 1:
        raise ValueError("the header says what goes without saying")
    return found | {"channels": channels, "segment_frames": length, "at": at}


def segment_length(data: bytes, at: int, frames: int) -> tuple[int, int]:
    length, at = varint(data, at)
    if not frames or length >= frames:
        raise ValueError("no frames, or segments that are longer than the whole")
    return length or frames, at


def fraction(data: bytes, at: int) -> tuple[Fraction, int]:
    numerator, at = varint(data, at)
    denominator, at = varint(data, at)
    if not numerator or gcd(numerator, denominator) != 1:
        raise ValueError("a fraction is 0 or not in lowest terms")
    return Fraction(numerator, denominator), at


def header(data: bytes) -> dict[str, Any]:  # 3
    found = {1: image_header, 2: audio_header, 3: video_header}[data[0]](data)
    at = found.pop("at")
    code, end = varint(data, at + 1)
    if end != len(data):
        raise ValueError("the header goes on")
    return found | {"kind": data[0], "field_id": data[at], "config_code": code}


def ticks(section: bytes, frames: int) -> tuple[list[int], Fraction]:  # 3.5
    base, at = fraction(section, 0)
    step, at = varint(section, at)
    shown = [0]
    for _ in range(frames - 1):
        folded, at = varint(section, at)
        shown.append(shown[-1] + step + (folded // 2 if folded % 2 == 0 else -(folded + 1) // 2))
    if at != len(section) or any(b <= a for a, b in zip(shown, shown[1:], strict=False)):
        raise ValueError("the ticks section goes on, or times go back")
    return shown, base


def fields(data: bytes) -> list[tuple[dict[str, Any], bytes]]:  # 3.4
    """(header, payload) of every segment, each as if it were a signal of its own."""
    found = sections(data)
    whole = header(found[1][0])
    if (4 in found) != bool(whole.get("has_ticks")) or (2 in found) == (3 in found):
        raise ValueError("there are sections that do not go together")
    if 2 in found:
        if whole.get("segment_frames") != whole.get("frames"):
            raise ValueError("segments are missing")
        return [(whole, found[2][0])]
    parts = []
    for i, section in enumerate(found[3]):
        if zlib.crc32(section[4:]) != int.from_bytes(section[:4], "little"):
            raise ValueError("a segment has a wrong CRC-32")
        code, start = varint(section, 4)
        length = whole["segment_frames"]
        frames = min(length, whole["frames"] - i * length)
        own = {"frames": frames, "segment_frames": frames}
        own["config_code"] = code - 1 if code else whole["config_code"]
        parts.append((whole | own, section[start:]))
    if len(parts) != -(-whole["frames"] // whole["segment_frames"]):
        raise ValueError("segments are missing")
    return parts


class Axis(NamedTuple):  # 8.1
    """`count` samples over [offset, offset + extent) of an axis of `length` native samples."""

    length: int
    offset: Fraction
    extent: Fraction
    count: int

    @property
    def spacing(self) -> int:  # 8.5
        return ceil(self.extent / self.count)

    def points(self) -> list[Fraction]:
        n = self.count * self.spacing
        return [self.offset + (2 * i + 1) * self.extent / (2 * n) for i in range(n)]


def snapped(position: Fraction) -> Fraction:  # 9.1
    return position if position.denominator <= 1024 else Fraction(round(position * 1024), 1024)


def between(length: int, begin: Fraction, end: Fraction, count: int) -> Axis:  # 9.1
    offset = min(snapped(begin), length - Fraction(1, 1024))
    return Axis(length, offset, max(snapped(end) - offset, Fraction(1, 1024)), count)


Points = Callable[[list[tuple[int, list[Fraction]]]], np.ndarray]


def in_segments(head: dict[str, Any], parts: list[Any]) -> Points:  # 3.4
    """The fields of a sound or video as one."""
    length = head["segment_frames"]

    def points(axes: list[tuple[int, list[Fraction]]]) -> np.ndarray:
        found = []
        for index, part in enumerate(parts):
            own = min(length, head["frames"] - index * length)
            inside = [u - index * length for u in axes[0][1]
                      if index * length <= u < index * length + own]  # fmt: skip
            if inside:
                found.append(part.points([(own, inside), *axes[1:]]))
        return np.concatenate(found)

    return points


def means(points: Points, axes: list[Axis]) -> np.ndarray:  # 8.5
    values = points([(axis.length, axis.points()) for axis in axes])
    cell = 1
    for i, axis in enumerate(axes):
        values = np.moveaxis(values, i, 0)
        values = sum(values[offset :: axis.spacing] for offset in range(axis.spacing))
        values = np.moveaxis(values, 0, i)
        cell *= axis.spacing
    return values / float(cell)


def unsigned(values: np.ndarray, depth: int) -> np.ndarray:  # 9
    peak = float((1 << depth) - 1)
    samples = np.floor(np.minimum(np.maximum(values, 0.0), 1.0) * peak + 0.5)
    return samples.astype(np.uint8 if depth <= 8 else np.uint16)


def signed(values: np.ndarray, depth: int) -> np.ndarray:  # 9
    scale = 1 << (depth - 1)
    samples = np.floor(np.minimum(np.maximum(values, -1.0), 1.0) * float(scale) + 0.5)
    return np.minimum(samples, scale - 1).astype(np.int16 if depth <= 16 else np.int32)


def sound_axis(
    head: dict[str, Any], rate_hz: int | None, time: tuple[Fraction, Fraction] | None
) -> Axis:  # 9.1
    rate, frames = head["rate_hz"], head["frames"]
    begin, end = (round(t * rate) for t in time) if time else (0, frames)
    count = max(1, round(Fraction(end - begin, rate) * (rate_hz or rate)))
    return Axis(frames, Fraction(begin), Fraction(end - begin), count)


def video_axes(
    head: dict[str, Any],
    shown: tuple[list[int], Fraction] | None,
    fps: Fraction | None,
    time: tuple[Fraction, Fraction] | None,
) -> list[Axis]:  # 9.1
    """Times of the frames, in pieces that are regular."""
    frames, rate = head["frames"], head["rate"]
    at, base = shown or (list(range(frames)), 1 / rate)
    at = [Fraction(tick) for tick in at] + [at[-1] + 1 / (rate * base)]
    begin, end = time or (Fraction(0), at[-1] * base)

    def position(seconds: Fraction) -> Fraction:
        i = min(bisect_right(at, seconds / base) - 1, frames - 1)
        return i + (seconds / base - at[i]) / (at[i + 1] - at[i])

    if fps is None:
        first, last = (bisect_left(at[:-1], t / base) for t in (begin, end))
        return [Axis(frames, Fraction(first), Fraction(last - first), last - first)]
    count = max(1, round((end - begin) * fps))
    if shown is None:
        return [between(frames, position(begin), position(end), count)]
    edges = [position(begin + (end - begin) * Fraction(i, count)) for i in range(count + 1)]
    return [between(frames, *pair, 1) for pair in zip(edges, edges[1:], strict=False)]


def frame_axes(
    head: dict[str, Any],
    size: tuple[int, int] | None,
    region: tuple[int, int, int, int] | None,
) -> list[Axis]:
    """Rows and columns; size is (rows, columns), region (x, y, width, height)."""
    x, y, w, h = (Fraction(v) for v in region or (0, 0, head["width"], head["height"]))
    rows, columns = size or (round(h), round(w))
    return [Axis(head["height"], y, h, rows), Axis(head["width"], x, w, columns)]


def chroma_axes(head: dict[str, Any], frame: list[Axis]) -> list[Axis]:  # 9.1
    found = []
    for axis, step in zip(frame, reversed(CHROMA[head["subsampling"]]), strict=True):
        length, count = -(-axis.length // step), -(-axis.count // step)
        ratio = Fraction(length, axis.length)
        begin, end = axis.offset * ratio, (axis.offset + axis.extent) * ratio
        found.append(between(length, begin, end, count))
    return found


def decode(
    data: bytes,
    size: tuple[int, int] | None = None,
    region: tuple[int, int, int, int] | None = None,
    rate_hz: int | None = None,
    fps: Fraction | None = None,
    time: tuple[Fraction, Fraction] | None = None,
) -> np.ndarray | list[np.ndarray]:
    """The samples of a file, at native size or elsewhere.

    [height, width, channels] of an image, [frames, channels] of a sound, of a video a list of
    planes [frames, height, width]. `time` is (begin, end) in seconds.
    """
    found = sections(data)
    head = header(found[1][0])
    if head["field_id"] not in FIELDS:
        raise ValueError("the field is unknown")
    parts = [FIELDS[head["field_id"]](own, payload) for own, payload in fields(data)]
    depth = head["bit_depth"]
    if head["kind"] == 1:
        return unsigned(means(parts[0].points, frame_axes(head, size, region)), depth)
    points = in_segments(head, parts)
    if head["kind"] == 2:
        return signed(means(points, [sound_axis(head, rate_hz, time)]), depth)
    shown = ticks(found[4][0], head["frames"]) if head["has_ticks"] else None
    frame = frame_axes(head, size, region)
    planes = [(0, frame)]
    if head["channels"] == 3:
        planes += [(output, chroma_axes(head, frame)) for output in (1, 2)]
    times = video_axes(head, shown, fps, time)
    return [
        np.concatenate([unsigned(means(points, [t, *axes])[..., output], depth) for t in times])
        for output, axes in planes
    ]


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    wanted = tuple(int(n) for n in sys.argv[3].split("x"))[::-1] if len(sys.argv) == 4 else None
    samples = decode(Path(sys.argv[1]).read_bytes(), wanted)
    if isinstance(samples, list):
        np.savez(sys.argv[2], **dict(zip(("y", "cb", "cr"), samples, strict=False)))
    else:
        np.save(sys.argv[2], samples)


if __name__ == "__main__":
    main()
