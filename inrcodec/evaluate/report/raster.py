"""A drawing as a PNG file, drawn by Pillow."""

from __future__ import annotations

import io
import math
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from inrcodec.evaluate.report.drawing import (
    COLOURS,
    Drawing,
    Line,
    Mark,
    Picture,
    Position,
    Text,
    outline,
)

# Pillow does not smooth edges: what is drawn at 4 times the size is averaged down to twice it,
# which is sharp on screens of high density and in print.
PNG_SCALE = 2
_OVERSAMPLING = 2
_SCALE = PNG_SCALE * _OVERSAMPLING
# Wide coverage of scripts first; Pillow's own font has Latin letters only.
_FONTS = {
    False: ("DejaVuSans.ttf", "Arial.ttf", "Helvetica.ttc"),
    True: ("DejaVuSans-Bold.ttf", "Arial Bold.ttf", "arialbd.ttf"),
}


def png_file(drawing: Drawing) -> bytes:
    """The drawing as a PNG file at twice its size, on white."""
    size = tuple(math.ceil(side) * _SCALE for side in (drawing.width, drawing.height))
    image = Image.new("RGB", size, COLOURS["paper"][0])
    pen = ImageDraw.Draw(image)
    for item in drawing.items:
        if isinstance(item, Picture):
            _paste(image, item)
        elif not isinstance(item, Text):
            _SHAPES[type(item)](pen, item)
    image = image.reduce(_OVERSAMPLING)
    pen = ImageDraw.Draw(image)
    for item in drawing.items:
        if isinstance(item, Text):
            _text(pen, item)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _line(pen: ImageDraw.ImageDraw, line: Line) -> None:
    colour, width = COLOURS[line.colour][0], max(1, round(line.width * _SCALE))
    points = [(x * _SCALE, y * _SCALE) for x, y in line.points]
    for piece in dashes(points, [length * line.width * _SCALE for length in line.dash]):
        pen.line(piece, colour, width, joint="curve")


def dashes(points: list[Position], lengths: list[float]) -> list[list[Position]]:
    """The drawn pieces of a dashed polyline.

    Args:
        points: of the whole line.
        lengths: on, off, on, off... from its beginning; empty for a line without gaps.
    """
    if not lengths:
        return [points]
    pieces: list[list[Position]] = [[points[0]]]
    index, left = 0, lengths[0]
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        length, done = math.hypot(x1 - x0, y1 - y0), 0.0
        while length - done > left:
            done += left
            at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length)
            if index % 2 == 0:
                pieces[-1].append(at)
            else:
                pieces.append([at])
            index += 1
            left = lengths[index % len(lengths)]
        left -= length - done
        if index % 2 == 0:
            pieces[-1].append((x1, y1))
    return [piece for piece in pieces if len(piece) > 1]


def _paste(image: Image.Image, picture: Picture) -> None:
    left, top = (round(place * _SCALE) for place in picture.at)
    size = max(1, round(picture.width * _SCALE)), max(1, round(picture.height * _SCALE))
    pixels = picture.samples[..., 0] if picture.samples.shape[2] == 1 else picture.samples
    larger = size[0] > pixels.shape[1]
    how = Image.Resampling.NEAREST if larger else Image.Resampling.BOX
    image.paste(Image.fromarray(pixels).resize(size, how), (left, top))


def _mark(pen: ImageDraw.ImageDraw, mark: Mark) -> None:
    colour = COLOURS[mark.colour][0]
    corners = [(x * _SCALE, y * _SCALE) for x, y in outline(mark)]
    if corners:
        pen.polygon(corners, colour)
        return
    (x, y), r = mark.at, mark.radius
    pen.ellipse([(x - r) * _SCALE, (y - r) * _SCALE, (x + r) * _SCALE, (y + r) * _SCALE], colour)


def _text(pen: ImageDraw.ImageDraw, text: Text) -> None:
    at = (text.at[0] * PNG_SCALE, text.at[1] * PNG_SCALE)
    # 0.92: the fonts that are found here are wider than those of browsers at the same size.
    font = _font(round(text.size * PNG_SCALE * 0.92), text.bold)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[text.anchor]
    pen.text(at, text.text, COLOURS[text.colour][0], font, anchor=anchor)


@cache
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in _FONTS[bold]:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


_SHAPES = {Line: _line, Mark: _mark}
