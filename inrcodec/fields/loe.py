"""Levels of Experts: a sine network whose weights depend on the position.

```
h_0 = x,   h_{i+1} = sin(W_i[tile_i(x)] h_i + b_i),   y = V h + c
tile_i(x) = floor((x + 1)/2 * 2**level_i) mod tile, along each axis
```

Every layer but the last has `tile` ** axes candidate weight matrices, laid over the signal like
tiles that repeat; the cells of different layers have different sizes (Hao et al., "Implicit Neural
Representations with Levels-of-Experts", NeurIPS 2022). The tile rule, floor(alpha x + beta) mod
tile, and the bias that all candidates share are those of the snippet that the authors gave on
OpenReview, as others quote it; their code is not public. Ours by choice: the sine, levels that are
one apart, cells that begin at the border of the signal, and a last layer without tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from dataclasses import field as attribute
from typing import Any, ClassVar

from inrcodec.entropy.parameters import Layout
from inrcodec.fields import Variant
from inrcodec.fields.network import NetworkField
from inrcodec.registry import register


@dataclass(frozen=True)
class LoeConfig:
    """Shape of a Levels-of-Experts network. All of it is in the header.

    Args:
        hidden_features: width.
        hidden_layers: square layers; with the first one they have tiles.
        tile: candidates along each axis.
        coarsest_level: the largest cells are 2 to this along each axis.
        fine_to_coarse: 1 where the first layer has the smallest cells, 0 where it has the largest.
    """

    hidden_features: int = attribute(default=28, metadata={"range": (1, 1024)})
    hidden_layers: int = attribute(default=3, metadata={"range": (0, 15)})
    tile: int = attribute(default=2, metadata={"range": (1, 4)})
    coarsest_level: int = attribute(default=1, metadata={"range": (0, 15)})
    fine_to_coarse: int = attribute(default=1, metadata={"range": (0, 1)})

    @property
    def levels(self) -> list[int]:
        """Of each tiled layer, the first one first."""
        levels = range(self.coarsest_level, self.coarsest_level + self.hidden_layers + 1)
        return list(reversed(levels) if self.fine_to_coarse else levels)


@register("fields", "loe", id=4)
class LoeField(NetworkField):
    """A sine network with position-dependent weights: Levels of Experts."""

    config_class: ClassVar[type] = LoeConfig
    fit_module: ClassVar[str] = "inrcodec.fit.loe"

    @classmethod
    def variants(cls) -> dict[str, Variant]:
        summary = "sines whose weights depend on the position: levels of experts"
        source = "Levels-of-Experts, Hao et al., NeurIPS 2022"
        options = tuple(f.name for f in fields(LoeConfig))
        return {"loe": Variant(summary, source, LoeConfig(), options)}

    @classmethod
    def layout(cls, config: LoeConfig, in_features: int, out_features: int) -> Layout:
        """All candidates of a layer share a group; biases are one."""
        layout: dict[str, tuple[str, tuple[int, ...]]] = {}
        width, inputs = config.hidden_features, in_features
        for i in range(len(config.levels)):
            for tile in range(config.tile**in_features):
                layout[f"weight{i}.{tile}"] = (f"weight{i}", (width, inputs))
            layout[f"bias{i}"] = ("bias", (width,))
            inputs = width
        last = len(config.levels)
        layout[f"weight{last}"] = (f"weight{last}", (out_features, width))
        layout[f"bias{last}"] = ("bias", (out_features,))
        return layout

    @classmethod
    def macs(cls, config: LoeConfig, in_features: int, out_features: int) -> int:
        """With all candidates, of which a sample uses one: they are computed and then selected."""
        width = config.hidden_features
        matrices = width * in_features + config.hidden_layers * width**2
        return config.tile**in_features * matrices + width * out_features

    @classmethod
    def widest(cls, config: LoeConfig) -> int:
        return config.hidden_features

    @classmethod
    def network(cls, a: Any, config: LoeConfig, theta: Mapping[str, Any], coords: Any) -> Any:
        h, dimensions = coords, len(coords)
        for i, level in enumerate(config.levels):
            chosen = tile_numbers(a, coords, level, config.tile)
            bias, mixed = theta[f"bias{i}"], None
            for tile in range(config.tile**dimensions):
                candidate = a.affine(theta[f"weight{i}.{tile}"], bias, h)
                mixed = candidate if mixed is None else a.where(chosen == tile, candidate, mixed)
            h = a.sin(mixed)
        last = len(config.levels)
        return a.affine(theta[f"weight{last}"], theta[f"bias{last}"], h)


def tile_numbers(a: Any, coords: Any, level: int, tile: int) -> Any:
    """[samples] int64: which candidate a layer uses; along x it changes fastest.

    Args:
        a: arithmetic.
        coords: [in_features, samples] on [-1, 1].
        level: cells along each axis are 2 to this.
        tile: candidates along each axis.
    """
    # Exact but for the sum: a border between cells is a multiple of a power of two.
    cells = a.integers(a.floor((coords + 1.0) * (0.5 * 2**level))) % tile
    number = cells[-1]
    for d in range(len(coords) - 2, -1, -1):
        number = number * tile + cells[d]
    return number
