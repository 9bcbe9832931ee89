"""The good files of the conformance corpus: each uses one part of the format.

Their fields are made of integers from SHAKE-256, so that no random generator, fit or version of a
library has a say in them. Only the two fitted pictures cannot be made again bit for bit.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from inrcodec import codec
from inrcodec.bitstream.config import pack_config
from inrcodec.bitstream.container import Section, write_container
from inrcodec.bitstream.header import ImageHeader, pack_header
from inrcodec.fields.grid import GROUPS, GridConfig, GridField, level_shapes, parameter_layout
from inrcodec.grid import Grid
from inrcodec.signal import Signal

METADATA = {
    "icc": b"\0\0\0\x14ADBE\x02\x10\0\0mntrRGB XYZ ",
    "exif": b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0",
    "xmp": b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
}


class Noise:
    """Reproducible integers: bytes of SHAKE-256 of a name."""

    def __init__(self, name: str) -> None:
        self._bytes = np.frombuffer(hashlib.shake_256(name.encode()).digest(1 << 18), np.uint8)
        self._next = 0

    def integers(self, shape: tuple[int, ...], spread: int) -> np.ndarray:
        """int64 in [-spread, spread], small ones far more often: the product of two bytes."""
        n = math.prod(shape)
        taken = self._bytes[self._next : self._next + 3 * n].astype(np.int64).reshape(3, n)
        self._next += 3 * n
        magnitude = taken[0] * taken[1] * (spread + 1) >> 16
        return np.where(taken[2] & 1, magnitude, -magnitude).reshape(shape)


@dataclass(frozen=True)
class Good:
    """A file that decodes.

    Args:
        purpose: what it covers.
        size: (height, width, channels).
        config: options of the field that are not the default.
        depth: bits per sample.
        spread: largest |latent|.
        weights: largest |weight|, in steps of 2**-exponent.
        exponent: of every group.
        change: edits (theta_hat, latents) in place.
        expose: shift and scale the output towards mid-grey.
        metadata: by name.
        extra: further sections, and the minor version.
    """

    purpose: str
    size: tuple[int, int, int]
    config: dict[str, int]
    depth: int = 8
    spread: int = 24
    weights: int = 60
    exponent: int = 7
    change: Callable[[dict[str, np.ndarray], list[np.ndarray]], None] | None = None
    expose: bool = True
    metadata: dict[str, bytes] = field(default_factory=dict)
    extra: tuple[Section, ...] = ()
    minor: int = 0

    def build(self, name: str) -> bytes:
        config, noise = GridConfig(**self.config), Noise(name)
        height, width, channels = self.size
        theta = {
            n: noise.integers(shape, max(2, self.weights // math.isqrt(1 + shape[-1])))
            for n, (_, shape) in parameter_layout(config, channels).items()
        }
        latents = [
            noise.integers(s, self.spread).astype(np.int32)
            for s in level_shapes(config, height, width)
        ]
        steps = dict.fromkeys(GROUPS, self.exponent)
        made = GridField(config, self.size, steps, theta, latents)
        if self.change:
            self.change(theta, latents)
        if self.expose:
            _expose(made, self.exponent)
        code = pack_config(config)
        header = ImageHeader(width, height, channels, self.depth, 1, code)
        return file_of(header, made.pack(), self.metadata, self.extra, self.minor)


def _expose(made: GridField, exponent: int) -> None:
    """Shifts and scales the output of a random field so that most samples are neither 0 nor 1."""
    last = f"syn.tapbias{made.config.taps - 1}" if made.config.taps else "syn.b2"
    for _ in range(8):
        values = made.render(Grid.of(*made.size[:2]))
        made.theta_hat[last] += np.rint((0.5 - values.mean(axis=(0, 1))) * 2**exponent).astype(int)
        if values.std() > 0.3:
            made.theta_hat["syn.w2"] >>= 1
        elif values.std() < 0.1:
            made.theta_hat["syn.w2"] <<= 1


def file_of(
    header: ImageHeader,
    payload: bytes,
    metadata: dict[str, bytes],
    extra: tuple[Section, ...] = (),
    minor: int = 0,
) -> bytes:
    """A file with its decode hash."""
    sections = [Section(1, pack_header(header)), Section(2, payload)]
    decoded = codec.decode(write_container(sections))
    sections.append(Section(128, codec.decode_hash(decoded)))
    sections += [Section(codec.METADATA[name], block) for name, block in metadata.items()]
    data = bytearray(write_container([*sections, *extra]))
    data[9] = minor
    return sealed(bytes(data[:-4]))


def sealed(body: bytes) -> bytes:
    return body + crc32(body).to_bytes(4, "little")


def _set(*values: tuple[str, int]) -> Callable[..., None]:
    """An edit that sets the first entry of named tensors."""

    def change(theta: dict[str, np.ndarray], latents: list[np.ndarray]) -> None:
        for name, value in values:
            theta[name].flat[0] = value

    return change


def _extreme(theta: dict[str, np.ndarray], latents: list[np.ndarray]) -> None:
    """Context weights at their bound, so that every clipping of the context model is reached."""
    for name, values in theta.items():
        if name.startswith("arm"):
            values[:] = np.where(values < 0, -64, 64)
    for k, grid in enumerate(latents):
        grid.flat[:: 3 + k] = 65536 if k % 2 else -65536


def _all_32(theta: dict[str, np.ndarray], latents: list[np.ndarray]) -> None:
    for values in (*theta.values(), *latents):
        values[:] = 0
    for grid in latents:
        grid[:] = -32


TINY = {"levels": 1, "spatial_context": 0, "coarse_context": 0, "arm_features": 1,
        "synthesis_features": 1, "taps": 0}  # fmt: skip
SMALL = {"levels": 4, "arm_features": 6, "synthesis_features": 6}

GOOD = {
    "smallest": Good("1x1 grey, every option at its lowest", (1, 1, 1), TINY),
    "one_row": Good("a single row; grids narrower than the context", (1, 37, 3), SMALL),
    "one_column": Good("a single column; empty diagonals", (41, 1, 3), SMALL),
    "odd_size": Good("odd sizes, all options at their default", (23, 17, 3), {}),
    "prime_size": Good("prime sizes over all levels that fit", (31, 37, 3), {"levels": 6}),
    "grey": Good("one channel", (19, 26, 1), SMALL),
    "grey_alpha": Good("two channels", (18, 15, 2), SMALL),
    "rgba": Good("four channels", (15, 21, 4), SMALL),
    "grey_16_bit": Good("16-bit grey", (21, 18, 1), SMALL, depth=16),
    "rgb_16_bit": Good("16-bit RGB", (14, 23, 3), SMALL, depth=16),
    "one_bit_grey": Good("1-bit samples", (24, 25, 1), SMALL, depth=1),
    "rgb_12_bit": Good("12-bit samples in 16-bit words", (16, 13, 3), SMALL, depth=12),
    "metadata": Good("ICC, EXIF and XMP sections", (9, 12, 3), SMALL, metadata=METADATA),
    "unknown_sections": Good(
        "minor version 7, two unknown ancillary sections, one of them empty",
        (8, 9, 3), SMALL, extra=(Section(200, b"from the future"), Section(255, b"")), minor=7,
    ),
    "first_level_2": Good("no latents finer than 4 pixels", (37, 43, 3),
                          SMALL | {"first_level": 2}),
    "highest_levels": Good("9 levels from the 8th on", (2, 700, 3),
                           SMALL | {"first_level": 8, "levels": 9}),
    "levels_1": Good("a single level: no coarser values", (20, 16, 3), SMALL | {"levels": 1}),
    "levels_9": Good("more levels than the image has sizes", (10, 11, 3), SMALL | {"levels": 9}),
    "no_taps": Good("no tap layer, so no syn.taps group", (22, 19, 3), SMALL | {"taps": 0}),
    "one_tap": Good("one tap layer, without ReLU", (19, 22, 3), SMALL | {"taps": 1}),
    "no_context": Good("neither spatial nor coarse context", (17, 18, 3),
                       SMALL | {"spatial_context": 0, "coarse_context": 0}),
    "full_context": Good("22 neighbours and 9 coarser values", (26, 21, 3),
                         SMALL | {"spatial_context": 22, "coarse_context": 9}),
    "coarse_context_only": Good("coarser values alone: any order of coding would do", (16, 20, 3),
                                SMALL | {"spatial_context": 0, "coarse_context": 9}),
    "slope_1": Good("one neighbour: slope 1", (16, 20, 3),
                    SMALL | {"spatial_context": 1, "coarse_context": 1}),
    "slope_2": Good("four neighbours: slope 2", (20, 16, 3), SMALL | {"spatial_context": 4}),
    "wide_networks": Good("both networks 64 wide", (12, 14, 3),
                          {"arm_features": 64, "synthesis_features": 64}, weights=16, exponent=6),
    "escaped_latents": Good("latents far beyond the table", (15, 14, 3), SMALL, spread=60_000),
    "escaped_weights": Good(
        "single weights far from the others: escapes in groups", (13, 16, 3), SMALL, weights=3,
        exponent=12,
        change=_set(("arm.w2", 9000), ("syn.w1", 4000), ("syn.w2", 3000), ("syn.taps0", -5000)),
    ),
    "low_bits": Good("finely quantized weights with raw low bits", (14, 13, 3), SMALL,
                     weights=6000, exponent=12),
    "extreme_context": Good("every clipping of the context model is reached", (11, 12, 3), SMALL,
                            exponent=0, change=_extreme, expose=False),
    "all_escapes": Good("every latent at the edge of the table: a stream of kept zeros",
                        (12, 12, 1), TINY, change=_all_32, expose=False),
}  # fmt: skip


def picture(height: int, width: int, channels: int) -> Signal:
    """A picture by formula: a ramp, a disc and stripes that grow finer."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    disc = (x - 0.4) ** 2 + (y - 0.3) ** 2 < 0.04
    planes = [0.2 + 0.6 * x, 0.3 + 0.5 * y, 0.5 + 0.3 * np.sin(40 * x * (1 + y))][:channels]
    samples = np.stack([np.where(disc, 1 - plane, plane) for plane in planes], axis=-1)
    return Signal(np.rint(samples * 255).astype(np.uint8))


def fitted(height: int, width: int, channels: int, lmbda: float) -> bytes:
    from inrcodec.fit import EncodeOptions

    options = EncodeOptions(lmbda=lmbda, effort=1, engine="reference", device="cpu")
    return codec.encode(picture(height, width, channels), options).data


FITTED = {
    "fitted_rgb": ("a really fitted picture, RGB", lambda: fitted(48, 64, 3, 1e-3)),
    "fitted_grey": ("a really fitted picture, grey, high quality", lambda: fitted(33, 47, 1, 1e-4)),
}
