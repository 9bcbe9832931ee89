"""Whole numbers of any size up to 63 bits, in as few bytes as they need (unsigned LEB128).

Seven bits per byte, least significant first; the top bit says that another byte follows. Every
number has exactly one encoding: two files that differ in their bytes differ in their meaning.
"""

from __future__ import annotations

from inrcodec.errors import BadOption, CorruptFile, TruncatedFile

MAX_VARINT = 2**63 - 1
MAX_VARINT_BYTES = 9


def pack_varint(n: int) -> bytes:
    """The shortest encoding of `n`, 1 to 9 bytes.

    Args:
        n: 0..2**63 - 1.

    Raises:
        BadOption: `n` is out of range.
    """
    if not 0 <= n <= MAX_VARINT:
        raise BadOption(f"the number {n} cannot be stored, expected 0..{MAX_VARINT}")
    packed = bytearray()
    while n > 0x7F:
        packed.append(n & 0x7F | 0x80)
        n >>= 7
    packed.append(n)
    return bytes(packed)


def read_varint(data: bytes, offset: int) -> tuple[int, int]:
    """The number that starts at `data[offset]`, and the offset just behind it.

    Args:
        data: any bytes.
        offset: 0 or more; behind the end of `data` counts as cut short.

    Raises:
        TruncatedFile: `data` ends inside the number.
        CorruptFile: the number is longer than 9 bytes, or than its value needs.
    """
    value = 0
    for i in range(MAX_VARINT_BYTES):
        if offset + i >= len(data):
            raise TruncatedFile(
                f"the data ends at byte {len(data)}, inside the number that starts at byte "
                f"{offset}; the file was cut short, get it again"
            )
        byte = data[offset + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            if byte == 0 and i > 0:
                raise CorruptFile(
                    f"the number at byte {offset} takes {i + 1} bytes, more than its value "
                    f"{value} needs; the file is damaged or was written by a faulty encoder"
                )
            return value, offset + i + 1
    raise CorruptFile(
        f"the number at byte {offset} has more than {MAX_VARINT_BYTES} bytes, "
        f"expected at most {MAX_VARINT}; the file is damaged or was written by a faulty encoder"
    )
