"""The header of a video.

```
kind 3 (1) | layout (1) | flags (1) | [matrix (1) primaries (1) transfer (1)] | [pixel aspect]
           | width | height | frames | rate | segment_frames | field_id (1) | config_code
```

`layout` has, from its top bit: `full_range`, 4 bits `bit_depth - 8`, 3 bits `subsampling`. `flags`:
bits 0..2 where chroma lies, bit 3 that the three code points follow (else each is 2, unspecified),
bit 4 that the aspect of a pixel follows (else 1), bit 5 that a ticks section says when frames are
shown (else frame i at i / rate), bits 6 and 7 zero. `rate` and aspect are numerator and
denominator.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Self

from inrcodec.bitstream.header_values import (
    check_range,
    pack_field,
    pack_fraction,
    read_field,
    read_fraction,
)
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.segmented import Segmented, read_length
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.errors import BadOption, CorruptFile, UnsupportedFile

# By id, as in `bitstreams/ids.lock`, under the names that signals have.
SUBSAMPLING_IDS = {"4:0:0": 0, "4:2:0": 1, "4:2:2": 2, "4:4:4": 3, "4:4:0": 4, "4:1:1": 5}
CHROMA_LOCATION_IDS = {
    "left": 0,
    "center": 1,
    "topleft": 2,
    "top": 3,
    "bottomleft": 4,
    "bottom": 5,
}
_SUBSAMPLINGS = {id_: name for name, id_ in SUBSAMPLING_IDS.items()}
_CHROMA_LOCATIONS = {id_: name for name, id_ in CHROMA_LOCATION_IDS.items()}
_HAS_POINTS, _HAS_ASPECT, _HAS_TICKS, _RESERVED = 8, 16, 32, 0xC0
_UNSPECIFIED = (2, 2, 2)


@dataclass(frozen=True)
class VideoHeader(Segmented):
    """What a decoder must know of a video before it reads the payload.

    Args:
        width, height: native size of luma, 1 or more.
        frames: 1 or more.
        subsampling: of chroma, a name in SUBSAMPLING_IDS.
        bit_depth: 8..16 bits per sample.
        code_points: matrix, primaries and transfer as ITU-T H.273 numbers them, 0..255 each.
        full_range: whether luma spans all levels.
        chroma_location: a name in CHROMA_LOCATION_IDS.
        rate: frames per second; of a variable rate the mean.
        has_ticks: whether the rate varies, and a ticks section says how.
        pixel_aspect: width of a pixel over its height.
        segment_frames: 1..frames, length of every segment but the last.
        field_id, config_code: as in `ImageHeader`; the code of segments without their own.
    """

    width: int
    height: int
    frames: int
    subsampling: str
    bit_depth: int
    code_points: tuple[int, int, int]
    full_range: bool
    chroma_location: str
    rate: Fraction
    has_ticks: bool
    pixel_aspect: Fraction
    segment_frames: int
    field_id: int
    config_code: int
    kind: ClassVar[int] = 3
    kind_name: ClassVar[str] = "video"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Native samples of luma along each axis, (frames, rows, columns)."""
        return self.frames, self.height, self.width

    @property
    def channels(self) -> int:
        """Planes, which are the outputs of the field: Y, or Y, Cb and Cr."""
        return 1 if self.subsampling == "4:0:0" else 3

    def pack(self) -> bytes:
        """The bytes of the header section.

        Raises:
            BadOption: a value is outside the range that the class gives.
        """
        for name in ("width", "height", "frames"):
            check_range(name, getattr(self, name), 1, None)
        check_range("bit_depth", self.bit_depth, 8, 16)
        for point in self.code_points:
            check_range("a code point", point, 0, 255)
        if self.subsampling not in SUBSAMPLING_IDS:
            raise BadOption(f"subsampling is {self.subsampling!r}, expected {SUBSAMPLING_IDS}")
        if self.chroma_location not in CHROMA_LOCATION_IDS:
            raise BadOption(
                f"chroma_location is {self.chroma_location!r}, expected {CHROMA_LOCATION_IDS}"
            )
        layout = self.full_range << 7 | self.bit_depth - 8 << 3 | SUBSAMPLING_IDS[self.subsampling]
        flags, optional = CHROMA_LOCATION_IDS[self.chroma_location], b""
        if self.code_points != _UNSPECIFIED:
            flags, optional = flags | _HAS_POINTS, bytes(self.code_points)
        if self.pixel_aspect != 1:
            flags |= _HAS_ASPECT
            optional += pack_fraction("pixel_aspect", self.pixel_aspect)
        return b"".join(
            (
                bytes([self.kind, layout, flags | (_HAS_TICKS if self.has_ticks else 0)]),
                optional,
                *(pack_varint(n) for n in (self.width, self.height, self.frames)),
                pack_fraction("rate", self.rate),
                self.pack_length(),
                pack_field(self.field_id, self.config_code),
            )
        )

    @classmethod
    def parse(cls, payload: bytes) -> tuple[Self, int]:
        """The header as written, and the offset behind its last value."""
        layout, flags = payload[1], payload[2]
        subsampling = _SUBSAMPLINGS.get(layout & 7)
        location = _CHROMA_LOCATIONS.get(flags & 7)
        bit_depth = (layout >> 3 & 15) + 8
        if subsampling is None or location is None or bit_depth > 16 or flags & _RESERVED:
            raise UnsupportedFile(
                f"the layout of the video is 0x{layout:02x} 0x{flags:02x}, which this version does "
                "not know; decode it with a newer inrcodec"
            )
        points, offset = _UNSPECIFIED, 3
        if flags & _HAS_POINTS:
            points, offset = (payload[3], payload[4], payload[5]), 6
        aspect = Fraction(1)
        if flags & _HAS_ASPECT:
            aspect, offset = read_fraction("pixel aspect", payload, offset)
        if (flags & _HAS_POINTS and points == _UNSPECIFIED) or (
            flags & _HAS_ASPECT and aspect == 1
        ):
            raise CorruptFile(
                "the header spells out code points or a pixel aspect that go without saying; "
                "the file was written by a faulty encoder"
            )
        width, offset = read_varint(payload, offset)
        height, offset = read_varint(payload, offset)
        frames, offset = read_varint(payload, offset)
        rate, offset = read_fraction("frame rate", payload, offset)
        segment_frames, offset = read_length(payload, offset, frames)
        field_id, config_code, stop = read_field(payload, offset)
        header = cls(
            width, height, frames, subsampling, bit_depth, points, bool(layout & 128), location,
            rate, bool(flags & _HAS_TICKS), aspect, segment_frames, field_id, config_code,
        )  # fmt: skip
        return header, stop

    def check(self, limits: Limits) -> None:
        """Nothing; refuses sizes that make no sense or are too large.

        Raises:
            CorruptFile: no pixels.
            LimitExceeded: a frame or a segment has too many samples.
        """
        if self.width < 1 or self.height < 1:
            raise CorruptFile(
                f"the video has {self.width} x {self.height} pixels, expected at least 1 x 1; "
                "the file was written by a faulty encoder"
            )
        limits.check_size(self.width, self.height, "frame")
        limits.check_segment(self.segment_frames * self.height * self.width)
