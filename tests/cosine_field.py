"""A small real field for tests: a product over the axes of sums of cosines, in integers.

    value_c(x_1, x_2, ...) = prod over axes i of sum over k of a_ick * 2**-6 * cos(pi k (x_i + 1)/2)

Enough to be a continuous function of time and place that resembles its signal, and to be written,
read and rendered like all others.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from dataclasses import field as attribute
from fractions import Fraction
from typing import Any, ClassVar, Self

import numpy as np

from inrcodec.bitstream.config import unpack_config
from inrcodec.bitstream.header import Header
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import CorruptFile
from inrcodec.fields import Variant
from inrcodec.grid import Axis, Grid
from inrcodec.signal import AnySignal, AudioSignal, Signal

FIELD_ID = 250
NAME = "cosine"
SCALE = 2.0**-6


@dataclass(frozen=True)
class CosineConfig:
    """How many cosines along each axis."""

    terms: int = attribute(default=8, metadata={"range": (1, 256)})


class CosineField:
    """See the module.

    Args:
        config: its shape.
        amplitudes: [axes, channels, terms] int16.
    """

    config_class: ClassVar[type] = CosineConfig
    fit_module: ClassVar[str] = "cosine_field"
    kinds: ClassVar[frozenset[str]] = frozenset({"image", "audio", "video"})

    def __init__(self, config: CosineConfig, amplitudes: np.ndarray) -> None:
        self.config = config
        self.amplitudes = amplitudes

    def pack(self) -> bytes:
        return self.amplitudes.astype("<i2").tobytes()

    @classmethod
    def unpack(cls, payload: bytes, header: Header, limits: Limits) -> Self:
        config = unpack_config(header.config_code, CosineConfig)
        shape = (len(header.shape), header.channels, config.terms)
        limits.check_params(int(np.prod(shape)))
        if len(payload) != 2 * np.prod(shape):
            raise CorruptFile(
                f"the payload has {len(payload)} bytes, expected numbers of shape {shape}"
            )
        return cls(config, np.frombuffer(payload, "<i2").reshape(shape))

    def render(self, grid: Grid, fast: bool = False) -> np.ndarray:
        values: Any = 1.0
        for i, axis in enumerate(grid.axes):
            amplitudes = self.amplitudes[i] * SCALE
            # Term by term, since matrix products sum in an order that depends on their size.
            along = np.zeros((axis.count, amplitudes.shape[0]))
            for k, cosine in enumerate(cosines(axis, self.config.terms)):
                along += cosine[:, None] * amplitudes[:, k]
            shape = [1] * len(grid.axes) + [along.shape[1]]
            shape[i] = axis.count
            values = values * along.reshape(shape)
        return np.broadcast_to(values, (*grid.shape, values.shape[-1])).astype(
            np.float32 if fast else np.float64
        )

    @classmethod
    def describe(cls, header: Header) -> dict[str, int]:
        return asdict(unpack_config(header.config_code, CosineConfig))

    @classmethod
    def complexity(cls, header: Header) -> dict[str, Any]:
        terms = unpack_config(header.config_code, CosineConfig).terms
        axes = len(header.shape)
        return {"parameters": axes * header.channels * terms, "macs_per_sample": axes * terms}

    @classmethod
    def variants(cls) -> dict[str, Variant]:
        return {"cosine": Variant("cosines along each axis", "this test", CosineConfig())}

    @classmethod
    def render_work(cls, header: Header, grid: Grid) -> tuple[int, int]:
        terms = unpack_config(header.config_code, CosineConfig).terms
        return int(np.prod(grid.shape)), len(grid.axes) * terms


def cosines(axis: Axis, terms: int) -> np.ndarray:
    """[terms, positions] at the positions of an axis."""
    return np.cos(np.pi / 2 * np.outer(np.arange(terms), axis.coords + 1))


def fit(signal: AnySignal, options: Any) -> CosineField:
    """Profiles of each channel along each axis, by least squares."""
    if isinstance(signal, Signal):
        channels = np.moveaxis(signal.samples, -1, 0) / signal.peak
    elif isinstance(signal, AudioSignal):
        channels = signal.samples.T / signal.full_scale
    else:
        channels = [plane / signal.peak for plane in signal.planes]
    config, axes = CosineConfig(), channels[0].ndim
    amplitudes = np.zeros((axes, len(channels), config.terms), np.int16)
    for c, samples in enumerate(channels):
        for i in range(axes):
            n = samples.shape[i]
            profile = samples.mean(axis=tuple(set(range(axes)) - {i}))
            if i:
                profile = profile / max(samples.mean(), 0.01)
            along = cosines(Axis.over(n, Fraction(0), Fraction(n), n), min(n, config.terms))
            found = np.linalg.lstsq(along.T, profile, rcond=None)[0] / SCALE
            amplitudes[i, c, : len(found)] = np.rint(found).clip(-32768, 32767)
    reporter = getattr(options, "reporter", None)
    if reporter is not None:
        reporter.begin(2)
        reporter.step(1.0, 0.5)
        reporter.step(1.0, 0.25)
        reporter.end()
    return CosineField(config, amplitudes)


def fitted(signal: AnySignal, options: Any) -> tuple[int, CosineField]:
    """`fit` as `codec.encode` takes it."""
    return FIELD_ID, fit(signal, options)
