"""Lists of integers without a context: network parameters, and magnitudes of escapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.tables import FRACTIONS, REACH, SCALES, SYMBOLS, cost_bits
from inrcodec.errors import CorruptFile

MAX_LOW_BITS = 7
MAX_ESCAPE_BITS = 17
_CENTRE = FRACTIONS // 2  # the fraction index of a mean that is an integer
_CLASS_BITS = 5


@dataclass(frozen=True)
class GroupCode:
    """How a group of integers is coded: v >> low_bits under a table row, then the low bits raw."""

    low_bits: int
    scale: int


def group_cost_bits(values: np.ndarray, code: GroupCode) -> float:
    """Bits of a group under a code; an escape is charged its class and its magnitude."""
    high = values >> code.low_bits
    symbols = np.clip(high + REACH + 1, 0, SYMBOLS - 1)
    beyond = np.abs(high[np.abs(high) > REACH]) - REACH
    escapes = (_CLASS_BITS + np.log2(beyond)).sum() if beyond.size else 0.0
    return float(
        cost_bits()[code.scale, _CENTRE, symbols].sum() + escapes + code.low_bits * values.size
    )


def best_code(values: np.ndarray) -> GroupCode:
    """The cheapest GroupCode for a group of integers of at most 24 bits."""
    candidates = []
    for low_bits in range(MAX_LOW_BITS + 1):
        high = values >> low_bits
        if np.abs(high).max(initial=0) > REACH + (1 << MAX_ESCAPE_BITS):
            continue
        symbols = np.clip(high + REACH + 1, 0, SYMBOLS - 1)
        costs = cost_bits()[:, _CENTRE, :][:, symbols].sum(axis=1)
        scale = int(costs.argmin())
        code = GroupCode(low_bits, scale)
        candidates.append((group_cost_bits(values, code), code))
        if np.abs(high).max(initial=0) <= 1:
            break
    return min(candidates, key=lambda candidate: candidate[0])[1]


def plan_group(values: np.ndarray, code: GroupCode) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(symbols, low bits, escape magnitudes) of a group; each int64."""
    high = values >> code.low_bits
    symbols = np.clip(high + REACH + 1, 0, SYMBOLS - 1)
    escapes = np.abs(high[(symbols == 0) | (symbols == SYMBOLS - 1)]) - (REACH + 1)
    return symbols, values - (high << code.low_bits), escapes


def encode_group(encoder: Encoder, symbols: np.ndarray, low: np.ndarray, code: GroupCode) -> None:
    constant = np.ones(len(symbols), np.int64)
    encoder.symbols(symbols, code.scale * constant, _CENTRE * constant)
    encoder.bits(low, code.low_bits)


def decode_group(decoder: Decoder, count: int, code: GroupCode, queue: EscapeQueue) -> np.ndarray:
    """[count] int64 values that `encode_group` wrote.

    Raises:
        CorruptFile: the table row does not exist or the stream does not decode.
    """
    if code.scale >= SCALES:
        raise CorruptFile(
            f"a parameter group names table row {code.scale}, expected 0..{SCALES - 1}"
        )
    constant = np.ones(count, np.int64)
    symbols = decoder.symbols(code.scale * constant, _CENTRE * constant).astype(np.int64)
    high = queue.residuals(symbols)
    return (high << code.low_bits) + decoder.bits(count, code.low_bits)


def encode_magnitudes(encoder: Encoder, values: np.ndarray) -> None:
    """Appends integers in [0, 2**17): their bit lengths, then by length all bits but the first."""
    lengths = np.array([int(v).bit_length() for v in values], np.int64)
    encoder.bits(lengths, _CLASS_BITS)
    for length in range(2, int(lengths.max(initial=0)) + 1):
        chosen = values[lengths == length]
        encoder.bits(chosen - (1 << (length - 1)), length - 1)


def decode_magnitudes(decoder: Decoder, count: int) -> np.ndarray:
    """[count] int64 values that `encode_magnitudes` wrote."""
    lengths = decoder.bits(count, _CLASS_BITS).astype(np.int64)
    if lengths.max(initial=0) > MAX_ESCAPE_BITS:
        raise CorruptFile(f"an escaped residual has more than {MAX_ESCAPE_BITS} bits")
    values = np.minimum(lengths, 1)
    for length in range(2, int(lengths.max(initial=0)) + 1):
        where = np.flatnonzero(lengths == length)
        values[where] = (1 << (length - 1)) + decoder.bits(where.size, length - 1)
    return values
