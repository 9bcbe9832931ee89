"""The figures of `inrcodec spectrum`: what `evaluate.spectra` measured, as drawings by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from inrcodec.evaluate.report.chart import Chart, Look, Series, draw, look
from inrcodec.evaluate.report.drawing import Drawing, Picture, Position, Text, panels, text_width
from inrcodec.evaluate.report.plots import SMALL, WIDE
from inrcodec.evaluate.report.spectral_charts import (
    ORIGINAL,
    Curve,
    frequency_label,
    spectrum_chart,
)
from inrcodec.evaluate.spectra.facts import Facts
from inrcodec.evaluate.spectra.layers import Layer
from inrcodec.evaluate.spectra.study import Study
from inrcodec.evaluate.spectra.training import Inspection, Moment
from inrcodec.evaluate.spectra.view import View

# Every name there is: what a folder may hold already.
NAMES = (
    "spectrum",
    "error_ratio",
    "climb",
    "error_spectra",
    "tangent_kernel",
    "activations",
    "activation_spectra",
    "gradients",
)
_BEGIN, _END = Look("c1", "", (5, 2.5)), Look("c0", "", (), 2.4)
_MOST_ERRORS = 6
_NO_ROUNDING = 1e-12  # of the largest eigenvalue: what is below it may be rounding alone
_FLOOR_DB = -120.0  # of activations: below it is the rounding of single precision
_SHOWN_PIXELS = 1024
_EXTENT = {"image": "picture", "audio": "sound", "video": "video"}


def figures_of(study: Study, name: str) -> dict[str, Drawing]:
    """Every figure that there is of what was measured, by its name.

    Args:
        study: what was measured.
        name: of the signal.
    """
    found = _signal_figures(study, name)
    if study.training is not None:
        original, facts, training = study.original, study.original_facts, study.training
        found |= {
            "climb": _climb(original, facts, training.moments),
            "error_spectra": _errors(original, facts, training.moments),
            "tangent_kernel": _tangent(training.inspections),
            "activations": _activations(training.inspections),
            "activation_spectra": _activation_spectra(original, training.inspections),
        }
    maps = study.gradients()
    return found | ({"gradients": gradient_figure(maps)} if maps else {})


def gradient_figure(maps: Mapping[str, np.ndarray]) -> Drawing:
    """Gradients side by side, in grey on one scale: that of the first.

    Args:
        maps: title -> [height, width], full scale per pixel.
    """
    first = next(iter(maps.values()))
    most = float(np.quantile(first, 0.995)) or float(first.max()) or 1.0
    height, width = first.shape
    _, _, size = SMALL
    shown = 300.0 * min(1.0, width / height), 300.0 * min(1.0, height / width)
    drawings = []
    for title, gradient in maps.items():
        grey = np.rint(np.clip(_smaller(gradient) / most, 0, 1) * 255).astype(np.uint8)
        drawing = Drawing(max(shown[0], 160.0), shown[1] + 2 * size, title)
        drawing.items += [
            Text((0, size), title, size, bold=True),
            Picture((0, 2 * size), *shown, grey[..., None], title),
        ]
        drawings.append(drawing)
    every = panels(drawings, len(drawings), "Gradients", f"Gradients of {', '.join(maps)}", 12)
    bar = np.arange(256, dtype=np.uint8)[None, :, None]
    top, length = every.height + size, 160.0
    every.items.append(Picture((0, top), length, size, bar, "scale"))
    label = f"black: 0; white: {most:.3g} of full scale per pixel, and more"
    every.items.append(Text((0, top + 2.3 * size), label, size, colour="muted"))
    every.height = top + 3 * size
    every.width = max(every.width, text_width(label, size))
    return every


def _signal_figures(study: Study, name: str) -> dict[str, Drawing]:
    """Spectra of a signal, and beside its original."""
    facts, rate_hz = study.original_facts, study.original.rate_hz
    frequency, title = facts.spectrum.frequency_cycles_per_sample, f"Spectrum of {name}"
    if study.comparison is None:
        curves = [Curve("", facts.spectrum.density, _END)]
        chart = spectrum_chart(title, frequency, curves, rate_hz, x_log=True)
        return {"spectrum": draw(chart, *WIDE)}
    curves = [
        Curve("original", facts.spectrum.density, ORIGINAL),
        Curve("reconstruction", study.reconstruction_facts.spectrum.density, look(1)),
        Curve("error", study.comparison.error.density, look(0)),
    ]
    x = frequency * (1.0 if rate_hz is None else rate_hz / 1000)
    lost = Chart(
        f"What is lost of {name}",
        frequency_label(rate_hz),
        "Power of the error over that of the original",
        [Series("", _points(x[1:-1], study.comparison.error_ratio[1:-1], y_log=True), _END)],
        x_log=True,
        y_log=True,
    )
    chart = spectrum_chart(title, frequency, curves, rate_hz, x_log=True)
    return {"spectrum": draw(chart, *WIDE), "error_ratio": draw(lost, *WIDE)}


def _climb(view: View, facts: Facts, moments: Sequence[Moment]) -> Drawing:
    steps = [moment.step for moment in moments]
    last = max(1, steps[-1])
    centroids = Chart(
        "The climb of the centroid",
        "Steps",
        f"Spectral Energy Centroid (cycles per {_EXTENT[view.signal.kind]})",
        [
            Series("original", _points([1, last], [facts.sec] * 2), ORIGINAL),
            Series("network", _points(steps, [m.sec for m in moments]), look(0)),
        ],
        x_log=True,
    )
    quality = Chart(
        "Closeness to the original",
        "Steps",
        "SNR (dB)" if view.rate_hz else "PSNR (dB)",
        [Series("", _points(steps, [m.quality_db for m in moments]), look(0))],
        x_log=True,
    )
    both = [draw(centroids, 460, 340, 13), draw(quality, 460, 340, 13)]
    return panels(both, 2, "The climb", f"{both[0].description}. {both[1].description}")


def _errors(view: View, facts: Facts, moments: Sequence[Moment]) -> Drawing:
    curves = [Curve("original", facts.spectrum.density, ORIGINAL)]
    curves += [
        Curve(f"step {moments[k].step}", moments[k].error.density, look(i))
        for i, k in enumerate(telling_moments(moments))
    ]
    frequency = facts.spectrum.frequency_cycles_per_sample
    title = "Spectrum of the error on its way"
    return draw(spectrum_chart(title, frequency, curves, view.rate_hz, x_log=True), *WIDE)


def telling_moments(moments: Sequence[Moment]) -> np.ndarray:
    """Which moments to draw, evenly in closeness where that is finite: the first hardly differ."""
    quality = np.array([moment.quality_db for moment in moments])
    if not np.isfinite(quality).all():
        quality = np.arange(len(moments), dtype=float)
    wanted = np.linspace(quality[0], quality[-1], _MOST_ERRORS)
    return np.unique(np.abs(quality[:, None] - wanted).argmin(axis=0))


def _tangent(inspections: Sequence[Inspection]) -> Drawing:
    eigenvalues, shares = [], []
    for inspection, drawn in _drawn(inspections):
        tangent, label = inspection.tangent, f"step {inspection.step}"
        number = np.arange(1, len(tangent.eigenvalues) + 1)
        sure = tangent.eigenvalues > _NO_ROUNDING * tangent.eigenvalues.max()
        eigenvalues.append(Series(label, _points(number[sure], tangent.eigenvalues[sure]), drawn))
        shares.append(Series("", _points(number, 100 * np.cumsum(tangent.residual_share)), drawn))
    first = inspections[0].tangent
    channels = len(first.eigenvalues) // first.samples
    charts = (
        Chart(
            f"Tangent kernel, {first.samples} samples of {_channels(channels)}",
            "Eigenvector",
            "Eigenvalue",
            eigenvalues,
            x_log=True,
            y_log=True,
        ),
        Chart(
            "Residual along the eigenvectors",
            "Eigenvectors, from the largest eigenvalue on",
            "Share of the residual's energy, summed (%)",
            shares,
            x_log=True,
            y_from_zero=True,
        ),
    )
    both = [draw(chart, 460, 340, 13) for chart in charts]
    return panels(both, 2, "Tangent kernel", f"{both[0].description}. {both[1].description}")


def _channels(channels: int) -> str:
    """A number of channels in words."""
    return "1 channel" if channels == 1 else f"{channels} channels"


def _drawn(inspections: Sequence[Inspection]) -> list[tuple[Inspection, Look]]:
    """The looks of the beginning and the end; the dashes of the beginning lie in front."""
    return list(zip(inspections, (_BEGIN, _END), strict=False))[::-1]


def _activations(inspections: Sequence[Inspection]) -> Drawing:
    drawings = []
    for i, layer in enumerate(inspections[0].layers):
        series = [
            Series(f"step {each.step}" if i == 0 else "", _outline(each.layers[i]), drawn)
            for each, drawn in _drawn(inspections)
        ]
        chart = Chart(_title(layer), "Activation", "Density", series, y_from_zero=True)
        drawings.append(draw(chart, *SMALL))
    description = "Histograms of the activations of every layer"
    return panels(drawings, min(3, len(drawings)), "Activations", description)


def _activation_spectra(view: View, inspections: Sequence[Inspection]) -> Drawing:
    drawings = []
    amplitudes = np.concatenate([layer.amplitude for i in inspections for layer in i.layers])
    ends = _floored(np.array([amplitudes.min(), amplitudes.max()]))
    # Both charts have one range, which this series holds without being seen.
    corners = Series("", _points((1, 1), ends), Look("muted", ""), joined=False)
    for each in inspections:
        series = []
        for i, layer in enumerate(each.layers):
            drawn = look(i)
            points = _points(layer.frequency_cycles, _floored(layer.amplitude))
            series.append(Series(_title(layer), points, Look(drawn.colour, "", drawn.dash)))
        chart = Chart(
            f"Activations at step {each.step}",
            f"Frequency (cycles per {_EXTENT[view.signal.kind]})",
            f"Mean amplitude (dB, a wave of ±1 is 0; at least {_FLOOR_DB:g})".replace("-", "−"),
            [corners, *series[::-1]],
            x_log=True,
        )
        drawings.append(draw(chart, 460, 340, 13))
    return panels(drawings, 2, "Spectra of activations", "Spectra of the activations by layer")


def _floored(amplitude: np.ndarray) -> np.ndarray:
    """In dB."""
    return 20 * np.log10(np.maximum(amplitude, 10 ** (_FLOOR_DB / 20)))


def _title(layer: Layer) -> str:
    return "Encoding" if layer.name == "encoding" else f"Layer {layer.name}"


def _outline(layer: Layer) -> list[Position]:
    """A histogram as a line around its bars."""
    points = [(float(layer.edges[0]), 0.0)]
    for left, right, density in zip(layer.edges[:-1], layer.edges[1:], layer.density, strict=True):
        points += [(float(left), float(density)), (float(right), float(density))]
    return [*points, (float(layer.edges[-1]), 0.0)]


def _points(x: Sequence[float], y: Sequence[float], y_log: bool = False) -> list[Position]:
    """Those that lie on a logarithmic axis of x, and maybe of y."""
    return [
        (float(a), float(b))
        for a, b in zip(x, y, strict=True)
        if a > 0 and np.isfinite(b) and (b > 0 or not y_log)
    ]


def _smaller(gradient: np.ndarray) -> np.ndarray:
    """Means of squares of pixels where there are more than can be seen."""
    side = -(-max(gradient.shape) // _SHOWN_PIXELS)
    height, width = (n // side for n in gradient.shape)
    if side == 1 or not height or not width:
        return gradient
    cut = gradient[: height * side, : width * side]
    return cut.reshape(height, side, width, side).mean(axis=(1, 3))
