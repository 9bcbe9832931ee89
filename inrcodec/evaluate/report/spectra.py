"""Which frequencies codecs keep, and where their errors lie, at nearly the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from inrcodec.errors import InrError
from inrcodec.evaluate.metrics.spectral import radial_error_spectrum, radial_power_spectrum
from inrcodec.evaluate.report.chart import Chart, Look, Series, look
from inrcodec.evaluate.report.drawing import Position
from inrcodec.evaluate.report.matching import matches, middle
from inrcodec.evaluate.report.pictures import decoded_path, original_path, read_picture
from inrcodec.evaluate.report.plots import Plot, plural
from inrcodec.evaluate.report.sounds import read_clip
from inrcodec.evaluate.results import Results

_RINGS, _MAX_SIGNALS = 64, 6
_ORIGINAL = Look("ink", "", (), 3.0)


def spectrum_plots(
    results: Results, folder: Path, originals: Mapping[str, str]
) -> tuple[list[Plot], list[str]]:
    """The spectra of originals and decodes, and of the errors; and why signals are missing.

    Args:
        results: of one kind of signal.
        folder: of the run.
        originals: their paths by signal.
    """
    densities: dict[str, dict[str, list[np.ndarray]]] = {"decode": {}, "error": {}}
    frequencies, notes, used, unit = None, [], 0, 1.0
    for signal in results.signals[:_MAX_SIGNALS]:
        try:
            found, unit = _densities(results, signal, folder, originals)
        except InrError as error:
            notes.append(f"{signal}: {error}")
            continue
        if not found:
            continue
        frequencies, used = found.pop("frequency"), used + 1
        for name, density in found.items():
            what, _, codec = name.partition(" ")
            densities[what].setdefault(codec, []).append(density)
    if frequencies is None:
        return [], notes
    means = {
        what: {codec: np.mean(of, axis=0) for codec, of in by_codec.items()}
        for what, by_codec in densities.items()
    }
    means["error"] = {"": means["decode"][""]} | means["error"]
    x = frequencies * unit
    return [_plot(results, what, x, by_codec, used) for what, by_codec in means.items()], notes


def _densities(
    results: Results, signal: str, folder: Path, originals: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], float]:
    """Power per coefficient by "decode CODEC", "error CODEC", "decode " for the original."""
    found = matches(results, signal)
    if not found:
        return {}, 1.0
    is_sound = results.kind == "audio"
    dimensions = 1 if is_sound else 2
    reference, unit = _samples(original_path(folder, originals, signal), results.kind)
    spectrum = radial_power_spectrum(reference, dimensions, _RINGS)
    out = {"frequency": spectrum.frequency_cycles_per_px}
    out["decode "] = spectrum.power / np.maximum(spectrum.coefficients, 1)
    for codec, point in middle(found).points.items():
        decoded, _ = _samples(decoded_path(folder, point), results.kind)
        if is_sound:
            decoded = decoded[: len(reference)]
        power = radial_power_spectrum(decoded, dimensions, _RINGS)
        error = radial_error_spectrum(reference, decoded, dimensions, _RINGS)
        for what, of in (("decode", power), ("error", error)):
            out[f"{what} {codec}"] = of.power / np.maximum(of.coefficients, 1)
    return out, unit


def _samples(path: Path, kind: str) -> tuple[np.ndarray, float]:
    """Samples of full scale 1, and what one cycle per sample is in the unit of the axis."""
    if kind == "audio":
        clip = read_clip(path, 0, None)
        return clip.floats().astype(np.float64), clip.rate_hz / 1000
    return read_picture(path, kind).astype(np.float64) / 255, 1.0


def _plot(
    results: Results, what: str, x: np.ndarray, densities: Mapping[str, np.ndarray], count: int
) -> Plot:
    series = []
    for codec, density in densities.items():
        index = results.codecs.index(codec) if codec else 0
        drawn = look(index) if codec else _ORIGINAL
        # Markers at 64 rings would hide the lines.
        drawn = Look(drawn.colour, "", drawn.dash, drawn.width)
        series.append(Series(codec or "original", _decibels(x, density), drawn))
    title = {"decode": "Spectrum", "error": "Spectrum of the error"}[what]
    is_sound = results.kind == "audio"
    chart = Chart(
        f"{title}, mean of {count} {plural(results.kind, count)}",
        "Frequency (kHz)" if is_sound else "Frequency (cycles per pixel)",
        "Power per coefficient (dB, full scale is 0)",
        [series[0], *series[:0:-1]],
        x_from_zero=True,
    )
    return Plot(f"{results.kind}_spectrum_{what}", chart)


def _decibels(x: np.ndarray, density: np.ndarray) -> list[Position]:
    """Without the mean, which would set the scale, and the corner of very few coefficients."""
    return [
        (float(frequency), 10 * float(np.log10(power)))
        for frequency, power in zip(x[1:-1], density[1:-1], strict=True)
        if power > 0
    ]
