"""Networks of known integers, and a picture that every network can learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inrcodec import registry
from inrcodec.bitstream.config import pack_config
from inrcodec.bitstream.header import ImageHeader
from inrcodec.fields.network import NetworkField, groups_of
from inrcodec.signal import Signal

HEIGHT, WIDTH = 9, 14


def integers_of(
    family: type[NetworkField], config: Any, features: tuple[int, int] = (2, 3), seed: int = 0
) -> NetworkField:
    """A field of an image whose parameters are random multiples of 1/32, up to 40 of them."""
    rng = np.random.default_rng(seed)
    layout = family.layout(config, *features)
    theta_hat = {name: rng.integers(-40, 41, shape) for name, (_, shape) in layout.items()}
    return family(config, features, "image", dict.fromkeys(groups_of(layout), 5), theta_hat)


@pytest.fixture
def random_field() -> Callable[..., NetworkField]:
    return integers_of


@pytest.fixture
def header_of() -> Callable[[NetworkField], ImageHeader]:
    """The header of an image file that holds a field."""

    def make(field: NetworkField) -> ImageHeader:
        id_ = registry.of_part("fields", type(field)).id
        return ImageHeader(WIDTH, HEIGHT, field.features[1], 8, id_, pack_config(field.config))

    return make


@pytest.fixture
def picture() -> Signal:
    """24 x 16 pixels, smooth, with some detail."""
    y, x = np.mgrid[:16, :24]
    red = 128 + 60 * np.sin(x / 3) + 40 * np.cos(y / 2)
    green = 100 + 8 * x * np.sin(y / 5) ** 2
    blue = 20 + 12 * y + 30 * np.sin(x * y / 40)
    return Signal(np.stack([red, green, blue], axis=-1).clip(0, 255).astype(np.uint8))


@pytest.fixture
def gain_db() -> Callable[[Signal, np.ndarray], float]:
    """How much closer values on [0, 1] are to a picture than its mean colour is."""

    def gain(signal: Signal, values: np.ndarray) -> float:
        target = signal.samples / signal.peak
        flat = np.square(target - target.mean(axis=(0, 1))).mean()
        return float(10 * np.log10(flat / np.square(values - target).mean()))

    return gain
