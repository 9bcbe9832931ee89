"""Step search and refinement only ever lower the cost that they are given."""

import numpy as np
import pytest

from inrcodec.entropy.context import FRACTION_BITS, MAX_WEIGHT
from inrcodec.entropy.integers import best_code, group_cost_bits
from inrcodec.fields.mlp import MlpField
from inrcodec.fields.network import flat
from inrcodec.fit import EncodeOptions
from inrcodec.fit.mlp import start_of
from inrcodec.fit.targets import native_coordinates
from inrcodec.kernels.arithmetic import NumpyArithmetic
from inrcodec.quantize.weights import QuantizedWeights
from inrcodec.signal import audio_signal

LAYOUT = {"arm.w": ("arm", (6, 5)), "syn.w": ("syn", (4, 7)), "arm.b": ("arm", (6,))}
HIGHEST = {"arm": 12, "syn": 20}


def weights(price: float, curvature: float = 1.0, seed: int = 0):
    theta = np.random.default_rng(seed).normal(size=64).astype(np.float32)

    def cost(values: np.ndarray) -> float:
        return curvature * float(np.square(values - theta).sum())

    return theta, cost, QuantizedWeights(LAYOUT, theta, cost, price, HIGHEST)


def test_total_is_cost_of_dequantized_values_plus_coded_bits():
    theta, cost, quantized = weights(1e-3)
    quantized.search_steps()
    groups = {"arm": np.r_[0:30, 58:64], "syn": np.r_[30:58]}
    bits = 0.0
    for where in groups.values():
        values = quantized.integers[where]
        bits += group_cost_bits(values, best_code(values))
    assert quantized.bits == pytest.approx(bits)
    assert quantized.best == pytest.approx(cost(quantized.values()) + 1e-3 * bits)


@pytest.mark.parametrize("price", [1e-5, 1e-3, 1e-1])
def test_search_and_refinement_never_raise_the_cost(price):
    _, _, quantized = weights(price)
    first = quantized.best
    quantized.search_steps()
    second = quantized.best
    quantized.refine(200)
    assert first >= second >= quantized.best


def test_dearer_bits_give_coarser_steps():
    exponents = []
    for price in (1e-6, 1e-3, 1.0):
        _, _, quantized = weights(price)
        quantized.search_steps(5)
        exponents.append(sum(quantized.exponents.values()))
    assert exponents[0] > exponents[1] > exponents[2]


def test_free_bits_recover_the_weights():
    theta, _, quantized = weights(0.0)
    quantized.search_steps(5)
    assert np.abs(quantized.values() - theta).max() < 2**-11


def test_weights_of_the_context_model_stay_where_its_sums_are_exact():
    theta = np.full(64, 1e4, np.float32)
    quantized = QuantizedWeights(LAYOUT, theta, lambda values: -float(values.sum()), 0.0, HIGHEST)
    quantized.search_steps()
    quantized.refine(128)
    largest = MAX_WEIGHT / 2**FRACTION_BITS
    values = quantized.values()
    assert values[:30].max() == values[58:].max() == largest
    assert values[30:58].min() > largest


def test_theta_hat_times_step_is_the_value():
    _, _, quantized = weights(1e-3)
    quantized.search_steps()
    integers = quantized.theta_hat()
    flat = np.concatenate(
        [
            integers[name].ravel() * 2.0 ** -quantized.exponents[group]
            for name, (group, _) in LAYOUT.items()
        ]
    )
    assert np.array_equal(flat.astype(np.float32), quantized.values())


def test_the_search_begins_where_no_integer_is_clipped():
    theta = np.array([320_000.0, -3.0, 0.5])
    layout = {"frequency": ("frequency", (1,)), "weight": ("weight", (2,))}
    weights = QuantizedWeights(layout, theta, lambda _: 0.0, 1e-9, dict.fromkeys(layout, 23))
    assert weights.exponents == {"frequency": 5, "weight": 8}
    assert weights.values().tolist() == theta.tolist()


def test_a_group_keeps_as_many_bits_as_it_was_asked_to():
    layout = {"first": ("first", (3,)), "other": ("other", (3,))}
    theta = np.array([700.0, -3, 0, 700, -3, 0], np.float32)
    highest = dict.fromkeys(layout, 23)
    weights = QuantizedWeights(layout, theta, lambda _: 0.0, 1.0, highest, {"first": 20})
    weights.search_steps()
    assert weights.exponents == {"first": 10, "other": 0}
    assert 2**19 <= np.abs(weights.theta_hat()["first"]).max() < 2**20
    nothing = QuantizedWeights(layout, 0 * theta, lambda _: 0.0, 1.0, highest, {"first": 20})
    nothing.search_steps()
    assert not nothing.integers.any()


def test_first_layers_of_sound_keep_their_phases():
    # Weights of a fitted first layer turn by tens of thousands of radians from -1 to 1, and the
    # sound changes with every hundredth of one.
    signal = audio_signal(np.zeros((800, 1)), 8000, 16)
    network = {"hidden_features": 12, "hidden_layers": 1, "first_omega_0": 3000.0}
    start = start_of(signal, EncodeOptions(field="siren", network=network))
    layout = MlpField.layout(start.config, 1, 1)
    theta = flat(layout, start.theta | {"weight0": 16 * start.theta["weight0"]})
    coords = native_coordinates((800,)).astype(np.float64)

    def values(parameters: np.ndarray) -> np.ndarray:
        sizes = [int(np.prod(shape)) for _, shape in layout.values()]
        parts = np.split(parameters.astype(np.float64), np.cumsum(sizes)[:-1])
        shaped = {n: p.reshape(layout[n][1]) for n, p in zip(layout, parts, strict=True)}
        return MlpField.network(NumpyArithmetic(), start.config, shaped, coords)

    fitted = values(theta)
    noise = np.random.default_rng(0).normal(size=fitted.shape) * fitted.std() / 32
    sound = fitted + noise  # the fit is within 30 dB

    def error(parameters: np.ndarray) -> float:
        return float(np.square(values(parameters) - sound).mean())

    highest = {group: 23 for group, _ in layout.values()}
    quantized = QuantizedWeights(layout, theta, error, 1e-12, highest)
    quantized.search_steps()
    assert np.abs(theta).max() > 40_000
    assert error(quantized.values()) < 1.1 * error(theta)
