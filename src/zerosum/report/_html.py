"""HTML elements of the page. All text from outside is escaped."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from zerosum.plots.grids import grid
from zerosum.runs.images import inline_image

_SMALLEST, _LARGEST = 112, 192  # pixels of the longer side of a tile: sharp on high-resolution screens, yet small files


@dataclass(frozen=True)
class Section:
    """A section of the page: `anchor` is the target of links, `body` is HTML."""

    anchor: str
    title: str
    body: str

    def html(self) -> str:
        """Return the section as HTML."""
        return f'<section id="{self.anchor}">\n<h2>{escape(self.title)}</h2>\n{self.body}\n</section>'


def prose(text: str) -> str:
    """Return plain text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def tile(sample: NDArray[np.uint8], alt: str) -> str:
    """Return one sample, uint8 (H, W, C), as a small inline image."""
    scale = max(1, math.ceil(_SMALLEST / max(sample.shape[:2])))
    image = grid(sample[None], columns=1, gap=0, scale=scale)
    image.thumbnail((_LARGEST, _LARGEST))
    return inline_image(image, alt)


def figure(content: str, caption: str, kind: str = "") -> str:
    """Return HTML content with a caption, which is also HTML."""
    return f'<figure class="{kind}">{content}<figcaption>{caption}</figcaption></figure>'


def table(rows: Mapping[str, object]) -> str:
    """Return names and values as a two-column table."""
    cells = (f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows.items())
    return f"<table>{''.join(cells)}</table>"


def joined(parts: Iterable[str]) -> str:
    """Join HTML elements with line breaks."""
    return "\n".join(parts)
