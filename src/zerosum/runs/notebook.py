"""A run as a notebook shows it: where it stands, the newest image of samples, and the curves of the losses."""

__all__ = ()

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np

from zerosum._text import printable
from zerosum.plots.curves import Curve, line_chart
from zerosum.runs.images import inline_image, open_image
from zerosum.runs.log import Series

_SIDE = 480  # pixels
_LOSSES = ("D/loss", "G/loss")


def run_html(title: str, sentence: str, samples: Path | None, curves: Mapping[str, Series]) -> str:
    """HTML that fetches and runs nothing.

    Args:
        title: what the run is called.
        sentence: where it stands.
        samples: an image of samples; None for none.
        curves: of the log, by name; the losses are drawn.
    """
    parts = [f"<p><b>{escape(printable(title))}</b>: {escape(printable(sentence))}</p>"]
    if samples is not None:
        try:
            parts.append(inline_image(open_image(samples, _SIDE), f"samples after {int(samples.stem):,} images"))
        except ValueError as error:
            parts.append(f"<p>{escape(printable(error))}</p>")
    drawn = [Curve(*curves[name], name) for name in _LOSSES if name in curves and np.isfinite(curves[name][1]).any()]
    if drawn:
        parts.append(f'<div style="max-width:{_SIDE}px">{line_chart(drawn, (), "images", "losses")}</div>')
    return f"<div>{''.join(parts)}</div>"
