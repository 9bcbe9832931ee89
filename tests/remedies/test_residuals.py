"""Remedies that change the residual do what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inrcodec.kernels.reference_network import jacobian  # noqa: E402
from inrcodec.remedies.blocks import blocked, unblocked  # noqa: E402
from inrcodec.remedies.iga import (  # noqa: E402
    EQUAL_UP,
    InductiveGradientAdjustment,
    adjustment,
    side_of,
)
from inrcodec.remedies.sec_loss import CentroidLoss, centroid  # noqa: E402
from inrcodec.remedies.sgd import GradientDescent  # noqa: E402
from inrcodec.signal import VideoSignal, image_signal  # noqa: E402
from inrcodec.signal.spectrum import radii  # noqa: E402


def kernel(rng: np.random.Generator, n: int = 9) -> np.ndarray:
    j = rng.standard_normal((n, 40)) * np.geomspace(1, 10, n)[:, None]
    return j @ j.T


def test_blocks_are_undone_and_hold_every_sample_once() -> None:
    rng = np.random.default_rng(0)
    for shape, side in (((7, 9), 4), ((10,), 3), ((3, 5, 4), 2), ((6, 6), 6)):
        values = rng.standard_normal((2, *shape))
        rows = blocked(values, side)
        assert rows.shape[2] == side ** len(shape)
        np.testing.assert_array_equal(unblocked(rows, shape, side), values)
    rows = blocked(np.arange(8).reshape(1, 2, 4), 2)[0]
    assert rows.tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]


def test_the_source_s_groups_of_a_kodak_picture() -> None:
    assert side_of((512, 768), 384) == 32


def test_s_brings_the_largest_eigenvalues_down_to_the_one_behind_them() -> None:
    k = kernel(np.random.default_rng(1))
    s = adjustment(k, 0, 4)
    values = np.linalg.eigvalsh(k)[::-1]
    found = np.sort(np.linalg.eigvals(s @ k).real)[::-1]
    np.testing.assert_allclose(found[:5], values[4], rtol=1e-8)
    np.testing.assert_allclose(found[5:], values[5:], rtol=1e-6)


def test_s_leaves_those_before_start_alone_and_raises_in_the_other_variant() -> None:
    k = kernel(np.random.default_rng(2))
    values = np.linalg.eigvalsh(k)[::-1]
    down = np.sort(np.linalg.eigvals(adjustment(k, 1, 4) @ k).real)[::-1]
    np.testing.assert_allclose(down[:5], [values[0], *[values[4]] * 4], rtol=1e-8)
    up = np.sort(np.linalg.eigvals(adjustment(k, 1, 4, EQUAL_UP) @ k).real)[::-1]
    np.testing.assert_allclose(up[:4], [values[0], *[values[1]] * 3], rtol=1e-8)
    np.testing.assert_allclose(up[4:], values[4:], rtol=1e-6)


def test_s_of_a_kernel_of_low_rank_stays_finite() -> None:
    v = np.random.default_rng(3).standard_normal((6, 1))
    assert np.isfinite(adjustment(v @ v.T, 0, 5)).all()
    np.testing.assert_array_equal(adjustment(np.zeros((4, 4)), 0, 3), np.eye(4))


def dense_jacobian(made) -> np.ndarray:
    """[channels, samples, parameters] in float64, one backward pass for every number."""
    theta = torch.from_numpy(made.theta).double().requires_grad_()
    part = made.problem.samples[0]
    parts = torch.split(theta, [int(np.prod(s)) for s in made.problem.layout.values()])
    layout = made.problem.layout.items()
    named = {n: p.reshape(s) for (n, s), p in zip(layout, parts, strict=True)}
    from inrcodec.kernels.reference_network import TORCH

    values = made.problem.function(TORCH, named, torch.from_numpy(part.coords).double())
    rows = [torch.autograd.grad(v, theta, retain_graph=True)[0] for v in values.flatten()]
    return torch.stack(rows).numpy().reshape(*values.shape, -1)


def names(made) -> list[str]:
    """Of every parameter, the tensor that it is in."""
    return [name for name, shape in made.problem.layout.items() for _ in range(np.prod(shape))]


@pytest.mark.parametrize("summed", [0, 1])
def test_the_tangent_kernel_and_the_update_are_those_of_a_dense_float64_reference(
    summed: int, case
) -> None:
    made = case(width=5)
    remedy = InductiveGradientAdjustment(end=3, groups=12, every=1, summed=summed)
    part = made.problem.samples[0]
    (values,) = made.engine.values(made.theta)
    residual = values - part.target
    (shaped,) = remedy.shaper(made.fitting)(0, made.theta, [residual])

    slopes = dense_jacobian(made)
    side = side_of(part.shape, 12)
    groups = blocked(residual.reshape(3, *part.shape), side)
    numbers = blocked(np.arange(residual.shape[1]).reshape(1, *part.shape), side)[0]
    worst = np.abs(groups).sum(axis=0).argmax(axis=1)
    assert len(set(worst)) < len(worst)  # or summed ones would not show how repeats count
    points = numbers[:, worst] if summed else numbers[np.arange(len(numbers)), worst][:, None]
    j = slopes[:, points].sum(axis=(0, 2)) / np.sqrt(3)
    np.testing.assert_allclose(
        jacobian(made.problem, made.theta, 0, points), j, rtol=1e-3, atol=1e-4
    )
    unfolded = np.where([g in ("weight2", "bias2") for g in names(made)], 1.0, 30.0)
    own = j * unfolded
    s = adjustment(own @ own.T, 0, 3)
    wanted = np.einsum("gh,chp->cgp", s, groups.astype(np.float64))
    wanted = unblocked(wanted, part.shape, side).reshape(residual.shape)
    np.testing.assert_allclose(shaped, wanted, rtol=2e-3, atol=2e-3)
    _, gradient = made.engine.loss(made.theta, None, [values - shaped])
    dense = 2 / residual.size * np.einsum("cn,cnp->p", wanted, slopes)
    np.testing.assert_allclose(gradient, dense, rtol=2e-3, atol=2e-3 * np.abs(dense).max())


def test_a_step_of_sgd_takes_the_raised_directions_away_at_one_rate(case) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (6, 7), np.uint8)
    made = case(width=12, signal=image_signal(noise))  # 42 groups of one sample: K is all there is
    start, end = 1, 6
    remedy = InductiveGradientAdjustment(start=start, end=end, every=1, variant=EQUAL_UP)
    (before,), (part,) = made.engine.values(made.theta), made.problem.samples
    residual = before - part.target
    (shaped,) = remedy.shaper(made.fitting)(0, made.theta, [residual])
    _, gradient = made.engine.loss(made.theta, None, [before - shaped])
    derivatives = dense_jacobian(made)[0] * made.speeds
    eigenvalues, vectors = (x[..., ::-1] for x in np.linalg.eigh(derivatives @ derivatives.T))

    rate = 0.02 * noise.size / 2 / eigenvalues[start]  # 2% of a raised direction in the step
    scaled = np.zeros(len(made.theta))
    GradientDescent(rate).optimizer({}).update(scaled, gradient * made.speeds, 1.0)
    (after,) = made.engine.values(made.theta + scaled * made.speeds)
    taken = -(after - before)[0] @ vectors / (residual[0] @ vectors)
    np.testing.assert_allclose(taken[start:end], 0.02, rtol=0.1)
    assert taken[0] > 0.04  # left alone, it falls faster


def test_summed_derivatives_are_those_of_all_groups_positions(case) -> None:
    made = case(width=4)
    columns = np.array([[0, 5, -1], [7, 7, 3]])
    found = jacobian(made.problem, made.theta, 0, columns)
    single = jacobian(made.problem, made.theta, 0, np.array([[0], [5], [7], [3]]))
    np.testing.assert_allclose(found[0], single[0] + single[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[1], 2 * single[2] + single[3], rtol=1e-4, atol=1e-5)


def test_the_centroid_s_gradient_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(4)
    values, radius = rng.standard_normal((2, 6, 8)), radii((6, 8))
    _, slope = centroid(values, radius)
    direction = rng.standard_normal(values.shape)
    ahead, behind = (centroid(values + s * 1e-5 * direction, radius)[0] for s in (1, -1))
    assert (slope * direction).sum() == pytest.approx((ahead - behind) / 2e-5, rel=1e-6)
    assert centroid(np.full((1, 4, 4), 0.3), radii((4, 4)))[0] == 0


def test_the_shaped_residual_is_the_slope_of_the_loss_also_of_several_planes(case) -> None:
    rng = np.random.default_rng(5)
    planes = [rng.integers(0, 256, (3, *shape), np.uint8) for shape in ((8, 10), (4, 5), (4, 5))]
    made = case(signal=VideoSignal(tuple(planes), rate=25, subsampling="4:2:0"))
    parts, count = made.problem.samples, made.problem.value_count
    values = [0.5 * rng.standard_normal(part.target.shape) for part in parts]

    def loss(now: list[np.ndarray]) -> float:
        total = 0.0
        for part, found in zip(parts, now, strict=True):
            target = part.target.reshape(1, *part.shape)
            ours, wanted = (
                centroid(x.reshape(1, *part.shape), radii(part.shape))[0] for x in (found, target)
            )
            term = 0.3 * target.var() * (ours / wanted - 1) ** 2
            total += np.square(found - part.target).sum() / count + found.size / count * term
        return float(total)

    shaped = CentroidLoss(weight=0.3).shaper(made.fitting)(
        0, made.theta, [found - part.target for part, found in zip(parts, values, strict=True)]
    )
    way = [rng.standard_normal(found.shape) for found in values]
    ahead, behind = (
        loss([found + sign * 1e-4 * step for found, step in zip(values, way, strict=True)])
        for sign in (1, -1)
    )
    slope = sum(float((s * w).sum()) for s, w in zip(shaped, way, strict=True)) * 2 / count
    assert slope == pytest.approx((ahead - behind) / 2e-4, rel=1e-3)


def test_a_wave_s_centroid_is_its_frequency() -> None:
    x = np.arange(32) / 32
    wave = np.cos(2 * np.pi * 5 * x)[None, None, :] + np.zeros((1, 16, 1))
    assert centroid(wave, radii((16, 32)))[0] == pytest.approx(5)


def test_the_centroid_term_fades_to_plain_error(case) -> None:
    made = case()
    shaper = CentroidLoss(weight=1.0).shaper(made.fitting)
    (values,) = made.engine.values(made.theta)
    residual = values - made.problem.samples[0].target
    (begin,) = shaper(0, made.theta, [residual])
    (end,) = shaper(made.fitting.steps, made.theta, [residual])
    assert np.abs(begin - residual).max() > 1e-4
    np.testing.assert_array_equal(end, residual)
