"""Spectra as charts: the same for the report of a comparison and for `inrcodec spectrum`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inrcodec.evaluate.report.chart import Chart, Look, Series
from inrcodec.evaluate.report.drawing import Position

ORIGINAL = Look("ink", "", (), 3.0)


class Curve(NamedTuple):
    """Power per Fourier coefficient by radius.

    Args:
        label: its name.
        density: [rings], with full scale 1.
        look: how it is drawn; without markers, which would hide lines of so many points.
    """

    label: str
    density: np.ndarray
    look: Look


def spectrum_chart(
    title: str,
    frequency_cycles_per_sample: np.ndarray,
    curves: Sequence[Curve],
    rate_hz: float | None = None,
    x_log: bool = False,
) -> Chart:
    """Power in dB over frequency.

    Args:
        title: of the chart.
        frequency_cycles_per_sample: [rings].
        curves: the first one lies behind the others.
        rate_hz: samples per second of sound, whose axis is in kHz.
        x_log: whether the axis of frequencies is logarithmic.
    """
    x = frequency_cycles_per_sample * (1.0 if rate_hz is None else rate_hz / 1000)
    series = [
        Series(
            curve.label,
            _decibels(x, curve.density),
            Look(curve.look.colour, "", curve.look.dash, curve.look.width),
        )
        for curve in curves
    ]
    return Chart(
        title,
        frequency_label(rate_hz),
        "Power per coefficient (dB, full scale is 0)",
        [*series[:1], *series[:0:-1]],
        x_log=x_log,
        x_from_zero=not x_log,
    )


def frequency_label(rate_hz: float | None) -> str:
    """The name of an axis of frequencies of pictures, or of sound with so many samples a second."""
    return "Frequency (cycles per pixel)" if rate_hz is None else "Frequency (kHz)"


def _decibels(x: np.ndarray, density: np.ndarray) -> list[Position]:
    """Without the mean, which would set the scale, and the corner of very few coefficients."""
    return [
        (float(frequency), 10 * float(np.log10(power)))
        for frequency, power in zip(x[1:-1], density[1:-1], strict=True)
        if power > 0
    ]
