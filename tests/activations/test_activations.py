"""Activations: their formulas, their derivatives, and how their networks begin."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from inrcodec import registry
from inrcodec.activations import FIRST, HIDDEN, LAST, Activation
from inrcodec.activations.finer import Finer
from inrcodec.activations.spder import SpderLog, SpderSqrt
from inrcodec.activations.wire import Wire
from inrcodec.kernels.arithmetic import FAST, NUMPY
from inrcodec.kernels.reference_network import TORCH

SINE_LIKE = ("sine", "spder", "spder-arctan", "spder-log", "spder-sqrt-relu", "finer")

# What each paper prints, of the boosted pre-activation.
FORMULAS: dict[str, Callable[[float], float]] = {
    "sine": math.sin,
    "spder": lambda x: math.sin(x) * math.sqrt(abs(x)),
    "spder-arctan": lambda x: math.sin(x) * math.atan(x),
    "spder-log": lambda x: math.sin(x) * math.log(abs(x)) if x else 0.0,
    "spder-sqrt-relu": lambda x: math.sin(x) * math.sqrt(max(x, 0.0)),
    "finer": lambda x: math.sin(30 * (abs(x / 30) + 1) * (x / 30)),
    "gauss": lambda x: math.exp(-(x**2)),
    "relu": lambda x: max(x, 0.0),
}
PARTS = {entry.name: entry.part for entry in registry.entries("activations")}

PLACES = np.concatenate([np.linspace(-40, 40, 401), [0.0, -0.0, 1e-12, -1e-12, 1e-3, -1e-3, 300.0]])


def instance(name: str) -> Activation:
    return PARTS[name]()


def in_torch(activation: Activation, x: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    return activation(TORCH, torch.tensor(x, dtype=dtype)).numpy()


def test_every_activation_is_tested_here() -> None:
    assert set(PARTS) == FORMULAS.keys() | {"wire"}


@pytest.mark.parametrize("name", FORMULAS)
def test_values_are_the_papers_formula(name: str) -> None:
    expected = np.array([[FORMULAS[name](x) for x in PLACES]])
    places = PLACES[None]
    assert np.allclose(instance(name)(NUMPY, places), expected, rtol=1e-13, atol=1e-13)
    double = in_torch(instance(name), places, torch.float64)
    assert np.allclose(double, expected, rtol=1e-12, atol=1e-12)
    single = in_torch(instance(name), places[:, :401], torch.float32)
    preview = instance(name)(FAST, places[:, :401].astype(np.float32))
    for found in (single, preview):
        assert np.allclose(found, expected[:, :401], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("omega_0", "sigma_0"), [(20, 30), (10, 10), (30, 4)])
def test_wire_is_its_formula_in_complex_numbers(omega_0: int, sigma_0: int) -> None:
    """exp(i omega_0 z - |sigma_0 z|^2), of x = sigma_0 z."""
    rng = np.random.default_rng(omega_0)
    x = rng.normal(size=(2, 3, 60))
    activation = Wire(ratio_48ths=round(48 * omega_0 / sigma_0))
    expected = np.array(
        [
            [
                cmath.exp(1j * omega_0 * (z := complex(re, im) / sigma_0) - abs(sigma_0 * z) ** 2)
                for re, im in zip(x[0, row], x[1, row], strict=True)
            ]
            for row in range(3)
        ]
    )
    tile = x.reshape(6, 60)
    for found in (activation(NUMPY, tile), in_torch(activation, tile, torch.float64)):
        assert np.allclose(found[:3] + 1j * found[3:], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in FORMULAS if name != "finer"] + ["wire"])
def test_derivatives_are_those_of_the_values(name: str) -> None:
    places = [-7.3, -2.0, -0.31, -1e-2, -1e-3, 1e-3, 1e-2, 0.31, 2.0, 7.3]
    x = torch.tensor([places, places[::-1]], dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda tile: instance(name)(TORCH, tile), (x,), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_derivative_is_ever_nan(name: str, dtype: torch.dtype) -> None:
    places = [0.0, -0.0, 1e-45, -1e-45, 1e-38, 1e-30, -1e-30, 1e-20, -1e-9, 1e-9, 30.0]
    x = torch.tensor([places], dtype=dtype, requires_grad=True)
    instance(name)(TORCH, x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_a_complex_derivative_is_not_nan_at_zero() -> None:
    x = torch.zeros((4, 2), requires_grad=True)
    Wire()(TORCH, x).sum().backward()
    assert torch.isfinite(x.grad).all()


def slope(activation: Activation, places: list[float]) -> np.ndarray:
    x = torch.tensor([places], dtype=torch.float64, requires_grad=True)
    activation(TORCH, x).sum().backward()
    return x.grad.numpy()[0]


def test_the_slope_of_spder_at_zero_is_its_limit() -> None:
    assert slope(SpderSqrt(), [0.0, -0.0]) == pytest.approx([0, 0], abs=1e-12)
    # About 1.5 sqrt|x| near 0.
    assert slope(SpderSqrt(), [1e-8, -1e-8]) == pytest.approx([1.5e-4, 1.5e-4], rel=1e-6)
    assert slope(SpderLog(), [0.0])[0] == pytest.approx(math.log(1e-30))


def test_no_gradient_flows_through_the_scale_of_finer() -> None:
    places = [-9.0, -0.5, 0.0, 0.2, 40.0]
    for omega_0 in (30, 7):
        scale = [abs(x) / omega_0 + 1 for x in places]
        expected = [s * math.cos(s * x) for s, x in zip(scale, places, strict=True)]
        assert slope(Finer(omega_0), places) == pytest.approx(expected, rel=1e-12)


def assert_uniform(values: np.ndarray, bound: float) -> None:
    """Within +-bound, reaching it, with the variance bound^2/3."""
    ratio = values / bound
    assert 0.97 < np.abs(ratio).max() <= 1
    assert abs(ratio.mean()) < 4 / math.sqrt(3 * values.size)
    assert abs(3 * ratio.var() - 1) < 4 / math.sqrt(values.size)


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize(("layer", "inputs"), [(FIRST, 2), (FIRST, 14), (HIDDEN, 96), (LAST, 96)])
@pytest.mark.parametrize("boost", [30.0, 7.0])
def test_networks_begin_as_the_sources_say(
    name: str, layer: str, inputs: int, boost: float
) -> None:
    activation, outputs = instance(name), 256
    complex_ = (2,) if activation.parts == 2 and layer != FIRST else ()
    shape = (*complex_, outputs, inputs)
    weight, bias = activation.initial(np.random.default_rng(1), shape, layer, boost)
    assert weight.shape == shape
    assert bias.shape == ((*complex_, outputs) if layer == HIDDEN else (outputs,))
    linear = 1 / math.sqrt(inputs)  # torch's nn.Linear
    siren = 1 / inputs if layer == FIRST else math.sqrt(6 / inputs) / boost
    assert_uniform(weight, siren if name in SINE_LIKE else linear)
    assert_uniform(bias, linear)


def test_names_are_what_users_type() -> None:
    fields = {name: part.field for name, part in PARTS.items() if part.field}
    assert fields == {
        "sine": "siren",
        "spder": "spder",
        "finer": "finer",
        "wire": "wire",
        "gauss": "gauss",
        "relu": "relu",
    }
    assert all(part.source and part.__doc__ for part in PARTS.values())
