"""Networks are as large as the rate says, and no number of theirs needs to be given."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from inrcodec.fields import family_of
from inrcodec.fields.mfn import BACON, FOURIER, GABOR
from inrcodec.fields.network import parameter_count
from inrcodec.fit import EncodeOptions, loe, mfn
from inrcodec.fit.sizes import BITS_PER_WEIGHT, sizes_of, weights_for
from inrcodec.signal import Signal, image_signal

# Times the weights of the rule.
NETWORKS = {
    "siren": 1.0,
    "fouriernet": mfn.WEIGHTS[FOURIER],
    "gabornet": mfn.WEIGHTS[GABOR],
    "bacon": mfn.WEIGHTS[BACON],
    "loe": loe.WEIGHTS,
}


@pytest.fixture(scope="module")
def picture() -> Signal:
    """64 x 64 pixels of noise over waves."""
    y, x = np.mgrid[:64, :64]
    waves = 128 + 60 * np.sin(x / 5) * np.cos(y / 7)
    noise = np.random.default_rng(0).normal(size=(64, 64)) * 12
    return image_signal((waves + noise).clip(0, 255).astype(np.uint8))


def parameters(signal: Signal, field: str, **options) -> int:
    """Of the network that an encode begins with."""
    family = family_of(field).part
    asked = EncodeOptions(field=field, **options)
    config = importlib.import_module(family.fit_module).start_of(signal, asked).config
    return parameter_count(family.layout(config, 2, signal.channels))


@pytest.mark.parametrize("field", NETWORKS)
def test_the_rate_chooses_the_size_of_every_network(picture: Signal, field: str) -> None:
    for lmbda in (1e-2, 1e-3, 1e-4):
        wanted = NETWORKS[field] * weights_for(picture, EncodeOptions(lmbda=lmbda))
        found = parameters(picture, field, lmbda=lmbda)
        # Whole widths: those of small networks are coarse steps.
        assert 0.6 * wanted < found < 1.35 * wanted or found < 250


@pytest.mark.parametrize("field", NETWORKS)
def test_a_shape_may_be_that_of_another_lambda(picture: Signal, field: str) -> None:
    shaped = parameters(picture, field, lmbda=1e-2, shape_lmbda=1e-4)
    assert shaped == parameters(picture, field, lmbda=1e-4)
    assert shaped > parameters(picture, field, lmbda=1e-2)


@pytest.mark.parametrize("field", NETWORKS)
def test_a_width_that_was_asked_for_stays(picture: Signal, field: str) -> None:
    network = {"hidden_features": 9}
    sizes = {parameters(picture, field, lmbda=x, network=network) for x in (1e-3, 1.1e-3)}
    assert len(sizes) == 1


def test_weights_are_the_expected_bytes_at_the_bits_of_one(picture: Signal) -> None:
    sizes = sizes_of(picture, [1e-4, 1e-3, 1e-2])
    assert sizes == sorted(sizes, reverse=True)
    wanted = weights_for(picture, EncodeOptions(lmbda=1e-3))
    assert wanted == pytest.approx(sizes[1] * 8 / BITS_PER_WEIGHT)
