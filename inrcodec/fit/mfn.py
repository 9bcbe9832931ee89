"""Multiplicative filter networks: which one fits a signal, and how it begins."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from inrcodec.activations import uniform
from inrcodec.errors import BadOption
from inrcodec.fields.mfn import BACON, FILTERS, FOURIER, GABOR, MfnConfig, MfnField
from inrcodec.fit import EncodeOptions
from inrcodec.fit.mlp import RATED_WIDTH
from inrcodec.fit.network import NetworkStart, config_with, fit_network
from inrcodec.fit.presets import preset
from inrcodec.fit.sizes import with_width
from inrcodec.fit.targets import shape_of
from inrcodec.kernels.network import Samples
from inrcodec.signal import AnySignal

# Shares of the band limit that BACON's filters have, and layers with an output (the authors'
# experiments/train_img.py). At other depths: equal shares, and an output after every layer.
BACON_SHARES = (1 / 8, 1 / 8, 1 / 4, 1 / 4, 1 / 4)
BACON_OUTPUT_LAYERS = (1, 2, 4)
HIDDEN_LAYERS = {BACON: 4, FOURIER: 3, GABOR: 3}
# For 256 features sources have 5e-3 (BACON's paper) and 1e-2 (the authors' image_rep.py). At 24 and
# 900 steps these are 3.9, 4.3 and 1.8 dB better, on 144x96 pixels of Kodak 20 at lambda 1e-4. They
# fall with width like those of `fit.mlp`, which leads back to about the sources'.
LEARNING_RATES = {BACON: 0.15, FOURIER: 0.3, GABOR: 0.03}
# Times the weights of the rule for all networks: products of few sines have few frequencies
# (results/design/network_widths.tsv).
WEIGHTS = {BACON: 6.0, FOURIER: 4.0, GABOR: 4.0}
GAMMA_SHAPE = 6.0  # of the distribution of gamma, over the number of filters (mfn/mfn.py, alpha)


def fit(signal: AnySignal, options: EncodeOptions) -> MfnField:
    """The network of a signal."""
    return fit_network(signal, start_of(signal, options), preset(options.effort), options)


def start_of(signal: AnySignal, options: EncodeOptions) -> NetworkStart:
    """The network for a signal, and where its fit begins.

    Raises:
        BadOption: an option that the network does not have, or a value out of range.
    """
    # The family's own name means the plain one.
    filters = FILTERS.index(options.field) if options.field in FILTERS else FOURIER
    shape, out_features = shape_of(signal)
    wanted = dict(options.network)
    # The source has 256 for 256 samples along an axis of [-1, 1].
    scale = wanted.pop("input_scale", float(max(shape))) if filters != BACON else 0.0
    plain = MfnConfig(filters, hidden_layers=HIDDEN_LAYERS[filters])
    config = config_with(plain, wanted, ("hidden_features", "hidden_layers"))
    if filters == BACON:
        config = replace(config, early_outputs=early_outputs(config))
    elif not 0 < scale < math.inf:
        raise BadOption(f"input_scale is {scale}, expected a positive number")
    if "hidden_features" not in wanted:
        config = with_width(MfnField, config, signal, options, WEIGHTS[filters])
    return initial(config, shape, out_features, scale, options.seed)


def initial(
    config: MfnConfig, shape: tuple[int, ...], out_features: int, input_scale: float, seed: int
) -> NetworkStart:
    """Parameters drawn as the sources do, for each layer: filter, matrix, output.

    Args:
        config: the network.
        shape: samples along each axis, slowest first.
        out_features: channels.
        input_scale: largest frequency of a filter in radians times root(filters) times
            root(axes), where they are not BACON's.
        seed: of all randomness.
    """
    rng = np.random.default_rng(seed)
    features = len(shape), out_features
    width, bound = config.hidden_features, 1 / math.sqrt(config.hidden_features)
    matrix_bound = math.sqrt(6) * bound if config.filters == BACON else bound
    theta: dict[str, np.ndarray] = {}
    for i in range(config.hidden_layers + 1):
        if config.filters == BACON:
            limits = band_limits(config, shape)[i]
            theta[f"frequency{i}"] = np.stack(
                [rng.integers(-limit, limit + 1, width).astype(float) for limit in limits], axis=1
            )
        else:
            theta |= learned_filter(rng, config, len(shape), i, input_scale)
        theta[f"phase{i}"] = uniform(rng, (width,), math.pi)
        if i:
            theta[f"weight{i}"] = uniform(rng, (width, width), matrix_bound)
            theta[f"bias{i}"] = uniform(rng, (width,), bound)
        if i in config.output_layers:
            theta[f"output{i}"] = uniform(rng, (out_features, width), matrix_bound)
            theta[f"offset{i}"] = uniform(rng, (out_features,), bound)
    frozen = config.filters == BACON
    rate = LEARNING_RATES[config.filters] * RATED_WIDTH / max(RATED_WIDTH, width)
    speeds = {
        name: 0.0 if frozen and name.startswith("frequency") else rate
        for name in MfnField.layout(config, *features)
    }
    scales = len(config.output_layers)
    return NetworkStart(
        MfnField,
        config,
        theta,
        speeds,
        targets=lambda samples: tuple(for_all_outputs(part, scales) for part in samples),
        function=MfnField.all_outputs,
    )


def learned_filter(
    rng: np.random.Generator, config: MfnConfig, in_features: int, i: int, input_scale: float
) -> dict[str, np.ndarray]:
    """Filter i but for its phase, as the authors' mfn/mfn.py draws it.

    Frequencies are those of torch's `nn.Linear`, U(+-1/sqrt(inputs)), times input_scale over
    sqrt(filters), and in Gabor filters times sqrt(gamma): a narrow window has a high frequency.
    """
    width, filters = config.hidden_features, config.hidden_layers + 1
    factor = input_scale / math.sqrt(filters)
    frequency = factor * uniform(rng, (width, in_features), 1 / math.sqrt(in_features))
    if config.filters != GABOR:
        return {f"frequency{i}": frequency}
    centre = uniform(rng, (width, in_features), 1.0)
    gamma = rng.gamma(GAMMA_SHAPE / filters, 1.0, width)
    return {
        f"frequency{i}": frequency * np.sqrt(gamma)[:, None],
        f"centre{i}": centre,
        f"gamma{i}": gamma,
    }


def band_limits(config: MfnConfig, shape: tuple[int, ...]) -> list[list[int]]:
    """For each of BACON's filters the most cycles over the extent of each axis, the fastest first.

    All filters together reach half a cycle per sample.
    """
    layers = config.hidden_layers + 1
    paper = layers == len(BACON_SHARES)
    shares = BACON_SHARES if paper else [1 / layers] * layers
    return [[round(n * share / 2) for n in reversed(shape)] for share in shares]


def early_outputs(config: MfnConfig) -> int:
    """The bits of the layers before the last that BACON has an output after."""
    paper = config.hidden_layers + 1 == len(BACON_SHARES)
    layers = BACON_OUTPUT_LAYERS if paper else range(1, config.hidden_layers + 1)
    return sum(1 << (i - 1) for i in layers if i < config.hidden_layers)


def for_all_outputs(part: Samples, scales: int) -> Samples:
    """The same target for every output of each channel."""
    channels = slice(part.channels.start * scales, part.channels.stop * scales)
    return replace(part, target=np.repeat(part.target, scales, axis=0), channels=channels)
