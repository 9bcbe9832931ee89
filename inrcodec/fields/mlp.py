"""Coordinate networks: an encoding, layers of one width with one activation, a linear layer.

```
coords ──encoding──► features ──(affine, activation) x (hidden_layers + 1)──► affine ──► values
```

The weights are the file (COIN, Dupont et al., arXiv 2103.03123). Which encodings and activations
there are is known to their rooms; `siren`, `ffn` and so on are names of combinations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from dataclasses import field as attribute
from typing import Any, ClassVar

from inrcodec import registry
from inrcodec.activations import FIRST, HIDDEN, LAST, Activation
from inrcodec.encodings import Encoding
from inrcodec.entropy.parameters import Layout
from inrcodec.errors import BadOption
from inrcodec.fields import Variant
from inrcodec.fields.network import NetworkField
from inrcodec.registry import register

# Of every network; those of its activation and encoding come beside them.
OPTIONS = (
    "activation", "encoding", "hidden_features", "hidden_layers", "omega_0", "first_omega_0",
)  # fmt: skip


@dataclass(frozen=True)
class MlpConfig:
    """Shape of a coordinate network. All of it is in the header.

    Args:
        activation, encoding: with their own options.
        hidden_features: width; of complex activations the number of complex features.
        hidden_layers: square matrices; the network has two affine layers more.
    """

    activation: Activation = attribute(metadata={"room": "activations"})
    encoding: Encoding = attribute(metadata={"room": "encodings"})
    hidden_features: int = attribute(default=28, metadata={"range": (1, 1024)})
    hidden_layers: int = attribute(default=3, metadata={"range": (0, 15)})

    @property
    def layers(self) -> list[str]:
        """What each affine layer is: FIRST, HIDDEN, LAST."""
        return [FIRST, *[HIDDEN] * self.hidden_layers, LAST]


@register("fields", "mlp", id=2)
class MlpField(NetworkField):
    """Layers of one width behind an encoding: what the literature calls an INR."""

    config_class: ClassVar[type] = MlpConfig
    fit_module: ClassVar[str] = "inrcodec.fit.mlp"

    @classmethod
    def layout(cls, config: MlpConfig, in_features: int, out_features: int) -> Layout:
        """Parameters of the encoding, then weight and bias of every layer; biases are one group."""
        layout = config.encoding.layout(in_features)
        width, parts = config.hidden_features, config.activation.parts
        inputs = config.encoding.features(in_features)
        complex_ = (parts,) if parts > 1 else ()
        for i, layer in enumerate(config.layers):
            outputs = out_features if layer == LAST else width
            weight = (outputs, inputs) if layer == FIRST else (*complex_, outputs, inputs)
            bias = (*complex_, outputs) if layer == HIDDEN else (outputs,)
            layout |= {f"weight{i}": (f"weight{i}", weight), f"bias{i}": ("bias", bias)}
            inputs = width
        return layout

    @classmethod
    def macs(cls, config: MlpConfig, in_features: int, out_features: int) -> int:
        width, parts = config.hidden_features, config.activation.parts
        first = width * config.encoding.features(in_features)
        hidden = config.hidden_layers * (parts * width) ** 2
        return config.encoding.macs(in_features) + first + hidden + parts * width * out_features

    @classmethod
    def widest(cls, config: MlpConfig) -> int:
        # No encoding has more features than it has for three coordinates.
        return max(config.hidden_features * config.activation.parts, config.encoding.features(3))

    @classmethod
    def network(cls, a: Any, config: MlpConfig, theta: Mapping[str, Any], coords: Any) -> Any:
        h = config.encoding(a, theta, coords)
        for i, layer in enumerate(config.layers):
            weight, bias = theta[f"weight{i}"], theta[f"bias{i}"]
            if config.activation.parts > 1:
                weight, bias = _real(a, weight, bias, layer)
            h = a.affine(weight, bias, h)
            if layer != LAST:
                h = config.activation(a, h)
        return h

    @classmethod
    def variants(cls) -> dict[str, Variant]:
        """Activations on bare coordinates, and encodings with the activation they go with."""
        own = "any activation behind any encoding; as it is, sines of bare coordinates"
        found = {"mlp": cls._variant("mlp", own, "see `activation` and `encoding`")}
        for room in ("activations", "encodings"):
            for part in (entry.part for entry in registry.entries(room)):
                if part.field:
                    summary = part.__doc__.splitlines()[0].rstrip(".")
                    found[part.field] = cls._variant(part.field, summary, part.source)
        return found

    @classmethod
    def _variant(cls, name: str, summary: str, source: str) -> Variant:
        config = cls.config_of(name)
        own = [f.name for part in (config.activation, config.encoding) for f in fields(part)]
        return Variant(summary, source, config, tuple(dict.fromkeys([*OPTIONS, *own])))

    @classmethod
    def config_of(cls, name: str) -> MlpConfig:
        """The default config of a user's name, for a picture of 768x512 pixels."""
        encoding, activation = parts_of(name, "image")
        width = 28  # of COIN's networks, and the default of the config
        return MlpConfig(
            registry.get("activations", activation).part(),
            registry.get("encodings", encoding).part.of((512, 768), width),
            width,
        )


def parts_of(name: str, kind: str) -> tuple[str, str]:
    """(encoding, activation) that a user's name of a field stands for, of a kind of signal.

    Raises:
        BadOption: there is no such name.
    """
    if name == "mlp":
        return "identity", "sine"
    for which in ("sound_of", "field") if kind == "audio" else ("field",):
        for entry in registry.entries("activations"):
            if getattr(entry.part, which) == name:
                return "identity", entry.name
        for entry in registry.entries("encodings"):
            if getattr(entry.part, which) == name:
                return entry.name, entry.part.activation
    raise BadOption(f"there is no field {name!r}; see `inrcodec fields`")


def _real(a: Any, weight: Any, bias: Any, layer: str) -> tuple[Any, Any]:
    """A complex layer as a real one of the real parts over the imaginary ones.

    Inputs of the first layer are real, of the last layer only the real part is asked for.
    """
    if layer == FIRST:
        return a.concatenate([weight, weight * 0.0]), a.concatenate([bias, bias * 0.0])
    real, imaginary = weight[0], weight[1]
    top = a.beside([real, -imaginary])
    if layer == LAST:
        return top, bias
    return a.concatenate([top, a.beside([imaginary, real])]), a.concatenate([bias[0], bias[1]])
