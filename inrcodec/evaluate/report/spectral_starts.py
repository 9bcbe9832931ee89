"""The figure of untrained networks: spectra of their outputs and of their activations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from inrcodec.evaluate.report.chart import Chart, Look, Series, draw, look
from inrcodec.evaluate.report.drawing import Drawing, panels
from inrcodec.evaluate.report.spectral_charts import ORIGINAL, Curve, spectrum_chart
from inrcodec.evaluate.spectra.facts import facts_of
from inrcodec.evaluate.spectra.starts import StartSpectra
from inrcodec.evaluate.spectra.view import View

_LEAST_DB = -80.0  # of activations


def starts_figure(rows: Mapping[str, tuple[View, Mapping[str, StartSpectra]]]) -> Drawing:
    """One row for each signal: its spectrum beside those of the outputs, then those of each layer.

    Args:
        rows: name of the signal -> (the signal, label -> what a network begins with).
    """
    drawings = []
    for name, (view, starts) in rows.items():
        drawings.append(draw(_outputs(name, view, starts), 400, 320, 12))
        drawings += [draw(_layer(i, starts), 400, 320, 12) for i in range(_layers(starts))]
    columns = 1 + max(_layers(starts) for _, starts in rows.values())
    described = "Spectra of signals, of untrained networks' outputs and of their activations"
    return panels(drawings, columns, "Before the first step", described)


def _layers(starts: Mapping[str, StartSpectra]) -> int:
    return len(next(iter(starts.values())).layers)


def _outputs(name: str, view: View, starts: Mapping[str, StartSpectra]) -> Chart:
    facts = facts_of(view)
    signal = facts.spectrum.density / max(float(view.samples.var()), np.finfo(float).tiny)
    curves = [Curve(f"{name}, ψ {facts.psi:.3f}", signal, ORIGINAL)]
    curves += [
        Curve(f"{label}, ψ {start.psi:.3f}", start.spectrum.density, look(i))
        for i, (label, start) in enumerate(starts.items())
    ]
    frequency = facts.spectrum.frequency_cycles_per_sample
    title = f"{name} and untrained outputs"
    chart = spectrum_chart(title, frequency, curves, view.rate_hz, x_log=True)
    return replace(chart, y_label="Power per coefficient (dB, variance is 0)")


def _layer(i: int, starts: Mapping[str, StartSpectra]) -> Chart:
    series = []
    for number, (label, start) in enumerate(starts.items()):
        layer, drawn = start.layers[i], look(number)
        decibels = 20 * np.log10(np.maximum(layer.amplitude, 10 ** (_LEAST_DB / 20)))
        points = list(zip(layer.frequency_cycles.tolist(), decibels.tolist(), strict=True))
        series.append(Series(label if i == 0 else "", points, Look(drawn.colour, "", drawn.dash)))
    return Chart(
        f"Activations of layer {i + 1}",
        "Frequency (cycles per signal)",
        "Mean amplitude (dB, a wave of ±1 is 0)",
        series[::-1],
        x_log=True,
    )
