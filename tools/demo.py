"""What `tools/demo` shows: one photograph as an .inr file, decoded at 1x and 4x, beside JPEG.

Runs the command line as a user would. Arguments are passed on to `inrcodec encode`.
"""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "tools" / "demo_photo" / "coffee.png"
OUT = ROOT / "demo_output"
# Done in less than a minute on two cores.
ENCODE_OPTIONS = ["--effort", "4"]


def inrcodec(*arguments: object) -> dict[str, Any]:
    """The JSON answer of one run of the command line; progress goes to the terminal."""
    words = [str(argument) for argument in arguments]
    print(f"$ inrcodec {shlex.join(words)}", flush=True)
    command = [sys.executable, "-m", "inrcodec", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout)


def psnr_db(picture: Image.Image, original: np.ndarray) -> float:
    """PSNR over all samples and channels of an 8-bit picture."""
    error = np.asarray(picture.convert("RGB"), np.float64) - original
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def jpeg_bytes(picture: Image.Image, quality: int) -> bytes:
    """The picture as a JPEG file, with optimised tables and Pillow's default subsampling."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def best_jpeg(picture: Image.Image, max_bytes: int) -> tuple[int, bytes]:
    """(quality, file) of the finest JPEG of at most `max_bytes`, else of the smallest there is."""
    files = {quality: jpeg_bytes(picture, quality) for quality in range(1, 96)}
    fitting = [quality for quality, data in files.items() if len(data) <= max_bytes]
    quality = max(fitting, default=1)
    return quality, files[quality]


def main() -> None:
    """Encodes, decodes, compares, and says where the pictures are."""
    OUT.mkdir(exist_ok=True)
    inr, native, large = OUT / "coffee.inr", OUT / "coffee_1x.png", OUT / "coffee_4x.png"
    encoded = inrcodec("encode", PHOTO, inr, "-f", *ENCODE_OPTIONS, *sys.argv[1:])
    decoded = inrcodec("decode", inr, native, "-f", "--quiet")
    enlarged = inrcodec("decode", inr, large, "-f", "--quiet", "--scale", 4)
    inrcodec("verify", inr, "--quiet")

    photo = Image.open(PHOTO).convert("RGB")
    original = np.asarray(photo, np.float64)
    size = encoded["file_bytes"]
    quality, jpeg = best_jpeg(photo, size)
    jpeg_path = OUT / "coffee_same_size.jpg"
    jpeg_path.write_bytes(jpeg)
    jpeg_psnr_db = psnr_db(Image.open(io.BytesIO(jpeg)), original)
    too_large = ", the smallest that JPEG can do" if len(jpeg) > size else ""

    def row(name: str, file_bytes: int, db: float, note: str) -> str:
        bpp = 8 * file_bytes / (photo.width * photo.height)
        return f"  {name:<10}{file_bytes:>8} bytes{bpp:>9.4f} bpp{db:>8.2f} dB PSNR   {note}"

    print()
    print(f"{PHOTO.name}, {photo.width}x{photo.height}, {PHOTO.stat().st_size} bytes as PNG")
    seconds = f"encoded in {encoded['encode_seconds']:.1f} s, lmbda {encoded['lmbda']:g}"
    print(row("inrcodec", size, psnr_db(Image.open(native), original), seconds))
    print(row("JPEG", len(jpeg), jpeg_psnr_db, f"quality {quality}{too_large}"))
    for title, answer in (("1x", decoded), ("4x", enlarged)):
        print(f"  decode {title}: {answer['decode_seconds']:.2f} s", end="")
        print(f"  {answer['width']}x{answer['height']}")
    print("Pictures:")
    for path in (PHOTO, native, large, jpeg_path):
        print(f"  {path}")


if __name__ == "__main__":
    main()
