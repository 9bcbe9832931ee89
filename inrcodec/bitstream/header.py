"""The header section: what the file shows, how large, and by which field.

```
kind (1) | shape (1) | width | height | field_id (1) | config_code
```

`shape` has, from its top bit: two reserved zeros, 2 bits `channels - 1`, 4 bits `bit_depth - 1`.
`width`, `height` and `config_code` are varints. Nothing follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.errors import BadOption, CorruptFile, TruncatedFile, UnsupportedFile

KIND_IMAGE = 1
KIND_NAMES = {KIND_IMAGE: "image"}
MAX_CONFIG_CODE = 2**62 - 1


@dataclass(frozen=True)
class Header:
    """What a decoder must know before it reads the payload.

    Args:
        kind: KIND_IMAGE.
        width: native width, 1 or more pixels.
        height: native height, 1 or more pixels.
        channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.
        bit_depth: 1..16 bits per sample.
        field_id: 0..255, id of the field in `bitstreams/ids.lock`; the registry judges it.
        config_code: 0..2**62 - 1, the field's options as one number, see `pack_mixed_radix`.
    """

    kind: int
    width: int
    height: int
    channels: int
    bit_depth: int
    field_id: int
    config_code: int


def pack_header(header: Header) -> bytes:
    """The payload of the header section.

    Raises:
        BadOption: a value is outside the range that `Header` gives.
    """
    if header.kind not in KIND_NAMES:
        raise BadOption(f"kind is {header.kind}, expected one of {KIND_NAMES}")
    for name, highest in (("width", None), ("height", None), ("channels", 4), ("bit_depth", 16)):
        _check_range(name, getattr(header, name), 1, highest)
    _check_range("field_id", header.field_id, 0, 255)
    _check_range("config_code", header.config_code, 0, MAX_CONFIG_CODE)
    return b"".join(
        (
            bytes([header.kind, (header.channels - 1) << 4 | (header.bit_depth - 1)]),
            pack_varint(header.width),
            pack_varint(header.height),
            bytes([header.field_id]),
            pack_varint(header.config_code),
        )
    )


def parse_header(payload: bytes, limits: Limits) -> Header:
    """The header in a header section, with its size within `limits`.

    Raises:
        UnsupportedFile: the kind is unknown, or a reserved bit is set.
        CorruptFile: the section is too short, too long, or holds a number that makes no sense.
        LimitExceeded: width, height or their product is above `limits`.
    """
    if payload and payload[0] not in KIND_NAMES:
        raise UnsupportedFile(
            f"the signal has kind {payload[0]}, this version knows {KIND_NAMES}; "
            "decode it with a newer inrcodec"
        )
    try:
        header, stop = _parse_image_header(payload)
    except (IndexError, TruncatedFile) as error:
        raise CorruptFile(
            f"the header section has only {len(payload)} bytes, its fields need more; "
            "the file was written by a faulty encoder"
        ) from error
    if stop != len(payload):
        raise CorruptFile(
            f"the header section has {len(payload)} bytes, expected {stop}; "
            "the file was written by a faulty encoder"
        )
    if header.width < 1 or header.height < 1:
        raise CorruptFile(
            f"the image has {header.width} x {header.height} pixels, expected at least 1 x 1; "
            "the file was written by a faulty encoder"
        )
    if header.config_code > MAX_CONFIG_CODE:
        raise CorruptFile(
            f"config_code is {header.config_code}, expected at most {MAX_CONFIG_CODE}; "
            "the file was written by a faulty encoder"
        )
    limits.check_size(header.width, header.height)
    return header


def _parse_image_header(payload: bytes) -> tuple[Header, int]:
    """The header as written, and the offset behind its last field."""
    kind, shape = payload[0], payload[1]
    if shape & 0xC0:
        raise UnsupportedFile(
            f"the sample layout byte is 0x{shape:02x}, with reserved bits set; "
            "decode the file with a newer inrcodec"
        )
    width, offset = read_varint(payload, 2)
    height, offset = read_varint(payload, offset)
    field_id = payload[offset]
    config_code, offset = read_varint(payload, offset + 1)
    channels, bit_depth = (shape >> 4) + 1, (shape & 0x0F) + 1
    return Header(kind, width, height, channels, bit_depth, field_id, config_code), offset


def pack_mixed_radix(values: Sequence[int], ranges: Sequence[tuple[int, int]]) -> int:
    """One number that holds all `values`, from 0 to the product of the range sizes minus 1.

    The first value is the least significant digit, so a range appended later leaves the number
    unchanged as long as the new value is the lowest of its range: old files keep their meaning.

    Args:
        values: [n] integers.
        ranges: [n] pairs (lo, hi), both inclusive, lo <= hi.

    Raises:
        BadOption: a value is out of its range, or the two lengths differ.
    """
    if len(values) != len(ranges):
        raise BadOption(f"there are {len(values)} values for {len(ranges)} ranges, expected equal")
    code = 0
    for i in reversed(range(len(values))):
        lo, hi = ranges[i]
        if not lo <= values[i] <= hi:
            raise BadOption(f"value {i} is {values[i]}, expected {lo}..{hi}")
        code = code * (hi - lo + 1) + values[i] - lo
    return code


def unpack_mixed_radix(code: int, ranges: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The values that `pack_mixed_radix` made `code` from.

    Args:
        code: 0 or more, as read from a file.
        ranges: [n] pairs (lo, hi), both inclusive, lo <= hi.

    Raises:
        CorruptFile: `code` is negative or above what `ranges` can hold.
    """
    values = []
    rest = code
    for lo, hi in ranges:
        rest, digit = divmod(rest, hi - lo + 1)
        values.append(lo + digit)
    if rest:
        raise CorruptFile(
            f"config_code is {code}, more than {len(ranges)} options with ranges {list(ranges)} "
            "can hold; the file is damaged or was written by a faulty encoder"
        )
    return tuple(values)


def _check_range(name: str, value: int, lowest: int, highest: int | None) -> None:
    if value < lowest or (highest is not None and value > highest):
        expected = f"{lowest} or more" if highest is None else f"{lowest}..{highest}"
        raise BadOption(f"{name} is {value}, expected {expected}")
