"""Levels of Experts: which network fits a signal, and how it begins."""

from __future__ import annotations

import numpy as np

from inrcodec.activations import FIRST, HIDDEN, LAST
from inrcodec.activations.sine import Sine
from inrcodec.fields.loe import LoeConfig, LoeField
from inrcodec.fit import EncodeOptions
from inrcodec.fit.mlp import RATED_WIDTH, first_boost_of
from inrcodec.fit.network import NetworkStart, config_with, fit_network
from inrcodec.fit.presets import preset
from inrcodec.fit.sizes import with_width
from inrcodec.fit.targets import shape_of
from inrcodec.signal import AnySignal

# Of weights before folding, at a width of 28: of 0.5, 1, 2 and 4e-3 the best in 900 steps on 144x96
# pixels of Kodak 20 at lambda 1e-4.
LEARNING_RATE = 4e-3
# Times the weights of the rule for all networks: a sample uses one candidate of each layer
# (results/design/network_widths.tsv).
WEIGHTS = 2.0
OPTIONS = ("hidden_features", "hidden_layers", "tile", "coarsest_level", "fine_to_coarse")


def fit(signal: AnySignal, options: EncodeOptions) -> LoeField:
    """The network of a signal."""
    return fit_network(signal, start_of(signal, options), preset(options.effort), options)


def start_of(signal: AnySignal, options: EncodeOptions) -> NetworkStart:
    """The network for a signal, and where its fit begins.

    Raises:
        BadOption: an option that the network does not have, or a value out of range.
    """
    config = config_with(LoeConfig(), dict(options.network), OPTIONS)
    shape, out_features = shape_of(signal)
    if "hidden_features" not in options.network:
        config = with_width(LoeField, config, signal, options, WEIGHTS)
    first_boost = first_boost_of(Sine, signal)
    return initial(config, (len(shape), out_features), first_boost, options.seed)


def initial(
    config: LoeConfig, features: tuple[int, int], first_boost: float, seed: int
) -> NetworkStart:
    """Every candidate drawn as a layer of a SIREN of its own, and folded with its boost.

    That is our choice: see `fields.loe`.
    """
    rng, sine = np.random.default_rng(seed), Sine()
    rate = LEARNING_RATE * RATED_WIDTH / max(RATED_WIDTH, config.hidden_features)
    last = len(config.levels)
    theta, speeds = {}, {}
    for name, (group, shape) in LoeField.layout(config, *features).items():
        if group == "bias":
            continue
        i = int(group.removeprefix("weight"))
        layer = LAST if i == last else HIDDEN if i else FIRST
        boost = {FIRST: first_boost, HIDDEN: sine.boost, LAST: 1.0}[layer]
        others = sine.boost if layer == FIRST else boost  # as in `fit.mlp`
        weight, bias = sine.initial(rng, shape, layer, sine.boost)
        theta |= {name: boost * weight, f"bias{i}": others * bias}
        speeds |= {name: others * rate, f"bias{i}": others * rate}
    return NetworkStart(LoeField, config, theta, speeds)
