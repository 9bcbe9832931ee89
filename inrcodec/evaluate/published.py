"""Curves that others have published, to draw beside one's own.

The files in `published/` name the repository and file that each number comes from. All are means
over the 24 Kodak pictures of 768x512: of bits per pixel, and of the PSNR of each picture. Rates are
those of their authors; where the source says so, estimated from probabilities and not from files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from inrcodec.errors import BadInput

_FOLDER = Path(__file__).with_name("published")
_IMAGES = "_images"
# By set, the stems of the usual file names.
PICTURES = {"kodak": frozenset(f"kodim{number:02d}" for number in range(1, 25))}


@dataclass(frozen=True)
class PublishedPoint:
    """One point of a published curve.

    Args:
        rate_bpp: bits per pixel.
        psnr_db: over red, green and blue.
        ms_ssim: None where it is not published.
    """

    rate_bpp: float
    psnr_db: float
    ms_ssim: float | None = None


@dataclass(frozen=True)
class Curve:
    """A published curve, from the smallest rate on.

    Args:
        points: its points.
        source: repository and file that they come from.
    """

    points: tuple[PublishedPoint, ...]
    source: str


def datasets() -> tuple[str, ...]:
    """The names of the sets of pictures that there are curves for."""
    return tuple(sorted({row["dataset"] for row in _rows(images=False)}))


def dataset_of(kind: str, signals: Sequence[str]) -> str | None:
    """The set that some signals are of; None if there are no curves for them.

    Args:
        kind: of the signals.
        signals: stems of their usual file names, kodim03.
    """
    if kind != "image" or not signals:
        return None
    return next((name for name, pictures in PICTURES.items() if pictures >= set(signals)), None)


def is_whole(dataset: str, signals: Sequence[str]) -> bool:
    """Whether some signals of a set are all of it, so that its mean curves are theirs."""
    return PICTURES[dataset] == set(signals)


def curves(dataset: str) -> dict[str, Curve]:
    """The mean curves for a set of pictures, by codec.

    Raises:
        BadInput: a set without curves.
    """
    found = _curves(row for row in _rows(images=False) if row["dataset"] == dataset)
    if not found:
        raise BadInput(
            f"there are no published curves for {dataset!r}, only for {', '.join(datasets())}; "
            "choose one of those"
        )
    return found


def image_curves(dataset: str, image: str) -> dict[str, Curve]:
    """The curves for one picture, by codec; none if none are published.

    Args:
        dataset: name of the set.
        image: stem of the picture's usual file name, kodim03.
    """
    return _curves(
        row for row in _rows(images=True) if (row["dataset"], row["image"]) == (dataset, image)
    )


def _curves(rows: Iterator[dict[str, str]]) -> dict[str, Curve]:
    points: dict[str, list[PublishedPoint]] = {}
    sources = {}
    for row in rows:
        ms_ssim = float(row["ms_ssim"]) if row["ms_ssim"] else None
        point = PublishedPoint(float(row["rate_bpp"]), float(row["psnr_db"]), ms_ssim)
        points.setdefault(row["codec"], []).append(point)
        sources[row["codec"]] = row["source"]
    return {
        codec: Curve(tuple(sorted(found, key=lambda p: p.rate_bpp)), sources[codec])
        for codec, found in points.items()
    }


@cache
def _rows(images: bool) -> tuple[dict[str, str], ...]:
    rows: list[dict[str, str]] = []
    for path in sorted(_FOLDER.glob("*.csv")):
        if path.stem.endswith(_IMAGES) == images:
            with path.open(encoding="utf-8", newline="") as file:
                rows += csv.DictReader(file)
    return tuple(rows)
