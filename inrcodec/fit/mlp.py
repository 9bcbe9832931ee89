"""Multilayer perceptrons: which one fits a signal, by name, options and rate, and how it begins."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from numbers import Real
from typing import Any, TypeVar

import numpy as np

from inrcodec import registry
from inrcodec.activations import FIRST, HIDDEN, LAST
from inrcodec.activations.sine import SineLike
from inrcodec.errors import BadOption
from inrcodec.fields.mlp import MlpConfig, MlpField, parts_of
from inrcodec.fit import EncodeOptions
from inrcodec.fit.network import NetworkStart, config_with, fit_network
from inrcodec.fit.presets import preset
from inrcodec.fit.sizes import weights_for
from inrcodec.fit.targets import shape_of
from inrcodec.signal import AnySignal, AudioSignal

# Of SIREN for sound: coordinates would span [-100, 100] (the authors' code).
SOUND_FIRST_BOOST = 3000.0


Part = TypeVar("Part")

# Learning rates are the activation's for this width and depth, and fall with both: wider or deeper
# networks collapse at them (results/design/network_sizes.tsv).
RATED_WIDTH, RATED_DEPTH = 28, 3
TABLE_RATE = 1e-2  # of parameters of encodings

# Layers are added at this width until there are so many, then again at the widest.
NARROWEST, MANY, WIDEST = 22, 6, 56


def fit(signal: AnySignal, options: EncodeOptions) -> MlpField:
    """The network of a signal, of a size chosen for the rate unless it was given."""
    return fit_network(signal, start_of(signal, options), preset(options.effort), options)


def start_of(signal: AnySignal, options: EncodeOptions) -> NetworkStart:
    """The network for a signal, and where its fit begins.

    Raises:
        BadOption: an unknown name, or an option that the network does not have.
    """
    wanted = dict(options.network)
    encoding_name, activation_name = parts_of(options.field, signal.kind)
    activation_class = registry.get("activations", wanted.pop("activation", activation_name)).part
    encoding_class = registry.get("encodings", wanted.pop("encoding", encoding_name)).part
    width, depth = wanted.pop("hidden_features", None), wanted.pop("hidden_layers", None)
    if width is None or depth is None:
        found = size_for(signal, options)
        width = found[0] if width is None else width
        depth = found[1] if depth is None else depth
    boost = _positive("omega_0", wanted.pop("omega_0", activation_class.boost))
    sound = isinstance(signal, AudioSignal) and issubclass(activation_class, SineLike)
    own = activation_class.first_boost if "omega_0" not in options.network else None
    default = SOUND_FIRST_BOOST if sound else own or boost
    first_boost = _positive("first_omega_0", wanted.pop("first_omega_0", default))
    shape, out_features = shape_of(signal)
    size = config_with(
        MlpConfig(activation_class(), encoding_class()),
        {"hidden_features": width, "hidden_layers": depth},
        ("hidden_features", "hidden_layers"),
    )
    activation = _with_options(activation_class(), wanted)
    encoding = _with_options(encoding_class.of(shape, size.hidden_features), wanted)
    if wanted:
        raise BadOption(
            f"{options.field} has no option {', '.join(wanted)}; it has "
            + ", ".join(option_names(activation, encoding))
        )
    config = replace(size, activation=activation, encoding=encoding)
    boosts = {FIRST: first_boost, HIDDEN: boost, LAST: 1.0}
    return initial(config, (len(shape), out_features), boosts, options.seed)


def initial(
    config: MlpConfig, features: tuple[int, int], boosts: dict[str, float], seed: int
) -> NetworkStart:
    """Weights drawn as the activation's source says, folded with the boost of their layer."""
    rng = np.random.default_rng(seed)
    layout = MlpField.layout(config, *features)
    theta = config.encoding.initial(rng, features[0])
    frozen = config.encoding.frozen()
    speeds = {name: 0.0 if name in frozen else TABLE_RATE for name in theta}
    rate = config.activation.learning_rate
    rate *= RATED_WIDTH / max(RATED_WIDTH, config.hidden_features)
    rate *= RATED_DEPTH / max(RATED_DEPTH, config.hidden_layers)
    for i, layer in enumerate(config.layers):
        shape = layout[f"weight{i}"][1]
        weight, bias = config.activation.initial(rng, shape, layer, boosts[HIDDEN])
        # A first layer's own boost stretches the coordinates: phases, and how fast they may turn,
        # stay those of any layer.
        others = boosts[HIDDEN] if layer == FIRST else boosts[layer]
        theta |= {f"weight{i}": boosts[layer] * weight, f"bias{i}": others * bias}
        speeds |= {f"weight{i}": others * rate, f"bias{i}": others * rate}
    return NetworkStart(MlpField, config, theta, speeds)


def _positive(name: str, value: float) -> float:
    if not isinstance(value, Real) or not 0 < value < math.inf:
        raise BadOption(f"{name} is {value!r}, expected a positive number")
    return float(value)


def option_names(*parts: Any) -> list[str]:
    """Names of options of a network with these parts."""
    own = ["activation", "encoding", "hidden_features", "hidden_layers", "omega_0", "first_omega_0"]
    return own + [f.name for part in parts for f in fields(part)]


def _with_options(part: Part, wanted: dict[str, Any]) -> Part:
    """A part with those of its options that are wanted; they are taken out of `wanted`."""
    mine = {f.name: wanted.pop(f.name) for f in fields(part) if f.name in wanted}
    return config_with(part, mine, list(mine))


def size_for(signal: AnySignal, options: EncodeOptions) -> tuple[int, int]:
    """(hidden_features, hidden_layers) whose file is as large as the rate at lambda asks for.

    Six square layers are 7% better than three at equal steps on half-size Kodak pictures
    (results/design/network_sizes.tsv), where they are some 30 wide; narrow ones are better shallow.
    Depth grows further before width passes 56.
    """
    weights = weights_for(signal, options)
    shallow = min(MANY, max(2, int(weights / NARROWEST**2)))
    depth = min(15, max(shallow, math.ceil(weights / WIDEST**2)))
    return min(1024, max(4, round(math.sqrt(weights / depth)))), depth
