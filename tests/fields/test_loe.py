"""Levels of Experts: weights by position, exactly, and how they begin."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch

from inrcodec.bitstream.header import ImageHeader
from inrcodec.bitstream.limits import Limits
from inrcodec.errors import BadOption
from inrcodec.fields.loe import LoeConfig, LoeField, tile_numbers
from inrcodec.fields.network import NetworkField
from inrcodec.fit import EncodeOptions
from inrcodec.fit.loe import LEARNING_RATE, initial, start_of
from inrcodec.fit.network import fit_network
from inrcodec.fit.presets import Preset
from inrcodec.grid import Grid
from inrcodec.kernels.arithmetic import FAST, NUMPY
from inrcodec.kernels.reference_network import TORCH
from inrcodec.signal import AudioSignal, Signal

MakeField = Callable[..., NetworkField]
CONFIGS = [LoeConfig(5, 2), LoeConfig(4, 3, 3, 0, 0), LoeConfig(6, 0, 1, 4, 1)]


def coordinates(count: int, features: int) -> np.ndarray:
    return np.random.default_rng(count).uniform(-1, 1, (features, count))


def in_loops(config: LoeConfig, theta: Mapping[str, np.ndarray], x: np.ndarray) -> list[float]:
    """The values at one place."""
    layers = config.hidden_layers + 1
    h = [float(place) for place in x]
    for i in range(layers):
        level = config.coarsest_level + (layers - 1 - i if config.fine_to_coarse else i)
        tile = 0
        for d, place in enumerate(x):
            cell = math.floor((place + 1) / 2 * 2**level)
            tile += cell % config.tile * config.tile**d
        weight, bias = theta[f"weight{i}.{tile}"], theta[f"bias{i}"]
        h = [
            math.sin(sum(weight[m, k] * h[k] for k in range(len(h))) + bias[m])
            for m in range(len(bias))
        ]
    weight, bias = theta[f"weight{layers}"], theta[f"bias{layers}"]
    return [sum(weight[c, k] * h[k] for k in range(len(h))) + bias[c] for c in range(len(bias))]


@pytest.mark.parametrize("features", [1, 2, 3])
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_values_are_those_of_the_weights_of_the_place(
    config: LoeConfig, features: int, random_field: MakeField
) -> None:
    theta = random_field(LoeField, config, (features, 3)).theta()
    coords = coordinates(40, features)
    found = LoeField.network(NUMPY, config, theta, coords)
    expected = np.array([in_loops(config, theta, x) for x in coords.T]).T
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_compiled_code_computes_the_same_bits(config: LoeConfig, random_field: MakeField) -> None:
    pytest.importorskip("numba")
    from inrcodec.kernels.compiled.elementary import COMPILED

    theta, coords = random_field(LoeField, config).theta(), coordinates(300, 2)
    found, expected = (LoeField.network(a, config, theta, coords) for a in (COMPILED, NUMPY))
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_fits_and_previews_see_the_network_that_is_decoded(
    config: LoeConfig, random_field: MakeField
) -> None:
    theta, coords = random_field(LoeField, config).theta(), coordinates(50, 2)
    expected = LoeField.network(NUMPY, config, theta, coords)
    parameters = {name: torch.tensor(values).float() for name, values in theta.items()}
    fitted = LoeField.network(TORCH, config, parameters, torch.tensor(coords).float()).numpy()
    for found in (fitted, LoeField.network(FAST, config, theta, coords)):
        assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())


def test_gradients_reach_the_weights_of_a_place_and_no_others(random_field: MakeField) -> None:
    config = LoeConfig(3, 0, 2, 1, 0)
    theta = random_field(LoeField, config).theta()
    parameters = {n: torch.tensor(v).float().requires_grad_() for n, v in theta.items()}
    place = torch.tensor([[0.5], [-0.5]])  # right in x, above in y
    LoeField.network(TORCH, config, parameters, place).sum().backward()
    gradients = [parameters[f"weight0.{tile}"].grad for tile in range(4)]
    assert [bool(g.abs().sum() > 0) for g in gradients] == [False, True, False, False]


def test_tiles_repeat_and_x_runs_fastest() -> None:
    places = (2 * np.arange(4) + 1) / 4 - 1
    x, y = np.meshgrid(places, places)
    coords = np.stack([x.ravel(), y.ravel()])

    def numbers(level: int, tile: int) -> list[list[int]]:
        return tile_numbers(NUMPY, coords, level, tile).reshape(4, 4).tolist()

    assert numbers(0, 2) == [[0] * 4] * 4
    assert numbers(1, 2) == [[0, 0, 1, 1]] * 2 + [[2, 2, 3, 3]] * 2
    assert numbers(2, 2) == [[0, 1, 0, 1], [2, 3, 2, 3]] * 2
    assert numbers(2, 3) == [[0, 1, 2, 0], [3, 4, 5, 3], [6, 7, 8, 6], [0, 1, 2, 0]]
    assert numbers(2, 1) == [[0] * 4] * 4


def test_a_border_belongs_to_the_cell_behind_it() -> None:
    coords = np.array([[-1.0, np.nextafter(0.0, -1), 0.0, 0.5, 0.999]])
    # Just below 0 the sum x + 1 rounds to 1, on every machine.
    assert tile_numbers(NUMPY, coords, 1, 2).tolist() == [0, 1, 1, 1, 1]
    assert tile_numbers(NUMPY, coords, 2, 4).tolist() == [0, 2, 2, 3, 3]


def test_levels_go_both_ways() -> None:
    assert LoeConfig(8, 3, 2, 1, 0).levels == [1, 2, 3, 4]
    assert LoeConfig(8, 3, 2, 2, 1).levels == [5, 4, 3, 2]


def test_a_weight_shapes_its_own_cells_alone(random_field: MakeField) -> None:
    config, coords = LoeConfig(4, 1, 2, 1, 0), coordinates(200, 2)
    theta = random_field(LoeField, config).theta()
    before = LoeField.network(NUMPY, config, theta, coords)
    for layer, level in enumerate((1, 2)):
        for tile in range(4):
            name = f"weight{layer}.{tile}"
            changed = theta | {name: theta[name] + 1.0}
            after = LoeField.network(NUMPY, config, changed, coords)
            mine = tile_numbers(NUMPY, coords, level, 2) == tile
            assert np.array_equal((after != before).any(axis=0), mine)


@pytest.mark.parametrize(("features", "first"), [((2, 3), 30.0), ((1, 2), 3000.0)])
def test_every_candidate_begins_as_a_layer_of_siren(
    features: tuple[int, int], first: float
) -> None:
    start = initial(LoeConfig(96, 2), features, first, seed=1)
    width, candidates = 96, range(2 ** features[0])
    for i, bound in enumerate((first / features[0], math.sqrt(6 / width), math.sqrt(6 / width))):
        weights = np.stack([start.theta[f"weight{i}.{tile}"] for tile in candidates])
        assert len(np.unique(weights)) == weights.size
        assert_uniform(weights, bound)
        speed = 30 * LEARNING_RATE * 28 / 96
        assert start.speeds[f"weight{i}.0"] == start.speeds[f"bias{i}"] == pytest.approx(speed)
    assert_uniform(start.theta["weight3"], math.sqrt(6 / width) / 30)
    assert_uniform(start.theta["bias1"], 30 / math.sqrt(width))


def assert_uniform(values: np.ndarray, bound: float) -> None:
    ratio = values / bound
    assert 0.9 < np.abs(ratio).max() <= 1
    assert abs(ratio.mean()) < 4 / math.sqrt(3 * values.size)
    assert abs(3 * ratio.var() - 1) < 4 / math.sqrt(values.size)


def test_sound_begins_with_the_first_layer_of_siren_for_sound() -> None:
    sound = AudioSignal(np.zeros((7 * 50, 1), np.int16), 50)
    start = start_of(sound, EncodeOptions(field="loe", network={"hidden_features": 28}))
    assert start.theta["weight0.0"].shape == (28, 1)
    assert "weight0.2" not in start.theta
    assert np.abs(start.theta["weight0.0"]).max() > 1500


@pytest.mark.parametrize(
    "network", [{"omega_0": 30}, {"tile": 5}, {"hidden_layers": -1}, {"coarsest_level": 1.5}]
)
def test_options_that_make_no_sense_are_refused_before_the_fit(
    network: dict[str, float], picture: Signal
) -> None:
    with pytest.raises(BadOption, match=next(iter(network))):
        start_of(picture, EncodeOptions(field="loe", network=network))


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_pack_and_unpack_are_inverse(
    config: LoeConfig, random_field: MakeField, header_of: Callable[[NetworkField], ImageHeader]
) -> None:
    field = random_field(LoeField, config)
    found = LoeField.unpack(field.pack(), header_of(field), Limits())
    assert (found.config, found.steps, found.pack()) == (config, field.steps, field.pack())
    for name, values in field.theta_hat.items():
        assert np.array_equal(found.theta_hat[name], values)


def test_all_candidates_are_counted_as_work(random_field: MakeField) -> None:
    field = random_field(LoeField, LoeConfig(5, 2, 3))
    weights = sum(v.size for n, v in field.theta_hat.items() if n.startswith("weight"))
    assert LoeField.macs(field.config, 2, 3) == weights == 9 * (5 * 2 + 2 * 25) + 15


def test_a_fit_learns_a_picture(
    picture: Signal, gain_db: Callable[[Signal, np.ndarray], float]
) -> None:
    options = EncodeOptions(
        lmbda=1e-4, field="loe", device="cpu", engine="reference", network={"hidden_features": 10}
    )
    start = start_of(picture, options)
    found = fit_network(picture, start, Preset(400, 0, step_passes=1), options)
    assert gain_db(picture, found.render(Grid.of(16, 24))) > 8
