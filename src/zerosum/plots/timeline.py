"""A timeline as SVG text: a row for each of some conditions, with bars for when and how strongly each held."""

__all__ = ["Bar", "timeline"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from zerosum.plots.curves import compact

_WIDTH, _LABEL, _ROW, _BOTTOM, _TICKS = 720, 190, 24, 34, 5
_INK, _RULE = "var(--chart-ink, #6b7076)", "var(--chart-rule, #d9d6ce)"
_COLOUR = "var(--chart-2, #c05f2b)"
_FAINTEST = 0.12  # opacity of a bar, so that it is visible


@dataclass(frozen=True)
class Bar:
    """A stretch of a row, from `start` to `stop`, of a strength in [0, 1]."""

    start: float
    stop: float
    strength: float


def timeline(rows: Mapping[str, Sequence[Bar]], stop: float, x_label: str = "", title: str = "") -> str:
    """Draw rows of bars over [0, stop]; returns an `<svg>` element as wide as its container.

    The stronger a bar, the darker it is. `title` is the text for screen readers. Raises `ValueError` without rows.
    """
    if not rows:
        raise ValueError("a timeline has at least one row")
    height, width = _ROW * len(rows) + _BOTTOM, _WIDTH - _LABEL - 12
    bottom = _ROW * len(rows)

    def across(x: float) -> float:
        return _LABEL + width * min(max(x / stop, 0.0), 1.0) if stop > 0 else float(_LABEL)

    parts = []
    for number, (name, bars) in enumerate(rows.items()):
        top = _ROW * number
        parts.append(_text(_LABEL - 10, top + 16, name, "end"))
        parts.append(_line(_LABEL, _LABEL + width, top + _ROW / 2))
        parts += [_bar(across(one.start), across(one.stop), top + 5, one.strength) for one in bars]
    for number in range(_TICKS):
        x = stop * number / (_TICKS - 1)
        anchor = "start" if number == 0 else "end" if number == _TICKS - 1 else "middle"
        parts.append(_text(across(x), bottom + 14, compact(x), anchor))
    parts.append(_text(_LABEL + width, bottom + 30, x_label, "end"))
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}" font-size="12" '
        f'style="width:100%;height:auto;display:block">{"".join(parts)}</svg>'
    )


def _bar(left: float, right: float, top: float, strength: float) -> str:
    opacity = _FAINTEST + (1 - _FAINTEST) * min(max(strength, 0.0), 1.0)
    width = max(right - left, 1.5)
    style = f"fill:{_COLOUR};opacity:{opacity:.2f}"
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_ROW - 10}" style="{style}"/>'


def _line(left: float, right: float, y: float) -> str:
    return f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" style="stroke:{_RULE};stroke-width:1"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="fill:{_INK}">{escape(words)}</text>'
