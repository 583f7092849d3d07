"""The distortion gallery as images, an HTML page and numbers."""

__all__ = ["sanity_table", "write_sanity"]

import base64
import io
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from zerosum._disk import replace_durably
from zerosum._outputs import sheet_exif
from zerosum.evaluation.measure import LOWER
from zerosum.evaluation.sanity.corruption import IMAGE_DISTORTIONS
from zerosum.evaluation.sanity.detection import BEYOND, SPLITS, Sanity
from zerosum.plots.grids import grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL, _GAP, _MARGIN = 64, 3, 132  # pixels of a cell of the gallery, between cells, and for the names
_COLOURS = 96  # in the palette of the gallery, to keep the file small
_REWARDED = "rewards"


def write_sanity(folder: Path, found: Sanity) -> list[Path]:
    """Write `gallery.png`, `curves.png`, `sanity.json` and `sanity.html`, which contains all; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    images = {"gallery.png": gallery(found), "curves.png": curves(found)}
    files = {name: _png(image) for name, image in images.items()}
    files["sanity.json"] = (json.dumps(found.as_dict(), indent=1) + "\n").encode()
    files["sanity.html"] = _page(found, files["gallery.png"], files["curves.png"]).encode()
    for name, content in files.items():
        replace_durably(folder / name, content)
    return [folder / name for name in files]


def sanity_table(found: Sanity) -> str:
    """Markdown table of detections: the strength from which on, insensitive, or rewards."""
    head, *rows = _rows(found)
    lines = [head, (":---", *(":---:" for _ in head[1:])), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def gallery(found: Sanity) -> Image.Image:
    """Examples of each distortion, one per row, from strength 0 on the left to 1 on the right."""
    step = _CELL + _GAP
    size = (_MARGIN + step * len(found.strengths), 18 + step * len(found.images))
    sheet, font = Image.new("RGB", size, "white"), ImageFont.load_default(size=12)
    pen = ImageDraw.Draw(sheet)
    for column, strength in enumerate(found.strengths):
        pen.text((_MARGIN + step * column + _CELL / 2, 9), f"{strength:g}", "black", font, anchor="mm")
    for row, (name, stages) in enumerate(found.images.items()):
        top = 18 + step * row
        pen.text((_MARGIN - 8, top + _CELL / 2), name, "black", font, anchor="rm")
        for column, images in enumerate(stages):
            of_a_set = name not in IMAGE_DISTORTIONS
            sheet.paste(_cell(images, of_a_set), (_MARGIN + step * column, top))
    return sheet


def curves(found: Sanity) -> Image.Image:
    """Plot every score against the strength of every distortion; grey bands show 3 standard deviations of real halves.

    Markers show where a score is outside the band: a dot if it is worse, a ring if it is better.
    """
    from matplotlib.figure import Figure

    names, scores = [*found.curves], [*found.spread]
    figure = Figure(figsize=(1.05 * len(scores) + 1.6, 0.66 * len(names) + 0.5), dpi=96)
    axes = figure.subplots(len(names), len(scores), squeeze=False, sharex=True)
    for row, name in enumerate(names):
        for column, score in enumerate(scores):
            _curve(axes[row, column], found, name, score)
            if not row:
                axes[row, column].set_title(score, fontsize=9)
        axes[row, 0].set_ylabel(name, fontsize=8, rotation=0, ha="right", va="center")
    figure.subplots_adjust(left=1.6 / (1.05 * len(scores) + 1.6), right=0.99, top=0.95, bottom=0.05, hspace=0.15)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    with Image.open(file) as image:
        return image.convert("RGB")


def _curve(axes: "Axes", found: Sanity, name: str, score: str) -> None:
    values = np.array(found.curves[name][score])
    low, high = values[0] - BEYOND * found.spread[score], values[0] + BEYOND * found.spread[score]
    axes.axhspan(low, high, color="0.85", lw=0)
    axes.plot(found.strengths, values, color="#2b6c99", lw=1.2)
    upwards = found.infos[score].worse == LOWER
    for x, y, change in zip(found.strengths, values, found.shift(name, score), strict=True):
        worse = change > BEYOND
        if worse or (found.infos[score].better and change < -BEYOND):
            axes.plot(x, y, "o", ms=3.5, color="#c03028", mfc="#c03028" if worse else "white")
    # The same range in every row, that of the largest change, so that a flat line looks flat.
    every = [value for curves in found.curves.values() for value in curves[score]]
    bottom, top = min([*every, low]), max([*every, high])
    room = 0.08 * (top - bottom) or 1.0
    if not upwards:  # distances grow over orders of magnitude and start within the band
        axes.set_yscale("symlog", linthresh=max(abs(low), abs(high), 1e-12))
        bottom, top, room = min(low, bottom), 1.5 * top, 0.1 * (high - low)
    axes.set(xlim=(-0.06, 1.06), ylim=(bottom - room, top + room), xticks=[], yticks=[])
    axes.minorticks_off()
    for spine in axes.spines.values():
        spine.set_color("0.8")


def _cell(images: Tensor, of_a_set: bool) -> Image.Image:
    """An image, or sixteen that represent a set, in a square cell."""
    if not of_a_set:
        return _fitted(images[0], _CELL)
    columns = 4
    inner = _CELL // columns
    sheet = Image.new("RGB", (_CELL, _CELL), "white")
    for place, image in enumerate(images[: columns**2]):
        row, column = divmod(place, columns)
        sheet.paste(_fitted(image, inner - 1), (inner * column, inner * row))
    return sheet


def _fitted(image: Tensor, size: int) -> Image.Image:
    """Resize an image `(H, W, C)` to fit a square."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    whole = grid(image[None].numpy(), columns=1, gap=0, scale=1).convert("RGB")
    return whole.resize(
        (max(1, round(width * scale)), max(1, round(height * scale))),
        Image.Resampling.NEAREST if scale >= 1.5 else Image.Resampling.LANCZOS,
    )


def _word(found: Sanity, name: str, score: str) -> str:
    detected = found.detection(name, score)
    words = [] if detected.strength is None else [f"from {detected.strength:g}"]
    return ", ".join([*words, *([_REWARDED] if detected.rewarded else [])]) or "insensitive"


def _png(image: Image.Image) -> bytes:
    """Encode an image as a small PNG with few colours."""
    file = io.BytesIO()
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(file, format="PNG", optimize=True, exif=sheet_exif())
    return file.getvalue()


def _page(found: Sanity, gallery_png: bytes, curves_png: bytes) -> str:
    """A self-contained HTML page."""
    head, *body = _rows(found)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in body)
    title = f"What metrics detect, with {found.features.get('name', 'these')} features"
    text = (
        f"{found.count:,} real images, corrupted with increasing strength, against {found.count:,} others. The grey "
        f"band is {BEYOND:g} standard deviations of a score over {SPLITS} random splits of the real images: a score "
        f"within the band has detected nothing. A dot means worse than real images, a ring better."
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in found.notes)
    facts = ", ".join(f"{name}: {fact}" for name, fact in found.features.items())
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>"
        "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
        "img{max-width:100%}table{border-collapse:collapse}td,th{padding:.25em .6em;border-bottom:1px solid #ddd;"
        "text-align:left;font-variant-numeric:tabular-nums}</style>"
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p>{notes}"
        f"{_image(gallery_png, 'examples of each distortion')}"
        f"{_image(curves_png, 'every score against the strength of every distortion')}"
        f"<table><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr>{rows}</table>"
        f"<p>{escape(facts)}</p></html>\n"
    )


def _rows(found: Sanity) -> list[Sequence[str]]:
    scores = [*found.spread]
    return [
        ("distortion", *scores),
        *((name, *(_word(found, name, score) for score in scores)) for name in found.curves),
    ]


def _image(png: bytes, alt: str) -> str:
    return f'<p><img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="{escape(alt)}"></p>'
