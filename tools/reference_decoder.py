#!/usr/bin/env python3
"""A second decoder, written from bitstreams/SPEC.md: slow, short, nothing of inrcodec in it.

    python tools/reference_decoder.py IN.inr OUT.npy [WIDTHxHEIGHT]

Python integers and numpy only; the one thing it shares with the package is the committed table
`inrcodec/entropy/laplace.npz`. Section numbers in comments are those of SPEC.md.
"""

from __future__ import annotations

import sys
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

TABLE = Path(__file__).parents[1] / "inrcodec" / "entropy" / "laplace.npz"
RANGES = ((0, 8), (1, 9), (0, 22), (0, 9), (1, 64), (1, 64), (0, 2))  # 4
SPATIAL = (
    (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, -2), (-1, 2),
    (-2, -1), (-2, 1), (-2, -2), (-2, 2), (0, -3), (-3, 0), (-1, -3), (-3, -1),
    (-3, 1), (-3, -2), (-3, 2), (-2, -3), (-2, 3), (0, -4),
)  # fmt: skip
COARSE = ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
ONE = 1 << 12
FEATURE_GAIN = 0.25  # 8.2


def varint(data: bytes, at: int) -> tuple[int, int]:  # 2.2
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def sections(data: bytes) -> dict[int, bytes]:  # 2
    if data[:9] != b"\x93INR\r\n\x1a\n\x01":
        raise ValueError("not an .inr file of version 1")
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise ValueError("wrong CRC-32")
    found, at = {}, 10
    while at < len(data) - 4:
        length, start = varint(data, at + 1)
        found[data[at]] = data[start : start + length]
        at = start + length
    if at != len(data) - 4 or any(2 < type_ < 128 for type_ in found):
        raise ValueError("sections do not tile the file, or one is critical and unknown")
    return found


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


def layout(config: tuple[int, ...], channels: int) -> dict[str, list[tuple[str, tuple[int, ...]]]]:
    """Group -> its tensors, in the order of 6.1."""
    _, levels, spatial, coarse, h, s, taps = config
    n, c = spatial + coarse, channels
    groups = {
        "arm.w1": [("w1", (h, n))],
        "arm.w2": [("w2", (h, h))],
        "arm.out": [("w3", (2, h)), ("skip", (2, n))],
        "arm.bias": [("b1", (h,)), ("b2", (h,)), ("b3", (2,))],
        "syn.w1": [("v1", (s, levels))],
        "syn.w2": [("v2", (c, s))],
        "syn.taps": [(f"taps{k}", (c, c, 3, 3)) for k in range(taps)],
        "syn.bias": [("c1", (s,)), ("c2", (c,))] + [(f"tapbias{k}", (c,)) for k in range(taps)],
    }
    return {name: tensors for name, tensors in groups.items() if tensors}


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


def parameters(
    decoder: RangeDecoder, head: bytes, groups: dict, escapes: Iterator[int]
) -> dict[str, tuple[np.ndarray, int]]:  # 6.2
    """Tensor name -> (integers, exponent)."""
    found = {}
    for g, tensors in enumerate(groups.values()):
        low_bits, exponent, scale = head[2 * g] >> 5, head[2 * g] & 31, head[2 * g + 1]
        count = sum(int(np.prod(shape)) for _, shape in tensors)
        high = [residual(decoder.decode(row(scale, 16)), escapes) for _ in range(count)]
        values = [(v << low_bits) + decoder.bits(low_bits) for v in high]
        for name, shape in tensors:
            size = int(np.prod(shape))
            found[name] = np.array(values[:size], np.int64).reshape(shape), exponent
            values = values[size:]
    return found


def context_row(p: dict[str, np.ndarray], x: np.ndarray) -> tuple[int, int, int]:  # 7.2
    """(mean, fraction, scale) of one latent from its context x [n] int64."""
    x = np.clip(x, -255, 255)
    h = np.clip(p["w1"] @ x + p["b1"], 0, 1 << 23)
    g = np.maximum(p["w2"] @ h + p["b2"] * ONE, 0)
    h = np.minimum(h + (g + ONE // 2 >> 12), 1 << 23)
    a, b = (p["w3"] @ h + (p["skip"] @ x + p["b3"]) * ONE).tolist()
    mu = min(max(a + (1 << 18) >> 19, -(1 << 20)), 1 << 20)
    scale = min(max(b + (1 << 20) >> 21, -36), 59) + 36
    return (mu + 16) >> 5, (mu + 16) & 31, scale


def latent_grid(
    decoder: RangeDecoder,
    p: dict[str, np.ndarray],
    shape: tuple[int, int],
    parent: np.ndarray | None,
    contexts: tuple[int, int],
    escapes: Iterator[int],
) -> np.ndarray:  # 7.1, 7.3
    h, w = shape
    grid = np.zeros(shape, np.int64)
    neighbours, directions = SPATIAL[: contexts[0]], COARSE[: contexts[1]]
    slope = max([1] + [dx // -dy + 1 for dy, dx in neighbours if dy < 0 < dx])

    def at(source: np.ndarray | None, y: int, x: int) -> int:
        inside = source is not None and 0 <= y < source.shape[0] and 0 <= x < source.shape[1]
        return int(source[y, x]) if inside else 0

    for _, y, x in sorted((x + slope * y, y, x) for y, x in product(range(h), range(w))):
        seen = [at(grid, y + dy, x + dx) for dy, dx in neighbours]
        sy, sx = (1 if y % 2 else -1), (1 if x % 2 else -1)
        seen += [at(parent, y // 2 + sy * fy, x // 2 + sx * fx) for fy, fx in directions]
        mean, fraction, scale = context_row(p, np.array(seen, np.int64))
        grid[y, x] = mean + residual(decoder.decode(row(scale, fraction)), escapes)
        if abs(grid[y, x]) > 65536:
            raise ValueError("a latent is too large")
    return grid


def interpolated(level: int, lines: np.ndarray, u: np.ndarray) -> np.ndarray:  # 8.2
    """[len(u), m]: lines [n, m] of a grid, interpolated at positions u along the first axis."""
    t = u / float(1 << level) - 0.5
    base = np.floor(t)
    f = t - base
    g = 1.0 - f
    if level:
        f2, g2 = f * f, g * g
        taps = [
            g2 * g / 6.0,
            (4.0 - 6.0 * f2 + 3.0 * f2 * f) / 6.0,
            (4.0 - 6.0 * g2 + 3.0 * g2 * g) / 6.0,
            f2 * f / 6.0,
        ]
    else:
        far = [(((s - 8.0) * s + 21.0) * s - 18.0) / 12.0 for s in (2.0 + f, 2.0 + g)]
        middle = [(((36.0 - 7.0 * s) * s - 59.0) * s + 30.0) / 12.0 for s in (1.0 + f, 1.0 + g)]
        near = [((4.0 * s - 7.0) * s * s + 3.0) / 3.0 for s in (f, g)]
        taps = [1.25 * z for z in (far[0], middle[0], near[0], near[1], middle[1], far[1])]
        taps[2] = taps[2] - 0.25 * g
        taps[3] = taps[3] - 0.25 * f
    first = base.astype(np.int64) - (1 if level else 2)
    seen = [lines[np.clip(first + k, 0, len(lines) - 1)] for k in range(len(taps))]
    total = np.zeros_like(seen[0])
    for samples, weight in zip(seen, taps, strict=True):
        total = total + samples * weight[:, None]
    if level:
        return total
    _, p, q, r, s, _ = seen
    slack = (2.0 * f * g)[:, None]
    bend_q, bend_r = p - 2.0 * q + r, q - 2.0 * r + s
    low = np.minimum(q, r) - slack * np.maximum(np.minimum(bend_q, bend_r), 0.0)
    high = np.maximum(q, r) - slack * np.minimum(np.maximum(bend_q, bend_r), 0.0)
    return np.minimum(np.maximum(total, low), high)


class Synthesis:  # 8
    def __init__(self, theta: dict[str, np.ndarray], latents: list[np.ndarray], first: int, n: int):
        self.theta, self.latents, self.first, self.taps = theta, latents, first, n

    def features(self, y: np.ndarray, x: np.ndarray) -> list[np.ndarray]:
        found = []
        for k, grid in enumerate(self.latents):
            tall = interpolated(self.first + k, grid.astype(np.float64), y)
            wide = interpolated(self.first + k, tall.T, x).T
            found.append(wide * FEATURE_GAIN)
        return found

    def values(self, y: list[Fraction], x: list[Fraction], layers: int) -> list[np.ndarray]:
        """Output of the network after `layers` tap layers, one array per channel."""
        t = self.theta
        if layers == 0:
            features = self.features(
                np.array([float(u) for u in y]), np.array([float(u) for u in x])
            )
            out = [np.full(features[0].shape, bias) for bias in t["c2"]]
            for s, bias in enumerate(t["c1"]):
                hidden = np.full(features[0].shape, bias)
                for k, feature in enumerate(features):
                    hidden = hidden + feature * t["v1"][s, k]
                hidden = np.maximum(hidden, 0.0)
                out = [o + hidden * t["v2"][c, s] for c, o in enumerate(out)]
            return out
        moved = {
            (dy, dx): self.values(self.move(y, dy, 0), self.move(x, dx, 1), layers - 1)
            for dy, dx in product((-1, 0, 1), repeat=2)
        }
        if layers > 1:
            moved = {at: [np.maximum(v, 0.0) for v in values] for at, values in moved.items()}
        out = [v + b for v, b in zip(moved[0, 0], t[f"tapbias{layers - 1}"], strict=True)]
        for source, (dy, dx) in product(range(len(out)), product((-1, 0, 1), repeat=2)):
            kernel = t[f"taps{layers - 1}"][:, source, dy + 1, dx + 1]
            out = [o + moved[dy, dx][source] * w for o, w in zip(out, kernel, strict=True)]
        return out

    def move(self, u: list[Fraction], by: int, axis: int) -> list[Fraction]:
        low, high = Fraction(1, 2), self.size[axis] - Fraction(1, 2)
        return [min(max(v + by, low), high) for v in u]

    def render(self, size: tuple[int, int], out: tuple[int, int]) -> np.ndarray:
        self.size = size
        ky, kx = (-(-n // m) for n, m in zip(size, out, strict=True))  # 8.5
        y, x = (
            self.move([Fraction((2 * i + 1) * n, 2 * m) for i in range(m)], 0, axis)
            for axis, (n, m) in enumerate(zip(size, (out[0] * ky, out[1] * kx), strict=True))
        )
        points = np.stack(self.values(y, x, self.taps), axis=-1)
        tall = sum(points[dy::ky] for dy in range(ky))
        return sum(tall[:, dx::kx] for dx in range(kx)) / float(ky * kx)


def decode(data: bytes, size: tuple[int, int] | None = None) -> np.ndarray:
    """[height, width, channels] samples of an `.inr` file, at native or another (height, width)."""
    found = sections(data)
    header, payload = found[1], found[2]
    channels, depth = (header[1] >> 4) + 1, (header[1] & 15) + 1  # 3
    width, at = varint(header, 2)
    height, at = varint(header, at)
    code, end = varint(header, at + 1)
    if header[0] != 1 or header[1] >> 6 or header[at] != 1 or end != len(header):
        raise ValueError("unsupported header")
    config = []
    for low, high in RANGES:
        code, digit = divmod(code, high - low + 1)
        config.append(low + digit)
    if code:
        raise ValueError("the config code is too large")
    first, levels, spatial, coarse, _, _, taps = config

    groups = layout(tuple(config), channels)  # 6
    count, at = varint(payload, 2 * len(groups))
    decoder = RangeDecoder(payload[at:])
    escapes = escape_magnitudes(decoder, count)
    integers = parameters(decoder, payload, groups, escapes)
    fixed = {n: v << (12 - e) for n, (v, e) in integers.items() if n[0] in "wbs" and e <= 12}
    if len(fixed) < 7 or any(abs(v).max(initial=0) > 64 * ONE for v in fixed.values()):
        raise ValueError("a context model parameter is too large or too fine")
    latents: list[np.ndarray] = []
    for level in reversed(range(first, first + levels)):
        shape = -(-height // 2**level), -(-width // 2**level)
        parent = latents[0] if latents else None
        grid = latent_grid(decoder, fixed, shape, parent, (spatial, coarse), escapes)
        latents.insert(0, grid)
    if list(escapes) or not decoder.is_at_end():
        raise ValueError("the payload goes on after its last number")

    theta = {name: v / 2.0**exponent for name, (v, exponent) in integers.items()}  # 8
    field = Synthesis(theta, latents, first, taps)
    values = field.render((height, width), size or (height, width))
    peak = float((1 << depth) - 1)  # 9
    samples = np.floor(np.minimum(np.maximum(values, 0.0), 1.0) * peak + 0.5)
    return samples.astype(np.uint8 if depth <= 8 else np.uint16)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    wanted = tuple(int(n) for n in sys.argv[3].split("x"))[::-1] if len(sys.argv) == 4 else None
    np.save(sys.argv[2], decode(Path(sys.argv[1]).read_bytes(), wanted))
