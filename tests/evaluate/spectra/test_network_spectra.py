"""Tangent kernels and activations of networks, against what can be computed otherwise."""

from __future__ import annotations

import importlib
import math
from functools import partial

import numpy as np
import pytest

pytest.importorskip("torch")

from inrcodec.activations.sine import Sine  # noqa: E402
from inrcodec.encodings.identity import Identity  # noqa: E402
from inrcodec.evaluate.spectra.layers import layers_of  # noqa: E402
from inrcodec.evaluate.spectra.tangent import spread, tangent_kernel, tangent_of  # noqa: E402
from inrcodec.fields import family_of  # noqa: E402
from inrcodec.fields.mlp import MlpConfig, MlpField  # noqa: E402
from inrcodec.fit import EncodeOptions  # noqa: E402
from inrcodec.fit.targets import native_coordinates  # noqa: E402
from inrcodec.kernels.arithmetic import NUMPY  # noqa: E402
from inrcodec.kernels.network import NetworkProblem, Samples, split  # noqa: E402
from inrcodec.signal import image_signal  # noqa: E402

SHAPE = (6, 9)


def function(config: MlpConfig, a, theta, coords):
    return MlpField.network(a, config, theta, coords)


@pytest.fixture
def tiny() -> tuple[NetworkProblem, np.ndarray]:
    """A sine network of 3 features and 2 channels, and parameters."""
    config = MlpConfig(Sine(), Identity(), hidden_features=3, hidden_layers=1)
    layout = {name: shape for name, (_, shape) in MlpField.layout(config, 2, 2).items()}
    rng = np.random.default_rng(0)
    target = rng.uniform(-1, 1, (2, math.prod(SHAPE))).astype(np.float32)
    part = Samples(native_coordinates(SHAPE), target, slice(0, 2), SHAPE)
    problem = NetworkProblem(partial(function, config), config, layout, (part,))
    return problem, rng.normal(size=problem.parameter_count)


def values(problem: NetworkProblem, theta: np.ndarray) -> np.ndarray:
    """[channels, n] in float64."""
    coords = problem.samples[0].coords.astype(np.float64)
    return problem.function(NUMPY, split(theta, problem.layout), coords)


def test_the_tangent_kernel_is_that_of_finite_differences(tiny):
    problem, theta = tiny
    columns = np.array([0, 7, 20, 53])
    step = 1e-6
    derivatives = np.stack(
        [
            (values(problem, theta + step * e) - values(problem, theta - step * e))[:, columns]
            for e in np.eye(len(theta))
        ],
        axis=-1,
    ).reshape(-1, len(theta)) / (2 * step)
    speeds = np.random.default_rng(1).choice([0.0, 0.01, 0.3], len(theta))
    derivatives *= 100 * speeds
    found = tangent_kernel(problem, theta, speeds, columns)
    assert found == pytest.approx(derivatives @ derivatives.T, rel=1e-5, abs=1e-3)


def test_eigenvalues_fall_and_the_residual_is_shared_out(tiny):
    problem, theta = tiny
    found = tangent_of(problem, theta, np.ones(len(theta)), values(problem, theta))
    assert found.samples == math.prod(SHAPE)
    assert (np.diff(found.eigenvalues) <= 0).all()
    kernel = tangent_kernel(problem, theta, np.ones(len(theta)), np.arange(math.prod(SHAPE)))
    assert found.eigenvalues.sum() == pytest.approx(np.trace(kernel))
    assert found.residual_share.sum() == pytest.approx(1)
    # No network of so few parameters has a kernel of higher rank.
    assert (found.eigenvalues[len(theta) :] < 1e-9 * found.eigenvalues[0]).all()


def test_a_residual_along_one_eigenvector_lies_along_that_one(tiny):
    problem, theta = tiny
    _, vectors = np.linalg.eigh(
        tangent_kernel(problem, theta, np.ones(len(theta)), np.arange(math.prod(SHAPE)))
    )
    for place in (0, 2):
        along = vectors[:, -1 - place].reshape(2, -1)
        found = tangent_of(problem, theta, np.ones(len(theta)), problem.samples[0].target + along)
        assert found.residual_share[place] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("shape", [(768, 512), (5,), (100_000,), (3, 40, 50), (1, 1000)])
def test_samples_are_spread_evenly_and_are_no_more_than_asked_for(shape):
    found = spread(shape, 256)
    assert len(found) == len(set(found)) <= 256
    assert len(found) > 100 or len(found) == math.prod(shape)
    for axis, n in zip(np.unravel_index(found, shape), shape, strict=True):
        places = np.unique(axis)
        assert len(set(np.diff(places)[:-1])) <= 1  # the last block may be smaller
        assert places[0] <= n / 8 + 1
        assert places[-1] >= n - 2 - n / 8


def waves(cycles: list[tuple[int, ...]]) -> tuple[MlpConfig, dict[str, np.ndarray]]:
    """A network whose features are sines of so many cycles over the extent."""
    config = MlpConfig(Sine(), Identity(), hidden_features=len(cycles), hidden_layers=0)
    weight = np.pi * np.array(cycles, np.float64)  # coordinates have an extent of 2
    theta = {"weight0": weight, "bias0": np.full(len(cycles), 0.3)}
    return config, theta | {"weight1": np.ones((1, len(cycles))), "bias1": np.zeros(1)}


def test_activations_of_a_line_have_the_amplitude_and_frequency_of_their_waves():
    config, theta = waves([(5,), (5,)])
    (layer,) = layers_of(MlpField.network, config, theta, axes=1)
    peak = int(layer.amplitude.argmax())
    assert layer.frequency_cycles[peak] == 5
    assert layer.amplitude[peak] == pytest.approx(1, rel=1e-4)
    assert layer.amplitude[layer.frequency_cycles > 9].max() < 1e-4
    assert (layer.name, layer.features) == ("1", 2)
    assert layer.mean == pytest.approx(0, abs=1e-6)
    assert layer.deviation == pytest.approx(math.sqrt(0.5), rel=1e-5)


def test_activations_of_a_plane_lie_at_their_radius():
    config, theta = waves([(3, 4)])
    for axes in (2, 3):
        theta["weight0"] = np.pi * np.array([[3.0, 4.0, 9.0][:axes]])
        (layer,) = layers_of(MlpField.network, config, theta, axes)
        assert layer.frequency_cycles[layer.amplitude.argmax()] == pytest.approx(5, abs=0.5)


def test_the_histogram_of_a_sine_is_the_arcsine_law():
    config, theta = waves([(40,)])
    (layer,) = layers_of(MlpField.network, config, theta, axes=1)
    assert (layer.density * np.diff(layer.edges)).sum() == pytest.approx(1)
    middles = (layer.edges[1:] + layer.edges[:-1]) / 2
    inner = abs(middles) < 0.9
    expected = 1 / (np.pi * np.sqrt(1 - middles[inner] ** 2))
    assert layer.density[inner] == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("siren", ["1", "2", "3"]),
        ("wire", ["1", "2", "3"]),
        ("ffn", ["encoding", "1", "2", "3"]),
        ("ngp", ["encoding", "1", "2", "3"]),
        ("fouriernet", ["1", "2", "3"]),
        ("bacon", ["1", "2", "3"]),
        ("loe", ["1", "2", "3"]),
    ],
)
def test_every_network_shows_each_of_its_layers_once(field, names):
    signal = image_signal(np.arange(96, dtype=np.uint8).reshape(8, 12))
    options = EncodeOptions(field=field, network={"hidden_features": 4, "hidden_layers": 2})
    start = importlib.import_module(family_of(field).part.fit_module).start_of(signal, options)
    found = layers_of(start.family.network, start.config, start.theta, axes=2)
    assert [layer.name for layer in found] == names
    for layer in found:
        assert layer.features == 8 if field == "wire" else layer.features > 0
        assert np.isfinite(layer.amplitude).all()
        assert len(layer.frequency_cycles) == len(layer.amplitude)
