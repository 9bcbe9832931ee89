"""The tables of the page, as HTML; every number is formatted here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from inrcodec.evaluate.points import Point, Run
from inrcodec.evaluate.qualities import Quality
from inrcodec.evaluate.report.chart import look
from inrcodec.evaluate.report.drawing import Drawing, Line, Mark
from inrcodec.evaluate.report.plots import plural, seconds_text, signed
from inrcodec.evaluate.report.svg import inline_svg
from inrcodec.evaluate.results import Comparison, Results, is_own

NONE = "–"
_NO_CARD = " class='none'"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], css_class: str) -> str:
    """A table; on a phone each row becomes a card, whose cells repeat the headers.

    Args:
        headers: HTML of each column.
        rows: HTML of each cell; the first cell of a row names it.
        css_class: of the table.
    """
    head = "".join(f"<th scope='col'>{header}</th>" for header in headers)
    body = []
    for first, *others in rows:
        cells = "".join(
            f"<td data-label='{_plain(header)}'{_NO_CARD if cell == NONE else ''}>{cell}</td>"
            for header, cell in zip(headers[1:], others, strict=True)
        )
        body.append(f"<tr><th scope='row'>{first}</th>{cells}</tr>")
    return (
        f"<table class='{css_class}'><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>"
    )


def _plain(header: str) -> str:
    """A header without what is small in it."""
    return re.sub("<small>.*?</small>", "", header)


def swatch(index: int) -> str:
    """The line and marker of a codec in the charts, beside its name."""
    drawn = look(index)
    line = Line(((0, 6), (24, 6)), drawn.colour, drawn.width, drawn.dash)
    mark = Mark((12, 6), drawn.marker, drawn.colour)
    return inline_svg(Drawing(24, 12, "", items=[line, mark]), "swatch")


def percent(value: float | None) -> str:
    """A difference in percent with its sign."""
    return NONE if value is None else f"{signed(value)}%"


def interval(found: Comparison) -> str:
    """The 95% interval of the mean BD-rate; none for a single signal."""
    if found.low_percent is None:
        return ""
    return f"{signed(found.low_percent)} to {signed(found.high_percent)}%"


def bd_table(results: Results, qualities: Sequence[Quality]) -> str:
    """Every codec against the anchor: BD-rates, overlap, BD-PSNR and times."""
    if not qualities:
        return ""
    main, *others = qualities
    headers = [
        "Codec",
        f"BD-rate, {main.label}<small>mean, 95% interval</small>",
        "Of the mean curve",
        f"BD-{main.label}" + (f"<small>{main.unit}</small>" if main.unit else ""),
        "Overlap<small>least, mean</small>",
        *(f"BD-rate, {quality.label}<small>mean, 95% interval</small>" for quality in others),
        plural(results.kind, 2).capitalize(),
        "Encode<small>median</small>",
        "Decode<small>median</small>",
    ]
    by_quality = [
        {found.codec: found for found in results.comparisons(quality)} for quality in qualities
    ]
    rows = []
    for index, codec in enumerate(results.codecs):
        name = f"{swatch(index)} {escape(codec)}"
        times = [seconds_text(results.seconds(codec, f"{w}_seconds")) for w in ("encode", "decode")]
        if codec == results.anchor:
            count = str(len({p.signal for p in results.of(codec)}))
            blank = ["anchor", *[NONE] * (2 + len(others) + 1)]
            rows.append([name, *blank, count, *times])
            continue
        found = by_quality[0][codec]
        gain = NONE if found.mean_quality is None else signed(found.mean_quality, 2)
        overlap = found.overlaps_percent
        shared = f"{min(overlap):.0f}%, {sum(overlap) / len(overlap):.0f}%" if overlap else NONE
        count = f"{len(found.rates_percent)} of {len(results.signals)}"
        more = [_mean(others_found[codec]) for others_found in by_quality[1:]]
        mean_curve = percent(found.of_mean_curve.rate_percent)
        rows.append([name, _mean(found), mean_curve, gain, shared, *more, count, *times])
    return table(headers, rows, "cards")


def _mean(found: Comparison) -> str:
    if found.mean_percent is None:
        return "not comparable"
    return f"<b>{percent(found.mean_percent)}</b><small>{interval(found)}</small>"


def refusals(results: Results, qualities: Sequence[Quality]) -> str:
    """Why BD-rates are missing, as a list; "" if none is."""
    items = []
    for quality in qualities:
        for found in results.comparisons(quality):
            whys: dict[str, list[str]] = {}
            for signal, why in found.refused.items():
                whys.setdefault(why, []).append(signal)
            if found.of_mean_curve.rate_percent is None:
                whys.setdefault(found.of_mean_curve.note, []).append("the mean curve")
            for why, signals in whys.items():
                names = ", ".join(signals[:6]) + (" …" if len(signals) > 6 else "")
                items.append(
                    f"<li><b>{escape(found.codec)}</b>, {escape(quality.label)}, "
                    f"{escape(names)}: {escape(why)}</li>"
                )
    return listed("BD-rates that cannot be had", items)


def listed(summary: str, items: Sequence[str]) -> str:
    """HTML items below a line that unfolds them; "" without any."""
    if not items:
        return ""
    return (
        f"<details class='notes'><summary>{escape(summary)} ({len(items)})</summary>"
        f"<ul>{''.join(items)}</ul></details>"
    )


def headline(results: Results, quality: Quality) -> str:
    """What was found, in one sentence."""
    every = results.comparisons(quality)
    found = next((each for each in every if is_own(each.codec)), every[0] if every else None)
    if found is None:
        return f"Only {escape(results.anchor)} was measured: there is nothing to compare it to."
    if found.mean_percent is None:
        return (
            f"{escape(found.codec)} cannot be compared to {escape(results.anchor)}: "
            f"{escape(next(iter(found.refused.values()), 'there are no curves'))}."
        )
    direction = "fewer" if found.mean_percent < 0 else "more"
    count = len(found.rates_percent)
    text = (
        f"<b>{escape(found.codec)}</b> needs "
        f"<b>{abs(found.mean_percent):.1f}% {direction} bits</b> "
        f"than {escape(results.anchor)} at the same {escape(quality.label)}"
    )
    if count < 2:
        return f"{text}, on one {plural(results.kind, 1)}."
    signals = f"{count} {plural(results.kind, count)}"
    return f"{text}: the mean of {signals}, 95% interval {interval(found)}."


# Heading and text of the cell of each column of the table of points.
_COLUMNS: dict[str, Callable[[Point], str]] = {
    "Signal": lambda p: p.signal,
    "Codec": lambda p: p.codec,
    "Setting": lambda p: p.setting,
    "Resolution": lambda p: f"{p.resolution:g}",
    "Bytes": lambda p: str(p.file_bytes),
    "Network bytes": lambda p: "" if p.network_bytes is None else str(p.network_bytes),
    "Rate": lambda p: _number(p.rate, 4),
    "J": lambda p: _number(p.cost),
    "Encode s": lambda p: _number(p.encode_seconds, 4),
    "Encode CPU s": lambda p: _number(p.encode_cpu_seconds, 4),
    "Decode s": lambda p: _number(p.decode_seconds, 4),
}


def points_table(results: Results) -> str:
    """Every point, in columns that say something; the script of the page sorts it."""
    points = [p for each in (results, *results.scaled) for p in each.points]
    names = list(dict.fromkeys(name for p in points for name in p.metrics))
    columns = {
        results.rate_unit if heading == "Rate" else heading: [cell(p) for p in points]
        for heading, cell in _COLUMNS.items()
    }
    columns |= {name: [_number(p.metrics.get(name)) for p in points] for name in names}
    columns = {heading: cells for heading, cells in columns.items() if any(cells)}
    head = "".join(
        f"<th scope='col'><button type='button'>{escape(name)}</button></th>" for name in columns
    )
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for cells in zip(*columns.values(), strict=True)
    )
    return (
        "<div class='scroll' tabindex='0' role='region' aria-label='All points'>"
        f"<table class='sortable'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _number(value: float | None, digits: int = 5) -> str:
    if value is None or math.isnan(value):
        return ""
    return "inf" if math.isinf(value) else f"{value:.{digits}g}"


def facts(pairs: Sequence[tuple[str, Any]]) -> str:
    """Names and values as a list of definitions, without those that are empty."""
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in pairs
        if value not in ("", None)
    )
    return f"<dl>{items}</dl>"


def machine_facts(run: Run) -> str:
    """The machine and the versions of a run."""
    machine = dict(run.machine)
    memory = machine.pop("memory_bytes", None)
    pairs: list[tuple[str, Any]] = [
        ("CPU" if name == "cpu" else name.capitalize(), value) for name, value in machine.items()
    ]
    if isinstance(memory, (int, float)):
        pairs.append(("Memory", f"{memory / 2**30:.1f} GiB"))
    pairs += [
        ("Seed", run.seed),
        ("inrcodec commit", run.commit),
        ("Date", run.date.replace("T", " ")),
    ]
    return facts(pairs) + facts(list(run.versions.items()))


def codec_settings(run: Run) -> str:
    """Library, version and the exact text of every setting of every codec."""
    parts = []
    for name, codec in run.codecs.items():
        library = f"{codec.get('library', '')} {codec.get('version', '')}".strip()
        settings = codec.get("settings") or {}
        given = settings.items() if isinstance(settings, dict) else [("", settings)]
        rows = [[escape(str(key)), f"<code>{escape(str(text))}</code>"] for key, text in given]
        parts.append(
            f"<details><summary>{escape(name)} <small>{escape(library)}</small></summary>"
            + table(["Setting", "Options"], rows, "settings")
            + "</details>"
        )
    return "".join(parts)


def named_list(entries: dict[str, str]) -> str:
    """Names with what is to be said of each."""
    items = "".join(f"<li><b>{escape(k)}</b>: {escape(str(v))}</li>" for k, v in entries.items())
    return f"<ul>{items}</ul>" if items else ""
