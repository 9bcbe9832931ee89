"""Small pictures, quick codecs and runs, for tests of comparisons."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from inrcodec.evaluate.codecs import InrCodec
from inrcodec.evaluate.compare import Choices, Outcome, Progress, compare
from inrcodec.evaluate.originals import Original, find_originals

QUICK = InrCodec(effort=1, lmbdas=(1e-2,), device="cpu", engine="reference")
JPEG = Choices(codecs=("jpeg",), metrics=("psnr_db",))


@dataclass
class Heard(Progress):
    """Keeps what it was told."""

    said: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def finished(self, task, made) -> None:
        self.errors += [f"{label}: {error}" for label, error in made.errors.items()]


def picture(path: Path, height: int = 32, width: int = 48, channels: int = 3) -> Original:
    y, x = np.mgrid[0:height, 0:width]
    planes = [100 + 80 * np.sin(x / 5), 90 + 2 * y + x, 128 + 60 * np.cos((x + y) / 7), 200 + 0 * x]
    samples = np.stack(planes[:channels], axis=-1).clip(0, 255).astype(np.uint8)
    Image.fromarray(samples).save(path)
    return find_originals([str(path)], print)[0]


def run(originals: list[Original], folder: Path, choices: Choices) -> tuple[Outcome, Heard]:
    heard = Heard()
    return compare(originals, str(folder), choices, heard), heard
