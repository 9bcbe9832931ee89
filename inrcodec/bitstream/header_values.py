"""What headers of all kinds are made of: checked ranges, fractions, and the field behind them."""

from __future__ import annotations

from fractions import Fraction
from math import gcd

from inrcodec.bitstream.varint import MAX_VARINT, pack_varint, read_varint
from inrcodec.errors import BadOption, CorruptFile

MAX_CONFIG_CODE = 2**62 - 1


def check_range(name: str, value: int, lowest: int, highest: int | None) -> None:
    """Nothing; refuses what a header cannot hold.

    Raises:
        BadOption: the value lies outside lowest..highest.
    """
    if value < lowest or (highest is not None and value > highest):
        expected = f"{lowest} or more" if highest is None else f"{lowest}..{highest}"
        raise BadOption(f"{name} is {value}, expected {expected}")


def pack_field(field_id: int, config_code: int) -> bytes:
    """The end of every header: which field, and its options as one number.

    Raises:
        BadOption: one of them is out of range.
    """
    check_range("field_id", field_id, 0, 255)
    check_range("config_code", config_code, 0, MAX_CONFIG_CODE)
    return bytes([field_id]) + pack_varint(config_code)


def read_field(payload: bytes, offset: int) -> tuple[int, int, int]:
    """(field_id, config_code, the offset behind them).

    Raises:
        IndexError, TruncatedFile: the payload ends before.
        CorruptFile: the code is too large.
    """
    config_code, stop = read_varint(payload, offset + 1)
    check_config_code(config_code)
    return payload[offset], config_code, stop


def check_config_code(code: int) -> None:
    """Nothing; refuses a code that no config has.

    Raises:
        CorruptFile: it is too large.
    """
    if code > MAX_CONFIG_CODE:
        raise CorruptFile(
            f"config_code is {code}, expected at most {MAX_CONFIG_CODE}; "
            "the file was written by a faulty encoder"
        )


def pack_fraction(name: str, value: Fraction) -> bytes:
    """Numerator and denominator of a positive fraction.

    Raises:
        BadOption: it is not positive, or one of them is 2**63 or more.
    """
    if value <= 0 or max(value.numerator, value.denominator) > MAX_VARINT:
        raise BadOption(f"{name} is {value}, expected a positive fraction of numbers below 2**63")
    return pack_varint(value.numerator) + pack_varint(value.denominator)


def read_fraction(name: str, payload: bytes, offset: int) -> tuple[Fraction, int]:
    """A positive fraction in lowest terms, and the offset behind it.

    Raises:
        TruncatedFile: the payload ends before.
        CorruptFile: it is zero, or not in lowest terms.
    """
    numerator, offset = read_varint(payload, offset)
    denominator, offset = read_varint(payload, offset)
    if not numerator or gcd(numerator, denominator) != 1:
        raise CorruptFile(
            f"{name} is {numerator}/{denominator}, expected a positive fraction in lowest terms; "
            "the file was written by a faulty encoder"
        )
    return Fraction(numerator, denominator), offset
