"""A drawing as SVG: for the page, whose style sheet colours it, or as a file of its own."""

from __future__ import annotations

import base64
from html import escape

import numpy as np

from inrcodec.evaluate.report.drawing import COLOURS, Drawing, Line, Mark, Picture, Text, outline
from inrcodec.media.image import save_image
from inrcodec.signal import Signal

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


def colour_rules(dark: bool = False) -> str:
    """CSS variables of every colour, on paper or on a dark screen."""
    return " ".join(f"--{name}: {pair[dark]};" for name, pair in COLOURS.items())


def class_rules() -> str:
    """CSS rules of the classes that drawings use: s- for strokes, f- for fills."""
    rules = [
        f".s-{name} {{ stroke: var(--{name}); }} .f-{name} {{ fill: var(--{name}); }}"
        for name in COLOURS
    ]
    return "\n".join(rules)


def inline_svg(drawing: Drawing, css_class: str = "plot") -> str:
    """The drawing as an element of a page that has `colour_rules` and `class_rules`."""
    label = escape(drawing.description or drawing.title)
    role = f'role="img" aria-label="{label}"' if label else 'aria-hidden="true"'
    return (
        f'<svg class="{css_class}" viewBox="0 0 {drawing.width:g} {drawing.height:g}" {role}>'
        f"{_items(drawing)}</svg>"
    )


def svg_file(drawing: Drawing) -> str:
    """The drawing as a file of its own, on white."""
    width, height = f"{drawing.width:g}", f"{drawing.height:g}"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{escape(drawing.title)}</title>\n<desc>{escape(drawing.description)}</desc>\n"
        f"<style>\n{_plain_rules()}text {{ font-family: {FONT}; }}\n</style>\n"
        f'<rect width="{width}" height="{height}" class="f-paper"/>\n'
        f"{_items(drawing)}</svg>\n"
    )


def _plain_rules() -> str:
    """Rules without variables, which some programs that draw SVG do not know."""
    return "".join(
        f".s-{name} {{ stroke: {light}; }} .f-{name} {{ fill: {light}; }}\n"
        for name, (light, _) in COLOURS.items()
    )


def _items(drawing: Drawing) -> str:
    return "".join(_ELEMENTS[type(item)](item) + "\n" for item in drawing.items)


def _line(line: Line) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line.points)
    dash = " ".join(f"{line.width * length:g}" for length in line.dash)
    return (
        f'<polyline class="s-{line.colour}" fill="none" stroke-width="{line.width:g}"'
        + (f' stroke-dasharray="{dash}"' if dash else "")
        + (f' data-curve="{escape(line.curve)}" stroke-linejoin="round"' if line.curve else "")
        + f' points="{points}"'
        + (f"><title>{escape(line.curve)}</title></polyline>" if line.curve else "/>")
    )


def _mark(mark: Mark) -> str:
    corners = outline(mark)
    shape = (
        f'<polygon class="f-{mark.colour}" points="'
        + " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        if corners
        else f'<circle class="f-{mark.colour}" cx="{mark.at[0]:.1f}" cy="{mark.at[1]:.1f}" '
        f'r="{mark.radius:g}'
    )
    if not mark.tip:
        return shape + '"/>'
    name = "polygon" if corners else "circle"
    return f'{shape}"><title>{escape(mark.tip)}</title></{name}>'


def _text(text: Text) -> str:
    anchor = "" if text.anchor == "start" else f' text-anchor="{text.anchor}"'
    bold = ' font-weight="600"' if text.bold else ""
    return (
        f'<text class="f-{text.colour}" x="{text.at[0]:.1f}" y="{text.at[1]:.1f}" '
        f'font-size="{text.size:g}"{anchor}{bold}>{escape(text.text)}</text>'
    )


def _picture(picture: Picture) -> str:
    content = save_image(Signal(np.ascontiguousarray(picture.samples)), ".png")
    label = f"<title>{escape(picture.label)}</title>" if picture.label else ""
    return (
        f'<image x="{picture.at[0]:.1f}" y="{picture.at[1]:.1f}" width="{picture.width:.1f}" '
        f'height="{picture.height:.1f}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{base64.b64encode(content).decode("ascii")}">{label}</image>'
    )


_ELEMENTS = {Line: _line, Mark: _mark, Text: _text, Picture: _picture}
