"""Where lines are cut and where names fit, in px of a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inrcodec.evaluate.report.drawing import Position

# Left, top, right, bottom.
Box = tuple[float, float, float, float]


def clipped(points: Sequence[Position], box: Box) -> list[list[Position]]:
    """The pieces of a polyline that lie in a box (left, top, right, bottom).

    Each segment by Y.-D. Liang and B. A. Barsky, "A new concept and method for line clipping",
    ACM Trans. Graphics 3(1), 1984.
    """
    pieces: list[list[Position]] = []
    for start, end in zip(points, points[1:], strict=False):
        inside = _inside(start, end, box)
        if inside is None:
            continue
        if pieces and pieces[-1][-1] == inside[0]:
            pieces[-1].append(inside[1])
        else:
            pieces.append(list(inside))
    return pieces


def _inside(start: Position, end: Position, box: Box) -> tuple[Position, Position] | None:
    if not all(math.isfinite(value) for value in (*start, *end)):
        return None
    (x0, y0), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    enter, leave = 0.0, 1.0
    for step, room in (
        (-dx, x0 - box[0]),
        (dx, box[2] - x0),
        (-dy, y0 - box[1]),
        (dy, box[3] - y0),
    ):
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            enter = max(enter, room / step)
        else:
            leave = min(leave, room / step)
    if enter >= leave:
        return None
    first = start if enter == 0 else (x0 + enter * dx, y0 + enter * dy)
    last = end if leave == 1 else (x0 + leave * dx, y0 + leave * dy)
    return first, last


def along(points: Sequence[Position]) -> list[Position]:
    """The points of a polyline with three more between each two."""
    between = [
        (x0 + (x1 - x0) * i / 4, y0 + (y1 - y0) * i / 4)
        for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False)
        for i in range(4)
    ]
    return [*between, points[-1]]


def around(place: Position, half: float) -> Box:
    return (place[0] - half, place[1] - half, place[0] + half, place[1] + half)


def name_boxes(x: float, y: float, width: float, size: float) -> list[Box]:
    """Boxes for a name around a point, the best first."""
    gap = 0.7 * size
    found = []
    for rows in (0.0, -1.0, 1.0, -2.0, 2.0, -3.0, 3.0):
        top = y - 0.5 * size + 1.05 * rows * size
        found += [(x + gap, top, x + gap + width, top + size)]
        found += [(x - gap - width, top, x - gap, top + size)]
        if rows:
            found += [(x - width / 2, top, x + width / 2, top + size)]
    return found


def overlap(first: Box, second: Box) -> bool:
    return (
        first[0] < second[2]
        and second[0] < first[2]
        and first[1] < second[3]
        and second[1] < first[3]
    )
