"""Signals for tests of tools/reproduce, and experiments on them that take a moment."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from reproduced.data import Film, Picture, Sound
from reproduced.description import Experiment, Quick

from inrcodec.signal import VideoSignal, audio_signal, image_signal


def picture(height: int = 20, width: int = 24, channels: int = 3):
    y, x = np.mgrid[:height, :width] / 8
    waves = np.stack([np.sin(3 * x + y), np.cos(5 * y * x), np.sin(2 * y)][:channels], axis=-1)
    return image_signal((127 + 100 * waves).astype(np.uint8))


def sound(frames: int = 300):
    t = np.arange(frames) / 40
    return audio_signal(0.9 * np.sin(t * (1 + t / 5)), 8000)


def film():
    luma = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
    return VideoSignal((luma,), Fraction(25), 8, "4:0:0")


def signal_for(experiment: Experiment):
    made = {Picture: picture, Sound: sound, Film: film}[type(experiment.preparation)]()
    grey = getattr(experiment.preparation, "grey", False)
    return image_signal(made.samples[..., :1]) if grey else made


SMALL = Quick(
    files=1,
    width=0.02,
    steps=2,
    options={"iga.every": 1, "fresh.draws": 1, "fr.phases": 1, "levels": 2, "log2_entries": 4},
)


def small(experiment: Experiment) -> Experiment:
    """The experiment with networks of a few features and two steps."""
    return replace(experiment.reduced(SMALL), looks=2)
