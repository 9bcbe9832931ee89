"""The `grid` field: a pyramid of integer latents, interpolated at any coordinate, and two networks.

```
latents Z_l [h_l, w_l] ──kernel──► features [*, levels] ──synthesis──► values [*, channels]
      ▲                                                      1x1, ReLU, 1x1, then 3x3 taps whose
      └── arm: (mu, log2 b) of each integer from its           offsets are one native pixel
          causal neighbours and the coarser level
```

After Cool-Chic (Ladune et al., arXiv 2212.05458) and C3 (Kim et al., arXiv 2312.02753), made
continuous: a latent grid of level l has its sample i at native position (i + 0.5) * 2**l, and is
interpolated by a separable kernel at whatever position is asked for.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from dataclasses import field as attribute
from typing import Any, ClassVar, Self

import numpy as np

from inrcodec.bitstream.config import unpack_config
from inrcodec.bitstream.header import Header
from inrcodec.bitstream.limits import Limits
from inrcodec.bitstream.varint import pack_varint, read_varint
from inrcodec.entropy.coder import Decoder, Encoder
from inrcodec.entropy.context import Context, ContextModel
from inrcodec.entropy.escapes import EscapeQueue
from inrcodec.entropy.integers import decode_magnitudes, encode_magnitudes
from inrcodec.entropy.latents import LatentCoder
from inrcodec.entropy.parameters import ParameterPlan, decode_parameters, dequantized, read_head
from inrcodec.errors import CorruptFile
from inrcodec.fields import Variant
from inrcodec.grid import Grid
from inrcodec.kernels.decoding import decode_engine
from inrcodec.kernels.render import AxisPlan, Networks
from inrcodec.registry import register

# The causal neighbours (dy, dx) of the context model, nearest first. The order is part of the
# format. (-1, 3) is left out on purpose: it would make the wavefront a third longer.
SPATIAL_CONTEXT = (
    (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, -2), (-1, 2),
    (-2, -1), (-2, 1), (-2, -2), (-2, 2), (0, -3), (-3, 0), (-1, -3), (-3, -1),
    (-3, 1), (-3, -2), (-3, 2), (-2, -3), (-2, 3), (0, -4),
)  # fmt: skip

# Values of the next coarser level around the parent of a latent, as (y, x) directions: 0 the
# parent's own row or column, 1 towards the side on which the latent lies, -1 away from it.
COARSE_CONTEXT = (
    (0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1),
)  # fmt: skip

# Latents reach the synthesis network divided by 4, which puts its weights near 1 (tuned at equal
# steps against 1/8 and 1/2; a power of two keeps the product exact).
FEATURE_GAIN = 0.25


def _range(low: int, high: int) -> dict[str, tuple[int, int]]:
    return {"range": (low, high)}


@dataclass(frozen=True)
class GridConfig:
    """Shape of a `grid` field. All of it is in the header."""

    first_level: int = attribute(default=0, metadata=_range(0, 8))
    levels: int = attribute(default=7, metadata=_range(1, 9))
    spatial_context: int = attribute(default=12, metadata=_range(0, len(SPATIAL_CONTEXT)))
    coarse_context: int = attribute(default=5, metadata=_range(0, len(COARSE_CONTEXT)))
    arm_features: int = attribute(default=16, metadata=_range(1, 64))
    synthesis_features: int = attribute(default=16, metadata=_range(1, 64))
    taps: int = attribute(default=2, metadata=_range(0, 2))

    @property
    def in_features(self) -> int:
        """Inputs of the context model."""
        return self.spatial_context + self.coarse_context

    @property
    def context(self) -> Context:
        """Which latents the context model sees."""
        return Context(
            SPATIAL_CONTEXT[: self.spatial_context], COARSE_CONTEXT[: self.coarse_context]
        )


def level_shapes(config: GridConfig, height: int, width: int) -> list[tuple[int, int]]:
    """(height, width) of each latent grid, finest first: ceil(size / 2**level)."""
    span = range(config.first_level, config.first_level + config.levels)
    return [(-(-height >> level), -(-width >> level)) for level in span]


# Tensors of one group share a quantization step. The order is that of the payload.
GROUPS = (
    "arm.w1", "arm.w2", "arm.out", "arm.bias", "syn.w1", "syn.w2", "syn.taps", "syn.bias",
)  # fmt: skip


def groups_of(config: GridConfig) -> tuple[str, ...]:
    """The groups that a config has parameters in."""
    return tuple(g for g in GROUPS if g != "syn.taps" or config.taps)


def parameter_layout(config: GridConfig, channels: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """name -> (group, shape) of every network parameter, in the order in which they are coded."""
    n, h, s = config.in_features, config.arm_features, config.synthesis_features
    layout: dict[str, tuple[str, tuple[int, ...]]] = {
        "arm.w1": ("arm.w1", (h, n)),
        "arm.b1": ("arm.bias", (h,)),
        "arm.w2": ("arm.w2", (h, h)),
        "arm.b2": ("arm.bias", (h,)),
        "arm.w3": ("arm.out", (2, h)),
        "arm.skip": ("arm.out", (2, n)),
        "arm.b3": ("arm.bias", (2,)),
        "syn.w1": ("syn.w1", (s, config.levels)),
        "syn.b1": ("syn.bias", (s,)),
        "syn.w2": ("syn.w2", (channels, s)),
        "syn.b2": ("syn.bias", (channels,)),
    }
    for k in range(config.taps):
        layout[f"syn.taps{k}"] = ("syn.taps", (channels, channels, 3, 3))
        layout[f"syn.tapbias{k}"] = ("syn.bias", (channels,))
    return layout


def parameter_count(config: GridConfig, channels: int) -> int:
    return sum(int(np.prod(shape)) for _, shape in parameter_layout(config, channels).values())


def macs_per_sample(config: GridConfig, channels: int) -> float:
    """Multiply-adds of both networks per native sample, interpolation left out."""
    n, h, s = config.in_features, config.arm_features, config.synthesis_features
    latents = sum(
        4.0**-level for level in range(config.first_level, config.first_level + config.levels)
    )
    arm = n * h + h * h + 2 * h + 2 * n
    return latents * arm + config.levels * s + s * channels + config.taps * 9 * channels**2


@register("fields", "grid", id=1)
class GridField:
    """A `grid` field as integers: what the file holds, and what `render` needs.

    Args:
        config: its shape.
        size: (height, width, channels) of the signal.
        steps: group -> exponent e; parameters of the group are integers times 2**-e.
        theta_hat: parameter name -> int64 array.
        latents: one int32 array [h_l, w_l] per level, finest first.
    """

    config_class: ClassVar[type] = GridConfig
    fit_module: ClassVar[str] = "inrcodec.fit.grid"
    kinds: ClassVar[frozenset[str]] = frozenset({"image"})
    device = "cpu"

    def __init__(
        self,
        config: GridConfig,
        size: tuple[int, int, int],
        steps: dict[str, int],
        theta_hat: dict[str, np.ndarray],
        latents: list[np.ndarray],
    ) -> None:
        self.config = config
        self.size = size
        self.steps = steps
        self.theta_hat = theta_hat
        self.latents = latents

    def theta(self) -> dict[str, np.ndarray]:
        """name -> float64 array: the dequantized parameters, exact."""
        layout = parameter_layout(self.config, self.size[2])
        return dequantized(layout, self.theta_hat, self.steps)

    def groups(self) -> dict[str, np.ndarray]:
        """group -> int64 vector of its parameters, in layout order."""
        layout = parameter_layout(self.config, self.size[2])
        return {
            group: np.concatenate(
                [self.theta_hat[n].ravel() for n, (g, _) in layout.items() if g == group]
            )
            for group in groups_of(self.config)
        }

    def latent_coder(self) -> LatentCoder:
        """The integer context model of this field's networks."""
        layout = parameter_layout(self.config, self.size[2])
        exponents = {name: self.steps[group] for name, (group, _) in layout.items()}
        model = ContextModel(self.config.context, self.theta_hat, exponents)
        return LatentCoder(model, decode_engine(self._macs(*self.size[:2])).context)

    def _macs(self, height: int, width: int) -> float:
        return height * width * macs_per_sample(self.config, self.size[2])

    def pack(self) -> bytes:
        parameters = ParameterPlan.of(self.groups(), self.steps)
        coder = self.latent_coder()
        latents = coder.plan(self.latents)
        escapes = np.concatenate([parameters.escapes, latents[3]])

        encoder = Encoder()
        encode_magnitudes(encoder, escapes)
        parameters.encode(encoder)
        coder.encode(encoder, latents)
        return parameters.head + pack_varint(len(escapes)) + encoder.finish()

    @classmethod
    def unpack(cls, payload: bytes, header: Header, limits: Limits) -> Self:
        config = unpack_config(header.config_code, GridConfig)
        size = (header.height, header.width, header.channels)
        limits.check_params(parameter_count(config, header.channels))
        limits.check_macs(
            header.width * header.height, round(macs_per_sample(config, header.channels))
        )
        layout = parameter_layout(config, header.channels)
        shapes = level_shapes(config, header.height, header.width)
        steps, codes, offset = read_head(payload, groups_of(config))
        count, offset = read_varint(payload, offset)
        integers = sum(h * w for h, w in shapes) + parameter_count(config, header.channels)
        if count > integers:
            raise CorruptFile(f"the payload announces {count} escapes for {integers} integers")

        decoder = Decoder(payload[offset:])
        queue = EscapeQueue(decode_magnitudes(decoder, count))
        theta_hat = decode_parameters(decoder, layout, codes, queue)
        field = cls(config, size, steps, theta_hat, [])
        field.latents = field.latent_coder().decode(decoder, shapes, queue)
        return field

    def render(self, grid: Grid, fast: bool = False) -> np.ndarray:
        networks = Networks(self.theta(), self.config.taps, FEATURE_GAIN)
        dtype = np.float32 if fast else np.float64
        engine = decode_engine(self._macs(*grid.shape), self.device)
        return engine.render(
            networks, self.latents, self.config.first_level, self.size, grid, dtype
        )

    @classmethod
    def variants(cls) -> dict[str, Variant]:
        summary = "latents in a pyramid, a context model and a synthesis network: smallest files"
        source = "Cool-Chic, Ladune et al., arXiv 2212.05458; C3, Kim et al., arXiv 2312.02753"
        shape = GridConfig(0, 7, 20, 9, 24, 32, 2)
        return {"grid": Variant(summary, source, shape, ("first_level",))}

    @classmethod
    def describe(cls, header: Header) -> dict[str, int]:
        return asdict(unpack_config(header.config_code, GridConfig))

    @classmethod
    def complexity(cls, header: Header) -> dict[str, Any]:
        config = unpack_config(header.config_code, GridConfig)
        return {
            "parameters": parameter_count(config, header.channels),
            "macs_per_sample": round(macs_per_sample(config, header.channels), 1),
        }

    @classmethod
    def render_work(cls, header: Header, grid: Grid) -> tuple[int, int]:
        """Between native samples each 3x3 layer asks for positions that no other output needs."""
        config, channels = unpack_config(header.config_code, GridConfig), header.channels
        rows, columns = AxisPlan.of(grid.y, config.taps), AxisPlan.of(grid.x, config.taps)
        positions = len(rows.positions) * len(columns.positions)
        macs = positions * config.synthesis_features * (config.levels + channels)
        for y, x in zip(rows.neighbours, columns.neighbours, strict=True):
            macs += y.shape[1] * x.shape[1] * 9 * channels**2
        return positions, -(-macs // positions)
