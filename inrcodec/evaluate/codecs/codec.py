"""What a codec is to a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from inrcodec.signal import AnySignal


@dataclass(frozen=True)
class Setting:
    """One point of a codec's curve.

    Args:
        name: short, for tables and file names: `q30`.
        text: every option that decides the bytes, so that the point can be made again.
        options: the same for the codec itself.
        lmbda: weight of the rate, where the codec has one.
    """

    name: str
    text: str
    options: Mapping[str, Any] = field(default_factory=dict)
    lmbda: float | None = None


@dataclass(frozen=True)
class Probe:
    """Whether a codec can run on this machine.

    Args:
        library: what does the work.
        version: of that library, "" where it is missing.
        missing: None, or what is missing and how to get it.
    """

    library: str
    version: str = ""
    missing: str | None = None


class Codec(Protocol):
    """Something that makes files of signals, at several settings.

    Attributes:
        name: as --codecs takes it and tables show it.
        kinds: the kinds of signals that it takes.
        extension: of its files, with the dot.
        slow: whether it runs after all others, as it takes minutes rather than milliseconds.
    """

    @property
    def name(self) -> str: ...

    @property
    def kinds(self) -> tuple[str, ...]: ...

    @property
    def extension(self) -> str: ...

    @property
    def slow(self) -> bool: ...

    def probe(self) -> Probe:
        """Whether it can run here."""

    def refusal(self, signal: AnySignal) -> str | None:
        """Why it does not take such a signal, by channels, depth or rate; None if it does."""

    def settings(self, signal: AnySignal) -> tuple[Setting, ...]:
        """The settings that make sense for a signal, from the smallest file to the largest."""

    def encode(self, signal: AnySignal, setting: Setting) -> bytes:
        """The whole file.

        Raises:
            InrError: it cannot hold such a signal, which `refusal` does not always know before.
        """

    def decode(self, data: bytes, like: AnySignal) -> AnySignal:
        """The signal in a file.

        Args:
            data: what `encode` gave.
            like: what shape, rate and depth to return; its samples are not looked at. Codecs whose
                `renders` is true give any size, others that of what they encoded.

        Raises:
            InrError: the file cannot be decoded.
        """

    def payload_bytes(self, data: bytes) -> int:
        """The part of a file that is not container: packets and headers of the codec."""

    @property
    def renders(self) -> bool:
        """Whether it decodes to any size, rate or time by itself."""
