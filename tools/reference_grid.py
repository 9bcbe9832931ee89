"""Field 1, `grid`, as sections 4 and 6 to 8 of SPEC.md of the format write it.

Part of `reference_decoder.py`; numbers in comments are those of sections.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from reference_entropy import (
    Groups,
    RangeDecoder,
    check_end,
    digits,
    opened,
    parameters,
    residual,
    row,
)

RANGES = ((0, 8), (1, 9), (0, 22), (0, 9), (1, 64), (1, 64), (0, 2))  # 4
SPATIAL = (
    (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, -2), (-1, 2),
    (-2, -1), (-2, 1), (-2, -2), (-2, 2), (0, -3), (-3, 0), (-1, -3), (-3, -1),
    (-3, 1), (-3, -2), (-3, 2), (-2, -3), (-2, 3), (0, -4),
)  # fmt: skip
COARSE = ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
ONE = 1 << 12
FEATURE_GAIN = 0.25  # 8.2


def layout(config: tuple[int, ...], channels: int) -> Groups:
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


def context_model(integers: dict[str, tuple[np.ndarray, int]]) -> dict[str, np.ndarray]:  # 7.2
    fixed = {n: v << (12 - e) for n, (v, e) in integers.items() if n[0] in "wbs" and e <= 12}
    if len(fixed) < 7 or any(abs(v).max(initial=0) > 64 * ONE for v in fixed.values()):
        raise ValueError("a context model parameter is too large or too fine")
    return fixed


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


class GridField:
    def __init__(self, head: dict[str, Any], payload: bytes) -> None:
        if head["kind"] != 1:
            raise ValueError("field 1 is for images")
        config, rest = digits(head["config_code"], RANGES)
        if rest:
            raise ValueError("the config code is too large")
        self.first, levels, spatial, coarse, _, _, self.taps = config
        self.size = head["height"], head["width"]
        groups = layout(tuple(config), head["channels"])
        decoder, escapes = opened(payload, groups)
        integers = parameters(decoder, payload, groups, escapes)
        self.latents: list[np.ndarray] = []
        fixed = context_model(integers)
        for level in reversed(range(self.first, self.first + levels)):
            shape = -(-self.size[0] // 2**level), -(-self.size[1] // 2**level)
            parent = self.latents[0] if self.latents else None
            grid = latent_grid(decoder, fixed, shape, parent, (spatial, coarse), escapes)
            self.latents.insert(0, grid)
        check_end(decoder, escapes)
        self.theta = {name: v / 2.0**exponent for name, (v, exponent) in integers.items()}  # 8

    def points(self, axes: list[tuple[int, list[Fraction]]]) -> np.ndarray:
        """[rows, columns, channels] values at positions in native samples."""
        y, x = (self.move(u, 0, axis) for axis, (_, u) in enumerate(axes))
        return np.stack(self.values(y, x, self.taps), axis=-1)

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
