"""Problems of the grid field for tests of engines, and what it means that two engines agree."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inrcodec.kernels import Engine, GridProblem
from inrcodec.kernels.reference import ReferenceEngine

TOLERANCE = 1e-4
SPATIAL = sorted(
    ((dy, dx) for dy in range(-4, 1) for dx in range(-4, 5) if dy < 0 or dx < 0),
    key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, offset),
)
COARSE = ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))


def grid_problem(
    height: int,
    width: int,
    channels: int = 3,
    levels: int = 7,
    first_level: int = 0,
    spatial: int = 12,
    coarse: int = 5,
    arm: int = 16,
    synthesis: int = 16,
    taps: int = 2,
    seed: int = 0,
) -> GridProblem:
    inputs = spatial + coarse
    layout = {
        "arm.w1": (arm, inputs),
        "arm.b1": (arm,),
        "arm.w2": (arm, arm),
        "arm.b2": (arm,),
        "arm.w3": (2, arm),
        "arm.skip": (2, inputs),
        "arm.b3": (2,),
        "syn.w1": (synthesis, levels),
        "syn.b1": (synthesis,),
        "syn.w2": (channels, synthesis),
        "syn.b2": (channels,),
    }
    for k in range(taps):
        layout[f"syn.taps{k}"] = (channels, channels, 3, 3)
        layout[f"syn.tapbias{k}"] = (channels,)
    return GridProblem(
        target=np.random.default_rng(seed).random((channels, height, width), dtype=np.float32),
        first_level=first_level,
        level_shapes=tuple(
            (-(-height >> level), -(-width >> level))
            for level in range(first_level, first_level + levels)
        ),
        spatial_context=tuple(SPATIAL[:spatial]),
        coarse_context=COARSE[:coarse],
        layout=layout,
        taps=taps,
        feature_gain=0.125,
    )


def random_vectors(p: GridProblem, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    latents = 2 * rng.normal(size=p.latent_count)
    theta = 0.2 * rng.normal(size=p.parameter_count)
    return latents.astype(np.float32), theta.astype(np.float32)


def start_of(p: GridProblem, name: str) -> int:
    """Where a parameter begins in theta."""
    names = list(p.layout)
    return sum(math.prod(p.layout[other]) for other in names[: names.index(name)])


def blocks(p: GridProblem, latents: np.ndarray, theta: np.ndarray) -> dict[str, np.ndarray]:
    """A gradient by level and by parameter."""
    level_ends = np.cumsum([h * w for h, w in p.level_shapes])
    ends = np.cumsum([math.prod(shape) for shape in p.layout.values()])
    levels = np.split(latents, level_ends[:-1])
    named = dict(zip(p.layout, np.split(theta, ends[:-1]), strict=True))
    return {f"level {i}": part for i, part in enumerate(levels)} | named


def assert_close(name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    if theirs.size == 0:
        return
    error = np.abs(ours.astype(np.float64) - theirs)
    assert np.linalg.norm(error) <= TOLERANCE * np.linalg.norm(theirs) + 1e-12, name
    # Rounding may switch a unit that lies at its kink, which changes single elements.
    assert np.mean(error > TOLERANCE * np.abs(theirs).max() + 1e-12) <= 1e-3, name


def assert_agreement(
    engine: Engine, latents: np.ndarray, theta: np.ndarray, lmbda: float = 1e-2
) -> None:
    """All that an engine computes, against the reference."""
    p = engine.problem
    reference = ReferenceEngine(p)
    theirs = reference.loss(reference.vector(latents), reference.vector(theta), lmbda)
    ours = engine.loss(engine.vector(latents), engine.vector(theta), lmbda)
    assert ours.mse == pytest.approx(theirs.mse, rel=1e-5)
    assert ours.bits == pytest.approx(theirs.bits, rel=1e-5)
    expected = blocks(p, theirs.grad_latents.numpy(), theirs.grad_theta.numpy())
    found = blocks(p, engine.array(ours.grad_latents), engine.array(ours.grad_theta))
    for name, values in found.items():
        assert_close(name, values, expected[name])
    whole = np.round(latents)
    theirs = reference.evaluate(reference.vector(whole), reference.vector(theta))
    ours = engine.evaluate(engine.vector(whole), engine.vector(theta))
    assert ours.mse == pytest.approx(theirs.mse, rel=1e-5)
    assert ours.bits == pytest.approx(theirs.bits, rel=1e-5)
    assert ours.grad_latents is None
    assert ours.grad_theta is None
    theirs = reference.maps(reference.vector(whole), reference.vector(theta))
    ours = engine.maps(engine.vector(whole), engine.vector(theta))
    for name, found, expected in zip(("squares", "bits"), ours, theirs, strict=True):
        assert found.shape == expected.shape
        assert_close(name, found, expected)
