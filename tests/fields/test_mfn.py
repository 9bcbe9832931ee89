"""Multiplicative filter networks: their formulas, how they begin, and scales from a prefix."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inrcodec.bitstream.config import pack_config
from inrcodec.bitstream.header import ImageHeader
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadOption, CorruptFile, LimitExceeded, TruncatedFile
from inrcodec.fields.mfn import BACON, FILTERS, FOURIER, GABOR, MfnConfig, MfnField
from inrcodec.fields.network import NetworkField, groups_of
from inrcodec.fit import EncodeOptions
from inrcodec.fit.mfn import band_limits, for_all_outputs, initial, start_of
from inrcodec.fit.network import fit_network
from inrcodec.fit.presets import Preset
from inrcodec.grid import Grid
from inrcodec.kernels.arithmetic import FAST, NUMPY
from inrcodec.kernels.network import Samples
from inrcodec.kernels.reference_network import TORCH
from inrcodec.signal import Signal

MakeField = Callable[..., NetworkField]
MakeHeader = Callable[[NetworkField], ImageHeader]
PAPER = MfnConfig(BACON, 8, 4, 0b011)  # outputs after layers 1, 2 and 4
CONFIGS = [PAPER, MfnConfig(FOURIER, 5, 3), MfnConfig(GABOR, 6, 2), MfnConfig(GABOR, 3, 1, 127)]


def coordinates(count: int, features: int) -> np.ndarray:
    return np.random.default_rng(count).uniform(-1, 1, (features, count))


def in_loops(
    config: MfnConfig, theta: Mapping[str, np.ndarray], x: np.ndarray
) -> dict[int, list[float]]:
    """layer -> its output at one place, as the papers write it."""

    def g(i: int, m: int) -> float:
        angle = float(theta[f"phase{i}"][m])
        for d, place in enumerate(x):
            frequency = float(theta[f"frequency{i}"][m, d])
            angle += (math.pi * frequency if config.filters == BACON else frequency) * place
        if config.filters != GABOR:
            return math.sin(angle)
        squared = sum((p - theta[f"centre{i}"][m, d]) ** 2 for d, p in enumerate(x))
        return math.sin(angle) * math.exp(-float(theta[f"gamma{i}"][m]) / 2 * squared)

    width = config.hidden_features
    z, outputs = [g(0, m) for m in range(width)], {}
    for i in range(1, config.hidden_layers + 1):
        weight, bias = theta[f"weight{i}"], theta[f"bias{i}"]
        z = [
            g(i, m) * (sum(weight[m, k] * z[k] for k in range(width)) + bias[m])
            for m in range(width)
        ]
        if f"output{i}" in theta:
            last, offset = theta[f"output{i}"], theta[f"offset{i}"]
            outputs[i] = [
                sum(last[c, k] * z[k] for k in range(width)) + offset[c] for c in range(len(last))
            ]
    return outputs


@pytest.mark.parametrize("features", [1, 2, 3])
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_every_output_is_the_papers_formula(
    config: MfnConfig, features: int, random_field: MakeField
) -> None:
    theta = random_field(MfnField, config, (features, 3)).theta()
    coords = coordinates(7, features)
    found = MfnField.all_outputs(NUMPY, config, theta, coords)
    expected = [in_loops(config, theta, x) for x in coords.T]
    assert list(expected[0]) == config.output_layers
    layers = config.output_layers
    wanted = np.array([[o[i][c] for o in expected] for c in range(3) for i in layers])
    assert np.allclose(found, wanted, rtol=1e-11, atol=1e-11 * np.abs(wanted).max())
    last = MfnField.network(NUMPY, config, theta, coords)
    assert last.tobytes() == np.ascontiguousarray(found[len(layers) - 1 :: len(layers)]).tobytes()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_compiled_code_computes_the_same_bits(config: MfnConfig, random_field: MakeField) -> None:
    pytest.importorskip("numba")
    from inrcodec.kernels.compiled.elementary import COMPILED

    theta, coords = random_field(MfnField, config).theta(), coordinates(300, 2)
    found, expected = (MfnField.network(a, config, theta, coords) for a in (COMPILED, NUMPY))
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_fits_and_previews_see_the_network_that_is_decoded(
    config: MfnConfig, random_field: MakeField
) -> None:
    theta, coords = random_field(MfnField, config).theta(), coordinates(50, 2)
    expected = MfnField.all_outputs(NUMPY, config, theta, coords)
    parameters = {name: torch.tensor(values).float() for name, values in theta.items()}
    fitted = MfnField.all_outputs(TORCH, config, parameters, torch.tensor(coords).float())
    preview = MfnField.all_outputs(FAST, config, theta, coords)
    for found in (fitted.numpy(), preview):
        assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())


def test_parameters_that_make_no_sense_still_give_bounded_numbers(random_field: MakeField) -> None:
    config = MfnConfig(GABOR, 4, 8)
    theta = random_field(MfnField, config).theta()
    theta |= {name: -(2.0**24) + 0 * v for name, v in theta.items() if name.startswith("gamma")}
    with np.errstate(all="ignore"):
        found = MfnField.network(NUMPY, config, theta, coordinates(40, 2))
    assert np.isfinite(found).all()


def test_no_output_of_bacon_goes_beyond_its_band(random_field: MakeField) -> None:
    """Products of sines have the sums of their frequencies, and no others."""
    shape, config = (48, 64), PAPER
    start = initial(config, shape, 1, 0.0, seed=3)
    x, y = np.meshgrid(*((2 * np.arange(n) + 1) / n - 1 for n in reversed(shape)))
    outputs = MfnField.all_outputs(NUMPY, config, start.theta, np.stack([x.ravel(), y.ravel()]))
    limits = np.cumsum(band_limits(config, shape), axis=0)
    assert limits.tolist() == [[4, 3], [8, 6], [16, 12], [24, 18], [32, 24]]
    along_y, along_x = (np.abs(np.fft.fftfreq(n, 1 / n)) for n in shape)
    for output, layer in zip(outputs, config.output_layers, strict=True):
        spectrum = np.abs(np.fft.fft2(output.reshape(shape)))
        beyond = (along_x > limits[layer][0]) | (along_y[:, None] > limits[layer][1])
        assert spectrum[beyond].max(initial=0) < 1e-9 * spectrum.max()
        assert spectrum[~beyond].max() > 0.1


def test_band_limits_are_the_papers_and_end_at_half_a_cycle_per_sample() -> None:
    assert band_limits(PAPER, (256, 256)) == [[n, n] for n in (16, 16, 32, 32, 32)]
    for layers in (1, 2, 3, 7):
        limits = band_limits(MfnConfig(BACON, 8, layers), (480, 640))
        assert len(limits) == layers + 1
        assert np.abs(np.sum(limits, axis=0) - [320, 240]).max() <= layers


def test_outputs_of_bacon_come_after_the_papers_layers(picture: Signal) -> None:
    start = start_of(picture, EncodeOptions(field="bacon"))
    assert (start.config.hidden_layers, start.config.output_layers) == (4, [1, 2, 4])
    other = start_of(picture, EncodeOptions(field="bacon", network={"hidden_layers": 3}))
    assert other.config.output_layers == [1, 2, 3]


def moments(values: np.ndarray, bound: float) -> tuple[float, float, float]:
    """(largest over the bound, mean and variance over those of U(-bound, bound))."""
    ratio = values / bound
    return float(np.abs(ratio).max()), float(ratio.mean()), float(3 * ratio.var())


def assert_uniform(values: np.ndarray, bound: float) -> None:
    largest, mean, variance = moments(values, bound)
    assert 0.98 < largest <= 1
    assert abs(mean) < 4 / math.sqrt(3 * values.size)
    assert abs(variance - 1) < 4 / math.sqrt(values.size)


@pytest.mark.parametrize("filters", [BACON, FOURIER, GABOR])
def test_matrices_and_phases_begin_as_the_sources_say(filters: int) -> None:
    width, config = 128, MfnConfig(filters, 128, 3)
    theta = initial(config, (256, 256), 64, 256.0, seed=1).theta
    bound = math.sqrt((6 if filters == BACON else 1) / width)
    for i in (1, 2, 3):
        assert_uniform(theta[f"weight{i}"], bound)
    assert_uniform(theta["output3"], bound)
    assert_uniform(np.concatenate([theta[f"phase{i}"] for i in range(4)]), math.pi)
    assert_uniform(np.concatenate([theta[f"bias{i}"] for i in (1, 2, 3)]), 1 / math.sqrt(width))


def test_frequencies_of_bacon_are_drawn_evenly_from_the_lattice() -> None:
    frequencies = initial(MfnConfig(BACON, 1024, 4), (64, 96), 3, 0.0, seed=2).theta["frequency3"]
    for column, limit in zip(frequencies.T, (12, 8), strict=True):
        numbers, counts = np.unique(column, return_counts=True)
        assert numbers.tolist() == list(range(-limit, limit + 1))
        expected = 1024 / len(numbers)
        assert np.square(counts - expected).sum() / expected < 3 * len(numbers)  # chi squared


@pytest.mark.parametrize("features", [1, 2, 3])
def test_learned_frequencies_begin_as_the_sources_say(features: int) -> None:
    shape = (256,) * features
    theta = initial(MfnConfig(FOURIER, 1024, 3), shape, 3, 256.0, seed=4).theta
    for i in range(4):
        assert_uniform(theta[f"frequency{i}"], 256 / math.sqrt(4) / math.sqrt(features))
    theta = initial(MfnConfig(GABOR, 1024, 3), shape, 3, 256.0, seed=5).theta
    for i in range(4):
        gamma = theta[f"gamma{i}"]
        assert gamma.min() > 0
        assert gamma.mean() == pytest.approx(6 / 4, abs=0.2)  # of Gamma(6/4, 1)
        assert gamma.var() == pytest.approx(6 / 4, abs=0.5)
        assert_uniform(theta[f"centre{i}"], 1.0)
        assert_uniform(theta[f"frequency{i}"] / np.sqrt(gamma)[:, None], 128 / math.sqrt(features))


def test_frequencies_of_bacon_are_frozen_and_no_others() -> None:
    for filters in (BACON, FOURIER, GABOR):
        speeds = initial(MfnConfig(filters, 4, 2), (16, 16), 3, 16.0, seed=0).speeds
        still = {name for name, speed in speeds.items() if not speed}
        assert still == ({f"frequency{i}" for i in range(3)} if filters == BACON else set())


def test_input_scale_follows_the_size_unless_it_is_given(picture: Signal) -> None:
    for scale, network in ((24, {}), (100, {"input_scale": 100})):
        options = EncodeOptions(field="fouriernet", network={"hidden_features": 300} | network)
        frequency = start_of(picture, options).theta["frequency0"]
        assert np.abs(frequency).max() == pytest.approx(scale / 2 / math.sqrt(2), rel=0.02)


@pytest.mark.parametrize(
    ("field", "network"),
    [
        ("bacon", {"input_scale": 3.0}),
        ("fouriernet", {"omega_0": 30}),
        ("gabornet", {"hidden_layers": 9}),
        ("gabornet", {"hidden_features": 0}),
        ("gabornet", {"hidden_features": 8.5}),
        ("fouriernet", {"input_scale": 0.0}),
        ("fouriernet", {"filters": 0}),
    ],
)
def test_options_that_make_no_sense_are_refused_before_the_fit(
    field: str, network: dict[str, float], picture: Signal
) -> None:
    with pytest.raises(BadOption, match=next(iter(network))):
        start_of(picture, EncodeOptions(field=field, network=network))


def test_all_outputs_are_asked_for_the_signal() -> None:
    target = np.arange(6, dtype=np.float32).reshape(2, 3)
    part = for_all_outputs(Samples(np.zeros((2, 3), np.float32), target, slice(1, 3), (1, 3)), 3)
    assert part.channels == slice(3, 9)
    assert np.array_equal(part.target, target[[0, 0, 0, 1, 1, 1]])


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_pack_and_unpack_are_inverse(
    config: MfnConfig, random_field: MakeField, header_of: MakeHeader
) -> None:
    field = random_field(MfnField, config)
    found = MfnField.unpack(field.pack(), header_of(field), Limits())
    assert (found.config, found.steps, found.kind) == (config, field.steps, "image")
    assert found.pack() == field.pack()
    for name, values in field.theta_hat.items():
        assert np.array_equal(found.theta_hat[name], values)


def test_bytes_behind_the_last_parameter_are_refused(
    random_field: MakeField, header_of: MakeHeader
) -> None:
    field = random_field(MfnField, CONFIGS[1])
    with pytest.raises(CorruptFile):
        MfnField.unpack(field.pack() + b"12345678", header_of(field), Limits())


def test_limits_hold_before_anything_is_decoded(
    random_field: MakeField, header_of: MakeHeader
) -> None:
    field = random_field(MfnField, PAPER)
    for limits in (Limits(max_params=100), Limits(max_macs=100)):
        with pytest.raises(LimitExceeded):
            MfnField.unpack(b"", header_of(field), limits)
        with pytest.raises(LimitExceeded):
            MfnField.unpack_prefix(b"", 900, header_of(field), 0, limits)


def test_a_lower_scale_is_the_lower_output(random_field: MakeField) -> None:
    field, grid = random_field(MfnField, PAPER), Grid.of(9, 14, scale=1.5)
    y, x = (axis.coords for axis in grid.axes)
    coords = np.stack([plane.ravel() for plane in np.meshgrid(x, y)])
    everything = MfnField.all_outputs(NUMPY, PAPER, field.theta(), coords)
    assert field.scales == 3
    for scale in range(3):
        lower = field.at_scale(scale)
        assert lower.config.hidden_layers == (1, 2, 4)[scale]
        rows = (everything[scale::3] + 1.0) * 0.5
        expected = np.moveaxis(rows.reshape(3, *grid.shape), 0, -1)
        assert np.array_equal(lower.render(grid), expected)
    assert np.array_equal(field.at_scale(2).render(grid), field.render(grid))


def test_a_lower_scale_is_a_field_of_its_own(
    random_field: MakeField, header_of: MakeHeader
) -> None:
    lower = random_field(MfnField, PAPER).at_scale(1)
    found = MfnField.unpack(lower.pack(), header_of(lower), Limits())
    grid = Grid.of(9, 14)
    assert np.array_equal(found.render(grid), lower.render(grid))
    assert found.scales == 2


def test_a_prefix_of_the_file_holds_a_lower_scale(
    random_field: MakeField, header_of: MakeHeader
) -> None:
    field, grid = random_field(MfnField, PAPER), Grid.of(9, 14)
    payload, header = field.pack(), header_of(field)
    sizes = [field.prefix_bytes(scale) for scale in range(3)]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == len(payload)
    for scale, size in enumerate(sizes):
        found = MfnField.unpack_prefix(payload[:size], len(payload), header, scale, Limits())
        expected = field.at_scale(scale)
        assert found.config == expected.config
        assert np.array_equal(found.render(grid), expected.render(grid))


def test_a_prefix_takes_little_more_than_its_parameters(random_field: MakeField) -> None:
    """Heads of all groups, escapes of all groups, and two words that the range coder is ahead."""
    field = random_field(MfnField, MfnConfig(BACON, 24, 4, 0b011))
    for scale in range(2):
        alone = field.at_scale(scale)
        heads = 2 * (len(groups_of(field.layout(field.config, 2, 3))) - len(alone.steps))
        assert len(alone.pack()) <= field.prefix_bytes(scale) <= len(alone.pack()) + heads + 16


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 5), st.integers(0, 127))
def test_a_prefix_that_is_too_short_is_never_taken_for_a_scale(
    seed: int, width: int, layers: int, early: int
) -> None:
    config = MfnConfig(seed % 3, width, layers, early)
    rng = np.random.default_rng(seed)
    layout = MfnField.layout(config, 2, 1)
    spread = int(10 ** rng.uniform(0, 5))
    theta = {n: rng.integers(-spread, spread + 1, shape) for n, (_, shape) in layout.items()}
    field = MfnField(config, (2, 1), "image", dict.fromkeys(groups_of(layout), 5), theta)
    payload = field.pack()
    header = ImageHeader(3, 2, 1, 8, 3, pack_config(config))
    for scale in range(field.scales):
        least, expected = field.prefix_bytes(scale), field.at_scale(scale).theta_hat
        for size in {0, 1, least // 2, *range(max(0, least - 9), least)}:
            with pytest.raises(CorruptFile):
                MfnField.unpack_prefix(payload[:size], len(payload), header, scale, Limits())
        for size in {least, (least + len(payload)) // 2, len(payload)}:
            found = MfnField.unpack_prefix(payload[:size], len(payload), header, scale, Limits())
            assert found.theta_hat.keys() == expected.keys()
            assert all(np.array_equal(found.theta_hat[n], v) for n, v in expected.items())


def test_a_prefix_says_how_much_it_lacks_and_a_scale_must_exist(
    random_field: MakeField, header_of: MakeHeader
) -> None:
    field = random_field(MfnField, PAPER)
    payload, header, least = field.pack(), header_of(field), field.prefix_bytes(0)
    with pytest.raises(TruncatedFile, match="there are"):
        MfnField.unpack_prefix(payload[: least - 1], len(payload), header, 0, Limits())
    for scale in (-1, 3):
        with pytest.raises(BadOption, match=r"0\.\.2"):
            field.at_scale(scale)
        with pytest.raises(BadOption, match=r"0\.\.2"):
            MfnField.unpack_prefix(payload, len(payload), header, scale, Limits())


def test_what_a_header_says_is_shown_by_name(
    random_field: MakeField, header_of: MakeHeader
) -> None:
    header = header_of(random_field(MfnField, PAPER))
    assert MfnField.describe(header) == {
        "filters": "bacon",
        "hidden_features": 8,
        "hidden_layers": 4,
        "output_layers": [1, 2, 4],
    }
    filters, matrices, outputs = 5 * (8 * 2 + 8), 4 * (8 * 8 + 8), 3 * (3 * 8 + 3)
    assert MfnField.complexity(header) == {
        "parameters": filters + matrices + outputs,
        "macs_per_sample": 5 * 8 * 2 + 4 * 64 + 3 * 8,
    }


@pytest.mark.parametrize("field", FILTERS)
def test_a_fit_learns_a_picture(
    field: str, picture: Signal, gain_db: Callable[[Signal, np.ndarray], float]
) -> None:
    options = EncodeOptions(
        lmbda=1e-4, field=field, device="cpu", engine="reference", network={"hidden_features": 16}
    )
    start = start_of(picture, options)
    found = fit_network(picture, start, Preset(400, 0, step_passes=1), options)
    grid = Grid.of(16, 24)
    gains = [gain_db(picture, found.at_scale(s).render(grid)) for s in range(found.scales)]
    assert gains[-1] > 8
    assert len(found.pack()) < 24 * 16 * 3
    if field == "bacon":
        assert len(gains) == 3
        assert min(gains) > 4


def test_a_fit_leaves_frequencies_of_bacon_whole(picture: Signal) -> None:
    options = EncodeOptions(lmbda=1e-4, field="bacon", device="cpu", engine="reference")
    start = start_of(picture, options)
    found = fit_network(picture, start, Preset(30, 0, step_passes=1, refinements=0), options)
    for i in range(5):
        assert np.array_equal(found.theta()[f"frequency{i}"], start.theta[f"frequency{i}"])
        assert not np.array_equal(found.theta()[f"phase{i}"], start.theta[f"phase{i}"])
    assert {found.steps[f"frequency.{scale}"] for scale in range(3)} == {0}
