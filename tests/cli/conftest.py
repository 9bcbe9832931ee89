"""The real command line, in this process and as its own, on pictures small enough to be quick."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inrcodec.cli.main import main

QUICK = ("--effort", "1", "--engine", "reference", "--device", "cpu")


@dataclass(frozen=True)
class Outcome:
    """What a run of the command line left: exit code, stdout, stderr."""

    code: int
    out: bytes
    err: str


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture
def call(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Outcome]:
    """Runs `inrcodec` in this process."""

    def run(*arguments: object) -> Outcome:
        capsysbinary.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        return Outcome(code, captured.out, captured.err.decode())

    return run


@pytest.fixture(scope="session")
def command() -> list[str]:
    """The words that start `inrcodec` as a process of its own."""
    return [sys.executable, "-m", "inrcodec"]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Environment for a process of its own: one thread, and the package of this checkout."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


@pytest.fixture(scope="session")
def spawn(command: list[str], environment: dict[str, str]) -> Callable[..., Outcome]:
    """Runs `inrcodec` as a process of its own."""

    def run(*arguments: object, stdin: bytes = b"", cwd: Path | None = None) -> Outcome:
        done = subprocess.run(
            [*command, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
            env=environment,
            cwd=cwd,
        )
        return Outcome(done.returncode, done.stdout, done.stderr.decode())

    return run


@pytest.fixture(scope="session")
def samples() -> np.ndarray:
    """[16, 24, 3] uint8: smooth colours with an edge."""
    y, x = np.mgrid[0:16, 0:24]
    planes = [y * 9 + x * 4, 250 - x * 9, 128 + 60 * np.sin(x / 3) * np.cos(y / 4)]
    planes[0][:, 14:] += 20
    return np.stack(planes, axis=-1).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory, samples: np.ndarray) -> Path:
    """A PNG file whose name has a space and letters beyond ASCII."""
    path = tmp_path_factory.mktemp("picture") / "grün eins.png"
    Image.fromarray(samples).save(path)
    return path


@pytest.fixture(scope="session")
def encoded(tmp_path_factory: pytest.TempPathFactory, picture: Path) -> bytes:
    """The bytes of an .inr file of that picture."""
    path = tmp_path_factory.mktemp("encoded") / "out.inr"
    assert main(["encode", str(picture), str(path), "--quiet", *QUICK]) == 0
    return path.read_bytes()


@pytest.fixture
def inr(tmp_path: Path, encoded: bytes) -> Path:
    """A fresh copy of that .inr file in an otherwise empty folder."""
    path = tmp_path / "ein bild.inr"
    path.write_bytes(encoded)
    return path


@pytest.fixture(scope="session")
def quick() -> tuple[str, ...]:
    """Options of the quickest encode that runs everywhere."""
    return QUICK
