"""The page: its sections, put together from charts, tables and crops."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path

from inrcodec import __version__
from inrcodec.evaluate.points import Run
from inrcodec.evaluate.qualities import Quality
from inrcodec.evaluate.report import tables
from inrcodec.evaluate.report.crops import crops
from inrcodec.evaluate.report.plots import (
    SMALL,
    Plot,
    plural,
    published_plot,
    rate_plots,
    signal_plots,
    time_plots,
)
from inrcodec.evaluate.report.published_curves import (
    PublishedCurves,
    published_for,
    published_of,
    sources_listed,
)
from inrcodec.evaluate.report.sounds import players
from inrcodec.evaluate.report.spectra import spectrum_plots
from inrcodec.evaluate.report.svg import FONT, class_rules, colour_rules, inline_svg
from inrcodec.evaluate.results import Results

# With more signals than this their charts are folded away.
_UNFOLDED_SIGNALS = 12
_ZOOMS = (1, 2, 4, 8)


def page(folder: Path, run: Run, found: Sequence[Results]) -> tuple[str, list[Plot]]:
    """The whole page as HTML, and every plot in it.

    Args:
        folder: of the run.
        run: how it was measured.
        found: what was measured, by kind of signal.
    """
    plots: list[Plot] = []
    links, body, lead = [], [], []
    for results in found:
        title = f"{results.kind.capitalize()}: " if len(found) > 1 else ""
        qualities = results.qualities()
        if results.compared():
            lead.append(f"<p class='lead'>{tables.headline(results, results.compared()[0])}</p>")
        for name, section in _sections(folder, run, results, qualities, plots):
            anchor = f"{results.kind}-{name.split()[0].lower()}"
            links.append(f"<a href='#{anchor}'>{title}{name}</a>")
            body.append(f"<section id='{anchor}'><h2>{title}{name}</h2>{section}</section>")
    links.append("<a href='#how'>How it was measured</a>")
    body.append(f"<section id='how'><h2>How it was measured</h2>{_method(run, found)}</section>")
    values = {
        "title": escape(_title(found)),
        "when": f", {escape(run.date[:10])}" if run.date else "",
        "lead": "".join(lead) or "<p class='lead'>No points were measured.</p>",
        "links": "".join(links),
        "body": "\n".join(body),
        "version": escape(__version__),
        "style": _filled(_asset("page.css"), _style_values()),
        "script": _asset("page.js"),
    }
    return _filled(_asset("page.html"), values), plots


def _style_values() -> dict[str, str]:
    return {
        "light": colour_rules(),
        "dark": colour_rules(dark=True),
        "classes": class_rules(),
        "font": FONT,
    }


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with each {{name}} replaced, in one pass: values may hold braces themselves."""
    return re.sub(r"\{\{(\w+)\}\}", lambda name: values[name[1]], template)


def _title(found: Sequence[Results]) -> str:
    if not found:
        return "An empty comparison"
    codecs = list(dict.fromkeys(codec for results in found for codec in results.codecs))
    names = ", ".join(codecs[:-1]) + " and " + codecs[-1] if len(codecs) > 1 else codecs[0]
    on = " and ".join(_signals(results) for results in found)
    return f"{names} on {on}"


def _signals(results: Results) -> str:
    count = len(results.signals)
    return results.signals[0] if count == 1 else f"{count} {plural(results.kind, count)}"


def _sections(
    folder: Path, run: Run, results: Results, qualities: Sequence[Quality], plots: list[Plot]
) -> list[tuple[str, str]]:
    """(title, HTML) of each section of a kind of signal; adds its plots."""
    if not qualities:
        note = f"<p>No metric of {plural(results.kind, 2)} was measured.</p>"
        return [("Points", note + _points(results))]
    main = qualities[0]
    found = [
        ("Results", _results(results, results.compared())),
        ("Curves", _curves(run, results, qualities, plots)),
        ("Time", _times(results, results.compared(), plots)),
    ]
    if results.kind == "audio":
        found.append(("Listening", _listening(folder, run, results, main)))
    else:
        found.append(("Details", _details(folder, run, results, main)))
    found.append(("Spectra", _spectra(folder, run, results, plots)))
    found.append(("Resolution", _resolution(results, plots)))
    found.append(("Points", _points(results)))
    return [(name, section) for name, section in found if section]


def _results(results: Results, qualities: Sequence[Quality]) -> str:
    signals = ", ".join(results.signals[:30]) + (" …" if len(results.signals) > 30 else "")
    return (
        f"<p>Against <b>{escape(results.anchor)}</b>; below 0 means fewer bits for the same "
        f"quality. On {escape(signals)}.</p>"
        + tables.bd_table(results, qualities)
        + "<p class='note'>BD-rate: mean difference in rate over the qualities that both curves "
        "reach (PCHIP of log rate). Its mean weighs every signal alike; that of the mean curve "
        "weighs those most that need most bits. The interval is a bootstrap over the signals, and "
        "too narrow below about 10 of them. Overlap is the common range of qualities as a part of "
        "the shorter curve's.</p>" + tables.refusals(results, qualities)
    )


def _curves(run: Run, results: Results, qualities: Sequence[Quality], plots: list[Plot]) -> str:
    behind = [published_for(run, results, quality) for quality in qualities]
    pairs = [
        rate_plots(results, quality, published.comparable)
        for quality, published in zip(qualities, behind, strict=True)
    ]
    main = qualities[0]
    small = signal_plots(
        results, main, {s: published_of(run, results, s, main) for s in results.signals}
    )
    html = _tabs(f"axis-{results.kind}", pairs, plots)
    html += "".join({f"<p class='note'>{escape(b.note)}</p>": 0 for b in behind if b.comparable})
    if len(small) > 1:
        plots += small
        multiples = "".join(figure(plot) for plot in small)
        opened = " open" if len(small) <= _UNFOLDED_SIGNALS else ""
        html += (
            f"<details{opened}><summary>Each {plural(results.kind, 1)} by itself "
            f"({len(small)})</summary><div class='multiples'>{multiples}</div></details>"
        )
    return html + _published(results, qualities, behind, plots)


def _tabs(name: str, pairs: Sequence[Sequence[Plot]], plots: list[Plot]) -> str:
    """Charts with a linear and a logarithmic axis, of which one is chosen."""
    linear, logarithmic = (_charts([pair[i] for pair in pairs], plots) for i in range(2))
    return (
        "<fieldset class='tabs'><legend>Rate axis</legend>"
        f"<input type='radio' name='{name}' id='{name}-lin' checked>"
        f"<label for='{name}-lin'>linear</label>"
        f"<input type='radio' name='{name}' id='{name}-log'>"
        f"<label for='{name}-log'>logarithmic</label>{linear}{logarithmic}</fieldset>"
    )


def _published(
    results: Results,
    qualities: Sequence[Quality],
    behind: Sequence[PublishedCurves],
    plots: list[Plot],
) -> str:
    """Everything that was published, folded away, and where it is from."""
    shown = [
        published_plot(results, quality, published.every)
        for quality, published in zip(qualities, behind, strict=True)
        if published.every
    ]
    if not shown:
        return ""
    warning = f"<p>{escape(behind[0].warning)}</p>" if behind[0].warning else ""
    sources = [
        f"<li>{escape(name)}: {escape(source)}</li>"
        for name, source in sources_listed(behind).items()
    ]
    return (
        f"<details><summary>All published curves ({len(sources)})</summary>{warning}"
        f"<div class='large'>{_charts(shown, plots)}</div>"
        f"<ul class='note'>{''.join(sources)}</ul></details>"
    )


def figure(plot: Plot) -> str:
    """A chart, drawn for wide and for narrow screens, of which style sheets show one."""
    caption = f"<figcaption>{escape(plot.caption)}</figcaption>" if plot.caption else ""
    if plot.size == SMALL:
        return f"<figure>{inline_svg(plot.wide())}{caption}</figure>"
    drawings = inline_svg(plot.wide(), "plot wide") + inline_svg(plot.narrow(), "plot narrow")
    return f"<figure>{drawings}{caption}</figure>"


def _charts(found: Sequence[Plot], plots: list[Plot]) -> str:
    plots += found
    return f"<div class='charts'>{''.join(figure(plot) for plot in found)}</div>" if found else ""


def _times(results: Results, qualities: Sequence[Quality], plots: list[Plot]) -> str:
    charts = _charts(time_plots(results, qualities[0]) if qualities else [], plots)
    if not charts:
        return ""
    return (
        f"<p>Down and to the left is better. Wall time of one {plural(results.kind, 1)} on the "
        "machine named below, whole files in and out.</p>" + charts
    )


def _details(folder: Path, run: Run, results: Results, quality: Quality) -> str:
    pictures, notes = crops(results, quality, folder, run.originals)
    missing = tables.listed(
        f"{plural(results.kind, 2).capitalize()} that cannot be shown",
        [f"<li>{escape(note)}</li>" for note in notes],
    )
    if not pictures:
        return missing
    # "<" as an escape of JSON: no name in it can end the element.
    data = json.dumps(pictures, ensure_ascii=True).replace("<", "\\u003c")
    codecs = list(pictures[0]["rates"][0]["codecs"])
    second = codecs[0]
    first = results.anchor if results.anchor != second else "original"
    zooms = "".join(
        f"<input type='radio' name='zoom-{results.kind}' id='zoom-{results.kind}-{factor}' "
        f"value='{factor}'{' checked' if factor == 1 else ''}>"
        f"<label for='zoom-{results.kind}-{factor}'>{factor}×</label>"
        for factor in _ZOOMS
    )
    values = {
        "data": data,
        "first": escape(first),
        "second": escape(second),
        "zooms": zooms,
        "what": plural(results.kind, 1).capitalize(),
    }
    part = {"image": "part of each image", "video": "part of a frame of each video"}[results.kind]
    intro = (
        f"<p>The {part} with the most detail, of the files whose numbers of bytes "
        f"are nearest to those of {escape(second)}. What is left between them is in brackets.</p>"
    )
    return intro + _filled(_asset("viewer.html"), values) + missing


def _listening(folder: Path, run: Run, results: Results, quality: Quality) -> str:
    html, notes = players(results, quality, folder, run.originals)
    missing = [f"<li>{escape(note)}</li>" for note in notes]
    intro = "<p>The loudest seconds, of files with nearly the same number of bytes.</p>"
    return (intro + html if html else "") + tables.listed("Sounds that are not here", missing)


def _spectra(folder: Path, run: Run, results: Results, plots: list[Plot]) -> str:
    found, notes = spectrum_plots(results, folder, run.originals)
    missing = tables.listed(
        "Signals without a spectrum", [f"<li>{escape(note)}</li>" for note in notes]
    )
    if not found:
        return missing
    return (
        "<p>Mean power by frequency, at the middle rate of those above, where files have nearly "
        "the same number of bytes. Where the error meets the original, a codec has given that "
        "frequency up.</p>" + _charts(found, plots) + missing
    )


def _resolution(results: Results, plots: list[Plot]) -> str:
    parts = []
    for scaled in results.scaled:
        factor = scaled.resolution
        qualities = scaled.qualities()
        if not qualities:
            continue
        pairs = [rate_plots(scaled, quality, {}) for quality in qualities]
        parts.append(
            f"<h3>{factor:g}× the coded resolution</h3>"
            + tables.bd_table(scaled, scaled.compared())
            + tables.refusals(scaled, scaled.compared())
            + _tabs(f"axis-{results.kind}-x{factor:g}".replace(".", "-"), pairs, plots)
        )
    if not parts:
        return ""
    return (
        "<p>Coded at one resolution and judged at another: 2× has twice as many samples across as "
        "were coded. Rates are those of the whole original. Names with + are resampled after "
        "decoding.</p>" + "".join(parts)
    )


def _points(results: Results) -> str:
    count = len(results.points) + sum(len(scaled.points) for scaled in results.scaled)
    return (
        f"<details><summary>All {count} points, sorted by a click on a column</summary>"
        f"{tables.points_table(results)}</details>"
    )


def _method(run: Run, found: Sequence[Results]) -> str:
    parts = [f"<pre>{escape(run.command)}</pre>" if run.command else ""]
    parts.append(tables.machine_facts(run))
    if run.codecs:
        parts.append(f"<h3>Codecs and their settings</h3>{tables.codec_settings(run)}")
    if run.not_measured:
        parts.append(f"<h3>Not measured here</h3>{tables.named_list(run.not_measured)}")
    if run.failed:
        parts.append(f"<h3>What failed</h3>{tables.named_list(run.failed)}")
    return "".join(parts)
