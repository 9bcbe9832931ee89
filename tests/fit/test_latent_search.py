"""The search over integer latents keeps exact accounts and never makes a file worse."""

import numpy as np
import pytest

from inrcodec.fields.grid import COARSE_CONTEXT, SPATIAL_CONTEXT, GridConfig
from inrcodec.fit.grid import make_problem
from inrcodec.fit.latent_search import BEFORE, CELL, LatentSearch
from inrcodec.kernels.reference import ReferenceEngine
from inrcodec.signal import image_signal

LMBDA = 2e-3


def search_of(
    height: int, width: int, config: GridConfig, seed: int = 0
) -> tuple[LatentSearch, ReferenceEngine, np.ndarray]:
    """Random latents and networks for a random picture: contexts and taps of full reach."""
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    engine = ReferenceEngine(make_problem(image_signal(samples), config))
    theta = 0.3 * rng.normal(size=engine.problem.parameter_count)
    latents = np.rint(1.5 * rng.normal(size=engine.problem.latent_count)).astype(np.float32)
    return LatentSearch(engine, latents, theta, LMBDA), engine, theta


def cost(engine: ReferenceEngine, latents: np.ndarray, theta: np.ndarray) -> float:
    loss = engine.evaluate(engine.vector(latents), engine.vector(theta))
    return loss.mse + LMBDA * loss.bits / engine.problem.pixels


CONFIGS = [
    GridConfig(0, 3, 22, 9, 8, 8, 2),
    GridConfig(1, 3, 22, 9, 8, 8, 2),
    GridConfig(2, 2, 12, 5, 8, 8, 1),
    GridConfig(0, 1, 0, 0, 8, 8, 0),
    GridConfig(0, 7, 20, 9, 8, 8, 2),
]


@pytest.mark.parametrize(
    ("config", "height", "width"),
    [*((config, 33, 9) for config in CONFIGS), (CONFIGS[0], 1, 1), (CONFIGS[0], 5, 70),
     (CONFIGS[1], 40, 56), (CONFIGS[4], 1, 1)],
    ids=str,
)  # fmt: skip
def test_every_cell_is_judged_by_all_that_its_move_changes(
    config: GridConfig, height: int, width: int
) -> None:
    """Were something felt outside of its cell, the sums would not be those of an evaluation."""
    search, engine, theta = search_of(height, width, config)
    search.run(2 * CELL * CELL * config.levels)
    assert search.mse + LMBDA * search.rate_bpp == pytest.approx(
        cost(engine, search.latents, theta), rel=1e-6
    )


def test_the_cost_falls_with_the_trials_until_no_move_pays() -> None:
    costs = []
    for trials in (0, 16, 64, 640):
        search, engine, theta = search_of(40, 56, CONFIGS[0])
        before = search.latents.copy()
        assert search.run(trials) <= trials
        assert np.array_equal(search.latents, np.rint(search.latents))
        assert np.array_equal(search.latents, before) == (trials == 0)
        costs.append(cost(engine, search.latents, theta))
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) == 4


def test_a_search_ends_early_where_nothing_is_left_to_gain() -> None:
    search, engine, theta = search_of(8, 8, GridConfig(0, 2, 4, 1, 4, 4, 1))
    assert search.run(100_000) < 100_000
    assert search.run(10) == 10
    flat = LatentSearch(engine, search.latents, theta, 0.0)
    assert flat.run(3) == 3


def test_contexts_of_the_format_reach_no_further_than_a_cell() -> None:
    assert max(-dx for _, dx in SPATIAL_CONTEXT) <= CELL - BEFORE - 1
    assert max(dx for _, dx in SPATIAL_CONTEXT) <= BEFORE
    assert max(-dy for dy, _ in SPATIAL_CONTEXT) <= CELL - BEFORE - 1
    assert all(abs(d) <= 1 for pair in COARSE_CONTEXT for d in pair)
