"""What is special to images, sounds and videos on their way into a file and out of it.

One file per kind. A `Kind` says how a signal is told in a header, and plans how a decode is
rendered; the codec itself knows none of that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from inrcodec.bitstream.container import DECODE_HASH_BYTES
from inrcodec.bitstream.header import Header
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.ticks import Times
from inrcodec.errors import BadOption
from inrcodec.grid import Grid
from inrcodec.kinds.audio import Audio
from inrcodec.kinds.image import Image
from inrcodec.kinds.video import Video
from inrcodec.sampling import Renderer
from inrcodec.signal import AnySignal


class Plan(Protocol):
    """A decode that is possible, and bounded; nothing of it is rendered yet.

    Args:
        samples: of the whole output: pixels, or frames x channels, or frames x pixels.
    """

    samples: int

    def grids(self) -> Iterator[Grid]:
        """Everything that will be rendered."""

    def render(self, field: Renderer, fast: bool = False) -> Iterator[AnySignal]:
        """The output in stretches of time, each small enough to be held; an image is one."""


class Kind(Protocol):
    """One kind of signal."""

    def header(self, signal: Any, field_id: int, config_code: int) -> Header:
        """The header of a signal in one segment."""

    def whole(
        self, header: Any, frames: int, segment_frames: int, times: Times | None
    ) -> tuple[Header, Times | None]:
        """Header of all segments of a signal, whose first has `header`; and times to be written.

        Args:
            header: of the first segment.
            frames: of all of them.
            segment_frames: of each of them but the last.
            times: of all frames, where a signal of the kind has some.
        """

    def plan(
        self,
        header: Any,
        times: Times | None,
        metadata: dict[str, bytes],
        limits: Limits,
        bit_depth: int | None,
        where: dict[str, Any],
    ) -> Plan:
        """How a decode is rendered.

        Raises:
            BadOption: what was asked for makes no sense for this signal.
            LimitExceeded: the output is too large.
        """

    def joined(self, stretches: Sequence[Any]) -> Any:
        """One signal of stretches that follow each other."""

    def blocks(self, signal: Any) -> Iterator[bytes]:
        """All samples as the decode hash has them."""

    def errors(self, signal: Any, decoded: Any) -> tuple[float, float, int]:
        """(sum of squared errors, of squares of the signal, number of samples), full scale 1."""

    def rates(self, header: Any, file_bytes: int) -> dict[str, float]:
        """Size of a file over that of the signal: rate_bpp of pixels, rate_kbps of time."""

    def facts(self, header: Any) -> dict[str, Any]:
        """What the header says of the signal, for people and programs."""


KINDS: dict[str, Kind] = {"image": Image(), "audio": Audio(), "video": Video()}


# Arguments of a decode: what they are, and what they are for.
_ARGUMENTS = {
    "size": ("a size", ("image", "video")),
    "scale": ("a scale", ("image", "video")),
    "region": ("a region", ("image", "video")),
    "rate_hz": ("a sample rate", ("audio",)),
    "fps": ("a frame rate", ("video",)),
    "time": ("a time", ("audio", "video")),
}


def check_arguments(kind: str, where: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a decode that were given.

    Raises:
        BadOption: one of them is for another kind of signal.
        TypeError: there is no such argument.
    """
    given = {name: value for name, value in where.items() if value is not None}
    for name in where:
        if name not in _ARGUMENTS:
            raise TypeError(f"there is no argument {name!r}; there are {', '.join(_ARGUMENTS)}")
    for name in given:
        what, kinds = _ARGUMENTS[name]
        if kind not in kinds:
            raise BadOption(
                f"{what} was given, which is for {' and '.join(kinds)} files; "
                f"this is {'a' if kind == 'video' else 'an'} {kind} file"
            )
    return given


class DecodeHash:
    """First 8 bytes of the SHA-256 of the samples of stretches that follow each other."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, stretch: AnySignal) -> None:
        """The next samples, in the order of `Kind.blocks`."""
        for block in KINDS[stretch.kind].blocks(stretch):
            self._hash.update(block)

    def digest(self) -> bytes:
        """The hash so far."""
        return self._hash.digest()[:DECODE_HASH_BYTES]


def decode_hash(signal: AnySignal) -> bytes:
    """The decode hash of a signal that is held as a whole."""
    found = DecodeHash()
    found.add(signal)
    return found.digest()
