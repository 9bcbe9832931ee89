"""From the stream to integers, as section 5 and 6.2 of SPEC.md of the format write it.

Part of `reference_decoder.py`. Python integers; the one thing shared with the package is the
committed table `inrcodec/entropy/laplace.npz`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

TABLE = Path(__file__).parents[1] / "inrcodec" / "entropy" / "laplace.npz"
Groups = dict[str, list[tuple[str, tuple[int, ...]]]]  # name -> (name, shape) of its tensors


def varint(data: bytes, at: int) -> tuple[int, int]:  # 2.2
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


class RangeDecoder:  # 5.2
    def __init__(self, stream: bytes) -> None:
        self.stream, self.raw_bits = stream, 0
        padded = stream + bytes(-len(stream) % 4)
        self.words = [int.from_bytes(padded[i : i + 4], "little") for i in range(0, len(padded), 4)]
        self.at = 2
        first, second = (self.words + [0, 0])[:2]
        self.offset, self.range = first << 32 | second, (1 << 64) - 1

    def decode(self, cumulative: list[int]) -> int:
        unit = self.range >> 24
        quantile = self.offset // unit
        if quantile >> 24:
            raise ValueError("invalid stream")
        symbol = bisect_right(cumulative, quantile) - 1
        self.offset -= unit * cumulative[symbol]
        self.range = unit * (cumulative[symbol + 1] - cumulative[symbol])
        if self.range < 1 << 32:
            word = self.words[self.at] if self.at < len(self.words) else 0
            self.offset, self.range, self.at = (
                self.offset << 32 | word,
                self.range << 32,
                self.at + 1,
            )
        return symbol

    def is_at_end(self) -> bool:
        zeros = self.stream.endswith(b"\0") and 8 * (len(self.stream) - 1) >= self.raw_bits
        return self.at > len(self.words) and self.offset < (1 << 33) - 1 and not zeros

    def bits(self, n: int) -> int:
        self.raw_bits += n
        if self.raw_bits > 8 * len(self.stream):
            raise ValueError("the stream is too short for what it announces")
        return self.decode([i << (24 - n) for i in range((1 << n) + 1)]) if n else 0


@cache
def survival() -> list[list[int]]:  # 5.3
    return np.load(TABLE)["survival"].tolist()


@cache
def row(scale: int, fraction: int) -> list[int]:  # 5.3
    """Cumulative counts of the 65 symbols, as the range decoder uses them."""
    exact = [0]
    for r in range(-31, 33):
        edge = 32 * r - fraction
        mass = survival()[scale][abs(edge)]
        exact.append(mass if edge < 0 else (1 << 24) - mass)
    return [(f * ((1 << 24) - 65) >> 24) + i for i, f in enumerate(exact)] + [1 << 24]


def residual(symbol: int, escapes: Iterator[int]) -> int:  # 5.4
    r = symbol - 32
    if abs(r) < 32:
        return r
    magnitude = next(escapes, None)
    if magnitude is None:
        raise ValueError("too few escapes")
    return (32 + magnitude) * (1 if r > 0 else -1)


def escape_magnitudes(decoder: RangeDecoder, count: int) -> Iterator[int]:  # 5.4
    lengths = [decoder.bits(5) for _ in range(count)]
    if max(lengths, default=0) > 17:
        raise ValueError("an escape is too long")
    values = [min(length, 1) for length in lengths]
    for length in range(2, 18):
        for i in range(count):
            if lengths[i] == length:
                values[i] = (1 << (length - 1)) + decoder.bits(length - 1)
    return iter(values)


def opened(payload: bytes, groups: Groups) -> tuple[RangeDecoder, Iterator[int]]:  # 6
    """What decodes the stream of a payload, behind its escapes; and those."""
    count, at = varint(payload, 2 * len(groups))
    if count > len(payload) * 8:
        raise ValueError("more escapes than bits")
    decoder = RangeDecoder(payload[at:])
    return decoder, escape_magnitudes(decoder, count)


def parameters(
    decoder: RangeDecoder, head: bytes, groups: Groups, escapes: Iterator[int]
) -> dict[str, tuple[np.ndarray, int]]:  # 6.2
    """Tensor name -> (integers, exponent)."""
    found: dict[str, tuple[np.ndarray, int]] = {}
    for g, tensors in enumerate(groups.values()):
        low_bits, exponent, scale = head[2 * g] >> 5, head[2 * g] & 31, head[2 * g + 1]
        if scale > 95:
            raise ValueError("there is no such table row")
        count = sum(math.prod(shape) for _, shape in tensors)
        high = [residual(decoder.decode(row(scale, 16)), escapes) for _ in range(count)]
        values = [(v << low_bits) + decoder.bits(low_bits) for v in high]
        for name, shape in tensors:
            size = math.prod(shape)
            found[name] = np.array(values[:size], np.int64).reshape(shape), exponent
            values = values[size:]
    return found


def check_end(decoder: RangeDecoder, escapes: Iterator[int]) -> None:  # 5.2, 5.4
    if list(escapes) or not decoder.is_at_end():
        raise ValueError("the payload goes on after its last number")


def digits(code: int, ranges: tuple[tuple[int, int], ...]) -> tuple[list[int], int]:  # 4
    """The options of a config code, and what it holds beyond them."""
    found = []
    for low, high in ranges:
        code, digit = divmod(code, high - low + 1)
        found.append(low + digit)
    return found, code
