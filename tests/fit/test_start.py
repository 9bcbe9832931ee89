"""Learned starting weights: whole, of the right shapes, and sensible for every kind of picture."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inrcodec.fields.grid import (
    FEATURE_GAIN,
    GridConfig,
    level_shapes,
    parameter_count,
    parameter_layout,
)
from inrcodec.fit import start
from inrcodec.fit.presets import TIERS
from inrcodec.grid import Grid
from inrcodec.kernels.render import Networks, render

SIZE = (20, 26)
CHANNELS = {"grey": 1, "grey+alpha": 2, "RGB": 3, "RGBA": 4}


def split(theta: np.ndarray, config: GridConfig, channels: int) -> dict[str, np.ndarray]:
    parts, offset = {}, 0
    for name, (_, shape) in parameter_layout(config, channels).items():
        n = math.prod(shape)
        parts[name] = theta[offset : offset + n].astype(np.float64).reshape(shape)
        offset += n
    assert offset == len(theta)
    return parts


def picture(
    theta: np.ndarray, config: GridConfig, channels: int, latents: list[np.ndarray]
) -> np.ndarray:
    """[height, width, channels] native values of a field with these float parameters."""
    networks = Networks(split(theta, config, channels), config.taps, FEATURE_GAIN)
    size = (*SIZE, channels)
    return render(networks, latents, config.first_level, size, Grid.of(*SIZE))


def some_latents(config: GridConfig, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.rint(rng.laplace(size=s)).astype(np.int32) for s in level_shapes(config, *SIZE)]


def no_latents(config: GridConfig) -> list[np.ndarray]:
    return [np.zeros(s, np.int32) for s in level_shapes(config, *SIZE)]


def random_rgb(config: GridConfig, seed: int = 0) -> np.ndarray:
    """Parameters as they are stored: seven levels, three channels, every number in use."""
    full = GridConfig(0, start.LEARNED_LEVELS, *_widths(config))
    rng = np.random.default_rng(seed)
    return rng.normal(size=parameter_count(full, 3)).astype(np.float32) / 4


def _widths(config: GridConfig) -> tuple[int, ...]:
    return (
        config.spatial_context,
        config.coarse_context,
        config.arm_features,
        config.synthesis_features,
        config.taps,
    )


def grey_network(theta: np.ndarray, config: GridConfig) -> np.ndarray:
    """The same RGB network with all three channels computed alike: its pictures are grey."""
    parts = split(theta, config, 3)
    for name in ("syn.w2", "syn.b2", "syn.tapbias0", "syn.tapbias1"):
        if name in parts:
            parts[name][:] = parts[name].mean(axis=0, keepdims=True)
    for name in ("syn.taps0", "syn.taps1"):
        if name in parts:
            parts[name][:] = parts[name].mean(axis=0, keepdims=True)
    return np.concatenate([part.ravel() for part in parts.values()])


@pytest.mark.parametrize("name", sorted(start.learned()))
def test_every_stored_start_fits_the_config_that_it_is_named_after(name: str) -> None:
    widths, rate_bpp = name.split("/")
    config = GridConfig(0, start.LEARNED_LEVELS, *map(int, widths.split("-")))
    theta = start.learned()[name]
    assert theta.shape == (parameter_count(config, start.LEARNED_CHANNELS),)
    assert theta.dtype == np.float32
    assert np.isfinite(theta).all()
    assert start.key(config, float(rate_bpp)) == name
    # The context model must be able to hold them: weights up to 64.
    parts = split(theta, config, start.LEARNED_CHANNELS)
    assert max(np.abs(parts[n]).max() for n in parts if n.startswith("arm.")) < 64


def first_start(config: GridConfig, target: np.ndarray, rate_bpp: float) -> np.ndarray:
    return start.initial_theta(config, target, rate_bpp, 0)


def is_learned(theta: np.ndarray) -> bool:
    """Whether this start for a black RGB picture of seven levels is a stored one."""
    return any(np.array_equal(theta, stored) for stored in start.learned().values())


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("rate_bpp", [0, 1e-7, 1, 30])
def test_every_tier_has_a_learned_start(tier: str, rate_bpp: float) -> None:
    black = np.zeros((3, 4, 4), np.float32)
    assert is_learned(first_start(TIERS[tier], black, rate_bpp))


def test_a_shape_that_was_not_learned_starts_at_random() -> None:
    black = np.zeros((3, 4, 4), np.float32)
    for config in (GridConfig(arm_features=5), GridConfig(spatial_context=3), GridConfig(taps=0)):
        found = first_start(config, black, 1e-3)
        assert np.array_equal(found, start.random_theta(config, np.zeros(3), 0))


@pytest.mark.parametrize("name", sorted(start.learned()))
def test_the_start_of_the_nearest_rate_is_taken(name: str) -> None:
    widths, rate_bpp = name.split("/")
    config = GridConfig(0, start.LEARNED_LEVELS, *map(int, widths.split("-")))
    for factor in (0.9, 1.0, 1.1):
        black = np.zeros((3, 2, 2), np.float32)
        found = first_start(config, black, float(rate_bpp) * factor)
        assert np.array_equal(found, start.learned()[name])


@pytest.mark.parametrize("channels", CHANNELS.values(), ids=CHANNELS)
@pytest.mark.parametrize("levels", [1, 3, 7])
@pytest.mark.parametrize("tier", TIERS)
def test_a_start_has_the_length_of_its_fit(tier: str, levels: int, channels: int) -> None:
    widths = _widths(TIERS[tier])
    config = GridConfig(0, levels, *widths)
    target = np.random.default_rng(0).random((channels, 3, 3)).astype(np.float32)
    theta = first_start(config, target, 1e-3)
    assert theta.shape == (parameter_count(config, channels),)
    assert theta.dtype == np.float32
    assert np.isfinite(theta).all()


@pytest.mark.parametrize("channels", CHANNELS.values(), ids=CHANNELS)
def test_the_context_model_is_the_same_for_every_kind_of_picture(channels: int) -> None:
    config = TIERS["medium"]
    stored = split(random_rgb(config), config, 3)
    found = split(start._fitted(random_rgb(config), config, np.zeros(channels)), config, channels)
    for name in stored:
        if name.startswith("arm.") or name in ("syn.w1", "syn.b1"):
            assert np.array_equal(found[name], stored[name])


@pytest.mark.parametrize("taps", [0, 1, 2])
def test_a_grey_start_shows_the_mean_of_what_the_colour_network_would(taps: int) -> None:
    """Exactly so where the colour network is grey itself: taps then see three equal inputs."""
    config = GridConfig(0, 7, 4, 1, 5, 6, taps)
    theta = grey_network(random_rgb(config), config)
    latents = some_latents(config)
    colour = picture(theta, config, 3, latents)
    assert colour.std() > 0.01
    assert np.ptp(colour, axis=2).max() < 1e-6
    grey = picture(start._fitted(theta, config, np.zeros(1)), config, 1, latents)
    assert grey[:, :, 0] == pytest.approx(colour.mean(axis=2), abs=1e-5)


@pytest.mark.parametrize("taps", [0, 1, 2])
@pytest.mark.parametrize(("with_alpha", "without"), [(2, 1), (4, 3)])
def test_alpha_starts_as_its_mean_and_leaves_the_colours_alone(
    taps: int, with_alpha: int, without: int
) -> None:
    config = GridConfig(0, 7, 4, 1, 5, 6, taps)
    theta, latents = random_rgb(config), some_latents(config)
    mean = np.array([0.2, 0.4, 0.6, 0.75])[-with_alpha:]
    colours = picture(start._fitted(theta, config, mean[:-1]), config, without, latents)
    found = picture(start._fitted(theta, config, mean), config, with_alpha, latents)
    assert np.abs(found[:, :, :-1] - colours).max() < 1e-6
    assert np.abs(found[:, :, -1] - np.float32(0.75)).max() < 1e-6


def test_an_rgb_start_is_the_stored_one_with_the_mean_colour_as_bias() -> None:
    config, mean = TIERS["medium"], np.array([0.1, 0.5, 0.9])
    theta = random_rgb(config)
    expected, found = split(theta, config, 3), split(start._fitted(theta, config, mean), config, 3)
    expected["syn.b2"] += mean
    for name in expected:
        assert found[name] == pytest.approx(expected[name], abs=1e-6)


@pytest.mark.parametrize(("first_level", "levels"), [(0, 4), (1, 6), (2, 3)])
def test_levels_that_are_left_out_count_as_zero(first_level: int, levels: int) -> None:
    full = GridConfig(0, 7, 4, 1, 5, 6, 1)
    part = GridConfig(first_level, levels, *_widths(full))
    theta, latents = random_rgb(full), some_latents(full)
    kept = range(first_level, first_level + levels)
    masked = [grid * (i in kept) for i, grid in enumerate(latents)]
    expected = picture(start._fitted(theta, full, np.zeros(3)), full, 3, masked)
    found = picture(start._fitted(theta, part, np.zeros(3)), part, 3, [latents[i] for i in kept])
    assert np.abs(found - expected).max() < 1e-6


@pytest.mark.parametrize("lmbda", [1e-5, 1e-3, 2e-2])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("channels", CHANNELS.values(), ids=CHANNELS)
@pytest.mark.parametrize("tier", TIERS)
def test_the_first_output_is_near_the_mean_of_the_picture(
    tier: str, channels: int, level: float, lmbda: float
) -> None:
    """Before any latent is set the field shows one colour, not far from the picture's mean.

    Not the mean itself: learned latents have a mean of their own, and taps change a shift.
    """
    config = TIERS[tier]
    target = np.full((channels, *SIZE), level, np.float32)
    theta = first_start(config, target, lmbda)
    values = picture(theta, config, channels, no_latents(config))
    assert np.abs(values - values[0, 0]).max() < 1e-9
    assert np.abs(values - level).max() < 0.4
    if channels in (2, 4):
        assert np.abs(values[:, :, -1] - level).max() < 1e-6


def test_the_mean_that_was_learned_with_is_taken_out_once() -> None:
    config, mean = TIERS["small"], np.array([0.25, 0.5, 0.75])
    theta = random_rgb(config)
    stored = start.without_mean(theta, config, mean)
    assert start._fitted(stored, config, mean) == pytest.approx(theta, abs=1e-6)


@pytest.mark.parametrize("channels", CHANNELS.values(), ids=CHANNELS)
def test_a_random_start_shows_the_mean_colour(channels: int) -> None:
    config = TIERS["small"]
    mean = np.linspace(0.1, 0.9, channels)
    theta = start.random_theta(config, mean, seed=3)
    values = picture(theta, config, channels, no_latents(config))
    assert np.abs(values - mean).max() < 1e-6
    assert np.array_equal(theta, start.random_theta(config, mean, seed=3))
    assert not np.array_equal(theta, start.random_theta(config, mean, seed=4))
