"""Coordinate networks of an encoding and an activation: their formula, layout, start and file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest
import torch

from inrcodec import registry
from inrcodec.activations import FIRST, HIDDEN, LAST, Activation
from inrcodec.activations.finer import Finer
from inrcodec.activations.gauss import Gauss
from inrcodec.activations.relu import Relu
from inrcodec.activations.sine import Sine
from inrcodec.activations.spder import SpderArctan, SpderSqrt
from inrcodec.activations.wire import Wire
from inrcodec.bitstream.header import ImageHeader
from inrcodec.bitstream.limits import Limits
from inrcodec.encodings import Encoding
from inrcodec.encodings.fourier import Fourier
from inrcodec.encodings.hash import Hash
from inrcodec.encodings.identity import Identity
from inrcodec.encodings.lattice import Lattice
from inrcodec.encodings.positional import Positional
from inrcodec.errors import BadOption, CorruptFile, LimitExceeded
from inrcodec.fields.mlp import MlpConfig, MlpField, parts_of
from inrcodec.fields.network import NetworkField
from inrcodec.fit import EncodeOptions
from inrcodec.fit.mlp import initial, start_of
from inrcodec.fit.network import fit_network
from inrcodec.fit.presets import Preset
from inrcodec.grid import Grid
from inrcodec.kernels.arithmetic import FAST, NUMPY
from inrcodec.kernels.reference_network import TORCH
from inrcodec.signal import AudioSignal, Signal, VideoSignal

MakeField = Callable[..., NetworkField]
MakeHeader = Callable[[NetworkField], ImageHeader]

PAIRS: list[tuple[Activation, Encoding]] = [
    (Sine(), Identity()),
    (SpderSqrt(), Identity()),
    (SpderArctan(), Lattice(6, 12)),
    (Finer(20), Fourier(4, 8, 1)),
    (Gauss(), Positional(2)),
    (Relu(), Hash(2, 2, 5, 3, 96)),
    (Wire(40), Identity()),
    (Wire(), Fourier(3, 10, 2)),
]
CONFIGS = [MlpConfig(*pair, 5, depth) for pair, depth in zip(PAIRS, (3, 0, 1, 2) * 2, strict=True)]
VARIANTS = ["mlp", "siren", "spder", "finer", "wire", "gauss", "relu", "pe", "ffn", "tuner", "ngp"]


def coordinates(count: int, features: int) -> np.ndarray:
    return np.random.default_rng(count).uniform(-1, 1, (features, count))


def in_loops(
    config: MlpConfig, theta: Mapping[str, np.ndarray], x: np.ndarray
) -> list[float] | list[complex]:
    """Values at one place, in Python's own numbers; the encoding is tested by itself."""
    activate: dict[type, Callable[[complex], complex]] = {
        Sine: math.sin,
        SpderSqrt: lambda v: math.sin(v) * math.sqrt(abs(v)),
        SpderArctan: lambda v: math.sin(v) * math.atan(v),
        Finer: lambda v: math.sin((abs(v) / config.activation.omega_0 + 1) * v),
        Gauss: lambda v: math.exp(-v * v),
        Relu: lambda v: max(v, 0.0),
    }
    h = [float(v) for v in config.encoding(NUMPY, theta, x[:, None])[:, 0]]
    for i, layer in enumerate(config.layers):
        weight, bias = theta[f"weight{i}"], theta[f"bias{i}"]
        h = [
            sum(float(w) * v for w, v in zip(row, h, strict=True)) + float(b)
            for row, b in zip(weight, bias, strict=True)
        ]
        if layer != LAST:
            h = [activate[type(config.activation)](v) for v in h]
    return h


@pytest.mark.parametrize("features", [1, 2, 3])
@pytest.mark.parametrize("config", CONFIGS[:6], ids=str)
def test_values_are_layer_after_layer(
    config: MlpConfig, features: int, random_field: MakeField
) -> None:
    theta = random_field(MlpField, config, (features, 3)).theta()
    coords = coordinates(9, features)
    found = MlpField.network(NUMPY, config, theta, coords)
    expected = np.array([in_loops(config, theta, x) for x in coords.T]).T
    assert np.allclose(found, expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("features", [1, 2, 3])
@pytest.mark.parametrize("config", CONFIGS[6:], ids=str)
def test_wire_is_a_network_of_complex_numbers(
    config: MlpConfig, features: int, random_field: MakeField
) -> None:
    """exp(i r z - |z|^2) of complex z, and the real part of what the last layer gives."""
    theta = random_field(MlpField, config, (features, 3)).theta()
    coords, ratio = coordinates(30, features), config.activation.ratio_48ths / 48
    h = config.encoding(NUMPY, theta, coords).astype(complex)
    for i, layer in enumerate(config.layers):
        weight, bias = theta[f"weight{i}"], theta[f"bias{i}"]
        weight = weight if layer == FIRST else weight[0] + 1j * weight[1]
        bias = bias[0] + 1j * bias[1] if layer == HIDDEN else bias
        h = weight @ h + bias[:, None]
        if layer != LAST:
            h = np.exp(1j * ratio * h - np.abs(h) ** 2)
    found = MlpField.network(NUMPY, config, theta, coords)
    assert found.shape == (3, 30)
    assert np.allclose(found, h.real, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_compiled_code_computes_the_same_bits(config: MlpConfig, random_field: MakeField) -> None:
    pytest.importorskip("numba")
    from inrcodec.kernels.compiled.elementary import COMPILED

    theta, coords = random_field(MlpField, config).theta(), coordinates(300, 2)
    found, expected = (MlpField.network(a, config, theta, coords) for a in (COMPILED, NUMPY))
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_fits_and_previews_see_the_network_that_is_decoded(
    config: MlpConfig, random_field: MakeField
) -> None:
    theta, coords = random_field(MlpField, config).theta(), coordinates(60, 2)
    expected = MlpField.network(NUMPY, config, theta, coords)
    double = {name: torch.tensor(values) for name, values in theta.items()}
    exact = MlpField.network(TORCH, config, double, torch.tensor(coords)).numpy()
    assert np.abs(exact - expected).max() < 1e-11 * max(1, np.abs(expected).max())
    single = {name: values.float() for name, values in double.items()}
    fitted = MlpField.network(TORCH, config, single, torch.tensor(coords).float()).numpy()
    for found in (fitted, MlpField.network(FAST, config, theta, coords)):
        assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_pack_and_unpack_are_inverse(
    config: MlpConfig, random_field: MakeField, header_of: MakeHeader
) -> None:
    field = random_field(MlpField, config)
    header, grid = header_of(field), Grid.of(9, 14)
    found = MlpField.unpack(field.pack(), header, Limits())
    assert (found.config, found.steps, found.pack()) == (config, field.steps, field.pack())
    for name, values in field.theta_hat.items():
        assert np.array_equal(found.theta_hat[name], values)
    assert found.render(grid).tobytes() == field.render(grid).tobytes()
    assert found.render(grid).shape == (9, 14, 3)
    count = sum(values.size for values in field.theta_hat.values())
    assert MlpField.complexity(header)["parameters"] == count


def test_a_damaged_length_is_refused(random_field: MakeField, header_of: MakeHeader) -> None:
    field = random_field(MlpField, CONFIGS[0])
    payload, header = field.pack(), header_of(field)
    for wrong in (payload + b"12345678", payload[:5], b""):
        with pytest.raises(CorruptFile):
            MlpField.unpack(wrong, header, Limits())
    for limits in (Limits(max_params=50), Limits(max_macs=1000)):
        with pytest.raises(LimitExceeded):
            MlpField.unpack(payload, header, limits)


def test_macs_are_those_of_the_matrices() -> None:
    siren = MlpConfig(Sine(), Identity(), 28, 3)
    assert MlpField.macs(siren, 2, 3) == 28 * 2 + 3 * 28 * 28 + 28 * 3
    wire = MlpConfig(Wire(), Identity(), 10, 2)
    assert MlpField.macs(wire, 2, 3) == 10 * 2 + 2 * 20 * 20 + 20 * 3
    table = MlpConfig(Relu(), Hash(4, 2, 8, 4, 96), 10, 1)
    assert MlpField.macs(table, 2, 3) == 4 * 2 * 4 + 8 * 10 + 100 + 30


def test_published_networks_have_their_published_size() -> None:
    """SPDER and SIREN: 256 features, 5 and 3 hidden layers, one and three channels."""
    for config, channels, expected in (
        (MlpConfig(SpderSqrt(), Identity(), 256, 5), 1, 329_985),
        (MlpConfig(Sine(), Identity(), 256, 3), 1, 198_401),
        (MlpConfig(Sine(), Identity(), 256, 3), 3, 198_915),
    ):
        layout = MlpField.layout(config, 2, channels)
        assert sum(math.prod(shape) for _, shape in layout.values()) == expected


def test_user_names_are_combinations() -> None:
    assert list(MlpField.variants()) == VARIANTS
    assert parts_of("siren", "image") == ("identity", "sine")
    assert parts_of("spder", "video") == ("identity", "spder")
    assert parts_of("spder", "audio") == ("identity", "spder-arctan")
    assert parts_of("tuner", "image") == ("lattice", "sine")
    assert [parts_of(n, "image") for n in ("pe", "ffn", "ngp")] == [
        ("positional", "relu"),
        ("fourier", "relu"),
        ("hash", "relu"),
    ]


ACTIVATION_NAMES = [entry.name for entry in registry.entries("activations")]


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_a_fit_begins_with_the_sources_weights_folded(name: str) -> None:
    activation = registry.get("activations", name).part()
    config = MlpConfig(activation, Identity(), 96, 1)
    boosts = {FIRST: 50.0, HIDDEN: 20.0, LAST: 1.0}
    start = initial(config, (2, 64), boosts, seed=3)
    sine_like = activation.initial.__qualname__.startswith("SineLike")
    for i, layer in enumerate(config.layers):
        weight, inputs = start.theta[f"weight{i}"], 2 if layer == FIRST else 96
        bound = 1 / math.sqrt(inputs)
        if sine_like:
            bound = 1 / inputs if layer == FIRST else math.sqrt(6 / inputs) / 20
        ratio = weight / (bound * boosts[layer])
        assert 0.95 < np.abs(ratio).max() <= 1 + 1e-12
        assert abs(3 * ratio.var() - 1) < 5 / math.sqrt(ratio.size)
        # The first layer's boost stretches coordinates: phases and speeds are those of the others.
        others = boosts[HIDDEN] if layer == FIRST else boosts[layer]
        bias = start.theta[f"bias{i}"] / (others / math.sqrt(inputs))
        assert 0.9 < np.abs(bias).max() <= 1 + 1e-12
        speed = activation.learning_rate * 28 / 96 * others
        assert start.speeds[f"weight{i}"] == start.speeds[f"bias{i}"] == pytest.approx(speed)


def test_folding_changes_no_value() -> None:
    """sin(30 (W h + b)) of SIREN's own weights is sin(W' h + b') of the folded ones."""
    boosts = {FIRST: 30.0, HIDDEN: 30.0, LAST: 1.0}
    config, coords = MlpConfig(Sine(), Identity(), 12, 2), coordinates(20, 2)
    theta = initial(config, (2, 3), boosts, seed=1).theta
    h = coords
    for i, layer in enumerate(config.layers):
        weight, bias = (theta[f"{n}{i}"] / boosts[layer] for n in ("weight", "bias"))
        h = weight @ h + bias[:, None]
        h = h if layer == LAST else np.sin(30 * h)
    assert np.allclose(MlpField.network(NUMPY, config, theta, coords), h, rtol=0, atol=1e-11)


def test_sound_begins_with_high_frequencies(picture: Signal) -> None:
    seconds = (AudioSignal(np.zeros((n, 1), np.int16), 64) for n in (1, 64, 7 * 64))
    network = {"hidden_features": 64}
    starts = [
        start_of(signal, EncodeOptions(field="siren", network=network))
        for signal in (picture, *seconds)
    ]
    found = [np.abs(start.theta["weight0"]).max() for start in starts]
    assert 14 < found[0] <= 15
    for bound, most in zip((30, 3000 / 7, 3000), found[1:], strict=True):
        assert 0.9 * bound < most <= bound


@pytest.mark.parametrize(
    ("field", "own"), [("siren", 30), ("finer", 30), ("spder", 12), ("gauss", 5)]
)
def test_clips_begin_with_lower_frequencies(field: str, own: float, picture: Signal) -> None:
    clip = VideoSignal((np.zeros((4, 8, 8), np.uint8),), Fraction(25), subsampling="4:0:0")
    for signal, inputs, boost in (
        (picture, 2, own),
        (clip, 3, own if field == "gauss" else own / 2),
    ):
        network = {"hidden_features": 64}
        start = start_of(signal, EncodeOptions(field=field, network=network))
        given = start_of(signal, EncodeOptions(field=field, network=network | {"first_omega_0": 7}))
        ratio = np.abs(start.theta["weight0"]).max() / np.abs(given.theta["weight0"]).max()
        assert ratio == pytest.approx(boost / 7)
        if field == "siren":
            assert 0.9 * boost / inputs < np.abs(start.theta["weight0"]).max() <= boost / inputs


def test_behind_an_encoding_sines_begin_as_hidden_ones_do(picture: Signal) -> None:
    sound = AudioSignal(np.zeros((64, 1), np.int16), 8)
    for signal in (picture, sound):
        start = start_of(signal, EncodeOptions(field="tuner", network={"hidden_features": 24}))
        bound = np.sqrt(6 / 24)
        assert 0.95 * bound < np.abs(start.theta["weight0"]).max() <= bound


@pytest.mark.parametrize(("field", "boost"), [("finer", 10.0), ("wire", 10.0 * 48 / 32)])
def test_omega_0_is_that_of_the_source_s_formula(field: str, boost: float, picture: Signal) -> None:
    start = start_of(picture, EncodeOptions(field=field, network={"omega_0": 10}))
    plain = start_of(picture, EncodeOptions(field=field))
    if field == "finer":  # sin((|x| / omega_0 + 1) x) of x = omega_0 z
        assert start.config.activation.omega_0 == 10
    ratio = start.speeds["weight1"] / plain.speeds["weight1"]
    assert ratio == pytest.approx(boost / plain.config.activation.boost)


def test_an_option_of_no_part_is_refused(picture: Signal) -> None:
    for network in ({"sigma_8ths": 3}, {"nonsense": 1}):
        with pytest.raises(BadOption, match=next(iter(network))):
            start_of(picture, EncodeOptions(field="siren", network=network))
    with pytest.raises(BadOption, match="rows"):
        start_of(picture, EncodeOptions(field="ffn", network={"rows": 5000}))
    with pytest.raises(BadOption, match="no activation"):
        start_of(picture, EncodeOptions(field="siren", network={"activation": "tanh"}))


def test_parts_can_be_combined_freely(picture: Signal) -> None:
    network = {"activation": "gauss", "encoding": "lattice", "bandlimit": 9, "hidden_layers": 1}
    config = start_of(picture, EncodeOptions(field="siren", network=network)).config
    assert isinstance(config.activation, Gauss)
    assert config.encoding.bandlimit == 9
    assert {f.name for f in fields(config)} == {
        "activation",
        "encoding",
        "hidden_features",
        "hidden_layers",
    }


@pytest.mark.parametrize("field", VARIANTS)
def test_settled_parameters_are_of_the_same_function_and_phases_of_sines_small(
    field: str, picture: Signal
) -> None:
    start = start_of(
        picture, EncodeOptions(field=field, network={"hidden_features": 7, "hidden_layers": 2})
    )
    rng = np.random.default_rng(0)
    theta = {
        name: values + 9 * rng.normal(size=values.shape) if name.startswith("bias") else values
        for name, values in start.theta.items()
    }
    settled = start.settled(theta)
    coords = rng.uniform(-1, 1, (2, 50))
    before, after = (MlpField.network(NUMPY, start.config, t, coords) for t in (theta, settled))
    np.testing.assert_allclose(after, before, atol=1e-9)
    phases = np.concatenate(
        [settled[f"bias{i}"].ravel() for i in range(len(start.config.layers) - 1)]
    )
    turns = isinstance(start.config.activation, Sine)
    assert (np.abs(phases).max() <= np.pi / 2 + 1e-12) == turns


@pytest.mark.parametrize("field", VARIANTS)
def test_a_fit_learns_a_picture(
    field: str, picture: Signal, gain_db: Callable[[Signal, np.ndarray], float]
) -> None:
    network = {"hidden_features": 16, "hidden_layers": 2}
    if field == "ngp":
        network |= {"log2_entries": 6, "levels": 3, "coarsest": 4}
    options = EncodeOptions(
        lmbda=1e-4, field=field, device="cpu", engine="reference", network=network
    )
    start = start_of(picture, options)
    found = fit_network(picture, start, Preset(600, 0, step_passes=1), options)
    assert gain_db(picture, found.render(Grid.of(16, 24))) > 8
    if field == "tuner":
        assert np.array_equal(found.theta()["lattice"], start.theta["lattice"])
