"""Which frequencies codecs keep, and where their errors lie, at nearly the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from inrcodec.errors import InrError
from inrcodec.evaluate.metrics.spectral import radial_error_spectrum, radial_power_spectrum
from inrcodec.evaluate.report.chart import look
from inrcodec.evaluate.report.matching import matches, middle
from inrcodec.evaluate.report.pictures import decoded_path, original_path, read_picture
from inrcodec.evaluate.report.plots import Plot, plural
from inrcodec.evaluate.report.sounds import read_clip
from inrcodec.evaluate.report.spectral_charts import ORIGINAL, Curve, spectrum_chart
from inrcodec.evaluate.results import Results

_RINGS, _MAX_SIGNALS = 64, 6


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
    frequencies, notes, used, rate_hz = None, [], 0, None
    for signal in results.signals[:_MAX_SIGNALS]:
        try:
            found, rate = _densities(results, signal, folder, originals)
        except InrError as error:
            notes.append(f"{signal}: {error}")
            continue
        if not found:
            continue
        frequencies, rate_hz, used = found.pop("frequency"), rate, used + 1
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
    plots = []
    for what, by_codec in means.items():
        curves = [
            Curve(codec, density, look(results.codecs.index(codec)))
            if codec
            else Curve("original", density, ORIGINAL)
            for codec, density in by_codec.items()
        ]
        name = {"decode": "Spectrum", "error": "Spectrum of the error"}[what]
        title = f"{name}, mean of {used} {plural(results.kind, used)}"
        chart = spectrum_chart(title, frequencies, curves, rate_hz)
        plots.append(Plot(f"{results.kind}_spectrum_{what}", chart))
    return plots, notes


def _densities(
    results: Results, signal: str, folder: Path, originals: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], int | None]:
    """Power per coefficient by "decode CODEC", "error CODEC", "decode " for the original.

    And the rate of a sound in Hz, None of others.
    """
    found = matches(results, signal)
    if not found:
        return {}, None
    is_sound = results.kind == "audio"
    dimensions = 1 if is_sound else 2
    reference, rate_hz = _samples(original_path(folder, originals, signal), results.kind)
    spectrum = radial_power_spectrum(reference, dimensions, _RINGS)
    out = {"frequency": spectrum.frequency_cycles_per_sample, "decode ": spectrum.density}
    for codec, point in middle(found).points.items():
        decoded, _ = _samples(decoded_path(folder, point), results.kind)
        if is_sound:
            decoded = decoded[: len(reference)]
        power = radial_power_spectrum(decoded, dimensions, _RINGS)
        error = radial_error_spectrum(reference, decoded, dimensions, _RINGS)
        out |= {f"decode {codec}": power.density, f"error {codec}": error.density}
    return out, rate_hz


def _samples(path: Path, kind: str) -> tuple[np.ndarray, int | None]:
    """Samples of full scale 1, and the rate of a sound in Hz."""
    if kind == "audio":
        clip = read_clip(path, 0, None)
        return clip.floats().astype(np.float64), clip.rate_hz
    return read_picture(path, kind).astype(np.float64) / 255, None
