"""The header of an image.

```
kind 1 (1) | layout (1) | width | height | field_id (1) | config_code
```

`layout` has, from its top bit: two reserved zeros, 2 bits `channels - 1`, 4 bits `bit_depth - 1`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from inrcodec.bitstream.header_values import check_range, pack_field, read_field
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.errors import CorruptFile, UnsupportedFile


@dataclass(frozen=True)
class ImageHeader:
    """What a decoder must know of an image before it reads the payload.

    Args:
        width, height: native size, 1 or more pixels.
        channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.
        bit_depth: 1..16 bits per sample.
        field_id: 0..255, id of the field in `bitstreams/ids.lock`; the registry judges it.
        config_code: 0..2**62 - 1, the field's options as one number, see `bitstream.config`.
    """

    width: int
    height: int
    channels: int
    bit_depth: int
    field_id: int
    config_code: int
    kind: ClassVar[int] = 1
    kind_name: ClassVar[str] = "image"

    @property
    def shape(self) -> tuple[int, int]:
        """Native samples along each axis, (rows, columns)."""
        return self.height, self.width

    def pack(self) -> bytes:
        """The bytes of the header section.

        Raises:
            BadOption: a value is outside the range that the class gives.
        """
        check_range("width", self.width, 1, None)
        check_range("height", self.height, 1, None)
        check_range("channels", self.channels, 1, 4)
        check_range("bit_depth", self.bit_depth, 1, 16)
        return b"".join(
            (
                bytes([self.kind, (self.channels - 1) << 4 | (self.bit_depth - 1)]),
                pack_varint(self.width),
                pack_varint(self.height),
                pack_field(self.field_id, self.config_code),
            )
        )

    @classmethod
    def parse(cls, payload: bytes) -> tuple[Self, int]:
        """The header as written, and the offset behind its last value."""
        layout = payload[1]
        if layout & 0xC0:
            raise UnsupportedFile(
                f"the sample layout byte is 0x{layout:02x}, with reserved bits set; "
                "decode the file with a newer inrcodec"
            )
        width, offset = read_varint(payload, 2)
        height, offset = read_varint(payload, offset)
        field_id, config_code, stop = read_field(payload, offset)
        header = cls(width, height, (layout >> 4) + 1, (layout & 15) + 1, field_id, config_code)
        return header, stop

    def check(self, limits: Limits) -> None:
        """Nothing; refuses sizes that make no sense or are too large.

        Raises:
            CorruptFile: no pixels.
            LimitExceeded: width, height or their product is above `limits`.
        """
        if self.width < 1 or self.height < 1:
            raise CorruptFile(
                f"the image has {self.width} x {self.height} pixels, expected at least 1 x 1; "
                "the file was written by a faulty encoder"
            )
        limits.check_size(self.width, self.height)
