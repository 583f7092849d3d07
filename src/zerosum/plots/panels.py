"""Panels of a film: points with arrows, fields in the plane, densities on the line, and curves, drawn fast."""

__all__ = ()

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

REAL, GENERATED, INK, RULE, BLANK = (63, 127, 176), (200, 104, 47), (90, 94, 99), (217, 214, 206), (238, 237, 233)
_WHITE = (255, 255, 255)
_FINE = 2  # pixels drawn for each one shown
_FAINT = 0.3  # opacity of one dot
_GAP, _TITLE, _TEXT = 10, 18, 12  # pixels
_LEFT = 34  # of a chart, for the numbers at its axis

Floats = NDArray[np.float64]
Colour = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Window:
    """The part of the plane that a panel shows: corners `(2,)`."""

    low: Floats
    high: Floats

    def pixels(self, points: Floats, size: tuple[int, int]) -> Floats:
        """Places in an image of a size, x to the right and y up, of points `(N, 2)`."""
        part = (points - self.low) / (self.high - self.low)
        return np.stack([part[:, 0] * size[0], (1 - part[:, 1]) * size[1]], 1)


@dataclass(frozen=True, eq=False)
class Line:
    """A curve of a chart: values over x, both `(n,)`, with a gap where they are not finite."""

    x: Floats
    y: Floats
    colour: Colour
    label: str = ""
    dashed: bool = False


def dots_panel(
    layers: Sequence[tuple[Floats, Colour]],
    arrows: tuple[Floats, Floats],
    window: Window,
    size: tuple[int, int],
    title: str,
) -> Image.Image:
    """Sets of points `(N, 2)`, each in its colour, and arrows from places `(A, 2)` by moves `(A, 2)`, in pixels."""
    fine = (size[0] * _FINE, size[1] * _FINE)
    pixels = np.full((fine[1], fine[0], 3), 255.0)
    for points, colour in layers:
        alpha = 1 - (1 - _FAINT) ** _counts(window.pixels(points[np.isfinite(points).all(1)], fine), fine)[..., None]
        pixels += alpha * (np.array(colour) - pixels)
    image = Image.fromarray(pixels.round().astype(np.uint8))
    pen = ImageDraw.Draw(image, "RGBA")
    places, moves = window.pixels(arrows[0], fine), arrows[1] * np.array([_FINE, -_FINE])
    for start, move in zip(places, moves, strict=True):
        _arrow(pen, start, move)
    return _finished(image, size, title)


def field_panel(field: Floats, size: tuple[int, int], title: str) -> Image.Image:
    """A field `(n, n)` of x and y with values from 0, orange, over 1/2, white, to 1, blue; where it is nan, grey."""
    v = np.clip(np.nan_to_num(field, nan=0.5), 0, 1)[..., None]
    ends = np.where(v < 0.5, np.array(GENERATED), np.array(REAL))
    colours = _WHITE + (ends - _WHITE) * np.abs(2 * v - 1)
    colours = np.where(np.isnan(field)[..., None], np.array(BLANK), colours)
    pixels = colours.round().astype(np.uint8).transpose(1, 0, 2)[::-1]
    return titled(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BILINEAR), title)


def densities_panel(
    x: Floats, densities: tuple[Floats, Floats], top: float, size: tuple[int, int], title: str
) -> Image.Image:
    """The density of the data, a blue line, and of generated points, an orange one, over x `(n,)`, up to `top`.

    The region between them is orange where the generated density is too high, and blue where it is too low.
    """
    image, pen, fine = _blank((size[0] - _LEFT, size[1]), frame=True)
    window = Window(np.array([x[0], 0.0]), np.array([x[-1], top]))
    real, made = (window.pixels(np.stack([x, np.minimum(y, 2 * top)], 1), fine) for y in densities)
    for column in range(len(x) - 1):
        corners = [tuple(side[column + k]) for side, k in ((real, 0), (real, 1), (made, 1), (made, 0))]
        high = real[column : column + 2, 1].sum() > made[column : column + 2, 1].sum()
        pen.polygon(corners, fill=_pale(GENERATED if high else REAL))
    for path, colour in ((real, REAL), (made, GENERATED)):
        pen.line([tuple(point) for point in path], fill=colour, width=2 * _FINE, joint="curve")
    return titled(_with_axis(image, size, (0.0, top)), title)


def arrows_below(panel: Image.Image, places: Floats, moves: Floats, ends: tuple[float, float]) -> Image.Image:
    """A panel of the line with arrows below, from places `(A,)` by moves `(A,)`, in pixels; `ends` of the line."""
    image, pen, fine = _blank((panel.width - _LEFT, 16))
    across = (places - ends[0]) / (ends[1] - ends[0]) * fine[0]
    for row, (start, move) in enumerate(zip(across, moves * _FINE, strict=True)):
        _arrow(pen, np.array([start, 4 * _FINE + row % 3 * 4 * _FINE]), np.array([move, 0.0]))
    below = Image.new("RGB", (panel.width, 16), "white")
    below.paste(image.resize((panel.width - _LEFT, 16), Image.Resampling.BOX), (_LEFT, 0))
    return stacked([panel, below], 0)


def chart(
    lines: Sequence[Line],
    size: tuple[int, int],
    title: str,
    span: tuple[tuple[float, float], tuple[float, float]],
    levels: Sequence[float] = (),
) -> Image.Image:
    """Curves in a frame of x and y from `span`, with dashed levels, and the numbers of both ends of y."""
    (left, right), (low, high) = span
    image, pen, fine = _blank((size[0] - _LEFT, size[1]), frame=True)
    window = Window(np.array([left, low]), np.array([right, high]))
    for level in levels:
        y = float(window.pixels(np.array([[left, level]]), fine)[0, 1])
        _dashes(pen, [(0.0, y), (float(fine[0]), y)], INK)
    for line in lines:
        for points in _stretches(window.pixels(np.stack([line.x, _near(line.y, low, high)], 1), fine)):
            if len(points) == 1:
                (x, y), r = points[0], 2 * _FINE
                pen.ellipse((x - r, y - r, x + r, y + r), fill=line.colour)
            elif line.dashed:
                _dashes(pen, points, line.colour)
            else:
                pen.line(points, fill=line.colour, width=round(1.6 * _FINE), joint="curve")
    sheet = _with_axis(image, size, (low, high))
    return titled(sheet, title, [(line.label, line.colour) for line in lines if line.label])


def titled(image: Image.Image, title: str, legend: Sequence[tuple[str, Colour]] = ()) -> Image.Image:
    """An image below its title, which is followed by names in colour."""
    sheet = Image.new("RGB", (image.width, image.height + _TITLE), "white")
    sheet.paste(image, (0, _TITLE))
    pen, x = ImageDraw.Draw(sheet), 0.0
    for words, colour in ((title, INK), *legend):
        pen.text((x, 2), words, colour, _font(_TEXT))
        x += _font(_TEXT).getlength(words) + 10
    return sheet


def beside(images: Sequence[Image.Image], gap: int = _GAP) -> Image.Image:
    """Images next to each other, on white."""
    sheet = Image.new("RGB", (sum(one.width + gap for one in images) - gap, max(one.height for one in images)), "white")
    x = 0
    for one in images:
        sheet.paste(one, (x, 0))
        x += one.width + gap
    return sheet


def stacked(images: Sequence[Image.Image], gap: int = _GAP) -> Image.Image:
    """Images below each other, on white."""
    sheet = Image.new("RGB", (max(one.width for one in images), sum(one.height + gap for one in images) - gap), "white")
    y = 0
    for one in images:
        sheet.paste(one, (0, y))
        y += one.height + gap
    return sheet


def padded(image: Image.Image, margin: int = _GAP) -> Image.Image:
    """An image with a white margin."""
    sheet = Image.new("RGB", (image.width + 2 * margin, image.height + 2 * margin), "white")
    sheet.paste(image, (margin, margin))
    return sheet


def _pale(colour: Colour) -> Colour:
    red, green, blue = (round(255 - 0.3 * (255 - part)) for part in colour)
    return red, green, blue


def _near(y: Floats, low: float, high: float) -> Floats:
    """Finite values within a range or as far from it as it is wide; nan where they are not finite."""
    near: Floats = np.where(np.isfinite(y), np.clip(y, 2 * low - high, 2 * high - low), np.nan)
    return near


def _stretches(path: Floats) -> list[list[tuple[float, float]]]:
    """The parts of a path `(n, 2)` between points that are not finite."""
    finite = np.isfinite(path[:, 0]) & np.isfinite(path[:, 1])
    parts = np.split(np.arange(len(path)), np.flatnonzero(np.diff(finite)) + 1)
    return [[(float(x), float(y)) for x, y in path[part]] for part in parts if len(part) and finite[part[0]]]


def _counts(places: Floats, size: tuple[int, int]) -> Floats:
    """How many dots of three pixels cover each pixel, float64 `(height, width)`, for dots at places `(N, 2)`."""
    x, y = places.clip(-9, max(size) + 9).round().astype(np.int64).T
    kept = (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])
    single = np.bincount(y[kept] * size[0] + x[kept], minlength=size[0] * size[1]).reshape(size[1], size[0])
    wide = np.pad(single, 1)
    shifted = [wide[i : i + size[1], j : j + size[0]] for i in range(3) for j in range(3)]
    total: Floats = np.sum(shifted, axis=0, dtype=np.float64)
    return total


def _blank(size: tuple[int, int], frame: bool = False) -> tuple[Image.Image, ImageDraw.ImageDraw, tuple[int, int]]:
    fine = (size[0] * _FINE, size[1] * _FINE)
    image = Image.new("RGB", fine, "white")
    pen = ImageDraw.Draw(image, "RGBA")
    if frame:
        pen.rectangle((0, 0, fine[0] - 1, fine[1] - 1), outline=RULE, width=_FINE)
    return image, pen, fine


def _finished(image: Image.Image, size: tuple[int, int], title: str) -> Image.Image:
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, image.width - 1, image.height - 1), outline=RULE, width=_FINE)
    return titled(image.resize(size, Image.Resampling.BOX), title)


def _with_axis(image: Image.Image, size: tuple[int, int], span: tuple[float, float]) -> Image.Image:
    """The image of a chart in its size, with the numbers of both ends of y on its left."""
    sheet = Image.new("RGB", size, "white")
    sheet.paste(image.resize((size[0] - _LEFT, size[1]), Image.Resampling.BOX), (_LEFT, 0))
    pen = ImageDraw.Draw(sheet)
    for value, y, anchor in ((span[1], 1, "rt"), (span[0], size[1] - 1, "rb")):
        pen.text((_LEFT - 4, y), f"{value:.2g}", INK, _font(10), anchor=anchor)
    return sheet


def _arrow(pen: ImageDraw.ImageDraw, start: Floats, move: Floats) -> None:
    length = float(np.hypot(*move))
    if not length >= _FINE or not np.isfinite(start).all():
        return
    end, unit = start + move, move / length
    pen.line((*start, *end), fill=INK, width=_FINE)
    head = min(3.0 * _FINE, length)
    across = np.array([-unit[1], unit[0]]) * head / 2
    pen.polygon([tuple(end), tuple(end - head * unit + across), tuple(end - head * unit - across)], fill=INK)


def _dashes(pen: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], colour: Colour) -> None:
    """A dashed line through points."""
    dash, left, drawn = 5.0 * _FINE, 5.0 * _FINE, True
    for (x0, y0), (x1, y1) in pairwise(points):
        length, done = math.hypot(x1 - x0, y1 - y0), 0.0
        while done < length:
            step = min(left, length - done)
            a, b = done / length, (done + step) / length
            if drawn:
                pen.line(
                    (x0 + a * (x1 - x0), y0 + a * (y1 - y0), x0 + b * (x1 - x0), y0 + b * (y1 - y0)),
                    fill=colour,
                    width=_FINE,
                )
            done, left = done + step, left - step
            if left <= 0:
                left, drawn = dash, not drawn


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
