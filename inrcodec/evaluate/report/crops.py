"""Details of images, or of frames of videos, side by side, at nearly the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inrcodec.errors import InrError
from inrcodec.evaluate.qualities import Quality
from inrcodec.evaluate.report.matching import NEAR, Match, matches
from inrcodec.evaluate.report.pictures import (
    data_uri,
    decoded_path,
    most_detailed,
    original_path,
    read_picture,
)
from inrcodec.evaluate.report.plots import signed
from inrcodec.evaluate.results import Results

# Of all crops together, so that a page of 10 MB has room for the rest.
BUDGET_BYTES = 6 << 20
_MAX_PICTURES, _SIDES = 6, (384, 320, 256, 224, 192, 160, 128, 96)


def crops(
    results: Results, quality: Quality, folder: Path, originals: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """What the viewer of the page shows, and what could not be shown.

    Args:
        results: of images or videos.
        quality: named below each crop.
        folder: of the run.
        originals: their paths by signal.

    Returns:
        For each picture its name, place of the crop, original and rates, as the script of the page
        expects them; and why pictures are missing.
    """
    pictures, notes = [], []
    chosen = _spread(results.signals, _MAX_PICTURES)
    for signal in chosen:
        try:
            original = read_picture(original_path(folder, originals, signal), results.kind)
            found = matches(results, signal)
            if found:
                files = 1 + sum(len(match.points) for match in found)
                side = _side(original, files * len(chosen))
                pictures.append(_picture(results, quality, folder, signal, original, found, side))
        except InrError as error:
            notes.append(f"{signal}: {error}")
    return pictures, notes


def _spread(names: list[str], count: int) -> list[str]:
    """Up to `count` of the names, evenly from the first to the last."""
    if len(names) <= count:
        return names
    return [names[round(i * (len(names) - 1) / (count - 1))] for i in range(count)]


def _side(original: Any, files: int) -> int:
    """The largest side of crops of which so many are within the budget.

    Decodes take less than the original, which has noise.
    """
    for side in _SIDES:
        x, y, width, height = most_detailed(original, side)
        crop = original[y : y + height, x : x + width]
        if len(data_uri(crop)) * files <= BUDGET_BYTES:
            return side
    return _SIDES[-1]


def _picture(
    results: Results,
    quality: Quality,
    folder: Path,
    signal: str,
    original: Any,
    found: list[Match],
    side: int,
) -> dict[str, Any]:
    x, y, width, height = most_detailed(original, side)
    window = (slice(y, y + height), slice(x, x + width))
    rates = []
    for match in found:
        codecs = {}
        for codec, point in match.points.items():
            decoded = read_picture(decoded_path(folder, point), results.kind)
            codecs[codec] = {
                "src": data_uri(decoded[window]),
                "caption": caption(match, codec, quality.of(point), quality),
            }
        rates.append({"label": f"{match.label}, {match.bytes:,} bytes", "codecs": codecs})
    return {
        "signal": signal,
        "width": width,
        "height": height,
        "place": f"{width}×{height} pixels at ({x}, {y})",
        "original": data_uri(original[window]),
        "rates": rates,
    }


def caption(match: Match, codec: str, value: float | None, quality: Quality) -> str:
    """Bytes and quality of what is shown, and how far the bytes are from those compared to."""
    point, difference = match.points[codec], match.difference(codec)
    text = f"{point.setting} · {point.file_bytes:,} bytes"
    if difference:
        text += f" ({signed(100 * difference)}%)"
    if value is not None:
        text += f" · {quality.label} {quality.text(value)}"
    if abs(difference) > NEAR:
        text += " · no point is nearer in bytes"
    return text
