"""Curves and points on axes, as a drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from inrcodec.evaluate.report.drawing import (
    DASHES,
    MARKERS,
    SERIES_COLOURS,
    Drawing,
    Line,
    Mark,
    Position,
    Text,
    text_width,
)
from inrcodec.evaluate.report.geometry import Box, along, around, clipped, name_boxes, overlap
from inrcodec.evaluate.report.ticks import Scale, scale_of

_LEGEND_GAP, _SAMPLE = 16.0, 26.0


@dataclass(frozen=True)
class Look:
    """How a curve is drawn; never by its colour alone."""

    colour: str
    marker: str
    dash: tuple[float, ...] = ()
    width: float = 1.8


def look(index: int) -> Look:
    """The look of the codec of that place in the order of codecs."""
    return Look(
        f"c{index % SERIES_COLOURS}",
        MARKERS[index % len(MARKERS)],
        DASHES[index % len(DASHES)],
        2.4 if index == 0 else 1.8,
    )


# Curves that others published, which stay behind ours.
PUBLISHED = Look("muted", "", (), 0.9)


@dataclass(frozen=True)
class Series:
    """A curve of a chart.

    Args:
        label: its name.
        points: (x, y), finite, in the order in which they are joined.
        look: how it is drawn.
        tips: what each point says when it is pointed at.
        joined: whether a line joins the points.
        background: drawn thin, named beside it where there is room, and left out of the ranges of
            the axes.
    """

    label: str
    points: Sequence[Position]
    look: Look
    tips: Sequence[str] = ()
    joined: bool = True
    background: bool = False


@dataclass(frozen=True)
class Chart:
    """What a chart shows.

    Args:
        title: in one line.
        x_label, y_label: of the axes, with units.
        series: the curves, those in front last; the legend begins with those.
        x_log, y_log: whether an axis is logarithmic; values of 0 and below are then left out.
        y_from_zero, x_from_zero: whether a linear axis begins at 0.
        labelled: names at the points instead of a legend.
        y_zero_line: whether y = 0 is marked.
    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series] = field(default_factory=tuple)
    x_log: bool = False
    y_log: bool = False
    x_from_zero: bool = False
    y_from_zero: bool = False
    labelled: bool = False
    y_zero_line: bool = False


@dataclass(frozen=True)
class _Frame:
    """Where the axes lie."""

    left: float
    top: float
    right: float
    bottom: float
    x: Scale
    y: Scale

    def at(self, point: Position) -> Position:
        x, y = self.x.place(point[0]), self.y.place(point[1])
        return (
            self.left + x * (self.right - self.left),
            self.bottom - y * (self.bottom - self.top),
        )


def draw(chart: Chart, width: float, height: float, size: float = 12.0) -> Drawing:
    """The chart as a drawing; curves without a point are left out, also of the legend.

    Args:
        chart: what it shows.
        width, height: px; a legend is added below.
        size: of the font, px.
    """
    chart = replace(chart, series=[s for s in chart.series if _can_be_drawn(s, chart)])
    if not chart.series:
        return _nothing(chart, width, height, size)
    shown = [s for s in chart.series if not s.background] or list(chart.series)
    xs = [x for s in shown for x, _ in s.points]
    ys = [y for s in shown for _, y in s.points] + ([0.0] if chart.y_zero_line else [])
    xs, ys = (
        [value for value in values if value > 0 or not is_log]
        for values, is_log in ((xs, chart.x_log), (ys, chart.y_log))
    )
    x = scale_of(xs, chart.x_log, max(3, round(width / (6.5 * size))), chart.x_from_zero)
    y = scale_of(ys, chart.y_log, max(3, round(height / (4.2 * size))), chart.y_from_zero)
    left = 10 + max((text_width(label, size) for label in y.labels()), default=0.0)
    frame = _Frame(left, 3.9 * size, width - size, height - 3.6 * size, x, y)
    drawing = Drawing(width, height, chart.title, _description(chart))
    _axes(drawing, chart, frame, size)
    for series in chart.series:
        _curve(drawing, series, frame, size)
    if chart.labelled:
        _name_points(drawing, chart, frame, size)
    else:
        _name_background(drawing, chart, frame, 0.85 * size)
        _legend(drawing, shown[::-1], frame, size)
    return drawing


def _can_be_drawn(series: Series, chart: Chart) -> bool:
    return any((x > 0 or not chart.x_log) and (y > 0 or not chart.y_log) for x, y in series.points)


def _nothing(chart: Chart, width: float, height: float, size: float) -> Drawing:
    """What stands in for a chart without a curve: axes would be made up."""
    drawing = Drawing(width, height, chart.title, _description(chart))
    drawing.items += [
        Text((0, 1.1 * size), chart.title, 1.1 * size, bold=True),
        Text((width / 2, height / 2), "nothing to show", size, "middle", "muted"),
    ]
    return drawing


def _description(chart: Chart) -> str:
    names = ", ".join(series.label for series in chart.series) or "nothing"
    axes = [
        label + (", logarithmic" if is_log else "")
        for label, is_log in ((chart.y_label, chart.y_log), (chart.x_label, chart.x_log))
    ]
    return f"{chart.title}: {' over '.join(axes)}, for {names}"


def _axes(drawing: Drawing, chart: Chart, frame: _Frame, size: float) -> None:
    items = drawing.items
    items.append(Text((0, 1.1 * size), chart.title, 1.1 * size, bold=True))
    items.append(Text((0, 2.7 * size), chart.y_label, size, colour="muted"))
    for tick, label in zip(frame.y.ticks, frame.y.labels(), strict=True):
        y = frame.at((frame.x.low, tick))[1]
        items.append(Line(((frame.left, y), (frame.right, y)), "grid"))
        items.append(Text((frame.left - 6, y + 0.35 * size), label, size, "end", "muted"))
    free = -math.inf
    for tick, label in zip(frame.x.ticks, frame.x.labels(), strict=True):
        x = frame.at((tick, frame.y.low))[0]
        items.append(Line(((x, frame.top), (x, frame.bottom)), "grid"))
        half = text_width(label, size) / 2
        if x - half < free or x + half > drawing.width:
            continue
        free = x + half + 0.5 * size
        items.append(Text((x, frame.bottom + 1.3 * size), label, size, "middle", "muted"))
    bottom = ((frame.left, frame.bottom), (frame.right, frame.bottom))
    items.append(Line(bottom, "muted"))
    if chart.y_zero_line:
        y = frame.at((frame.x.low, 0.0))[1]
        items.append(Line(((frame.left, y), (frame.right, y)), "muted", 1.0, (4, 3)))
    middle = (frame.left + frame.right) / 2
    items.append(Text((middle, frame.bottom + 2.8 * size), chart.x_label, size, "middle", "muted"))


def _curve(drawing: Drawing, series: Series, frame: _Frame, size: float) -> None:
    places = [frame.at(point) for point in series.points]
    pieces = clipped(places, (frame.left, frame.top, frame.right, frame.bottom))
    look = series.look
    if series.joined:
        for piece in pieces:
            line = Line(tuple(piece), look.colour, look.width, look.dash, series.label)
            drawing.items.append(line)
    # A line of one point would not be seen.
    marker = look.marker or (MARKERS[0] if series.joined and len(places) == 1 else "")
    if series.background or not marker:
        return
    for place, tip in zip(places, series.tips or [""] * len(places), strict=True):
        drawing.items.append(Mark(place, marker, look.colour, 0.3 * size, tip))


def _legend(drawing: Drawing, series: Sequence[Series], frame: _Frame, size: float) -> None:
    """Names below the chart, in as many rows as they need; none for a single curve without one."""
    named = [s for s in series if s.label]
    x, y = frame.left, drawing.height + 1.1 * size
    for one in named:
        width = _SAMPLE + 6 + text_width(one.label, size)
        if x > frame.left and x + width > drawing.width:
            x, y = frame.left, y + 1.7 * size
        middle = y - 0.35 * size
        ends = ((x, middle), (x + _SAMPLE, middle))
        if one.joined:
            drawing.items.append(Line(ends, one.look.colour, one.look.width, one.look.dash))
        if one.look.marker:
            at = (x + _SAMPLE / 2, middle)
            drawing.items.append(Mark(at, one.look.marker, one.look.colour, 0.3 * size))
        drawing.items.append(Text((x + _SAMPLE + 6, y), one.label, size))
        x += width + _LEGEND_GAP
    if named:
        drawing.height = y + 0.8 * size


def _name_points(drawing: Drawing, chart: Chart, frame: _Frame, size: float) -> None:
    """Each name beside its first point."""
    taken = _marked(chart, frame, size)
    for series in chart.series:
        if series.points:
            at = frame.at(series.points[0])
            _name(drawing, Text(at, series.label, size), [at], frame, taken)


def _name_background(drawing: Drawing, chart: Chart, frame: _Frame, size: float) -> None:
    """The name of each curve behind the others, beside its end or further down along it."""
    taken = _marked(chart, frame, size)
    box = (frame.left, frame.top, frame.right, frame.bottom)
    for series in chart.series:
        pieces = clipped([frame.at(point) for point in series.points], box)
        if series.background and pieces:
            text = Text((0, 0), series.label, size, colour="muted")
            _name(drawing, text, along(pieces[-1][::-1]), frame, taken, needed=False)


def _marked(chart: Chart, frame: _Frame, size: float) -> list[Box]:
    """Boxes around markers and along lines, which no name may cover."""
    boxes = []
    for series in chart.series:
        places = [frame.at(point) for point in series.points]
        if series.look.marker:
            boxes += [around(place, 0.5 * size) for place in places]
        if series.joined and not series.background:
            for (x0, y0), (x1, y1) in zip(places, places[1:], strict=False):
                steps = max(1, round(math.hypot(x1 - x0, y1 - y0) / (0.5 * size)))
                ends = [
                    (x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps) for i in range(steps)
                ]
                boxes += [around(place, 0.2 * size) for place in ends]
    if chart.y_zero_line:
        y = frame.at((frame.x.low, 0.0))[1]
        boxes.append((frame.left, y - 1, frame.right, y + 1))
    return boxes


def _name(
    drawing: Drawing,
    text: Text,
    points: Sequence[Position],
    frame: _Frame,
    taken: list[Box],
    needed: bool = True,
) -> None:
    """Writes a text beside one of the points, where nothing is; adds its box to those taken.

    Where there is no such place it is written beside the first point if it is `needed`.
    """
    width = text_width(text.text, text.size)
    boxes = [
        box
        for x, y in points
        for box in name_boxes(x, y, width, text.size)
        if box[0] >= frame.left
        and box[2] <= drawing.width
        and frame.top - 0.3 * text.size <= box[1]
    ]
    free = (box for box in boxes if not any(overlap(box, other) for other in taken))
    box = next(free, boxes[0] if boxes and needed else None)
    if box is not None:
        taken.append(box)
        drawing.items.append(replace(text, at=(box[0], box[3] - 0.15 * text.size)))
