"""What a SIREN of 3 x 256 gains on DIV2K: samples, values and frequencies that are chosen."""

from __future__ import annotations

from dataclasses import replace

from reproduced.data import Picture
from reproduced.description import STANDARD, UNIT, Cell, Course, Experiment, Published, Quick
from reproduced.experiments.files import DIV2K
from reproduced.tasks import SomeSamples

STEPS = (1000, 2000, 5000)
HALF = 512 * 512 // 2
SIREN = Cell("SIREN", "siren", 1e-4, 256, 3)
WIDE = replace(SIREN, name="SIREN, 512 wide", width=512)
CHOSEN = {"remedies": ("evos",), "options": {"evos.share": 0.5}}


def psnr(*values: float | None) -> tuple[Published, ...]:
    """After 1,000, 2,000 and 5,000 steps."""
    pairs = zip(STEPS, values, strict=True)
    return tuple(Published("clipped_psnr_db", v, s) for s, v in pairs if v is not None)


CLIPPED = "PSNR is of clipped values, as in the authors' code."
EVOS = Experiment(
    name="evos-div2k",
    title="EVOS on 16 pictures of DIV2K",
    paper="EVOS, Zhang et al., CVPR 2025, table 1",
    source="a figure of the paper's repository (zwx-open/EVOS-INR), and its code",
    claim="EVOS above all samples and above random ones",
    data=DIV2K,
    preparation=Picture(),
    cells=(
        replace(SIREN, published=psnr(31.06, 34.34, 37.10)),
        replace(SIREN, name="random half", batch=HALF, published=psnr(None, None, 36.11)),
        replace(SIREN, name="EVOS", published=psnr(32.71, 35.89, 37.81), **CHOSEN),
        WIDE,
        replace(WIDE, name="EVOS, 512 wide", **CHOSEN),
    ),
    steps=5000,
    metrics=("clipped_psnr_db",),
    looks=25,
    differences=(
        CLIPPED,
        "Random halves are drawn with replacement.",
        "Networks 512 wide are ours.",
    ),
    quick=Quick(files=2, shrink=4, width=0.25, steps=1000),
)

SYMPOWER = Experiment(
    name="sympower-div2k",
    title="The symmetric power transform and other ranges on 16 pictures of DIV2K",
    paper="sym-power, Zhang et al., AAAI 2025, table 1",
    source="a figure of the paper's repository (zwx-open/Symmetric-Power-Transformation-INR), and "
    "its code at 4f639a8",
    claim="sym-power > [-1, 1] > z-score > [0, 1]",
    data=DIV2K,
    preparation=Picture(),
    cells=(
        replace(SIREN, name="sym-power", remedies=("sympower",), published=psnr(None, None, 36.75)),
        replace(SIREN, name="[-1, 1]", published=psnr(None, None, 36.18)),
        replace(SIREN, name="z-score", values=STANDARD, published=psnr(None, None, 35.64)),
        replace(SIREN, name="[0, 1]", values=UNIT, published=psnr(None, None, 33.60)),
    ),
    steps=5000,
    course=Course(final=0.1),
    metrics=("clipped_psnr_db",),
    looks=25,
    differences=(
        CLIPPED,
        "The learning rate falls to a tenth, as in the authors' code; that of EVOS, which is "
        "otherwise the same, keeps it: [-1, 1] here is not SIREN there.",
        "The inverse transform of the table is none of our remedies.",
    ),
    quick=Quick(files=2, shrink=4, width=0.25, steps=1000),
)

OMEGAS = {
    f"omega_0 {omega}": {"first_omega_0": float(omega)}
    for omega in (10, 20, 30, 45, 60, 80, 100, 150)
}
FREQUENCY = Experiment(
    name="frequency-choice",
    title="omega_0 of the first layer by SEC-Conf and FreSh, against a search over a grid",
    paper="SEC-Conf, Dadela et al., arXiv 2605.12709; FreSh, Kania et al., ICLR 2025",
    source="the authors' code (gmum/SEC at fb64d98, gmum/FreSh at 494ae6c)",
    claim="SEC-Conf and FreSh about as good as the best omega_0 of a grid",
    data=DIV2K,
    preparation=Picture(),
    cells=(
        replace(SIREN, name="FreSh", remedies=("fresh",)),
        *(replace(SIREN, name=name, options=options) for name, options in OMEGAS.items()),
    ),
    candidates=tuple(OMEGAS),
    tasks={"": SomeSamples(0.9)},
    steps=15_000,
    batch=200_000,
    metrics=("held_out_psnr_db", "fitted_psnr_db", "target_centroid"),
    differences=(
        "The paper's tables were not available: its claim is compared, not its numbers.",
        "SEC-Conf looks things up in the other pictures' rows of this table: the authors' is not "
        "public. It is no training of its own, nor is the best omega_0 of the grid, which is that "
        "of each picture by the held-out pixels themselves.",
        "FreSh renders untrained networks at 128x128, the authors at the size of the picture.",
        "Biases are boosted as SIREN's code does it; SEC's are not.",
        "16 pictures of DIV2K instead of 100 of LIU4K.",
    ),
    quick=Quick(files=2, shrink=4, width=0.25, steps=500),
)

EXPERIMENTS = (EVOS, SYMPOWER, FREQUENCY)
