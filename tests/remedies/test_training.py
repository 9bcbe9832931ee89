"""Remedies that train something else than the weights end in the network that they trained."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inrcodec.kernels.network import split  # noqa: E402
from inrcodec.remedies.adam import Adam  # noqa: E402
from inrcodec.remedies.bn import BatchNormalised  # noqa: E402
from inrcodec.remedies.fr import OTHER_RATE, SINE_RATE, FourierReparameterised  # noqa: E402
from inrcodec.remedies.muon import Muon, orthogonal  # noqa: E402
from inrcodec.remedies.rwf import RandomWeightFactorised  # noqa: E402
from inrcodec.remedies.sgd import GradientDescent  # noqa: E402


@pytest.mark.parametrize(
    "remedy",
    [FourierReparameterised(low=5, high=4, phases=3, alpha=0.1), RandomWeightFactorised()],
    ids=["fr", "rwf"],
)
def test_gradients_of_factors_are_those_of_the_product(remedy, case) -> None:
    trained = remedy.trained(case().plain, case().fitting)
    rng = np.random.default_rng(1)
    error, gradient = trained.loss(trained.values, None, None)
    for _ in range(5):
        direction = rng.standard_normal(len(trained.values)) * np.sqrt(trained.speeds)
        ahead, behind = (
            trained.engine.error(trained.theta(trained.values + sign * 1e-3 * direction))
            for sign in (1, -1)
        )
        assert gradient @ direction == pytest.approx((ahead - behind) / 2e-3, rel=2e-2, abs=1e-4)
    assert error == pytest.approx(trained.engine.error(trained.theta(trained.values)), rel=1e-5)


def test_rwf_begins_with_the_same_network(case) -> None:
    plain = case().plain
    trained = RandomWeightFactorised().trained(plain, case().fitting)
    np.testing.assert_allclose(trained.theta(trained.values), plain.values, rtol=1e-12)


def test_fr_folds_hidden_matrices_and_leaves_the_others_alone(case) -> None:
    made = case(layers=2)
    remedy = FourierReparameterised(low=5, high=4, phases=3, alpha=0.1)
    trained = remedy.trained(made.plain, made.fitting)
    assert trained.shapes["weight1.waves"] == (8, 27)
    assert "weight2.waves" in trained.shapes
    assert "weight0.waves" not in trained.shapes
    assert "weight3.waves" not in trained.shapes
    offset = 0
    folded = {}
    for name, shape in made.problem.layout.items():
        size = int(np.prod(shape))
        folded[name] = trained.theta(trained.values)[offset : offset + size].reshape(shape)
        offset += size
    at = list(trained.shapes).index("weight1.waves")
    before = sum(int(np.prod(s)) for s in list(trained.shapes.values())[:at])
    waves = trained.values[before : before + 8 * 27].reshape(8, 27)
    np.testing.assert_allclose(folded["weight1"], waves @ remedy.basis(8), atol=1e-12)
    np.testing.assert_array_equal(folded["weight0"].ravel(), made.plain.values[:16])


def test_the_waves_of_fr_are_those_of_the_source() -> None:
    remedy = FourierReparameterised(low=2, high=1, phases=2, alpha=0.5)
    z = np.linspace(-2 * np.pi, 2 * np.pi, 3)  # T = 2 pi / (1 / 2)
    waves = [np.cos(f * z + p) for f in (0.5, 1.0, 1.0) for p in (0, np.pi)]
    np.testing.assert_allclose(remedy.basis(3), 0.5 * np.array(waves), atol=1e-12)


def test_fr_begins_with_hidden_biases_of_zero(case, picture) -> None:
    made = case(layers=2)
    begun = FourierReparameterised().begin(made.start, picture, made.fitting.rng).theta
    for name, values in made.start.theta.items():
        if name in ("bias1", "bias2"):
            assert values.any()
            assert not begun[name].any()
        else:
            np.testing.assert_array_equal(begun[name], values)


def test_fr_moves_waves_by_its_rate_and_whatever_their_height(case) -> None:
    made, sines = case("relu", layers=1), case("siren", layers=1)

    def moved(remedy: FourierReparameterised, on) -> np.ndarray:
        on.fitting.rng.bit_generator.state = np.random.default_rng(5).bit_generator.state
        trained = remedy.trained(on.plain, on.fitting)
        _, gradient = trained.loss(trained.values, None, None)
        # What a step of an optimiser that knows no scale changes in the network.
        step = trained.speeds * np.sign(gradient)
        return trained.theta(trained.values + 1e-3 * step) - trained.theta(trained.values)

    small = {"low": 5, "high": 4, "phases": 3}
    for on, rate in ((made, OTHER_RATE), (sines, SINE_RATE)):
        chosen = moved(FourierReparameterised(**small), on)
        np.testing.assert_allclose(
            chosen, moved(FourierReparameterised(**small, rate=rate), on), rtol=1e-9
        )
        high = moved(FourierReparameterised(**small, alpha=0.7), on)
        np.testing.assert_allclose(chosen, high, rtol=1e-6, atol=1e-9)
    slow, fast = (moved(FourierReparameterised(**small, rate=r), made) for r in (1.0, 10.0))
    waves = slice(24, 24 + 64)  # weight1
    np.testing.assert_allclose(fast[waves], 10 * slow[waves], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(fast[:24], slow[:24])


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("field", ["relu", "pe"])
def test_bn_folds_to_the_network_that_it_normalised(after, field, case) -> None:
    made = case(field, layers=2)
    trained = BatchNormalised(after).trained(made.plain, made.fitting)
    rng = np.random.default_rng(2)
    values = trained.values + 0.3 * rng.standard_normal(len(trained.values)) * (trained.speeds > 0)
    error, _ = trained.loss(values, None, None)  # its statistics are those of the whole picture
    folded = trained.theta(values)
    assert len(folded) == len(made.plain.values)
    assert made.engine.error(folded) == pytest.approx(error, rel=1e-5)


def test_bn_stands_where_iga_s_experiments_have_it(case) -> None:
    for field, after in (("relu", 1), ("pe", 0)):
        made = case(field)
        theta = [
            remedy.trained(made.plain, made.fitting).theta
            for remedy in (BatchNormalised(), BatchNormalised(after), BatchNormalised(1 - after))
        ]
        values = BatchNormalised().trained(made.plain, made.fitting).values
        chosen, same, other = (of(values) for of in theta)
        np.testing.assert_array_equal(chosen, same)
        assert not np.allclose(chosen, other)


def test_bn_begins_normalised(case) -> None:
    made = case("relu", layers=1)
    trained = BatchNormalised(after=0).trained(made.plain, made.fitting)
    theta = trained.theta(trained.values)
    coords = made.problem.samples[0].coords.astype(np.float64)
    first = theta[:16].reshape(8, 2) @ coords + theta[16:24, None]
    np.testing.assert_allclose(first.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(first.std(axis=1), 1, atol=1e-3)


def test_adam_is_that_of_torch() -> None:
    rng = np.random.default_rng(3)
    theta = rng.standard_normal(7)
    parameter = torch.nn.Parameter(torch.from_numpy(theta.copy()))
    theirs, ours = torch.optim.Adam([parameter], lr=0.01, eps=1e-15), Adam()
    for _ in range(20):
        gradient = rng.standard_normal(7)
        parameter.grad = torch.from_numpy(gradient)
        theirs.step()
        ours.update(theta, gradient, 0.01)
    np.testing.assert_allclose(theta, parameter.detach().numpy(), rtol=1e-12)


def test_sgd_is_that_of_torch() -> None:
    theta = np.arange(7.0)
    parameter = torch.nn.Parameter(torch.from_numpy(theta.copy()))
    theirs, ours = torch.optim.SGD([parameter], lr=0.5), GradientDescent(5.0).optimizer({})
    for gradient in np.random.default_rng(3).standard_normal((20, 7)):
        parameter.grad = torch.from_numpy(gradient)
        theirs.step()
        ours.update(theta, gradient, 0.1)
    np.testing.assert_allclose(theta, parameter.detach().numpy(), rtol=1e-12)


def test_muon_makes_singular_values_equal() -> None:
    rng = np.random.default_rng(4)
    for shape in ((6, 6), (9, 4), (4, 9)):
        matrix = rng.standard_normal(shape) * np.geomspace(1, 30, shape[1])
        left, _, right = np.linalg.svd(matrix, full_matrices=False)
        found = orthogonal(matrix)
        values = np.linalg.svd(found, compute_uv=False)
        assert 0.6 < values.min() <= values.max() < 1.25
        np.testing.assert_allclose(found, left @ right, atol=0.4)


def test_muon_moves_hidden_matrices_and_leaves_the_rest_to_adam() -> None:
    rng = np.random.default_rng(6)
    shapes = {"weight0": (4, 2), "bias0": (4,), "weight1": (4, 4), "bias1": (4,), "weight2": (1, 4)}
    size = sum(int(np.prod(s)) for s in shapes.values())
    theta, gradient = np.zeros(size), rng.standard_normal(size)
    adam = np.zeros(size)
    Muon(shapes).update(theta, gradient, 0.1)
    Adam().update(adam, gradient, 0.1)
    hidden = slice(12, 28)
    others = np.ones(size, bool)
    others[hidden] = False
    np.testing.assert_array_equal(theta[others], adam[others])
    move = -theta[hidden].reshape(4, 4) / 0.1
    np.testing.assert_allclose(move, 0.2 * 2 * orthogonal(gradient[hidden].reshape(4, 4)))


def test_muon_moves_every_mixing_matrix_of_a_multiplicative_network() -> None:
    shapes = {"frequency0": (4, 2), "weight1": (4, 4), "weight2": (4, 4), "output2": (3, 4)}
    muon, adam = np.zeros(52), np.zeros(52)
    gradient = np.random.default_rng(8).standard_normal(52)
    Muon(shapes).update(muon, gradient, 0.1)
    Adam().update(adam, gradient, 0.1)
    moved, usual = split(muon, shapes), split(adam, shapes)
    differ = {name for name in shapes if not np.array_equal(moved[name], usual[name])}
    assert differ == {"weight1", "weight2"}


def test_muon_moves_the_hidden_factors_of_factored_weights_alone(case) -> None:
    made = case(layers=2)
    trained = RandomWeightFactorised().trained(made.plain, made.fitting)
    gradient = np.random.default_rng(7).standard_normal(len(trained.values))
    muon, adam = trained.values.copy(), trained.values.copy()
    Muon(trained.shapes).update(muon, gradient, 0.1)
    Adam().update(adam, gradient, 0.1)
    moved, usual = split(muon, trained.shapes), split(adam, trained.shapes)
    differ = {name for name in trained.shapes if not np.array_equal(moved[name], usual[name])}
    assert differ == {"weight1.direction", "weight2.direction"}
