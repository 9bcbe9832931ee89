"""The CPU engine of coordinate networks computes what the reference computes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

numba = pytest.importorskip("numba")
torch = pytest.importorskip("torch")

from inrcodec import registry  # noqa: E402
from inrcodec.activations import Activation  # noqa: E402
from inrcodec.encodings import Encoding  # noqa: E402
from inrcodec.errors import BadOption  # noqa: E402
from inrcodec.fields.mlp import MlpConfig, MlpField  # noqa: E402
from inrcodec.kernels.cpu import network  # noqa: E402
from inrcodec.kernels.cpu.dense import zeros  # noqa: E402
from inrcodec.kernels.cpu.elementwise import formula, loop  # noqa: E402
from inrcodec.kernels.cpu.network import CpuNetworkEngine  # noqa: E402
from inrcodec.kernels.network import (  # noqa: E402
    NetworkProblem,
    Samples,
    make_network_engine,
)
from inrcodec.kernels.reference_network import TORCH, ReferenceNetworkEngine  # noqa: E402

ACTIVATIONS = [entry.name for entry in registry.entries("activations")]
ENCODINGS: dict[str, dict[str, int]] = {
    "identity": {},
    "positional": {"bands": 3},
    "fourier": {"rows": 9, "sigma_8ths": 4},
    "lattice": {"rows": 7, "bandlimit": 10},
}


def problem(
    activation: str | Activation = "sine",
    encoding: str = "identity",
    width: int = 12,
    layers: int = 2,
    samples: int = 700,
    features: tuple[int, int] = (2, 3),
    parts: tuple[slice, ...] | None = None,
) -> NetworkProblem:
    """On noise; parts: channels of each of the grids, by default one grid with all."""
    if isinstance(activation, str):
        activation = registry.get("activations", activation).part()
    options = ENCODINGS.get(encoding, {})
    made: Encoding = registry.get("encodings", encoding).part(**options)
    config = MlpConfig(activation, made, width, layers)
    layout = {name: shape for name, (_, shape) in MlpField.layout(config, *features).items()}
    rng = np.random.default_rng(0)

    def uniform(rows: int, columns: int) -> np.ndarray:
        return rng.uniform(-1, 1, (rows, columns)).astype(np.float32)

    grids = tuple(
        Samples(
            uniform(features[0], samples // (i + 1)),
            uniform(channels.stop - channels.start, samples // (i + 1)),
            channels,
            (samples // (i + 1),),
        )
        for i, channels in enumerate(parts or (slice(0, features[1]),))
    )
    return NetworkProblem(
        lambda a, theta, x: MlpField.network(a, config, theta, x), config, layout, grids
    )


def parameters(p: NetworkProblem, boost: float = 2.0, seed: int = 0) -> np.ndarray:
    """Initial ones, layers folded with a boost: float32 follows where that is small."""
    rng = np.random.default_rng(seed)
    config = p.config
    coords = len(p.samples[0].coords)
    values = [np.ravel(v) for v in config.encoding.initial(rng, coords).values()]
    for i, layer in enumerate(config.layers):
        weight, bias = config.activation.initial(rng, p.layout[f"weight{i}"], layer, boost)
        factor = 1.0 if layer == "last" else boost
        values += [factor * weight.ravel(), factor * bias.ravel()]
    return np.concatenate(values)


def blocks(p: NetworkProblem, gradient: np.ndarray) -> dict[str, np.ndarray]:
    ends = np.cumsum([math.prod(shape) for shape in p.layout.values()])
    return dict(zip(p.layout, np.split(gradient, ends[:-1]), strict=True))


def distance(p: NetworkProblem, ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest relative difference of a parameter's gradients; 1e-3 of the whole is small."""
    whole = np.linalg.norm(theirs)
    expected = blocks(p, theirs)
    return max(
        np.linalg.norm(found - expected[name]) / max(np.linalg.norm(expected[name]), 1e-3 * whole)
        for name, found in blocks(p, ours).items()
    )


def assert_agreement(
    p: NetworkProblem, theta: np.ndarray, chosen: list[np.ndarray] | None = None
) -> None:
    ours, gradient = CpuNetworkEngine(p, threads=2).loss(theta, chosen)
    theirs, expected = ReferenceNetworkEngine(p).loss(theta, chosen)
    # Float32 values are off by 1e-6 at most; of a residual that is small itself, that is more.
    cancelled = 1e-6 / math.sqrt(theirs)
    assert ours == pytest.approx(theirs, rel=1e-5 + 2 * cancelled)
    assert distance(p, gradient, expected) <= 1e-4 + cancelled


def exact_loss(p: NetworkProblem, theta: np.ndarray) -> tuple[float, np.ndarray]:
    """In float64."""
    flat = torch.tensor(theta, requires_grad=True)
    sizes = [math.prod(shape) for shape in p.layout.values()]
    named = {
        name: part.reshape(shape)
        for (name, shape), part in zip(p.layout.items(), torch.split(flat, sizes), strict=True)
    }
    (part,) = p.samples
    values = p.function(TORCH, named, torch.from_numpy(part.coords).double())
    loss = (values - torch.from_numpy(part.target)).square().mean()
    return float(loss.detach()), torch.autograd.grad(loss, flat)[0].numpy()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_gradient_are_the_reference_s(activation: str, encoding: str) -> None:
    p = problem(activation, encoding)
    assert_agreement(p, parameters(p))


@given(
    activation=st.sampled_from(["sine", "spder", "wire"]),
    encoding=st.sampled_from(list(ENCODINGS)),
    width=st.integers(1, 66),
    layers=st.integers(0, 4),
    samples=st.sampled_from([1, 31, 32, 33, 255, 256, 257, 1500]),
    features=st.tuples(st.integers(1, 3), st.integers(1, 5)),
)
@settings(max_examples=40, deadline=None)
def test_every_shape_agrees(
    activation: str,
    encoding: str,
    width: int,
    layers: int,
    samples: int,
    features: tuple[int, int],
) -> None:
    p = problem(activation, encoding, width, layers, samples, features)
    assert_agreement(p, parameters(p))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_at_initial_weights_it_is_as_near_to_the_truth_as_the_reference(activation: str) -> None:
    p = problem(activation, "identity", 16, 3)
    theta = parameters(p, p.config.activation.boost)
    loss, gradient = exact_loss(p, theta)
    ours, found = CpuNetworkEngine(p, threads=1).loss(theta)
    theirs, reference = ReferenceNetworkEngine(p).loss(theta)
    assert abs(ours - loss) <= 3 * abs(theirs - loss) + 1e-6 * loss
    assert distance(p, found, gradient) <= 3 * distance(p, reference, gradient) + 1e-5


def test_chosen_samples_and_channels_of_several_grids_agree() -> None:
    p = problem(samples=5000, parts=(slice(0, 1), slice(1, 3)))
    theta = parameters(p)
    assert_agreement(p, theta)
    chosen = [np.array([4, 4, 4999, 17]), np.arange(2499, 0, -3)]
    assert_agreement(p, theta, chosen)
    assert_agreement(p, theta, [np.zeros(0, np.int64), chosen[1]])


def test_columns_that_do_not_exist_are_refused() -> None:
    p = problem()
    for wrong in (-1, 700):
        with pytest.raises(IndexError, match="of 700 samples"):
            CpuNetworkEngine(p).loss(parameters(p), [np.array([0, wrong])])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_error_and_values_are_those_of_the_loss(encoding: str) -> None:
    p = problem("spder", encoding, samples=5000, parts=(slice(0, 1), slice(1, 3)))
    theta = parameters(p)
    engine, reference = CpuNetworkEngine(p), ReferenceNetworkEngine(p)
    assert engine.error(theta) == engine.loss(theta)[0]
    chosen = [np.arange(0, 5000, 3), np.array([7, 7, 0])]
    assert engine.error(theta, chosen) == engine.loss(theta, chosen)[0]
    assert reference.error(theta, chosen) == pytest.approx(engine.error(theta, chosen), rel=1e-5)
    for ours, theirs in zip(engine.values(theta), reference.values(theta), strict=True):
        assert ours.dtype == np.float32
        assert np.abs(ours - theirs).max() <= 1e-5


def test_no_bit_depends_on_threads_or_on_earlier_calls() -> None:
    p = problem("finer", samples=9000)
    theta = parameters(p)
    engine = CpuNetworkEngine(p, threads=1)
    loss, gradient = engine.loss(theta)
    engine.loss(theta + 1)
    for other in (engine, CpuNetworkEngine(p, threads=3)):
        again, same = other.loss(theta)
        assert again == loss
        assert np.array_equal(same, gradient)


def test_a_parameter_that_is_not_finite_shows_and_is_forgotten() -> None:
    p = problem("spder-log", "lattice")
    theta = parameters(p)
    engine = CpuNetworkEngine(p)
    loss, gradient = engine.loss(theta)
    broken = theta.copy()
    broken[len(theta) // 2] = math.nan
    assert math.isnan(engine.loss(broken)[0])
    again, same = engine.loss(theta)
    assert again == loss
    assert np.array_equal(same, gradient)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_finite_where_all_is_zero(activation: str) -> None:
    p = problem(activation)
    loss, gradient = CpuNetworkEngine(p).loss(np.zeros(p.parameter_count))
    assert math.isfinite(loss)
    assert np.isfinite(gradient).all()


class Odd(Activation):
    """An activation of somebody else's: everything that the arithmetic offers.

    It is continuous, so that rounding cannot tear apart what the engines compute.
    """

    def __call__(self, a: Any, x: Any) -> Any:
        x = a.sin(x)
        y = 1.0 / (1.0 + a.exp(-x)) - a.arctan(x) / 3.0 + (2.0 - x) / (x * x + 1.5)
        share = 2.0 * x - a.floor(2.0 * x)
        y = y - a.minimum(x, 0.25) + share * (1 - share) - a.where(x <= 0.5, x * x, 0.25)
        y = y + a.maximum(x, -0.1) * a.log(x + 1.5) + a.where(a.cos(x) > 1.0, 1.0, a.sqrt(x + 1.1))
        return y + a.detached(x) * x + a.where(x < 0.0, -x, 0.5 * x) - a.abs(x)


class Unknown(Activation):
    """An activation that mixes features."""

    def __call__(self, a: Any, x: Any) -> Any:
        return x - x.mean(0)


def test_a_new_activation_needs_nothing_but_its_formula() -> None:
    p = problem(Odd())
    assert_agreement(p, parameters(p))


def test_one_that_is_no_formula_goes_to_the_reference() -> None:
    p = problem(Unknown())
    assert make_network_engine(p, "cpu").name == "reference"
    with pytest.raises(BadOption, match="activation Unknown cannot be compiled"):
        make_network_engine(p, "cpu", "cpu")


def test_the_compiled_engine_is_chosen_where_it_can_fit_the_network() -> None:
    assert make_network_engine(problem(), "cpu").name == "cpu"
    assert make_network_engine(problem(), "cpu", "reference").name == "reference"
    assert make_network_engine(problem(encoding="hash"), "cpu").name == "reference"
    assert make_network_engine(problem(width=network.WIDEST + 1), "cpu").name == "reference"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"encoding": "hash"}, "encoding Hash is not made of sines"),
        ({"width": 129, "activation": "wire"}, "layers are 258 wide, at most 256 are supported"),
    ],
)
def test_the_compiled_engine_says_what_it_cannot_fit(options: dict, reason: str) -> None:
    with pytest.raises(BadOption, match=re.escape(reason)):
        make_network_engine(problem(**options), "cpu", "cpu")


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("tpu", "expected one of auto, reference, cpu"),
        ("gpu", "engine gpu was asked for, but the device is the CPU"),
        ("gpu-bf16", "engine gpu-bf16 was asked for, but the device is the CPU"),
    ],
)
def test_engines_that_do_not_fit_networks_are_refused(engine: str, said: str) -> None:
    with pytest.raises(BadOption, match=said):
        make_network_engine(problem(), "cpu", engine)


def applied(function: Callable, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
    """(values, slopes) of an elementwise function in compiled code, and that code."""
    kernel = loop(formula(function, 1), True)

    @numba.njit
    def run(s: np.ndarray, n: int) -> None:
        kernel(s, 0, n, 2 * n, 1, n, n)

    s, n = zeros(3 * len(x)), len(x)
    s[:n] = x
    run(s, n)
    return s[n : 2 * n].astype(np.float64), s[2 * n :].astype(np.float64), run


@pytest.mark.parametrize("bound", [1.0, 100.0, 1e4, 1e5])
def test_sines_of_large_phases_are_right_to_a_few_units(bound: float) -> None:
    x = np.random.default_rng(0).uniform(-bound, bound, 1 << 16).astype(np.float32)
    sine, cosine, _ = applied(lambda a, x: a.sin(x), x)
    assert np.abs(sine - np.sin(x.astype(np.float64))).max() <= 3e-7
    assert np.abs(cosine - np.cos(x.astype(np.float64))).max() <= 3e-7


def test_other_functions_are_right_to_a_few_units() -> None:
    rng = np.random.default_rng(0)
    for name, x, exact in (
        ("exp", rng.uniform(-59, 85, 1 << 14), np.exp),
        ("log", np.exp(rng.uniform(-60, 60, 1 << 14)), np.log),
        ("arctan", rng.normal(size=1 << 14) * np.exp(rng.uniform(-5, 5, 1 << 14)), np.arctan),
        ("sqrt", np.exp(rng.uniform(-60, 60, 1 << 14)), np.sqrt),
    ):
        x = x.astype(np.float32)
        expected = exact(x.astype(np.float64))
        values = applied(lambda a, x, name=name: getattr(a, name)(x), x)[0]
        assert np.abs(values - expected).max(where=expected == 0, initial=0) == 0, name
        assert np.abs(values / expected - 1).max() <= 3e-7, name


def test_activations_run_in_vector_registers() -> None:
    code = "".join(applied(lambda a, x: a.sin(x), np.zeros(64))[2].inspect_asm().values())
    if "%ymm" not in code and "%zmm" not in code:
        pytest.skip("this processor has other registers")
    multiplied = re.findall(r"v(?:mul|fn?m\w+)([ps]s)\s", code)
    assert multiplied.count("ps") > 5
    assert "ss" not in multiplied
    assert "sinf" not in code
