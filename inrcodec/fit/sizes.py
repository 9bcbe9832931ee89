"""How large the network of a signal is: bytes that its rate is worth, and weights in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from inrcodec.fields.network import NetworkField, parameter_count
from inrcodec.fit import EncodeOptions
from inrcodec.fit.presets import expected_sizes
from inrcodec.fit.targets import samples_of, shape_of
from inrcodec.signal import AnySignal

Config = TypeVar("Config")

# Of a fitted network as it is coded (results/design/network_sizes.tsv).
BITS_PER_WEIGHT = 6.5
LEAST_WEIGHTS = 64
WIDTHS = 4, 1024  # the format takes smaller ones, which learn nothing


def sizes_of(signal: AnySignal, lmbdas: Sequence[float]) -> list[float]:
    """Rough bytes of a file of a signal at each lambda; of a video by its luma.

    A transform coder's bits at the same slope say how many bytes are worth spending: see
    `presets.expected_sizes`.
    """
    samples, _ = samples_of(signal)
    shape, _ = shape_of(signal)
    target = (samples[0].target + 1) / 2
    return expected_sizes(target.reshape(len(target), *shape), lmbdas)


def weights_for(signal: AnySignal, options: EncodeOptions) -> float:
    """How many weights the rate at lambda asks for."""
    (size_bytes,) = sizes_of(signal, [options.shape_lmbda or options.lmbda])
    return max(LEAST_WEIGHTS, size_bytes * 8 / BITS_PER_WEIGHT)


def with_width_for(
    family: type[NetworkField], config: Config, features: tuple[int, int], weights: float
) -> Config:
    """The config with the largest width that has no more parameters than that.

    Args:
        family, config: the network.
        features: (coordinates, channels) of the signal.
        weights: how many may be in the file.
    """
    low, high = WIDTHS
    while low < high:
        middle = (low + high + 1) // 2
        wider = replace(config, hidden_features=middle)
        fits = parameter_count(family.layout(wider, *features)) <= weights
        low, high = (middle, high) if fits else (low, middle - 1)
    return replace(config, hidden_features=low)
