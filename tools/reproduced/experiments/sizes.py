"""Networks by their number of parameters: COIN's curve, and Instant-NGP beside SIREN and SPDER."""

from __future__ import annotations

import math

from reproduced.data import Picture
from reproduced.description import UNIT, Cell, Experiment, Published, Quick
from reproduced.experiments.files import DIV2K, KODAK
from reproduced.experiments.spder import NGP_ADAM
from reproduced.grids import Grid


def coin(layers: int, width: int, rate_bpp: float, psnr_db: float) -> Cell:
    """A network of so many sine layers, one of which takes the coordinates."""
    return Cell(
        f"{layers}x{width}, {rate_bpp:g} bpp", "siren", 2e-4, width, layers - 1, values=UNIT,
        published=(Published("best_half_psnr_db", psnr_db),),
    )  # fmt: skip


COIN = Experiment(
    name="coin-kodak",
    title="COIN's curve: SIRENs of several sizes, weights of 16 bits",
    paper="COIN, Dupont et al., arXiv 2103.03123, figure 2",
    source="CompressAI's and C3's copies of the curve, the paper's appendix, and the authors' code "
    "(EmilienDupont/coin at 5a8d310)",
    claim="the curve",
    data=KODAK,
    preparation=Picture(),
    cells=(
        coin(5, 20, 0.0736, 23.205),
        coin(5, 30, 0.1604, 24.641),
        coin(10, 28, 0.3074, 26.412),
        coin(10, 40, 0.6109, 28.408),
        coin(13, 49, 1.209, 30.644),
    ),
    grid=Grid(by_height=True),
    steps=50_000,
    metrics=("best_half_psnr_db", "psnr_db"),
    seeds=1,
    differences=(
        "50,000 steps as the paper says; the code has 10,000 by default.",
        "The best of 50 looks with weights of 16 bits, where the authors keep the best step of the "
        "second half with weights of 32.",
        "Rates are 16 bits for each weight, without a header, as the paper counts them.",
    ),
    quick=Quick(files=1, shrink=4, width=1.0, steps=500),
)

STEPS = (25, 100, 500)


def entries(width: int) -> int:
    """log2 of the entries of a table: 2**15 for 64 features, and as their square below."""
    return round(15 + 2 * math.log2(width / 64))


def coarsest(width: int) -> int:
    """Resolution of the coarsest table: 16 for 64 features, and in proportion below."""
    return max(1, width // 4)


NGP = Experiment(
    name="ngp",
    title="Instant-NGP at the number of parameters of SIREN and SPDER",
    paper="Instant-NGP, Mueller et al., arXiv 2201.05989; numbers of SPDER's table 1",
    source="tiny-cuda-nn's config_hash.json; SPDER's table, whose hash tables are larger",
    claim="hash tables ahead of SIREN after few steps",
    data=DIV2K,
    preparation=Picture(side=256, corner=True, grey=True),
    cells=(
        Cell(
            "iNGP, as many", "ngp", 1e-2, 64, 1,
            {"levels": 14, "log2_entries": entries, "coarsest": coarsest, "growth_64ths": 80},
            published=tuple(
                Published("psnr_db", v, s)
                for s, v in zip(STEPS, (25.0, 36.2, 46.6), strict=True)
            ),
        ),
        Cell(
            "SIREN", "siren", 1e-4, 256, 5,
            published=tuple(
                Published("psnr_db", v, s)
                for s, v in zip(STEPS, (21.5, 26.9, 36.6), strict=True)
            ),
        ),
        Cell(
            "SPDER", "spder", 1e-4, 256, 5, {"first_omega_0": 30.0},
            published=tuple(
                Published("psnr_db", v, s)
                for s, v in zip(STEPS, (27.5, 48.6, 85.7), strict=True)
            ),
        ),
    ),
    steps=500,
    metrics=("psnr_db", "rho_ag"),
    looks=5,
    differences=(
        "16 pictures of DIV2K, cut to 512x512 by others and brought to 256x256 here.",
        NGP_ADAM,
        "The paper's iNGP has more parameters than the networks beside it.",
    ),
    quick=Quick(files=1, shrink=2, width=0.5, steps=100),
)  # fmt: skip

EXPERIMENTS = (COIN, NGP)
