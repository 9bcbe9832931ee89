"""What a SIREN of 3 x 256 gains on DIV2K: samples, values and frequencies that are chosen."""

from __future__ import annotations

from dataclasses import replace

from reproduced.data import Picture
from reproduced.description import STANDARD, UNIT, Cell, Experiment, Published, Quick
from reproduced.experiments.files import DIV2K
from reproduced.tasks import SomeSamples

STEPS = (1000, 2000, 5000)
HALF = 512 * 512 // 2
SIREN = Cell("SIREN", "siren", 1e-4, 256, 3)


def psnr(*values: float | None) -> tuple[Published, ...]:
    """After 1,000, 2,000 and 5,000 steps."""
    pairs = zip(STEPS, values, strict=True)
    return tuple(Published("psnr_db", v, s) for s, v in pairs if v is not None)


EVOS_SYMPOWER = Experiment(
    name="evos-sympower-div2k",
    title="EVOS and the symmetric power transform on 16 pictures of DIV2K",
    paper="EVOS, Zhang et al., CVPR 2025, table 1; sym-power, Zhang et al., AAAI 2025, table 1",
    source="figures of the papers' repositories (zwx-open/EVOS-INR, "
    "zwx-open/Symmetric-Power-Transformation-INR) and their code",
    claim="EVOS above all samples and above random ones; sym-power > [-1, 1] > z-score > [0, 1]",
    data=DIV2K,
    preparation=Picture(),
    cells=(
        replace(SIREN, name="SIREN", published=psnr(31.06, 34.34, 37.10)),
        replace(SIREN, name="random half", batch=HALF, published=psnr(None, None, 36.11)),
        replace(
            SIREN, name="EVOS", remedies=("evos",), options={"evos.share": 0.5},
            published=psnr(32.71, 35.89, 37.81),
        ),
        replace(SIREN, name="sym-power", remedies=("sympower",), published=psnr(None, None, 36.75)),
        replace(SIREN, name="[-1, 1]", published=psnr(None, None, 36.18)),
        replace(SIREN, name="z-score", values=STANDARD, published=psnr(None, None, 35.64)),
        replace(SIREN, name="[0, 1]", values=UNIT, published=psnr(None, None, 33.60)),
    ),
    steps=5000,
    metrics=("psnr_db",),
    looks=25,
    differences=(
        "SIREN and [-1, 1] are one training, beside the numbers of the two papers.",
        "Random halves are drawn with replacement.",
        "The inverse transform of sym-power's table is none of our remedies.",
    ),
    quick=Quick(files=2, shrink=4, width=0.25, steps=1000),
)  # fmt: skip

OMEGAS = (10, 20, 30, 45, 60, 80, 100, 150)
FREQUENCY = Experiment(
    name="frequency-choice",
    title="omega_0 of the first layer by SEC-Conf and FreSh, against a search over a grid",
    paper="SEC-Conf, Dadela et al., arXiv 2605.12709; FreSh, Kania et al., ICLR 2025",
    source="the authors' code (gmum/SEC at fb64d98, gmum/FreSh at 494ae6c)",
    claim="SEC-Conf and FreSh about as good as the best omega_0 of a grid",
    data=DIV2K,
    preparation=Picture(),
    cells=(
        replace(SIREN, name="SEC-Conf", remedies=("sec",)),
        replace(SIREN, name="FreSh", remedies=("fresh",)),
        *(
            replace(SIREN, name=f"omega_0 {omega}", options={"first_omega_0": float(omega)})
            for omega in OMEGAS
        ),
    ),
    tasks={"": SomeSamples(0.9)},
    steps=15_000,
    batch=200_000,
    metrics=("held_out_psnr_db", "fitted_psnr_db"),
    differences=(
        "The paper's tables were not available: its claim is compared, not its numbers.",
        "The table that SEC-Conf looks things up in is ours: the authors' is not public.",
        "Biases are boosted as SIREN's code does it; SEC's are not.",
        "16 pictures of DIV2K instead of 100 of LIU4K.",
    ),
    quick=Quick(files=2, shrink=4, width=0.25, steps=500),
)

EXPERIMENTS = (EVOS_SYMPOWER, FREQUENCY)
