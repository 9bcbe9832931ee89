"""How large the network of a signal is: bytes that its rate is worth, and weights in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from inrcodec.bitstream.limits import LARGE_FILE_BYTES, Limits
from inrcodec.errors import BadOption
from inrcodec.fields.network import NetworkField, parameter_count
from inrcodec.fit import EncodeOptions
from inrcodec.fit.presets import expected_sizes
from inrcodec.fit.targets import positions_of, samples_of, shape_of
from inrcodec.signal import AnySignal

Config = TypeVar("Config")

# Of a fitted network as it is coded (results/design/network_sizes.tsv).
BITS_PER_WEIGHT = 6.5
LEAST_WEIGHTS = 64
LEAST_WEIGHT_BYTES = 0.4  # half of what they are
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


def most_macs(signal: AnySignal, options: EncodeOptions) -> float:
    """Multiply-adds of one sample that decoders accept with their default limits.

    Those of a whole file may grow with its bytes, which are those of the same weights: only
    segments of very many samples have to share.
    """
    limit, positions = Limits().max_macs, positions_of(signal)
    shared = positions > LEAST_WEIGHT_BYTES * limit / LARGE_FILE_BYTES
    return limit / positions / (options.parts if shared else 1)


def check_work(
    family: type[NetworkField], config: object, signal: AnySignal, options: EncodeOptions
) -> None:
    """Refuses, before hours of work, a network that takes decoders too long.

    Raises:
        BadOption: no decoder would render it with its default limits.
    """
    shape, out_features = shape_of(signal)
    macs = family.macs(config, len(shape), out_features)
    most = most_macs(signal, options)
    if macs > most:
        raise BadOption(
            f"a network of {macs} multiply-adds per sample would take longer to decode than "
            f"decoders accept by default, at most {int(most)} for this signal; choose fewer "
            "hidden features or layers, or shorter segments of a sound or video"
        )


def width_for(
    family: type[NetworkField],
    config_at: Callable[[int], object],
    features: tuple[int, int],
    weights: float,
    macs: float,
) -> int:
    """The largest width whose network has no more parameters and multiply-adds than that.

    Args:
        family, config_at: the network of a width.
        features: (coordinates, channels) of the signal.
        weights: how many may be in the file.
        macs: multiply-adds of a sample.
    """
    low, high = WIDTHS
    while low < high:
        middle = (low + high + 1) // 2
        config = config_at(middle)
        fits = parameter_count(family.layout(config, *features)) <= weights
        fits = fits and family.macs(config, *features) <= macs
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def with_width(
    family: type[NetworkField],
    config: Config,
    signal: AnySignal,
    options: EncodeOptions,
    times: float,
) -> Config:
    """The config with the width that the rate at lambda asks for.

    Args:
        family, config: the network.
        signal, options: what is fitted.
        times: weights over those of the rule for all networks.
    """
    shape, out_features = shape_of(signal)
    width = width_for(
        family,
        lambda features: replace(config, hidden_features=features),
        (len(shape), out_features),
        times * weights_for(signal, options),
        most_macs(signal, options),
    )
    return replace(config, hidden_features=width)
