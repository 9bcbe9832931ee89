"""TUNER: its poster's numbers of Kodak and DIV2K."""

from __future__ import annotations

import math
from typing import Any

from reproduced.data import Picture
from reproduced.description import Cell, Experiment, Published, Quick
from reproduced.experiments.files import DIV2K, KODAK
from reproduced.tasks import SomeSamples

PAPER = "TUNER, Novello et al., CVPR 2025, arXiv 2407.21121, the authors' poster"
CODE = "the poster and the authors' code (neotod/TUNER at 3ca2ced)"
EPOCH = 4  # steps of 65,536 random pixels for 512 x 512
RATE = 5e-4


TUNER = {
    "hidden_layers": 0, "remedies": ("tuner",),
    "options": {"tuner.low": 1.0, "tuner.high": 0.6},
}  # fmt: skip


def kodak(
    name: str, field: str, fitted: float, slopes: float, held_out: float, **more: Any
) -> Cell:  # fmt: skip
    return Cell(
        name, field, more.pop("rate", RATE), 416, more.pop("hidden_layers", 1),
        published=(
            Published("fitted_psnr_db", fitted), Published("held_out_psnr_db", held_out),
            Published("gradient_psnr_db", slopes),
        ),
        **more,
    )  # fmt: skip


def div2k(name: str, field: str, early: float, late: float, **more: Any) -> Cell:
    return Cell(
        name, field, more.pop("rate", RATE), 256, more.pop("hidden_layers", 1),
        published=(
            Published("fitted_psnr_db", early, 1000 * EPOCH), Published("fitted_psnr_db", late),
        ),
        **more,
    )  # fmt: skip


def deviation(width: int) -> int:
    """Eighths of sqrt(side // 6), where pictures have twice as many pixels to a side as neurons."""
    return round(8 * math.sqrt(2 * width // 6))


# Half as many frequencies as neurons, and the rectifier behind them boosted like their sines.
FFM = {
    "hidden_layers": 0,
    "options": {"rows": lambda width: width // 2, "sigma_8ths": deviation, "omega_0": 30.0},
}  # fmt: skip
COMMON = (
    "A step has 65,536 random pixels; an epoch is four of them.",
    "Bounds are taken from |k| itself; the released code scales k by pi^2 first.",
)
KODAK_512 = Experiment(
    name="tuner-kodak",
    title="TUNER's Kodak numbers: 416 neurons, one hidden matrix, 5% of the pixels held out",
    paper=PAPER + ", Kodak 512x512",
    source=CODE,
    claim="TUNER's held-out PSNR at least SIREN's",
    data=KODAK,
    preparation=Picture(side=512),
    cells=(
        kodak("SIREN", "siren", 34.0, 27.7, 32.9),
        kodak("TUNER", "tuner", 34.3, 28.9, 33.4, **TUNER),
        kodak("BACON", "bacon", 26.4, 22.4, 25.4, rate=5e-3, hidden_layers=4),
    ),
    tasks={"": SomeSamples(0.95)},
    steps=3000 * EPOCH,
    batch=256 * 256,
    metrics=("fitted_psnr_db", "held_out_psnr_db", "gradient_psnr_db"),
    differences=(
        "3,000 epochs, as the paper's text says.",
        "The poster's gradient PSNR of fitted pixels stands beside ours of all pixels; that of the "
        "held-out ones is not compared.",
        *COMMON,
    ),
    quick=Quick(files=1, shrink=4, width=0.25, steps=500, cells=("SIREN", "TUNER")),
)
DIV2K_TABLE = Experiment(
    name="tuner-div2k",
    title="TUNER's DIV2K numbers: 256 neurons, one hidden matrix, 1,000 and 5,000 epochs",
    paper=PAPER + ", DIV2K",
    source=CODE,
    claim="TUNER above FINER and Fourier features by some 2 dB",
    data=DIV2K,
    preparation=Picture(side=512),
    cells=(
        div2k("TUNER", "tuner", 32.14, 33.16, **TUNER),
        div2k("FINER", "finer", 30.23, 31.00),
        div2k("FFM", "ffn", 29.42, 31.19, **FFM),
        Cell("SIREN", "siren", RATE, 256, 1),
    ),
    tasks={"": SomeSamples(0.95)},
    steps=5000 * EPOCH,
    batch=256 * 256,
    metrics=("fitted_psnr_db", "held_out_psnr_db"),
    differences=(
        "16 pictures of DIV2K at 512x512; which ones the poster has was not available.",
        "Fourier features are those of the authors' ablations (train_diff_networks.py), but for "
        "the start of the last layer, which is that of the other layers.",
        "How many layers FINER has is not said; ours has those of SIREN.",
        *COMMON,
    ),
    quick=Quick(files=1, shrink=4, width=0.25, steps=500),
)  # fmt: skip

EXPERIMENTS = (KODAK_512, DIV2K_TABLE)
