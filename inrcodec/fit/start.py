"""Starting weights of the networks, learned from openly licensed pictures.

They are only where the encoder begins: the file holds the whole network, and the format does not
know them. `tools/learn_start` makes them, by a joint fit to a mosaic of pictures.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import resources

import numpy as np

from inrcodec.fields.grid import GridConfig, parameter_layout

LEARNED_LEVELS = 7
LEARNED_CHANNELS = 3
LEAST_RATE_BPP = 1e-9  # of an empty picture, whose expected rate is zero


def key(config: GridConfig, rate_bpp: float) -> str:
    """Name of a learned start in `start.npz`: the shape, and the rate expected of its mosaic."""
    shape = (
        config.spatial_context,
        config.coarse_context,
        config.arm_features,
        config.synthesis_features,
        config.taps,
    )
    return "-".join(map(str, shape)) + f"/{rate_bpp:.3g}"


@cache
def learned() -> dict[str, np.ndarray]:
    """name -> flat parameters of each learned start, for 7 levels and 3 channels."""
    file = resources.files("inrcodec.fit") / "start.npz"
    if not file.is_file():
        return {}
    with resources.as_file(file) as path, np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def initial_theta(config: GridConfig, target: np.ndarray, rate_bpp: float, seed: int) -> np.ndarray:
    """[parameters] float32: where a fit begins; random where nothing was learned for the config.

    Args:
        config: shape of the field; channels and number of levels may differ from those learned.
        target: [channels, height, width] the signal in [0, 1]; its mean shifts the output bias.
        rate_bpp: what the file is expected to need, >= 0; of the starts learned for the shape the
            one of the nearest rate is taken. The nearest lambda was 0.6% worse where the two
            differ (results/design/start_by_rate.tsv).
        seed: of random weights.
    """
    mean = target.mean(axis=(1, 2))
    family = key(config, 0).rsplit("/", 1)[0] + "/"
    known = [name for name in learned() if name.startswith(family)]
    if not known:
        return random_theta(config, mean, seed)
    rate = math.log(max(rate_bpp, LEAST_RATE_BPP))
    nearest = min(known, key=lambda name: abs(math.log(float(name.removeprefix(family))) - rate))
    return _fitted(learned()[nearest], config, mean)


def random_theta(config: GridConfig, mean: np.ndarray, seed: int) -> np.ndarray:
    """He-like normal weights, zero taps, the mean colour as output bias."""
    rng = np.random.default_rng(seed)
    gains = {"arm.w2": 0.5, "arm.w3": 0.1, "arm.skip": 0.0}
    parts = []
    for name, (group, shape) in parameter_layout(config, len(mean)).items():
        if name == "syn.b2":
            part = mean
        elif group in ("arm.bias", "syn.bias", "syn.taps"):
            part = np.zeros(shape)
        else:
            part = rng.normal(size=shape) * gains.get(name, 1.0) / math.sqrt(max(1, shape[-1]))
        parts.append(np.ravel(part))
    return np.concatenate(parts).astype(np.float32)


def without_mean(theta: np.ndarray, config: GridConfig, mean: np.ndarray) -> np.ndarray:
    """Learned parameters with the output bias relative to the mean colour of what they learned."""
    offset, result = 0, theta.copy()
    for name, (_, shape) in parameter_layout(config, LEARNED_CHANNELS).items():
        if name == "syn.b2":
            result[offset : offset + LEARNED_CHANNELS] -= mean
        offset += math.prod(shape)
    return result


def _fitted(theta: np.ndarray, config: GridConfig, mean: np.ndarray) -> np.ndarray:
    """A learned start cut to fewer levels and other channels."""
    channels = len(mean)
    full = GridConfig(
        0,
        LEARNED_LEVELS,
        config.spatial_context,
        config.coarse_context,
        config.arm_features,
        config.synthesis_features,
        config.taps,
    )
    offset, parts = 0, []
    for name, (_, shape) in parameter_layout(full, LEARNED_CHANNELS).items():
        values = theta[offset : offset + math.prod(shape)].reshape(shape)
        offset += values.size
        if name == "syn.w1":
            first = min(config.first_level, LEARNED_LEVELS - 1)
            columns = np.minimum(np.arange(first, first + config.levels), LEARNED_LEVELS - 1)
            values = values[:, columns]
        elif name == "syn.b2":
            values = _recoloured(values, channels) + mean
        elif name.startswith(("syn.w2", "syn.tap")):
            values = _recoloured(values, channels)
        parts.append(np.ravel(values))
    return np.concatenate(parts).astype(np.float32)


def _recoloured(values: np.ndarray, channels: int) -> np.ndarray:
    """Output weights for RGB as such for grey (their mean) and alpha (zero), on every RGB axis."""
    colours = channels - (channels in (2, 4))
    mix = np.full((1, LEARNED_CHANNELS), 1 / LEARNED_CHANNELS) if colours == 1 else np.eye(3)
    mix = np.concatenate([mix, np.zeros((channels - colours, LEARNED_CHANNELS))])
    values = np.tensordot(mix, values, axes=1)
    if values.ndim == 4:  # [out, in, 3, 3]: a grey input stands for all three
        spread = mix if colours == 3 else np.ones((channels, LEARNED_CHANNELS))
        values = np.einsum(
            "oikl,ci->ockl", values, spread * (np.arange(channels) < colours)[:, None]
        )
    return values
