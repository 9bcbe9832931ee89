"""Several small numbers of known ranges as one, as dense as it can be."""

from __future__ import annotations

from collections.abc import Sequence

from inrcodec.errors import BadOption, CorruptFile


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
    values, rest = split_mixed_radix(code, ranges)
    if rest:
        raise CorruptFile(
            f"config_code is {code}, more than {len(ranges)} options with ranges {list(ranges)} "
            "can hold; the file is damaged or was written by a faulty encoder"
        )
    return tuple(values)


def split_mixed_radix(code: int, ranges: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], int]:
    """(values of the first ranges, the number that holds the others); see `pack_mixed_radix`."""
    values = []
    for lo, hi in ranges:
        code, digit = divmod(code, hi - lo + 1)
        values.append(lo + digit)
    return tuple(values), code
