"""The display of a run in notebooks: its state, the newest sample image, and the loss curves."""

__all__ = ()

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np

from zerosum._text import printable
from zerosum.plots.curves import Curve, line_chart
from zerosum.runs.images import inline_image, open_image
from zerosum.runs.log import Series

_SIZE = 480  # pixels
_LOSSES = ("D/loss", "G/loss")


def run_html(title: str, sentence: str, samples: Path | None, curves: Mapping[str, Series]) -> str:
    """HTML without scripts or external resources.

    Args:
        title: title of the run.
        sentence: its state.
        samples: a sample image, or None.
        curves: curves of the log by name; the losses are plotted.
    """
    parts = [f"<p><b>{escape(printable(title))}</b>: {escape(printable(sentence))}</p>"]
    if samples is not None:
        try:
            parts.append(inline_image(open_image(samples, _SIZE), f"samples after {int(samples.stem):,} images"))
        except ValueError as error:
            parts.append(f"<p>{escape(printable(error))}</p>")
    drawn = [Curve(*curves[name], name) for name in _LOSSES if name in curves and np.isfinite(curves[name][1]).any()]
    if drawn:
        parts.append(f'<div style="max-width:{_SIZE}px">{line_chart(drawn, (), "images", "losses")}</div>')
    return f"<div>{''.join(parts)}</div>"
