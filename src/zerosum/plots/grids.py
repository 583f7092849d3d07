"""Grids of images."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_TILE = 56
_WHITE = 255


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
    arguments.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
        raise ValueError(f"a grid takes uint8 images (N, H, W, C), at least one, not {images.dtype} {images.shape}")
    count, height, width, _ = images.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    scale = math.ceil(_TILE / max(height, width)) if scale is None else scale
    if columns < 1 or scale < 1 or gap < 0:
        raise ValueError(f"a grid needs columns >= 1, scale >= 1 and gap >= 0, not {columns}, {scale} and {gap}")
    rows = math.ceil(count / columns)
    if row_labels and len(row_labels) != rows:
        raise ValueError(f"a grid of {rows} rows needs {rows} row labels or none, not {len(row_labels)}")
    tiles = _visible(images).repeat(scale, axis=1).repeat(scale, axis=2)
    image = Image.fromarray(_mosaic(tiles, rows, columns, gap))
    return _labelled(image, row_labels, height * scale + gap, gap) if row_labels else image


def _visible(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert images of any channel count to grey (N, H, W, 1) or RGB (N, H, W, 3)."""
    channels = images.shape[-1]
    if channels < 3:
        return images[..., :1]
    if channels != 4:
        return images[..., :3]
    alpha = images[..., 3:].astype(np.float32) / 255
    return np.round(images[..., :3] * alpha + _WHITE * (1 - alpha)).astype(np.uint8)


def _mosaic(tiles: NDArray[np.uint8], rows: int, columns: int, gap: int) -> NDArray[np.uint8]:
    """Lay tiles (N, H, W, C) out on white, row by row, with a gap around each: (height, width[, C])."""
    count, height, width, channels = tiles.shape
    filled = np.full((rows * columns, height + gap, width + gap, channels), _WHITE, np.uint8)
    filled[:count, gap:, gap:] = tiles
    sheet = filled.reshape(rows, columns, height + gap, width + gap, channels).transpose(0, 2, 1, 3, 4)
    sheet = sheet.reshape(rows * (height + gap), columns * (width + gap), channels)
    sheet = np.pad(sheet, ((0, gap), (0, gap), (0, 0)), constant_values=_WHITE)
    return sheet[..., 0] if channels == 1 else sheet


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
