"""WINNER (SIREN^2): sound, pictures, noise and missing pixels."""

from __future__ import annotations

from dataclasses import replace

from reproduced.data import Picture, Sound
from reproduced.description import Cell, Course, Experiment, Quick
from reproduced.experiments.files import KODAK, SIREN_SQUARE
from reproduced.tasks import Noisy, SomeSamples

PAPER = "SIREN^2 (WINNER), Chandravamsi et al., arXiv 2509.09719, "
CODE = "the authors' code (hemanthgrylls/SIREN-square at c3a60f5)"
NO_NUMBERS = "The paper's tables were not available: its claim is compared, not its numbers."
FULL_BATCH = (
    "Every network has one full-batch step per epoch; the authors give FINER, Gauss, WIRE and "
    "ReLU-PE three steps of 65,536 samples."
)
BEST = "The paper's best of all epochs is here the best of 50 looks."

# A first omega_0 of 3,000 in the authors' baseline is 100 times that of its other layers.
SIREN_SOUND = Cell("SIREN", "siren", 1e-4, 222, 3, {"first_omega_0": 30.0}, first_boost=100.0)
WINNER_SOUND = Cell("SIREN^2", "siren", 1e-4, 222, 3, {"first_omega_0": 30.0}, ("winner",))
AUDIO = Experiment(
    name="winner-audio",
    title="SIREN^2 and others on the first 150,000 samples of sounds",
    paper=PAPER + "sound",
    source=CODE,
    claim="SIREN^2 above SIREN on the clips of high centroid: radiation, tap, relay, tetris",
    data=SIREN_SQUARE,
    preparation=Sound(frames=150_000),
    cells=(
        WINNER_SOUND,
        SIREN_SOUND,
        Cell("SIREN, 30", "siren", 1e-4, 222, 3, {"first_omega_0": 30.0}),
        Cell("FINER", "finer", 1e-4, 222, 3, {"first_omega_0": 30.0}),
        Cell("WIRE", "wire", 1e-3, 157, 3, {"omega_0": 30.0, "ratio_48ths": 32}),
        Cell("FFN", "ffn", 1e-4, 222, 3, {"rows": 256, "sigma_8ths": 1023}),
    ),
    steps=1000,
    metrics=("best_psnr_of_one_db", "snr_db"),
    course=Course(final=0.99 ** (1000 / 20)),
    differences=(
        NO_NUMBERS,
        FULL_BATCH,
        BEST,
        "8 of the 12 clips are public; arch is shorter than 150,000 samples.",
        "WIRE's rate of 1e-3 and FFN's sigma, the largest that the format has, are ours.",
    ),
    quick=Quick(files=2, batch=4096, steps=300, looks=4, cells=("SIREN^2", "SIREN")),
)

SIREN = Cell("SIREN", "siren", 1e-4, 256, 4)
WINNER = replace(SIREN, name="SIREN^2", remedies=("winner",))
FINER = Cell("FINER", "finer", 1e-4, 256, 4)
WIRE = Cell("WIRE", "wire", 5e-3, 181, 4, {"omega_0": 30.0, "ratio_48ths": 32})
FFN = Cell("FFN", "ffn", 1e-4, 256, 4, {"rows": 256, "sigma_8ths": 40})
IMAGES = Experiment(
    name="winner-images",
    title="SIREN^2 and others on pictures",
    paper=PAPER + "pictures",
    source=CODE,
    claim="SIREN^2 at least SIREN's PSNR",
    data=KODAK,
    preparation=Picture(),
    cells=(WINNER, SIREN, FINER, WIRE, FFN),
    steps=4000,
    metrics=("best_psnr_of_one_db", "psnr_db"),
    course=Course(final=0.998 ** (4000 / 20)),
    differences=(NO_NUMBERS, FULL_BATCH, BEST, "Kodak's 24 pictures; the authors' were not named."),
    quick=Quick(files=2, shrink=4, width=0.25, steps=400),
)
INVERSE = Experiment(
    name="winner-inverse",
    title="SIREN^2 and others fitted to noisy pictures and to a fifth of the pixels",
    paper=PAPER + "denoising and inpainting",
    source=CODE,
    claim="SIREN^2 at least SIREN's PSNR on the clean and whole picture",
    data=KODAK[:8],
    preparation=Picture(),
    cells=(WINNER, SIREN, FINER, WIRE, FFN),
    tasks={"noise 25/255": Noisy(25 / 255), "20% of pixels": SomeSamples(0.2)},
    steps=2000,
    metrics=("best_psnr_db", "psnr_db"),
    differences=(
        NO_NUMBERS,
        BEST,
        "Noise, share of pixels, pictures and steps of the paper were not available: these are "
        "ours.",
    ),
    quick=Quick(files=1, shrink=4, width=0.25, steps=300),
)

EXPERIMENTS = (AUDIO, IMAGES, INVERSE)
