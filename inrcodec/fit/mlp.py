"""Multilayer perceptrons: which one fits a signal, by name, options and rate, and how it begins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from numbers import Real
from typing import Any, TypeVar

import numpy as np

from inrcodec import registry
from inrcodec.activations import FIRST, HIDDEN, LAST, Activation
from inrcodec.activations.sine import SineLike
from inrcodec.encodings import Encoding
from inrcodec.errors import BadOption
from inrcodec.fields.mlp import OPTIONS, MlpConfig, MlpField, parts_of
from inrcodec.fit import EncodeOptions
from inrcodec.fit.network import NetworkStart, config_with, fit_network
from inrcodec.fit.presets import preset
from inrcodec.fit.sizes import WIDTHS, most_macs, weights_for, width_for
from inrcodec.fit.targets import shape_of
from inrcodec.signal import AnySignal, AudioSignal, VideoSignal

# Of SIREN for seven seconds of sound: coordinates would span [-100, 100] (the authors' code).
# Shorter ones need as much less to reach the same pitch (results/design/sound_boost.tsv).
SOUND_FIRST_BOOST, BOOSTED_SECONDS = 3000.0, 7.0
# Of a clip's first layer over that of a picture's: the same frequencies are too high for the fewer
# samples to each axis, and for its many layers to get hold of (results/design/video_boost.tsv).
CLIP_FIRST_BOOST = 0.5

Part = TypeVar("Part")

# Learning rates are the activation's for this width and depth, and fall with both: wider or deeper
# networks collapse at them (results/design/network_sizes.tsv).
RATED_WIDTH, RATED_DEPTH = 28, 3
TABLE_RATE = 1e-2  # of parameters of encodings

# Layers are added at this width until there are so many, then again at the widest.
NARROWEST, MANY, WIDEST = 22, 6, 56
MOST_BOOST = 1e6  # beyond this float32 has no phase left
MOST_LAYERS = 15  # that the format takes
# Weights of square layers are counted; with the others, above all a first layer behind an encoding,
# there may be so many times as many (results/design/counted_weights.tsv).
LEEWAY = 2.5


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
    size = wanted.pop("hidden_features", None), wanted.pop("hidden_layers", None)
    config = sized(signal, options, activation_class, encoding_class, *size)
    omega_0 = wanted.get("omega_0")
    if "omega_0" not in {f.name for f in fields(activation_class)}:
        wanted.pop("omega_0", None)
    activation = _with_options(activation_class(), wanted)
    boost = activation_class.boost
    if omega_0 is not None:
        boost = activation.boost_of(_positive("omega_0", omega_0))
    first = boost
    if encoding_name == "identity":
        first = first_boost_of(activation_class, signal, boost if omega_0 is not None else None)
    first_boost = _positive("first_omega_0", wanted.pop("first_omega_0", first))
    encoding = _with_options(config.encoding, wanted)
    if wanted:
        own = (f.name for part in (activation, encoding) for f in fields(part))
        raise BadOption(
            f"{options.field} has no option {', '.join(wanted)}; it has "
            + ", ".join([*OPTIONS, *own])
        )
    config = replace(config, activation=activation, encoding=encoding)
    boosts = {FIRST: first_boost, HIDDEN: boost, LAST: 1.0}
    shape, out_features = shape_of(signal)
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
    # Features of an encoding are of the size of hidden ones: sines begin behind them as they do
    # behind sines (TUNER's code), where a first layer's weights are those of coordinates.
    encoded = config.encoding.features(features[0]) != features[0]
    behind = encoded and isinstance(config.activation, SineLike)
    for i, layer in enumerate(config.layers):
        shape = layout[f"weight{i}"][1]
        role = HIDDEN if behind and layer == FIRST else layer
        weight, bias = config.activation.initial(rng, shape, role, boosts[HIDDEN])
        # A first layer's own boost stretches the coordinates: phases, and how fast they may turn,
        # stay those of any layer.
        others = boosts[HIDDEN] if layer == FIRST else boosts[layer]
        theta |= {f"weight{i}": boosts[layer] * weight, f"bias{i}": others * bias}
        speeds |= {f"weight{i}": others * rate, f"bias{i}": others * rate}
    settled = partial(within_half_a_turn, config)
    return NetworkStart(MlpField, config, theta, speeds, settled=settled)


def within_half_a_turn(config: MlpConfig, theta: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters of the same function with phases as small as they can be.

    sin(x + k pi) is sin(x) or its negative, which the weights behind it can take in: fitted phases
    span several turns, and half a turn is two bits less for each. No other activation turns.
    """
    turned, half_turn = dict(theta), config.activation.half_turn
    if half_turn is None:
        return turned
    for i in range(len(config.layers) - 1):
        halves = np.rint(theta[f"bias{i}"] / half_turn)
        turned[f"bias{i}"] = theta[f"bias{i}"] - half_turn * halves
        turned[f"weight{i + 1}"] = theta[f"weight{i + 1}"] * (1 - 2 * (halves % 2))
    return turned


def _positive(name: str, value: float) -> float:
    if not isinstance(value, Real) or not 0 < value <= MOST_BOOST:
        raise BadOption(f"{name} is {value!r}, expected more than 0 and at most {MOST_BOOST:g}")
    return float(value)


def first_boost_of(
    activation: type[Activation], signal: AnySignal, wanted: float | None = None
) -> float:
    """Boost of a layer that coordinates of a signal go into.

    Args:
        activation, signal: what of.
        wanted: that of all layers, by the user's will; of sines of a sound it is too low.
    """
    sines = issubclass(activation, SineLike)
    if sines and isinstance(signal, AudioSignal):
        seconds = signal.frames / signal.rate_hz
        return max(SineLike.boost, SOUND_FIRST_BOOST * seconds / BOOSTED_SECONDS)
    if wanted is not None:
        return wanted
    own = activation.first_boost or activation.boost
    return own * CLIP_FIRST_BOOST if sines and isinstance(signal, VideoSignal) else own


def _with_options(part: Part, wanted: dict[str, Any]) -> Part:
    """A part with those of its options that are wanted; they are taken out of `wanted`."""
    mine = {f.name: wanted.pop(f.name) for f in fields(part) if f.name in wanted}
    return config_with(part, mine, list(mine))


def sized(
    signal: AnySignal,
    options: EncodeOptions,
    activation: type[Activation],
    encoding: type[Encoding],
    width: int | None,
    depth: int | None,
) -> MlpConfig:
    """The network of these parts with as many weights in square layers as the rate asks for.

    Six square layers are 7% better than three at equal steps on half-size Kodak pictures
    (results/design/network_sizes.tsv), where they are some 30 wide; narrow ones are better shallow.
    Depth grows further before width passes 56.

    Args:
        signal, options: what is fitted.
        activation, encoding: what the network consists of.
        width, depth: hidden features and layers where they are given; the other one follows.

    Raises:
        BadOption: one of them is out of range.
    """
    given = {"hidden_features": width, "hidden_layers": depth}
    given = {name: value for name, value in given.items() if value is not None}
    config_with(MlpConfig(activation(), encoding()), given, tuple(given))
    shape, out_features = shape_of(signal)
    features = len(shape), out_features
    weights = weights_for(signal, options)
    squares = weights * (1 - encoding.share) / activation.parts
    if depth is None:
        depth = encoding.hidden_layers
    if depth is None and width is None:
        shallow = min(MANY, max(2, int(squares / NARROWEST**2)))
        depth = min(MOST_LAYERS, max(shallow, math.ceil(squares / WIDEST**2)))
    elif depth is None:
        depth = min(MOST_LAYERS, max(1, round(squares / width**2)))

    def config_at(hidden_features: int) -> MlpConfig:
        made = encoding.of(shape, hidden_features, weights)
        return MlpConfig(activation(), made, hidden_features, depth)

    if width is None:
        most = LEEWAY * weights, most_macs(signal, options)
        largest = width_for(MlpField, config_at, features, *most)
        width = max(WIDTHS[0], min(largest, round(math.sqrt(squares / max(1, depth)))))
    return config_at(width)
