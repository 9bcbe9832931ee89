"""How much work an effort level is, and how large the networks of a picture are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inrcodec.errors import BadOption
from inrcodec.fields.grid import GridConfig

DEFAULT_LMBDA = {"image": 1e-3, "audio": 3e-5, "video": 1e-3}
LOWEST_LMBDA, HIGHEST_LMBDA = 1e-7, 10.0
DEFAULT_EFFORT = 5


@dataclass(frozen=True)
class Preset:
    """One effort level.

    Args:
        steps: of the main phase, soft rounding with noise.
        latent_trials: evaluations of the search that moves latents by one.
        step_passes: passes of the search for quantization steps.
        refinements: single-parameter moves tried after it.
    """

    steps: int
    latent_trials: int
    step_passes: int = 2
    refinements: int = 0


EFFORTS = {
    1: Preset(160, 64, step_passes=1),
    2: Preset(280, 64, step_passes=1),
    3: Preset(450, 128),
    4: Preset(900, 192, refinements=200),
    5: Preset(1500, 256, refinements=400),
    6: Preset(3500, 448, refinements=1000),
    7: Preset(7000, 768, refinements=2000),
    8: Preset(14_000, 1216, refinements=3000),
    9: Preset(28_000, 1792, refinements=4000),
}


def preset(effort: int) -> Preset:
    """The preset of an effort level.

    Raises:
        BadOption: not 1..9.
    """
    if effort not in EFFORTS:
        raise BadOption(f"effort is {effort}, expected 1 (quick) to 9 (small)")
    return EFFORTS[effort]


def lmbda_of_quality(quality: float) -> float:
    """The lambda of a quality 0..100: 0.1 at 0, a tenth of it every 25, 1e-5 at 100.

    Raises:
        BadOption: not in 0..100.
    """
    if not 0 <= quality <= 100:
        raise BadOption(f"quality is {quality:g}, expected 0 (smallest) to 100 (finest)")
    return 10.0 ** (-1 - quality / 25)


# Sides of a block along time, along rows and columns, or along time, rows and columns.
BLOCKS = {1: (512,), 2: (8, 8), 3: (4, 8, 8)}
MAX_BLOCKS = 1 << 14  # enough to judge a picture by


def expected_bytes(target: np.ndarray, lmbda: float) -> float:
    """Rough size of a file: what a block transform would spend at the same slope.

    Args:
        target: [channels, *shape] the signal in [0, 1], along one axis, two or three.
        lmbda: weight of the rate, > 0.
    """
    return expected_sizes(target, [lmbda])[0]


def expected_sizes(target: np.ndarray, lmbdas: Sequence[float]) -> list[float]:
    """`expected_bytes` at each of several lambdas.

    Reverse water-filling (Cover and Thomas, section 10.3.3) of DCT coefficients, each taken as its
    own variance; the power law that turns it into our rates was fitted to nine Kodak images at four
    lambdas, within 15% rms (results/design/README.md).
    """
    channels, *shape = target.shape
    powers = _powers(target)
    sizes = []
    for lmbda in lmbdas:
        bits = 0.5 * np.log2(1 + powers / _floor(channels, lmbda)).sum()
        rate_bpp = 0.88 * (bits / (powers.size / channels)) ** 1.41
        sizes.append(math.prod(shape) / 8 * float(rate_bpp))
    return sizes


def detail_share(target: np.ndarray, lmbda: float) -> float:
    """What the finest octave of a picture saves, as a share of its expected cost.

    The cost is MSE + lmbda * bits per pixel. A coefficient of power p above the water's floor f
    costs f (1 + ln p/f) where it is coded, and p where it is not. Those beyond half the Nyquist
    frequency, along rows or columns, are what latents at every sample can code and those at every
    second one cannot.

    Args:
        target: [channels, height, width] the signal in [0, 1].
        lmbda: weight of the rate, > 0.
    """
    relative = _powers(target) / _floor(len(target), lmbda)
    coded = 1 + np.log(np.maximum(relative, 1))
    saved = np.maximum(relative - coded, 0)
    rows, columns = saved.shape[2:]
    cost = np.minimum(relative, coded).sum()
    low = saved[:, :, : rows // 2, : columns // 2].sum()
    return float((saved.sum() - low) / cost) if cost else 0.0


def _floor(channels: int, lmbda: float) -> float:
    """The distortion of a coefficient where one bit more costs what it saves."""
    return lmbda * channels / (2 * math.log(2))


def _powers(target: np.ndarray) -> np.ndarray:
    """[channels, blocks, *sides] squares of orthonormal DCT coefficients, the mean left out."""
    c = _blocks(target, BLOCKS[target.ndim - 1])
    for axis, side in enumerate(c.shape[2:], 2):
        c = np.moveaxis(np.tensordot(c, _dct(side), (axis, 1)), -1, axis)
    c = np.tensordot(_dct(len(target)), c, 1)
    mean = (slice(None), slice(None), *[0] * (target.ndim - 1))
    c[mean] -= c[mean].mean(axis=1, keepdims=True)
    return c * c


def _blocks(target: np.ndarray, sides: tuple[int, ...]) -> np.ndarray:
    """[channels, blocks, *sides] float64: at most MAX_BLOCKS of them, evenly chosen."""
    channels, *shape = target.shape
    counts = [-(-n // side) for n, side in zip(shape, sides, strict=True)]
    step = math.ceil((math.prod(counts) / MAX_BLOCKS) ** (1 / len(sides)))
    padding = [(0, n * side - size) for n, side, size in zip(counts, sides, shape, strict=True)]
    padded = np.pad(target, [(0, 0), *padding], mode="edge")
    split = [part for pair in zip(counts, sides, strict=True) for part in pair]
    chosen = padded.reshape(channels, *split)[
        (slice(None), *[slice(None, None, step), slice(None)] * len(sides))
    ]
    axes = range(1, chosen.ndim, 2)
    chosen = chosen.transpose(0, *axes, *(axis + 1 for axis in axes)).astype(np.float64)
    return chosen.reshape(channels, -1, *sides)


def _dct(n: int) -> np.ndarray:
    """[n, n] orthonormal DCT-II."""
    k = np.arange(n)
    matrix = np.cos(np.pi / n * (k + 0.5) * k[:, None]) * math.sqrt(2 / n)
    matrix[0] /= math.sqrt(2)
    return matrix


LEVELS = 7

# Shapes of the field.
TIERS = {
    "tiny": GridConfig(0, 7, 6, 1, 6, 6, 0),
    "small": GridConfig(0, 7, 16, 5, 16, 16, 1),
    "medium": GridConfig(0, 7, 16, 5, 16, 32, 2),
    "large": GridConfig(0, 7, 20, 9, 24, 32, 2),
}
# Size of a file from which on each pays: networks are part of it, and larger ones leave time for
# fewer steps (results/design/shapes.tsv).
LEAST_BYTES = {"tiny": 0, "small": 1500, "medium": 6000, "large": 14_000}
# Share of the steps that the largest networks take: an effort is an amount of time, and a step of
# theirs takes longer. At 768x512 both take 54 to 57 s at effort 5, on two cores.
LARGE_STEPS = 0.72
# Latents at every sample pay from this `detail_share` on; below it pictures cost 3% less without,
# on average, at equal steps (results/design/first_level.tsv), each of which takes half the time.
LEAST_DETAIL = 0.25
COARSE_STEPS = 1.8
# From this effort on there are steps enough to fit large networks: they pay at half the size.
LARGE_EFFORT = 7


def preset_for(config: GridConfig, effort: int) -> Preset:
    """The preset of an effort level for networks of a shape.

    Raises:
        BadOption: not 1..9.
    """
    found = preset(effort)
    large = config.arm_features >= TIERS["large"].arm_features
    factor = (LARGE_STEPS if large else 1) * (COARSE_STEPS if config.first_level else 1)
    return replace(found, steps=round(factor * found.steps))


def choose_config(target: np.ndarray, lmbda: float, effort: int = DEFAULT_EFFORT) -> GridConfig:
    """The shape of a `grid` field: larger networks for larger files, and for more work.

    Args:
        target: [channels, height, width] the signal in [0, 1].
        lmbda: weight of the rate, > 0.
        effort: 1..9.
    """
    size = expected_bytes(target, lmbda) * (2 if effort >= LARGE_EFFORT else 1)
    config = [TIERS[tier] for tier, least in LEAST_BYTES.items() if size >= least][-1]
    # The coarsest grid has at least one sample, and no level is coarser than the image.
    levels = min(LEVELS, 1 + max(0, math.ceil(math.log2(max(target.shape[1:])))))
    first = int(levels == LEVELS and detail_share(target, lmbda) < LEAST_DETAIL)
    return with_first_level(replace(config, first_level=0, levels=levels), first)


def with_first_level(config: GridConfig, first: int) -> GridConfig:
    """The config with another first level and the same last one, which is the first of small ones.

    Args:
        config: the others.
        first: 0 for latents at every sample, 1 at every second one.
    """
    last = config.first_level + config.levels - 1
    return replace(config, first_level=min(first, last), levels=last - min(first, last) + 1)
