"""Grids of images."""

__all__ = ["grid"]

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_TILE = 56
_WHITE = 255
_MOST_PIXELS = 250_000_000  # of a grid: about 1 GB of memory


def grid(
    images: NDArray[np.uint8],
    columns: int | None = None,
    gap: int = 2,
    scale: int | None = None,
    row_labels: Sequence[str] = (),
) -> Image.Image:
    """Lay images out row by row on white, as grey or RGB.

    `images` are uint8 (N, H, W, C). One channel is drawn as grey, two as the grey of the first, three as RGB, four as
    RGBA on white, more as the RGB of the first three. `columns` makes the grid about square by default. `gap` is in
    pixels. Each pixel becomes a square of `scale` pixels; by default the smallest that makes the longer side of an
    image at least 56. `row_labels`, one per row, are written to the left of the rows. Raises `ValueError` for other
    arguments, and for a grid of more than 250 million pixels.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
        raise ValueError(f"a grid takes uint8 images (N, H, W, C), at least one, not {images.dtype} {images.shape}")
    scale = _scale(images.shape[1:]) if scale is None else scale
    columns = _columns(len(images)) if columns is None else columns
    image = grid_of_batches([images], len(images), images.shape[1:], columns, gap, scale)
    rows = math.ceil(len(images) / columns)
    if row_labels and len(row_labels) != rows:
        raise ValueError(f"a grid of {rows} rows needs {rows} row labels or none, not {len(row_labels)}")
    return _labelled(image, row_labels, images.shape[1] * scale + gap, gap) if row_labels else image


def grid_of_batches(
    batches: Iterable[NDArray[np.uint8]],
    count: int,
    shape: tuple[int, ...],
    columns: int | None = None,
    gap: int = 2,
    scale: int | None = None,
) -> Image.Image:
    """The grid of `count` images (H, W, C) that come in batches, of which only the sheet is kept in memory.

    Takes and raises what `grid` does, before the first batch is asked for.
    """
    height, width, channels = shape
    columns = _columns(count) if columns is None else columns
    scale = _scale(shape) if scale is None else scale
    if columns < 1 or scale < 1 or gap < 0:
        raise ValueError(f"a grid needs columns >= 1, scale >= 1 and gap >= 0, not {columns}, {scale} and {gap}")
    down, across = height * scale + gap, width * scale + gap
    size = columns * across + gap, math.ceil(count / columns) * down + gap
    if math.prod(size) > _MOST_PIXELS:
        raise ValueError(
            f"a grid of {count:,} images would have {math.prod(size) / 1e6:,.0f} million pixels, more than "
            f"{_MOST_PIXELS // 10**6}: draw fewer, or write them to a folder or FILE.npz"
        )
    sheet = Image.new("RGB" if channels > 2 else "L", size, "white")
    index = 0
    for batch in batches:
        for tile in _visible(batch).repeat(scale, axis=1).repeat(scale, axis=2):
            row, column = divmod(index, columns)
            pixels = tile[..., 0] if tile.shape[2] == 1 else tile
            sheet.paste(Image.fromarray(pixels), (gap + column * across, gap + row * down))
            index += 1
    return sheet


def _columns(count: int) -> int:
    return math.ceil(math.sqrt(count))


def _scale(shape: tuple[int, ...]) -> int:
    return math.ceil(_TILE / max(shape[:2]))


def _visible(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert images of any channel count to grey (N, H, W, 1) or RGB (N, H, W, 3)."""
    channels = images.shape[-1]
    if channels < 3:
        return images[..., :1]
    if channels != 4:
        return images[..., :3]
    alpha = images[..., 3:].astype(np.float32) / 255
    return np.round(images[..., :3] * alpha + _WHITE * (1 - alpha)).astype(np.uint8)


def _labelled(image: Image.Image, labels: Sequence[str], row_height: int, gap: int) -> Image.Image:
    """Add a margin on the left, as wide as the longest label, with each label half way up its row."""
    font = ImageFont.load_default(size=max(9, min(16, row_height // 3)))
    margin = math.ceil(max(font.getlength(label) for label in labels)) + 8
    sheet = Image.new(image.mode, (image.width + margin, image.height), "white")
    sheet.paste(image, (margin, 0))
    pen = ImageDraw.Draw(sheet)
    for row, label in enumerate(labels):
        pen.text((margin - 4, gap + (row + 0.5) * row_height - gap / 2), label, "black", font, anchor="rm")
    return sheet
