"""SOAP against what it is defined to be."""

import numpy as np
import pytest

from inrcodec.remedies.soap import Soap


def adam(theta, gradients, rate, beta1, beta2, epsilon):
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        theta = theta - rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return theta


def test_a_vector_gets_plain_adam():
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(25, 7))
    theta = rng.normal(size=7)
    expected = adam(theta, gradients, 0.01, 0.9, 0.95, 1e-8)
    soap = Soap({"b": (7,)}, beta1=0.9, beta2=0.95)
    for g in gradients:
        soap.update(theta, g, 0.01)
    assert theta == pytest.approx(expected, rel=1e-12)


def test_a_rotated_problem_gives_the_rotated_solution():
    """Preconditioning in the eigenbasis makes the path equivariant to changes of basis."""
    rng = np.random.default_rng(1)
    q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    target = rng.normal(size=(4, 4))

    def solve(rotation):
        theta = np.zeros(16)
        soap = Soap({"w": (4, 4)})
        for _ in range(30):
            residual = rotation.T @ theta.reshape(4, 4) - target
            soap.update(theta, (rotation @ (np.diag([1, 4, 9, 16.0]) @ residual)).ravel(), 0.05)
        return rotation.T @ theta.reshape(4, 4)

    assert solve(q) == pytest.approx(solve(np.eye(4)), abs=1e-6)


def test_it_beats_adam_on_an_ill_conditioned_matrix_problem():
    rng = np.random.default_rng(2)
    a = np.linalg.qr(rng.normal(size=(8, 8)))[0] * np.logspace(0, 3, 8)
    target = rng.normal(size=(8, 8))

    def loss(theta):
        return np.square(a.T @ (theta.reshape(8, 8) - target)).sum()

    def gradient(theta):
        return (2 * a @ (a.T @ (theta.reshape(8, 8) - target))).ravel()

    theta, soap = np.zeros(64), Soap({"w": (8, 8)})
    plain, flat = np.zeros(64), Soap({"w": (64,)})
    for _ in range(400):
        soap.update(theta, gradient(theta), 0.02)
        flat.update(plain, gradient(plain), 0.02)
    assert loss(theta) < loss(plain) / 2


def test_zero_gradients_and_empty_tensors_move_nothing():
    theta = np.ones(6)
    soap = Soap({"w": (2, 3), "none": (4, 0)})
    for _ in range(12):
        soap.update(theta, np.zeros(6), 0.1)
    assert np.array_equal(theta, np.ones(6))


def test_a_long_side_keeps_its_own_basis():
    """A table of thousands of entries is preconditioned along its features alone."""
    rng = np.random.default_rng(3)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    gradients = rng.normal(size=(25, 3000, 3))

    def path(turn):
        theta = np.zeros(9000)
        soap = Soap({"table": (3000, 3)})
        for g in gradients:
            soap.update(theta, (g @ turn).ravel(), 0.01)
        return theta.reshape(3000, 3) @ turn.T

    assert path(rotation) == pytest.approx(path(np.eye(3)), abs=1e-9)


def test_wide_matrices_are_moved_on_a_device_by_the_same_numbers():
    """The device is torch on the CPU under another name."""
    pytest.importorskip("torch")
    shapes = {"w": (130, 130), "b": (130,), "huge": (600, 3)}
    rng = np.random.default_rng(3)
    count = sum(int(np.prod(shape)) for shape in shapes.values())
    gradients = rng.normal(size=(25, count)) * np.linspace(0.1, 3, count)
    theta = rng.normal(size=count)
    found, expected = theta.copy(), theta.copy()
    host, there = Soap(shapes), Soap(shapes, device="cpu:0")
    assert type(there._algebra) is not type(host._algebra)
    assert type(Soap({"w": (28, 28)}, device="cpu:0")._algebra) is type(host._algebra)
    for g in gradients:
        host.update(expected, g, 0.01)
        there.update(found, g, 0.01)
    assert found == pytest.approx(expected, abs=1e-6)
    assert np.abs(expected - theta).max() > 0.05
