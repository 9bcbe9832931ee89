"""Random Fourier features, drawn again by the decoder: they cost no bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, Self

import numpy as np

from inrcodec.encodings import Encoding
from inrcodec.kernels import elementary
from inrcodec.registry import register

_STEP = 256  # frequencies are multiples of 1/256


class NormalFourier(Encoding):
    """sin(2 pi B x), cos(2 pi B x), B normal, of as many rows as the field `rows` says."""

    rows: int
    seed: int

    def sigma(self) -> float:
        """Standard deviation of B, exact."""
        raise NotImplementedError

    def features(self, in_features: int) -> int:
        return 2 * self.rows

    def macs(self, in_features: int) -> int:
        return self.rows * in_features

    def frequencies(self, in_features: int) -> np.ndarray:
        """B [rows, in_features] float64, the same on every machine."""
        normal = normals(self.rows * in_features, self.seed).reshape(self.rows, in_features)
        return np.rint(normal * self.sigma() * _STEP) / _STEP

    def __call__(self, a: Any, theta: Mapping[str, Any], coords: Any) -> Any:
        weight = a.constant(2 * math.pi * self.frequencies(len(coords)), coords)
        phase = a.affine(weight, a.constant(np.zeros(self.rows), coords), coords)
        return a.concatenate([a.sin(phase), a.cos(phase)])


@register("encodings", "fourier", id=3)
@dataclass(frozen=True)
class Fourier(NormalFourier):
    """sin(2 pi B x), cos(2 pi B x), B normal: random Fourier features.

    Args:
        rows: of B; twice as many features.
        sigma_8ths: standard deviation of B in eighths, for coordinates on [-1, 1]: half of what it
            is for [0, 1].
        seed: of B.
    """

    source = "FFN, Tancik et al., arXiv 2006.10739, eq. 5; sigma 2 on [-1, 1] suits narrow networks"
    field = "ffn"

    rows: int = attribute(default=256, metadata={"range": (1, 1024)})
    sigma_8ths: int = attribute(default=16, metadata={"range": (0, 1023)})
    seed: int = attribute(default=0, metadata={"range": (0, 63)})

    @classmethod
    def of(cls, shape: tuple[int, ...], hidden_features: int, weights: float | None = None) -> Self:
        """As many rows as the network is wide, like the source's 256 for 256."""
        return cls(rows=min(1024, hidden_features))

    def sigma(self) -> float:
        return self.sigma_8ths / 8


@register("encodings", "fourier-wide", id=6)
@dataclass(frozen=True)
class WideFourier(NormalFourier):
    """sin(2 pi B x), cos(2 pi B x), B normal: random Fourier features as high as sound.

    Args:
        rows: of B; twice as many features.
        sigma_log2: binary logarithm of the standard deviation of B, for coordinates on [-1, 1].
        seed: of B.
    """

    source = "FFN, Tancik et al., arXiv 2006.10739, eq. 5; sigma a 256th of the samples is ours"
    sound_of = "ffn"

    rows: int = attribute(default=256, metadata={"range": (1, 1024)})
    sigma_log2: int = attribute(default=10, metadata={"range": (0, 31)})
    seed: int = attribute(default=0, metadata={"range": (0, 63)})

    @classmethod
    def of(cls, shape: tuple[int, ...], hidden_features: int, weights: float | None = None) -> Self:
        """As many rows as the network is wide; sigma a 64th of the highest frequency there is.

        That is to the octave, and was best for seconds of sound (results/design/sound_boost.tsv).
        """
        log2 = round(math.log2(max(1, max(shape) / 256)))
        return cls(min(1024, hidden_features), min(31, log2))

    def sigma(self) -> float:
        return 2.0**self.sigma_log2


def normals(count: int, seed: int) -> np.ndarray:
    """[count] float64 normal numbers (Box and Muller 1958) of splitmix64, exact everywhere."""
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + np.arange(1, 2 * count + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    uniform = ((z >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    radius = np.sqrt(-2.0 * elementary.log(uniform[::2]))
    return radius * elementary.cos(2 * math.pi * uniform[1::2])
