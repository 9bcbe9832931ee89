"""WINNER (SIREN^2): sound, pictures, noise and missing pixels."""

from __future__ import annotations

from dataclasses import replace

from reproduced.data import Picture, Sound
from reproduced.description import Cell, Course, Experiment, Quick
from reproduced.experiments.files import CAMERA, KODAK, SIREN_SQUARE
from reproduced.tasks import Noisy, SomeSamples

PAPER = "SIREN^2 (WINNER), Chandravamsi et al., arXiv 2509.09719, "
CODE = "the authors' code (hemanthgrylls/SIREN-square at c3a60f5)"
NO_NUMBERS = "The paper's tables were not available: its claim is compared, not its numbers."
OWN_FFN = "FFN is not among the authors' networks; its frequencies are those of its own authors."
FFN_OF_SOUND = "FFN is not among the authors' networks; the sigma of its frequencies is ours."
# A first omega_0 of 3,000 in the authors' baseline is 100 times that of its other layers.
SIREN_SOUND = Cell("SIREN", "siren", 1e-4, 222, 3, {"first_omega_0": 30.0}, first_boost=100.0)
WINNER_SOUND = Cell("SIREN^2", "siren", 1e-4, 222, 3, {"first_omega_0": 30.0}, ("winner",))
FINER_SOUND = Cell("FINER", "finer", 1e-4, 222, 3, {"first_omega_0": 30.0})
GABOR = {"omega_0": 10.0, "ratio_48ths": 48}  # omega_0 and sigma_0 are both 10
WIRE_SOUND = Cell("WIRE", "wire", 1e-4, 156, 3, GABOR)
PE_SOUND = Cell("ReLU-PE", "pe", 1e-4, 222, 3)
FFN_SOUND = Cell("FFN", "ffn", 1e-4, 222, 3)
EPOCHS = 1000
SOUND_COURSE = Course(final=0.99 ** (EPOCHS / 20))
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
        FINER_SOUND,
        WIRE_SOUND,
        PE_SOUND,
        FFN_SOUND,
    ),
    steps=EPOCHS,
    metrics=("best_psnr_of_one_db", "snr_db"),
    course=SOUND_COURSE,
    differences=(
        NO_NUMBERS,
        "Every network has one full-batch step per epoch; the authors give FINER, Gauss, WIRE and "
        "ReLU-PE three steps of 65,536 samples: see winner-audio-batches.",
        "8 of the 12 clips are public; arch is shorter than 150,000 samples.",
        FFN_OF_SOUND,
    ),
    quick=Quick(files=2, batch=4096, steps=300, looks=4, cells=("SIREN^2", "SIREN")),
)
BATCHES = replace(
    AUDIO,
    name="winner-audio-batches",
    title="SIREN^2 and others with three steps of 65,536 samples per epoch",
    claim="what baselines gain by three times the steps, and SIREN^2 still above SIREN",
    cells=(WINNER_SOUND, SIREN_SOUND, FINER_SOUND, WIRE_SOUND, PE_SOUND, FFN_SOUND),
    steps=3 * EPOCHS,
    batch=65_536,
    differences=(
        NO_NUMBERS,
        "The authors give these steps to FINER, WIRE and ReLU-PE only; an epoch of theirs has two "
        "of 65,536 samples and one of what is left.",
        FFN_OF_SOUND,
        "Best numbers are of 50 looks at all samples, the authors' of single batches.",
    ),
    quick=replace(AUDIO.quick, steps=900),
)

SIREN = Cell("SIREN", "siren", 1e-4, 256, 4)
WINNER = replace(SIREN, name="SIREN^2", remedies=("winner",))
FINER = Cell("FINER", "finer", 1e-4, 256, 4)
WIRE = Cell("WIRE", "wire", 1e-4, 181, 4, GABOR)
FFN = Cell("FFN", "ffn", 1e-4, 256, 4, {"rows": 256, "sigma_8ths": 40})
IMAGES = Experiment(
    name="winner-images",
    title="SIREN^2 and others on pictures",
    paper=PAPER + "pictures",
    source=CODE,
    claim="SIREN^2 at least SIREN's PSNR",
    data=(CAMERA, *KODAK),
    preparation=Picture(),
    cells=(WINNER, SIREN, FINER, WIRE, FFN),
    steps=4000,
    metrics=("best_psnr_of_one_db", "psnr_db"),
    course=Course(final=0.998 ** (4000 / 20)),
    differences=(
        NO_NUMBERS,
        "Every network has one full-batch step per epoch; the authors give WIRE four of 65,536 "
        "pixels of 512x512.",
        "Of the authors' pictures only camera is at hand; the others are Kodak's. SIREN^2's noise "
        "is weak on colours, whose centroid the authors divide by the number of channels twice.",
        OWN_FFN,
    ),
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
    cells=(
        *(WINNER, SIREN, FINER, WIRE, FFN),
        *(
            replace(SIREN, name=f"SIREN, {omega_0}", options={"first_omega_0": float(omega_0)})
            for omega_0 in (20, 40)
        ),
    ),
    tasks={"noise 25/255": Noisy(25 / 255), "20% of pixels": SomeSamples(0.2)},
    steps=2000,
    metrics=("psnr_db",),
    differences=(
        NO_NUMBERS,
        "PSNR is that of the last step: the best one would be chosen by what is not given.",
        "In the task of 20% of the pixels SIREN^2's noise is of the whole picture's centroid, "
        "which is not given either.",
        "Noise, share of pixels, pictures and steps of the paper were not available: these are "
        "ours.",
        "A first omega_0 of 40 has about the frequencies that SIREN^2 starts with on colours; it "
        "and 20 are ours, to see what frequencies alone do.",
        OWN_FFN,
    ),
    quick=Quick(files=1, shrink=4, width=0.25, steps=300),
)

EXPERIMENTS = (AUDIO, BATCHES, IMAGES, INVERSE)
