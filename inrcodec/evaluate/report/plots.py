"""Every chart of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from inrcodec.evaluate.qualities import Quality
from inrcodec.evaluate.report.chart import PUBLISHED, Chart, Series, draw, look
from inrcodec.evaluate.report.drawing import Drawing, Position
from inrcodec.evaluate.results import Results

# Width, height and size of the font, px.
WIDE, NARROW, SMALL = (620.0, 390.0, 13.0), (358.0, 310.0, 12.0), (300.0, 225.0, 11.0)
LARGE = (1160.0, 620.0, 14.0)


@dataclass(frozen=True)
class Plot:
    """A chart that the page shows and that becomes files.

    Args:
        name: of the files, without extension.
        chart: what it shows.
        caption: what is to be known beside it.
        size: of its files, and on the screen of a computer: width, height and font, px.
    """

    name: str
    chart: Chart
    caption: str = ""
    size: tuple[float, float, float] = WIDE

    def wide(self) -> Drawing:
        """For the screen of a computer, and for files."""
        return draw(self.chart, *self.size)

    def narrow(self) -> Drawing:
        """For the screen of a phone."""
        return draw(self.chart, *NARROW)


def rate_plots(
    results: Results, quality: Quality, published: Mapping[str, Sequence[Position]]
) -> list[Plot]:
    """The mean curves, over a linear and over a logarithmic axis of rates.

    Args:
        results: what was measured.
        quality: on the y axis.
        published: curves by name that are shown behind ours.
    """
    signals = results.common_signals(results.codecs, quality)
    behind = [
        Series(name, sorted(points), PUBLISHED, background=True)
        for name, points in published.items()
    ]
    series = []
    for i, codec in enumerate(results.codecs):
        means = results.means(codec, quality, signals or results.signals)
        points = [(rate, value) for rate, value, _ in means]
        tips = [
            f"{codec} {setting}: {rate:.3f} {results.rate_unit}, {quality.text(value)}"
            for rate, value, setting in means
        ]
        series.append(Series(codec, points, look(i), tips))
    count, resolution = len(signals), results.resolution
    title = quality.label if resolution == 1 else f"{quality.label} at {resolution:g}×"
    name = f"{results.kind}_{quality.name}" + (f"_x{resolution:g}" if resolution != 1 else "")
    if count == 1:
        title += f" of {signals[0]}"
    else:
        title += f", mean of {count} {plural(results.kind, count)}" if count else ", separate means"
    # Our own curves, which come first in the order of codecs, are drawn last, in front.
    chart = Chart(title, _rate_axis(results), quality.axis, (*behind, *series[::-1]))
    logarithmic = Chart(title, _rate_axis(results), quality.axis, chart.series, x_log=True)
    return [Plot(name, chart), Plot(f"{name}_log", logarithmic)]


def _rate_axis(results: Results) -> str:
    return "Rate (kbps)" if results.rate_unit == "kbps" else "Rate (bits per pixel, bpp)"


def published_plot(
    results: Results, quality: Quality, every: Mapping[str, Sequence[Position]]
) -> Plot:
    """The mean curves in front of all that were published, over a logarithmic axis."""
    chart = rate_plots(results, quality, every)[1].chart
    title = f"{quality.label} among all published curves"
    caption = "Names without room are left out; pointing at a curve shows its name."
    name = f"{results.kind}_{quality.name}_published"
    return Plot(name, replace(chart, title=title), caption, LARGE)


def signal_plots(
    results: Results,
    quality: Quality,
    published: Mapping[str, Mapping[str, Sequence[Position]]],
) -> list[Plot]:
    """One small chart for each signal.

    Args:
        results: what was measured.
        quality: on the y axis.
        published: by signal, the curves by name that are shown behind ours.
    """
    plots = []
    for number, signal in enumerate(results.signals, 1):
        behind = [
            Series(name, points, PUBLISHED, background=True)
            for name, points in published.get(signal, {}).items()
        ]
        series = []
        for i, codec in enumerate(results.codecs):
            curve = results.curve(codec, signal, quality)
            points = [(p.rate, quality.of(p)) for p in curve]
            tips = [
                f"{codec} {p.setting}: {p.file_bytes} bytes, {quality.text(quality.of(p))}"
                for p in curve
            ]
            series.append(Series(codec, points, look(i), tips))
        chart = Chart(
            signal, _rate_axis(results), quality.axis, (*behind, *series[::-1]), x_log=True
        )
        rates = [
            f"{found.codec} {signed(found.rates_percent[signal])}%"
            for found in results.comparisons(quality)
            if signal in found.rates_percent
        ]
        caption = f"Against {results.anchor}: {', '.join(rates)}" if rates else ""
        plots.append(Plot(f"{results.kind}_signal{number:03}", chart, caption, SMALL))
    return plots


def time_plots(results: Results, quality: Quality) -> list[Plot]:
    """BD-rate over the time to encode and to decode; none where nothing was timed."""
    found = [each for each in results.comparisons(quality) if each.mean_percent is not None]
    values = {results.anchor: 0.0} | {each.codec: each.mean_percent for each in found}
    plots = []
    for which, verb in (("encode_seconds", "Encoding"), ("decode_seconds", "Decoding")):
        series = []
        for i, codec in enumerate(results.codecs):
            seconds = results.seconds(codec, which)
            if seconds is None or codec not in values:
                continue
            tip = f"{codec}: {seconds_text(seconds)}, {signed(values[codec])}%"
            point = (seconds, values[codec])
            series.append(Series(codec, [point], look(i), [tip], joined=False))
        if len(series) < 2:
            continue
        chart = Chart(
            f"{verb} time and rate",
            f"{verb} time (seconds per {plural(results.kind, 1)}, median)",
            f"BD-rate against {results.anchor} (%, less is better)",
            series,
            x_log=True,
            labelled=True,
            y_zero_line=True,
        )
        plots.append(Plot(f"{results.kind}_{which}", chart))
    return plots


def plural(kind: str, count: int) -> str:
    """What signals of a kind are called."""
    one, many = {"image": ("image", "images"), "video": ("video", "videos")}.get(
        kind, ("sound", "sounds")
    )
    return one if count == 1 else many


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, the true minus sign for negative ones."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def seconds_text(seconds: float | None) -> str:
    """A time in two or three digits."""
    if seconds is None:
        return "not measured"
    if seconds >= 99.95:
        return f"{seconds:.0f} s"
    return f"{seconds:.3g} s" if seconds >= 0.1 else f"{seconds * 1e3:.2g} ms"
