"""IGA: its Kodak table, with FR and BN beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reproduced.data import Picture
from reproduced.description import UNIT, Cell, Course, Experiment, Published, Quick
from reproduced.experiments.files import KODAK

PE = {"bands": 6}  # floor(log2(256 / 4)), as the authors have it
WAVES = (128 + 128) * 32  # of FR: frequencies times phases


def waves(alpha: float) -> dict[str, float]:
    """Options of FR for its waves' height.

    The authors train the factors of the waves at the network's learning rate. Ours are measured by
    the sum of all waves' heights, whose mean is alpha times 2/pi for each.
    """
    return {"alpha": alpha, "rate": round(WAVES * alpha * 2 / math.pi, 1)}


def cell(
    field: str, remedy: str, rate: float, psnr_db: float | None, ssim: float | None = None, /,
    **options: Any,
) -> Cell:  # fmt: skip
    """A network of the table; options of the remedy by name."""
    names = {"relu": "ReLU", "pe": "PE", "siren": "SIREN"}
    own: Mapping[str, Any] = PE if field == "pe" else {}
    published = [] if psnr_db is None else [Published("best_psnr_db", psnr_db)]
    if ssim is not None:
        published.append(Published("ssim", ssim))
    return Cell(
        names[field] + (f"+{remedy.upper()}" if remedy else ""), field, rate, 256, 2,
        {**own, **{f"{remedy}.{name}": value for name, value in options.items()}},
        (remedy,) if remedy else (), values=UNIT, published=tuple(published),
    )  # fmt: skip


KODAK_TABLE = Experiment(
    name="iga-kodak",
    title="IGA, FR and BN on ReLU, positional encoding and SIREN",
    paper="IGA, Shi et al., ICML 2025, table of Kodak 01 to 08",
    source="the paper and the authors' image_fitting/fitting.py (LabShuHangGU/IGA-INR at 1ea0319)",
    claim="+IGA above plain for ReLU, PE and SIREN; PE+IGA > PE+FR > PE",
    data=KODAK[:8],
    preparation=Picture(),
    cells=(
        cell("siren", "", 1e-3, 32.65),
        cell("siren", "iga", 1e-3, 33.48, 0.9121, end=20, every=1),
        cell("pe", "", 1e-3, 28.64),
        cell("pe", "iga", 5e-3, 32.46, end=20, every=1),
        cell("relu", "", 1e-3, 21.78),
        cell("relu", "iga", 5e-3, 23.00, end=25, every=1),
        replace(cell("pe", "", 5e-3, None), name="PE, rate 5e-3"),
        replace(cell("relu", "", 5e-3, None), name="ReLU, rate 5e-3"),
        cell("pe", "fr", 1e-3, 31.65, **waves(0.05)),
        cell("pe", "bn", 3e-3, 28.78, after=0),
        cell("relu", "fr", 5e-3, 22.14, **waves(0.001)),
        cell("relu", "bn", 1e-3, 22.55, after=1),
        cell("siren", "fr", 1e-3, 32.61, **waves(0.004)),
    ),
    steps=10_000,
    metrics=("best_psnr_db", "ssim"),
    course=Course(drop_at=0.3, drop=0.1),
    differences=(
        "PE+IGA and ReLU+IGA have five times the learning rate of PE and ReLU, as in the paper; "
        "the rows with rate 5e-3, which are ours, have it without IGA.",
        "The paper's LPIPS is none of our measures.",
        "One sample per group, as the paper has it; the released code sums over all groups' "
        "positions (iga.summed=1).",
        "The paper's alpha for SIREN+FR differs by picture, ours is that of Kodak 08 for all.",
        "BN takes its statistics of chunks of 32,768 samples, the authors' of all samples. FR's "
        "hidden layers begin with the network's usual biases, the authors' with 0.",
    ),
    quick=Quick(
        files=2, shrink=6, width=1 / 6, steps=500,
        options={"iga.every": 10, "iga.groups": 96, "iga.end": 10},
    ),
)  # fmt: skip

EXPERIMENTS = (KODAK_TABLE,)
