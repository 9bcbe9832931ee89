"""Folders of runs, as `inrcodec compare` leaves them, of small signals made up here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from inrcodec.evaluate.points import Point, Run, write_points, write_run
from inrcodec.media.audio import save_audio
from inrcodec.media.image import save_image
from inrcodec.media.video import save_video
from inrcodec.signal import AudioSignal, Signal, VideoSignal

SETTINGS = 5
RATE_HZ = 16_000
# How many dB each codec is above the first one at the same rate.
GAINS_DB = {"jpeg": 0.0, "webp": 1.5, "inr-e5": 3.0, "avif": 2.0}
METRIC = {"image": "psnr_db", "audio": "snr_db", "video": "psnr_yuv_db"}
MakeRun = Callable[..., Path]


@pytest.fixture(scope="session")
def make_folder() -> MakeRun:
    """Makes a folder of that path: make_folder(path, {"name": "image"}, published=True)."""
    return run_folder


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """The same in a folder of the test's own."""
    return partial(run_folder, tmp_path / "run")


def run_folder(
    folder: Path,
    signals: dict[str, str] | None = None,
    names: list[str] | None = None,
    change: Callable[[Point], Point | None] = lambda point: point,
    with_files: bool = True,
    **run: object,
) -> Path:
    """The folder with the files, points and record of a run.

    Args:
        folder: is made.
        signals: kinds by name; by default two pictures.
        names: of codecs; by default jpeg, inr-e5 and webp.
        change: what becomes of each point; None leaves it out.
        with_files: whether the originals and decodes are there.
        run: what the record says beside the usual.
    """
    folder.mkdir()
    kinds = {"leaf": "image", "sand": "image"} if signals is None else signals
    originals, points = {}, []
    for number, (signal, kind) in enumerate(kinds.items()):
        originals[signal] = f"original{number}{EXTENSION[kind]}"
        if with_files:
            (folder / originals[signal]).write_bytes(coded(kind, number, 0))
        for codec in names or ["jpeg", "inr-e5", "webp"]:
            points += _points(folder, signal, kind, codec, number, with_files)
    changed = [change(point) for point in points]
    write_points(folder / "points.tsv", [point for point in changed if point is not None])
    given = {"anchor": "jpeg", "originals": originals, "command": "inrcodec compare"} | run
    write_run(folder / "run.json", Run(**given))
    return folder


EXTENSION = {"image": ".png", "audio": ".wav", "video": ".y4m"}


def coded(kind: str, seed: int, noise: float) -> bytes:
    """A file with a signal of that kind, and noise of that standard deviation of 255."""
    rng = np.random.default_rng(seed)
    if kind == "audio":
        time = np.arange(RATE_HZ) / RATE_HZ
        sound = 8000 * np.sin(2 * np.pi * (440 + 100 * seed) * time) * np.exp(-2 * time)
        sound += noise * 30 * rng.standard_normal(len(time))
        return save_audio(AudioSignal(sound.astype(np.int16)[:, None], RATE_HZ), ".wav")
    y, x = np.mgrid[:64, :80]
    grey = 128 + 60 * np.sin(x / (3 + seed)) * np.cos(y / 5) + noise * rng.standard_normal(x.shape)
    picture = np.clip(grey, 0, 255).astype(np.uint8)
    if kind == "image":
        return save_image(Signal(np.stack([picture] * 3, axis=2)), ".png")
    frames = np.stack([picture] * 2)
    return save_video(VideoSignal((frames,), rate=25, subsampling="4:0:0"), ".y4m")


def _points(
    folder: Path, signal: str, kind: str, codec: str, number: int, with_files: bool
) -> list[Point]:
    points = []
    for i in range(SETTINGS):
        file_bytes = 200 * 2**i + 10 * number
        name = f"files/{codec}/{number}_{i}{EXTENSION[kind]}"
        if with_files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(coded(kind, number, 20 / 2**i))
        value = 26 + 3 * i + GAINS_DB.get(codec, 0.5) + 0.3 * number
        metrics = {METRIC[kind]: value}
        if kind == "image":
            metrics["ms_ssim_db"] = 8 + 2 * i + GAINS_DB.get(codec, 0.5) / 2
            metrics["ms_ssim"] = 1 - 10 ** (-metrics["ms_ssim_db"] / 10)
        unit = "kbps" if kind == "audio" else "bpp"
        samples = RATE_HZ if kind == "audio" else 64 * 80
        rate = file_bytes * 8 / (1000 if kind == "audio" else samples)
        seconds = (0.01 + len(codec) * 0.1, 0.002 * len(codec))
        points.append(
            Point(
                signal,
                kind,
                codec,
                f"q{i}",
                None,
                name,
                name,
                file_bytes,
                file_bytes,
                rate,
                unit,
                samples,
                *seconds,
                metrics=metrics,
            )
        )
    return points
