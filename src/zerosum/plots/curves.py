"""Line charts as SVG text: small, sharp at any size, in the colours of the page.

A page sets the colours by the CSS variables `--chart-1`, `--chart-2`, `--chart-3` (curves), `--chart-ink`
(text) and `--chart-rule` (grid lines); without them a chart has calm ones of its own.
"""

__all__ = ["Curve", "Level", "Span", "line_chart"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 360, 206
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 20, 36
_LABEL = 30
_CHARACTER = 6.6  # the widest digit at this size of the text
_BUCKETS = 300
_COLOURS = ("var(--chart-1, #2b6c99)", "var(--chart-2, #c05f2b)", "var(--chart-3, #6d7f3a)")
_INK = "var(--chart-ink, #6b7076)"
_RULE = "var(--chart-rule, #d9d6ce)"
_ROBUST_FROM = 20
_FAR = 1e100  # larger values are clipped to it: their differences overflow

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """Values y over x, both `(n,)`, joined in the given order; non-finite values are left out.

    `spread` `(n,)`, if given, is the error of each value, drawn as a band around the curve where it is finite.

    Raises `ValueError` when they differ in length or nothing is finite.
    """

    x: Floats
    y: Floats
    label: str = ""
    spread: Floats | None = None

    def __post_init__(self) -> None:
        if self.x.shape != self.y.shape or self.x.ndim != 1:
            raise ValueError(f"x and y of a curve have the same shape (n,), not {self.x.shape} and {self.y.shape}")
        if self.spread is not None and self.spread.shape != self.x.shape:
            raise ValueError(f"spread of a curve has the shape of x, not {self.spread.shape} for {self.x.shape}")
        if not np.isfinite(self.x + self.y).any():
            raise ValueError("a curve needs at least one finite value")


@dataclass(frozen=True)
class Level:
    """A reference value: a dashed horizontal line across the chart."""

    value: float
    label: str = ""


@dataclass(frozen=True)
class Span:
    """A stretch of x that is shaded over the whole height, from `start` to `stop`."""

    start: float
    stop: float


def line_chart(
    curves: Sequence[Curve],
    levels: Sequence[Level] = (),
    x_label: str = "",
    title: str = "",
    from_zero: bool = True,
    spans: Sequence[Span] = (),
) -> str:
    """Draw one to three curves with reference levels; returns an `<svg>` element as wide as its container.

    A curve of many values is drawn as its running mean in a band from minimum to maximum. Rare spikes are cut off, with
    their extent written in the corner. With `from_zero`, the x axis begins at 0 if no x is negative. `title` is the
    text for screen readers. Raises `ValueError` for no curves, or for more than there are colours.
    """
    if not 1 <= len(curves) <= len(_COLOURS):
        raise ValueError(f"a chart has one to {len(_COLOURS)} curves, not {len(curves)}")
    thin = [_thinned(curve) for curve in curves]
    frame = _frame(thin, levels, from_zero)
    inside = [_shade(frame, span) for span in spans] + [_level(frame, level) for level in levels]
    inside += [_line(frame, line, colour) for line, colour in zip(thin, _COLOURS, strict=False)]
    parts = [
        *_x_axis(frame, x_label),
        *_y_axis(frame),
        # A nested svg cuts off what leaves the frame, without an id that would have to be unique on the page.
        f'<svg x="{_LEFT}" y="{_TOP}" width="{frame.width}" height="{frame.height}">{"".join(inside)}</svg>',
        *(_level_label(frame, level) for level in levels if level.label),
        _spikes(frame, thin),
        _legend(curves),
    ]
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}" '
        f'font-size="11" style="width:100%;height:auto;display:block">{"".join(parts)}</svg>'
    )


def compact(value: float) -> str:
    """Write a number briefly: 1250000 as `1.25M`, 20000 as `20k`, -1.3863 as `−1.386`."""
    for limit, unit, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return f"{value / unit:.4g}{letter}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


@dataclass(frozen=True)
class _Frame:
    """The visible part of the plane, and its mapping to the nested svg of `width` x `height`."""

    left: float
    right: float
    low: float
    high: float
    width: int
    height = _HEIGHT - _TOP - _BOTTOM

    def across(self, x: Floats | float) -> Floats:
        return np.asarray((np.asarray(x) - self.left) / (self.right - self.left) * self.width)

    def down(self, y: Floats | float) -> Floats:
        return np.asarray((self.high - np.asarray(y)) / (self.high - self.low) * self.height)

    def path(self, x: Floats, y: Floats) -> str:
        # Far outside the frame the exact place does not matter, but an enormous coordinate would not be drawn.
        downs = self.down(y).clip(-self.height, 2 * self.height)
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(self.across(x), downs, strict=True))


@dataclass(frozen=True, eq=False)
class _Line:
    """A curve in at most `_BUCKETS` buckets, each with the mean, minimum and maximum of its values."""

    x: Floats
    mean: Floats
    least: Floats
    greatest: Floats


def _thinned(curve: Curve) -> _Line:
    finite = np.isfinite(curve.x + curve.y)
    x, y = (np.asarray(values[finite], np.float64).clip(-_FAR, _FAR) for values in (curve.x, curve.y))
    least = greatest = y
    if curve.spread is not None:
        spread = np.nan_to_num(curve.spread[finite], nan=0.0, posinf=0.0, neginf=0.0)
        least, greatest = y - spread, y + spread
    if len(x) <= 2 * _BUCKETS:
        return _Line(x, y, least, greatest)
    starts = np.linspace(0, len(x), _BUCKETS, endpoint=False).astype(int)
    sizes = np.diff(starts, append=len(x))
    mean_x, mean_y = (np.add.reduceat(values, starts) / sizes for values in (x, y))
    return _Line(mean_x, mean_y, np.minimum.reduceat(least, starts), np.maximum.reduceat(greatest, starts))


def _frame(lines: Sequence[_Line], levels: Sequence[Level], from_zero: bool) -> _Frame:
    x = np.concatenate([line.x for line in lines])
    y = np.concatenate([edge for line in lines for edge in (line.least, line.greatest)])
    low, high = float(y.min()), float(y.max())
    if len(y) >= _ROBUST_FROM:
        middle_low, middle_high = np.quantile(y, [0.03, 0.97])
        room = 0.6 * (middle_high - middle_low) or high - low
        low, high = max(low, float(middle_low - room)), min(high, float(middle_high + room))
    values = [low, high, *(level.value for level in levels)]
    low, high = min(values), max(values)
    margin = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    left, right = float(x.min()), float(x.max())
    left = min(0.0, left) if from_zero else left
    width = _WIDTH - _LEFT - _RIGHT - (_LABEL if any(level.label for level in levels) else 0)
    return _Frame(left, right if right > left else left + 1, low - margin, high + margin, width)


def _line(frame: _Frame, line: _Line, colour: str) -> str:
    if len(line.x) == 1:
        x, y = min(float(frame.across(line.x)[0]), frame.width - 3), float(frame.down(line.mean)[0])
        low, high = float(frame.down(line.least)[0]), float(frame.down(line.greatest)[0])
        style = f"stroke:{colour};stroke-width:1.6;opacity:.5"
        bar = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" style="{style}"/>' if low != high else ""
        return f'{bar}<circle cx="{x:.1f}" cy="{y:.1f}" r="3" style="fill:{colour}"/>'
    band = ""
    if line.least is not line.greatest:
        edge = frame.path(np.append(line.x, line.x[::-1]), np.append(line.least, line.greatest[::-1]))
        band = f'<polygon points="{edge}" style="fill:{colour};opacity:.18"/>'
    style = f"fill:none;stroke:{colour};stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round"
    return f'{band}<polyline points="{frame.path(line.x, line.mean)}" style="{style}"/>'


def _shade(frame: _Frame, span: Span) -> str:
    left, right = (float(x) for x in frame.across(np.array([span.start, span.stop])).clip(0, frame.width))
    style = f"fill:{_COLOURS[1]};opacity:.13"
    return f'<rect x="{left:.1f}" y="0" width="{right - left:.1f}" height="{frame.height}" style="{style}"/>'


def _level(frame: _Frame, level: Level) -> str:
    y = float(frame.down(level.value))
    style = f"stroke:{_INK};stroke-width:1;stroke-dasharray:4 3"
    return f'<line x1="0" x2="{frame.width}" y1="{y:.1f}" y2="{y:.1f}" style="{style}"/>'


def _level_label(frame: _Frame, level: Level) -> str:
    y = _TOP + float(frame.down(level.value))
    return _text(_LEFT + frame.width + 5, y + 3.5, level.label, anchor="start")


def _x_axis(frame: _Frame, label: str) -> list[str]:
    bottom = _TOP + frame.height
    parts = [_rule(_LEFT, _LEFT + frame.width, bottom, bottom)]
    for value, words in _ticks(frame.left, frame.right, 4):
        x = _LEFT + float(frame.across(value))
        parts.append(_rule(x, x, bottom, bottom + 3))
        half = _CHARACTER * len(words) / 2
        parts.append(_text(min(max(x, half), _WIDTH - half), bottom + 14, words, anchor="middle"))
    if label:
        parts.append(_text(_LEFT + frame.width, bottom + 30, label, anchor="end"))
    return parts


def _y_axis(frame: _Frame) -> list[str]:
    parts = []
    for value, words in _ticks(frame.low, frame.high, 4):
        y = _TOP + float(frame.down(value))
        parts.append(_rule(_LEFT, _LEFT + frame.width, y, y))
        parts.append(_text(_LEFT - 6, y + 3.5, words, anchor="end", most=_LEFT - 7))
    return parts


def _spikes(frame: _Frame, lines: Sequence[_Line]) -> str:
    high, low = max(float(line.greatest.max()) for line in lines), min(float(line.least.min()) for line in lines)
    words = [f"up to {compact(high)} ↑"] if high > frame.high else []
    words += [f"down to {compact(low)} ↓"] if low < frame.low else []
    return _text(_LEFT + frame.width, _TOP - 7, "  ".join(words), anchor="end") if words else ""


def _legend(curves: Sequence[Curve]) -> str:
    names = "".join(
        f'<tspan dx="{14 if n else 0}" style="fill:{colour}">{escape(curve.label)}</tspan>'
        for n, (curve, colour) in enumerate(zip(curves, _COLOURS, strict=False))
        if curve.label
    )
    return f'<text x="{_LEFT}" y="{_TOP - 7}" font-weight="600">{names}</text>' if names else ""


def _ticks(low: float, high: float, wanted: int) -> list[tuple[float, str]]:
    """Return about `wanted` round values in [low, high], each with its label."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [number * step for number in range(first, last + 1)]
    greatest = max(map(abs, values), default=0.0)
    unit, letter = next(
        ((u, s) for limit, u, s in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")) if greatest >= limit), (1.0, "")
    )
    if greatest and greatest < 1e-3:
        return [(value, f"{value:.3g}".replace("-", "−")) for value in values]
    decimals = next(d for d in range(10) if d == 9 or abs(round(step / unit, d) - step / unit) < 1e-6 * step / unit)
    return [(v, f"{v / unit:.{decimals}f}{letter}".replace("-", "−") if v or not letter else "0") for v in values]


def _rule(x1: float, x2: float, y1: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" style="stroke:{_RULE};stroke-width:1"/>'


def _text(x: float, y: float, words: str, anchor: str, most: float = math.inf) -> str:
    """A text; if it would be wider than `most`, its characters are set closer."""
    closer = f' textLength="{most:g}" lengthAdjust="spacingAndGlyphs"' if _CHARACTER * len(words) > most else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{closer} style="fill:{_INK}">{escape(words)}</text>'
