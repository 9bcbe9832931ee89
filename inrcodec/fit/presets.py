"""How much work an effort level is, and how large the networks are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from inrcodec.errors import BadOption
from inrcodec.fields.grid import GridConfig

DEFAULT_LMBDA = 1e-3
DEFAULT_EFFORT = 5


@dataclass(frozen=True)
class Preset:
    """One effort level.

    Args:
        steps: of the main phase, soft rounding with noise.
        tail_steps: of hard rounding at a small rate.
        step_passes: passes of the search for quantization steps.
        refinements: single-parameter moves tried after it.
    """

    steps: int
    tail_steps: int
    step_passes: int = 2
    refinements: int = 0


EFFORTS = {
    1: Preset(160, 10, step_passes=1),
    2: Preset(280, 20, step_passes=1),
    3: Preset(450, 40),
    4: Preset(900, 60, refinements=200),
    5: Preset(1800, 100, refinements=400),
    6: Preset(3500, 150, refinements=1000),
    7: Preset(6000, 200, refinements=2000),
    8: Preset(12_000, 300, refinements=3000),
    9: Preset(24_000, 300, refinements=4000),
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


def expected_bytes(lmbda: float, pixels: int) -> float:
    """Rough size of a file: 0.5 bpp at lambda 1e-3, less by 0.55 in log-log.

    The slope of Cool-Chic 3.4 over Kodak between lambda 4e-4 (0.80 bpp) and 4e-3 (0.23 bpp).
    """
    return pixels / 8 * min(8.0, 0.5 * (lmbda / 1e-3) ** -0.55)


LEVELS = 7
COARSE_LMBDA = 1e-2  # from here on the finest grid is 1:2

# From this effort on the steps suffice to fit the large networks (results/design).
LARGE_EFFORT = 7

# Shapes of the field by expected size of the file: networks are part of it.
TIERS = {
    "tiny": GridConfig(0, 7, 6, 1, 6, 6, 0),
    "small": GridConfig(0, 7, 12, 5, 8, 10, 1),
    "medium": GridConfig(0, 7, 16, 5, 16, 16, 1),
    "large": GridConfig(0, 7, 20, 9, 24, 24, 1),
}


def choose_config(
    lmbda: float, height: int, width: int, effort: int = DEFAULT_EFFORT
) -> GridConfig:
    """The shape of a `grid` field: larger networks for larger files, and for more work.

    The thresholds keep the networks' share of the file near a fifth or below.
    """
    size = expected_bytes(lmbda, height * width)
    tier = "tiny" if size < 1500 else "small" if size < 7000 else "medium"
    if tier == "medium" and effort >= LARGE_EFFORT:
        tier = "large"
    # The coarsest grid has at least one sample, and no level is coarser than the image.
    levels = min(LEVELS, 1 + max(0, math.ceil(math.log2(max(height, width)))))
    # At low rates the 1:1 latents hardly pay for themselves (results/design/low_rate.tsv).
    first = int(lmbda >= COARSE_LMBDA and levels == LEVELS)
    return replace(TIERS[tier], first_level=first, levels=levels - first)
