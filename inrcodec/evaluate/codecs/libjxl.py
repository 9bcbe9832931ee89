"""JPEG XL through the programs of libjxl, where they are on the PATH."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from inrcodec.errors import BadInput
from inrcodec.evaluate.codecs.codec import Probe, Setting
from inrcodec.media.image import convert_depth, load_image, save_image
from inrcodec.signal import Signal

_QUALITIES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
_TIME_LIMIT_SECONDS = 600


@dataclass(frozen=True)
class LibjxlTools:
    """`cjxl` and `djxl`, with a PNG file in between."""

    name: str = "jxl"
    extension: str = ".jxl"
    kinds: tuple[str, ...] = ("image",)
    slow: bool = False
    renders: bool = False

    def probe(self) -> Probe:
        """Whether both programs are there."""
        if not (shutil.which("cjxl") and shutil.which("djxl")):
            return Probe(
                "libjxl",
                missing="pip install pillow-jxl-plugin, or put cjxl and djxl of libjxl on the PATH "
                "(apt install libjxl-tools, brew install jpeg-xl)",
            )
        return Probe("libjxl", _run("cjxl", "--version").splitlines()[0])

    def refusal(self, signal: Signal) -> str | None:
        """None: every picture fits."""
        return None

    def settings(self, signal: Signal) -> tuple[Setting, ...]:
        """One for each quality."""
        return tuple(Setting(f"q{q}", f"cjxl -q {q} -e 7", {"quality": q}) for q in _QUALITIES)

    def encode(self, signal: Signal, setting: Setting) -> bytes:
        """The file of a picture, without its metadata."""
        quality = str(setting.options["quality"])
        return _converted(
            save_image(signal.stripped(), ".png"), ".png", ".jxl", "cjxl", "-q", quality, "-e", "7"
        )

    def decode(self, data: bytes, like: Signal) -> Signal:
        """The picture, at the depth of `like`."""
        return convert_depth(load_image(_converted(data, ".jxl", ".png", "djxl")), like.bit_depth)

    def payload_bytes(self, data: bytes) -> int:
        """All of it: picture formats are weighed whole."""
        return len(data)


def _converted(data: bytes, extension: str, wanted: str, program: str, *options: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, f"in{extension}"), Path(folder, f"out{wanted}")
        source.write_bytes(data)
        _run(program, str(source), str(target), *options)
        return target.read_bytes()


def _run(*words: str) -> str:
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_TIME_LIMIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BadInput(
            f"{words[0]} still ran after {_TIME_LIMIT_SECONDS} s, expected an end; "
            "leave jxl out, or make the picture smaller"
        ) from error
    if done.returncode:
        raise BadInput(
            f"{words[0]} ended with code {done.returncode}, expected 0: "
            f"{done.stderr.strip()[-200:] or 'it did not say why'}; leave jxl out, or try another "
            "version of libjxl"
        )
    return done.stdout
