"""Networks are as large as the rate says, and no number of theirs needs to be given."""

from __future__ import annotations

import importlib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from inrcodec import codec
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadOption
from inrcodec.fields import family_of
from inrcodec.fields.mfn import BACON, FOURIER, GABOR
from inrcodec.fields.network import parameter_count
from inrcodec.fit import EncodeOptions, loe, mfn, sizes
from inrcodec.fit.sizes import BITS_PER_WEIGHT, check_work, most_macs, sizes_of, weights_for
from inrcodec.signal import AudioSignal, Signal, image_signal, video_signal

# Times the weights of the rule.
NETWORKS = {
    "siren": 1.0,
    "wire": 1.0,
    "pe": 1.0,
    "ffn": 1.0,
    "tuner": 1.0,
    "ngp": 1.0,
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
        # Whole widths: those of small networks are coarse steps. First layers behind encodings come
        # on top.
        most = 2.6 if field in ("pe", "ffn", "tuner", "ngp") else 1.35
        least = 700 if field == "ngp" else 250  # of a hash grid the smallest table of all
        assert 0.6 * wanted < found < most * wanted or found < least


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


@pytest.mark.parametrize("given", ["hidden_features", "hidden_layers"])
def test_the_size_that_was_not_given_follows_from_the_rate(picture: Signal, given: str) -> None:
    network = {given: 16 if given == "hidden_features" else 2}
    wanted = weights_for(picture, EncodeOptions(lmbda=1e-4))
    found = parameters(picture, "siren", lmbda=1e-4, network=network)
    assert 0.75 * wanted < found < 1.25 * wanted


@pytest.mark.parametrize("field", NETWORKS)
def test_networks_are_no_larger_than_decoders_accept(
    picture: Signal, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(Limits(), max_macs=64 * 64 * 600)
    monkeypatch.setattr(sizes, "Limits", lambda: few)
    family = family_of(field).part
    asked = EncodeOptions(field=field, lmbda=1e-5)
    start = importlib.import_module(family.fit_module).start_of(picture, asked)
    check_work(family, start.config, picture, asked)
    assert family.macs(start.config, 2, 1) <= 600


def test_a_network_that_takes_too_long_to_decode_is_refused_before_the_fit(
    picture: Signal, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(Limits(), max_macs=64 * 64 * 600)
    monkeypatch.setattr(sizes, "Limits", lambda: few)
    asked = EncodeOptions(field="siren", network={"hidden_features": 30, "hidden_layers": 2})
    with pytest.raises(BadOption, match="at most 600 for this signal"):
        codec.encode(picture, asked)


def test_segments_share_the_work_where_a_large_file_alone_would_not_allow_it() -> None:
    second = AudioSignal(np.zeros((44_100, 1), np.int16), 44_100)
    alone = most_macs(second, EncodeOptions(field="siren"))
    assert alone == Limits().max_macs / 44_100
    assert most_macs(second, EncodeOptions(field="siren", parts=100)) == alone
    plane = np.zeros((12, 1000, 1000), np.uint8)
    video = video_signal(plane, Fraction(25))
    whole = most_macs(video, EncodeOptions(field="siren"))
    assert most_macs(video, EncodeOptions(field="siren", parts=10)) == whole / 10
