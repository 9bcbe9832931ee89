"""The header of a sound.

```
kind 2 (1) | layout | frames | rate_hz | segment_frames | field_id (1) | config_code
```

`layout` is `(channels - 1) * 32 + bit_depth - 1`, one byte up to four channels; all but kind and
field are varints.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Self

from inrcodec.bitstream.header_values import check_range, pack_field, read_field
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.segmented import Segmented, read_length
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.errors import CorruptFile, UnsupportedFile

MAX_RATE_HZ = 2**31 - 1
MAX_CHANNELS = 255
MAX_BIT_DEPTH = 24


@dataclass(frozen=True)
class AudioHeader(Segmented):
    """What a decoder must know of a sound before it reads the payload.

    Args:
        channels: 1..255.
        bit_depth: 1..24 bits per sample.
        frames: 1 or more; a frame is one sample of every channel.
        rate_hz: frames per second, 1..2**31 - 1.
        segment_frames: 1..frames, length of every segment but the last.
        field_id, config_code: as in `ImageHeader`; the code of segments without their own.
    """

    channels: int
    bit_depth: int
    frames: int
    rate_hz: int
    segment_frames: int
    field_id: int
    config_code: int
    kind: ClassVar[int] = 2
    kind_name: ClassVar[str] = "audio"

    @property
    def shape(self) -> tuple[int]:
        """Native samples along the only axis, (frames,)."""
        return (self.frames,)

    @property
    def duration_seconds(self) -> Fraction:
        return Fraction(self.frames, self.rate_hz)

    def pack(self) -> bytes:
        """The bytes of the header section.

        Raises:
            BadOption: a value is outside the range that the class gives.
        """
        check_range("channels", self.channels, 1, MAX_CHANNELS)
        check_range("bit_depth", self.bit_depth, 1, MAX_BIT_DEPTH)
        check_range("frames", self.frames, 1, None)
        check_range("rate_hz", self.rate_hz, 1, MAX_RATE_HZ)
        return b"".join(
            (
                bytes([self.kind]),
                pack_varint((self.channels - 1) * 32 + self.bit_depth - 1),
                pack_varint(self.frames),
                pack_varint(self.rate_hz),
                self.pack_length(),
                pack_field(self.field_id, self.config_code),
            )
        )

    @classmethod
    def parse(cls, payload: bytes) -> tuple[Self, int]:
        """The header as written, and the offset behind its last value."""
        layout, offset = read_varint(payload, 1)
        channels, bit_depth = layout // 32 + 1, layout % 32 + 1
        if channels > MAX_CHANNELS or bit_depth > MAX_BIT_DEPTH:
            raise UnsupportedFile(
                f"the sound has {channels} channels of {bit_depth} bits, this version knows up to "
                f"{MAX_CHANNELS} of {MAX_BIT_DEPTH}; decode it with a newer inrcodec"
            )
        frames, offset = read_varint(payload, offset)
        rate_hz, offset = read_varint(payload, offset)
        segment_frames, offset = read_length(payload, offset, frames)
        field_id, config_code, stop = read_field(payload, offset)
        header = cls(channels, bit_depth, frames, rate_hz, segment_frames, field_id, config_code)
        return header, stop

    def check(self, limits: Limits) -> None:
        """Nothing; refuses a rate that makes no sense, and segments that are too large.

        Raises:
            CorruptFile: the rate is 0 or above 2**31 - 1.
            LimitExceeded: a segment has too many samples.
        """
        if not 1 <= self.rate_hz <= MAX_RATE_HZ:
            raise CorruptFile(
                f"the sound has {self.rate_hz} frames per second, expected 1..{MAX_RATE_HZ}; "
                "the file was written by a faulty encoder"
            )
        limits.check_segment(self.segment_frames * self.channels)
