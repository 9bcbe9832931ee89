"""What a plot consists of, before it becomes SVG or pixels.

Coordinates are in px of a plot that is shown at its own size, from the top left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

Position = tuple[float, float]

# By name: colour on paper, colour on a dark screen. The first seven are Okabe and Ito's, which
# people with any kind of colour vision tell apart (M. Okabe and K. Ito, "Color Universal Design",
# 2008), without their yellow, which is lost on white, and with black as the ink of the page.
COLOURS = {
    "c0": ("#d55e00", "#f0803c"),
    "c1": ("#0072b2", "#4aa8e0"),
    "c2": ("#009e73", "#27bd90"),
    "c3": ("#b85c97", "#dd8fbf"),
    "c4": ("#e69f00", "#f0b840"),
    "c5": ("#56b4e9", "#7fcaf5"),
    "c6": ("#23272e", "#e6e8eb"),
    "ink": ("#23272e", "#e6e8eb"),
    "muted": ("#5b6470", "#9aa4b1"),
    "grid": ("#e3e6ea", "#2e343c"),
    "paper": ("#ffffff", "#171a1f"),
}
SERIES_COLOURS = 7
# (pen on, pen off) lengths in widths of the line; 7, 8 and 4 have no factor that all share, so that
# the first 56 codecs differ.
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2.5), (1.5, 2), (7, 2, 1.5, 2))
MARKERS = ("circle", "square", "triangle", "diamond", "plus", "down", "cross", "hexagon")


@dataclass(frozen=True)
class Line:
    """A polyline.

    Args:
        points: two or more.
        colour: a name of `COLOURS`.
        width: px.
        dash: lengths on and off, in widths.
        curve: the label of the curve that it is; "" for axes and grids.
    """

    points: tuple[Position, ...]
    colour: str
    width: float = 1.0
    dash: tuple[float, ...] = ()
    curve: str = ""


@dataclass(frozen=True)
class Mark:
    """A filled marker of a point.

    Args:
        at: its centre.
        shape: one of `MARKERS`.
        colour: a name of `COLOURS`.
        radius: px.
        tip: what the point says when it is pointed at.
    """

    at: Position
    shape: str
    colour: str
    radius: float = 3.5
    tip: str = ""


@dataclass(frozen=True)
class Text:
    """One line of text.

    Args:
        at: on its base line, at the side that `anchor` names.
        text: what it says.
        size: of the font, px.
        anchor: "start", "middle" or "end".
        colour: a name of `COLOURS`.
        bold: whether it stands out.
    """

    at: Position
    text: str
    size: float = 12.0
    anchor: str = "start"
    colour: str = "ink"
    bold: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels.

    Args:
        at: its top left corner.
        width, height: px.
        samples: [rows, columns, 1 or 3] uint8.
        label: what it shows.
    """

    at: Position
    width: float
    height: float
    samples: np.ndarray
    label: str = ""


Item = Line | Mark | Text | Picture


@dataclass
class Drawing:
    """A plot.

    Args:
        width, height: px.
        title: what it shows, in one line.
        description: the same for those who do not see it.
        items: in the order in which they are drawn.
    """

    width: float
    height: float
    title: str
    description: str = ""
    items: list[Item] = field(default_factory=list)


def padded(drawing: Drawing, margin: float) -> Drawing:
    """The drawing with room around it, px."""
    size = drawing.width + 2 * margin, drawing.height + 2 * margin
    return Drawing(*size, drawing.title, drawing.description, moved(drawing, (margin, margin)))


def panels(
    drawings: Sequence[Drawing], columns: int, title: str, description: str = "", gap: float = 24.0
) -> Drawing:
    """Drawings of one size as rows of one drawing.

    Args:
        drawings: what they are; legends may make some of them longer.
        columns: how many there are in a row.
        title, description: of all.
        gap: px between them.
    """
    items: list[Item] = []
    width = max(drawing.width for drawing in drawings)
    top = height = 0.0
    for begin in range(0, len(drawings), columns):
        row = drawings[begin : begin + columns]
        for i, drawing in enumerate(row):
            items += moved(drawing, (i * (width + gap), top))
        height = top + max(drawing.height for drawing in row)
        top = height + gap
    columns = min(columns, len(drawings))
    return Drawing(columns * width + (columns - 1) * gap, height, title, description, items)


def moved(drawing: Drawing, by: Position) -> list[Item]:
    """The items of a drawing at another place."""

    def there(at: Position) -> Position:
        return at[0] + by[0], at[1] + by[1]

    return [
        replace(item, points=tuple(there(point) for point in item.points))
        if isinstance(item, Line)
        else replace(item, at=there(item.at))
        for item in drawing.items
    ]


def outline(mark: Mark) -> list[Position]:
    """The corners of a marker; a circle has none.

    The shapes have about the same area, so that none looks more important.
    """
    (x, y), r = mark.at, mark.radius
    if mark.shape == "circle":
        return []
    if mark.shape in ("plus", "cross"):
        return [(x + a, y + b) for a, b in _cross(r * 1.25, r * 0.42, mark.shape == "cross")]
    corners, scale, turn = {
        "square": (4, 1.25, 45.0),
        "triangle": (3, 1.4, -90.0),
        "down": (3, 1.4, 90.0),
        "diamond": (4, 1.35, 0.0),
        "hexagon": (6, 1.1, 0.0),
    }[mark.shape]
    angles = [math.radians(turn + 360 * i / corners) for i in range(corners)]
    return [(x + scale * r * math.cos(a), y + scale * r * math.sin(a)) for a in angles]


def _cross(length: float, half: float, diagonal: bool) -> list[Position]:
    arm = [(half, half), (half, length), (-half, length), (-half, half)]
    corners = []
    for _ in range(4):
        corners += arm[1:]
        arm = [(-y, x) for x, y in arm]
    if not diagonal:
        return corners
    c = math.sqrt(0.5)
    return [(c * (x - y), c * (x + y)) for x, y in corners]


# Widths of the printable ASCII characters of Helvetica in 1/1000 of the size, by group: close
# enough for every sans serif font to keep labels apart.
_WIDE = dict.fromkeys("mwMW@%", 890) | dict.fromkeys("ABCDEFGHKNOPQRSTUVXYZ&", 700)
_NARROW = dict.fromkeys("ijl.,:;'|!", 250) | dict.fromkeys("ftrI()[]/- ", 320)


def text_width(text: str, size: float, bold: bool = False) -> float:
    """About how wide a text will be, px; rather too wide than too narrow."""
    units = sum(_WIDE.get(c) or _NARROW.get(c) or (570 if c.isascii() else 900) for c in text)
    return units * size / 1000 * (1.08 if bold else 1.0)
