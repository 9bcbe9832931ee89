"""How an encoder cuts a sound or video in time, and how its parts become one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from inrcodec.bitstream import container
from inrcodec.bitstream.container import Section, pack_segment, write_container
from inrcodec.bitstream.header import Header, minor_version, pack_header
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.ticks import Times, pack_ticks
from inrcodec.encoded import Encoded
from inrcodec.errors import BadInput, BadOption, LimitExceeded
from inrcodec.inr_file import METADATA
from inrcodec.kinds import KINDS, DecodeHash
from inrcodec.progress import PartReporter
from inrcodec.signal import AnySignal, Signal

# Length of a segment where nobody asked for one. A field per half a minute of sound costs little;
# of video a few seconds are what fits the memory of a fit, and how long a picture stays alike.
DEFAULT_SECONDS = {"audio": 30, "video": 8}
# Pixels of a segment of video: more would not fit a fit on most machines.
MOST_PIXELS = 1 << 26
# What is up to this much longer than a segment stays in one.
SLACK = Fraction(3, 2)


def segment_frames(
    kind: str,
    rate: Fraction | int,
    frame_samples: int,
    frames: int | None = None,
    seconds: float | None = None,
) -> int:
    """Frames per segment of a sound or video.

    Args:
        kind: audio or video.
        rate: frames per second.
        frame_samples: channels of a sound, pixels of a video.
        frames: of the whole, for segments of equal length; None where nobody knows.
        seconds: that were asked for.

    Raises:
        BadOption: seconds are not positive.
    """
    if seconds is not None and not 0 < seconds < 1e9:
        raise BadOption(f"segments of {seconds!r} seconds were asked for, expected more than 0")
    wanted = Fraction(DEFAULT_SECONDS[kind] if seconds is None else seconds) * rate
    most = max(1, Limits().max_pixels // frame_samples)
    if kind == "video" and seconds is None:
        most = max(1, MOST_PIXELS // frame_samples)
    length = min(max(1, round(wanted)), most)
    if frames is None:
        return length
    if frames <= min(most, length * SLACK if seconds is None else length):
        return frames
    return -(-frames // -(-frames // length))


def parts_of(signal: AnySignal, options: Any) -> tuple[Iterable[AnySignal], int, int]:
    """(segments, frames of each, how many) of a signal that is held as a whole."""
    if isinstance(signal, Signal):
        return [signal], 1, 1
    rate = signal.rate_hz if signal.kind == "audio" else signal.rate
    samples = signal.channels if signal.kind == "audio" else signal.width * signal.height
    seconds = getattr(options, "segment_seconds", None)
    length = segment_frames(signal.kind, rate, samples, signal.frames, seconds)
    starts = range(0, signal.frames, length)
    return (signal.part(i, min(signal.frames, i + length)) for i in starts), length, len(starts)


def part_options(options: Any, index: int, count: int | None) -> Any:
    """The options of the fit of one of `count` segments, whose progress is that of all of them."""
    if count == 1:
        return options
    reporter = getattr(options, "reporter", None)
    told = reporter and PartReporter(reporter, index, count)
    wanted = {"reporter": told, "parts": count or 1}
    # The codec takes any options that the fit understands, also none.
    changed = {name: value for name, value in wanted.items() if hasattr(options, name)}
    return replace(options, **changed) if changed else options


def check_encodable(part: AnySignal, count: int | None) -> None:
    """Refuses, before hours of work, what a decoder with default limits would refuse.

    Raises:
        BadInput: it would.
    """
    limits = Limits()
    try:
        KINDS[part.kind].header(part, 0, 0).check(limits)
        limits.check_segments(count or 1)
        for name, block in part.metadata.items():
            limits.check_metadata(len(block), name)
    except LimitExceeded as error:
        raise BadInput(
            f"no decoder would accept the file with its default limits: {error}"
        ) from None


class Gathered:
    """What is known of a file as its segments are finished; their samples are not kept.

    Args:
        length: frames of every segment but the last.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._headers: list[Header] = []
        self._payloads: list[bytes] = []
        self._metadata: dict[str, bytes] = {}
        self._ticks: list[int] = []
        self._base = Fraction(1)
        self._hash = DecodeHash()
        self._error = self._power = 0.0
        self._samples = 0

    def add(self, header: Header, payload: bytes, part: AnySignal, decoded: AnySignal) -> None:
        """Takes a segment in.

        Args:
            header: of the segment as a signal of its own.
            payload: of its field.
            part: the segment of the signal.
            decoded: what a decoder makes of the payload.

        Raises:
            BadInput: it does not belong to those before.
        """
        kind = KINDS[part.kind]
        self._metadata = self._metadata or part.metadata
        if self._headers and (
            _common(header) != _common(self._headers[0])
            or self._headers[-1].shape[0] != self._length
        ):
            raise BadInput(f"the segments differ: {part!r} follows {self._headers[-1]!r}")
        self._headers.append(header)
        self._payloads.append(payload)
        if part.kind == "video":
            self._ticks += part.ticks.tolist()
            self._base = part.time_base
        self._hash.add(decoded)
        error, power, samples = kind.errors(part, decoded)
        self._error, self._power = self._error + error, self._power + power
        self._samples += samples

    def _whole(self) -> tuple[Header, Times | None]:
        """The header of the whole, and the times of its frames where they are written."""
        first = self._headers[0]
        frames = sum(header.shape[0] for header in self._headers)
        times = Times(self._ticks, self._base) if self._ticks else None
        return KINDS[first.kind_name].whole(first, frames, self._length, times)

    def encoded(self) -> Encoded:
        """The file, and how far its decode is from the signal.

        Raises:
            BadInput: there was no segment.
        """
        if not self._headers:
            raise BadInput("there is no segment, expected at least one")
        header, times = self._whole()
        sections = [Section(container.HEADER, pack_header(header))]
        if times is not None:
            sections.append(Section(container.TICKS, pack_ticks(times)))
        sections += self._packed(header)
        sections.append(Section(container.DECODE_HASH, self._hash.digest()))
        sections += [Section(METADATA[name], block) for name, block in self._metadata.items()]
        data = write_container(sections, minor_version(header))
        return Encoded(data, header, self._error / self._samples, self._power / self._samples)

    def _packed(self, header: Header) -> Iterator[Section]:
        if len(self._payloads) == 1:
            yield Section(container.PAYLOAD, self._payloads[0])
            return
        for own, payload in zip(self._headers, self._payloads, strict=True):
            code = None if own.config_code == header.config_code else own.config_code
            yield Section(container.SEGMENT, pack_segment(payload, code))


def _common(header: Header) -> Header:
    """A header without what may differ between segments."""
    changed = {"config_code": 0, "frames": 1, "segment_frames": 1, "has_ticks": False}
    return replace(header, **{n: v for n, v in changed.items() if hasattr(header, n)})
