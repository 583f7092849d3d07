"""The frames of a film as images."""

__all__ = ()

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from zerosum.diagnostics.films import Film, Moment
from zerosum.plots.panels import (
    GENERATED,
    INK,
    REAL,
    Line,
    Window,
    arrows_below,
    beside,
    chart,
    densities_panel,
    dots_panel,
    field_panel,
    padded,
    stacked,
    titled,
)

_SIDE, _WIDE = 300, 460  # pixels of a panel in the plane, and of one on the line
_CHART = 96  # height of a chart
_LOG2, _LOG4 = float(np.log(2)), float(np.log(4))

Floats = NDArray[np.float64]


def film_images(film: Film, places: Sequence[int] | None = None) -> list[Image.Image]:
    """The frames of a film as images of one size; `places` are their indices, by default all.

    In the plane: points of data and generator, with arrows along minus the gradient of G's loss; D's field; and the
    optimal D. On the line: both densities, with the regions where the generated one is too high and too low; D, and the
    optimal D. Below, the Jensen-Shannon divergence and the value of the game so far.
    """
    draw = _plane if len(film.data.low) == 2 else _line
    arrows = _arrow_scale(film)
    chosen = range(len(film.moments)) if places is None else places
    return [padded(stacked([*draw(film, film.moments[n], arrows), _history(film, n)])) for n in chosen]


def _plane(film: Film, moment: Moment, arrows: float) -> list[Image.Image]:
    frame, window = moment.frame, Window(*_window(film))
    moves = _moves(frame.pushes, arrows, _SIDE / 8)
    places = _units(film, frame.places)
    layers = [(_units(film, film.data.real), REAL), (_units(film, frame.samples), GENERATED)]
    panels = [dots_panel(layers, (places, moves), window, (_SIDE, _SIDE), _points_title(moment))]
    field = film.field(frame)
    if field is not None:
        panels.append(_field(film, field))
    best = film.shown(moment).numpy()
    gap = "" if moment.gap is None else f": |D - D*| {moment.gap:.2f} in the mean"
    name = f"optimal D* = p / (p + q){gap}" if film.optimum else "too few samples (blue), too many (orange)"
    panels.append(field_panel(best, (_SIDE, _SIDE), name))
    return [_caption(film, moment), beside(panels)]


def _field(film: Film, field: Tensor) -> Image.Image:
    side = round(len(field) ** 0.5)
    values = field.reshape(side, side).numpy()
    if film.optimum:
        return field_panel(values, (_SIDE, _SIDE), "D(x), from 0 (orange) to 1 (blue)")
    low, high = _span(values, 0.02)
    title = f"{film.score}, from {low:.3g} (orange) to {high:.3g} (blue)"
    return field_panel((values - low) / (high - low), (_SIDE, _SIDE), title)


def _line(film: Film, moment: Moment, arrows: float) -> list[Image.Image]:
    frame, (low, high) = moment.frame, _window(film)
    x, scale = _units(film, film.data.lattice)[:, 0], float(film.data.scale)
    factor = len(film.p.inside) // len(x)
    p, q = (one.coarser(factor).density.numpy() / scale for one in (film.p, moment.q))
    top = 1.6 * float(p.max())
    title = "data (blue), generated (orange): too high, too low" + _outside(moment)
    panel = densities_panel(x, (p, q), top, (_WIDE, 180), title)
    moves = _moves(frame.pushes, arrows, _WIDE / 8)[:, 0]
    panels = [arrows_below(panel, _units(film, frame.places)[:, 0], moves, (float(low[0]), float(high[0])))]
    field = film.field(frame)
    if field is not None:
        panels.append(_d_over_x(film, moment, field.numpy(), x))
    return [_caption(film, moment), *panels]


def _d_over_x(film: Film, moment: Moment, values: Floats, x: Floats) -> Image.Image:
    ends = (float(x[0]), float(x[-1]))
    if not film.optimum:
        return chart([Line(x, values, INK)], (_WIDE, 120), f"{film.score} over x", (ends, _span(values)))
    lines = [Line(x, film.shown(moment).numpy(), REAL, "optimal D*", dashed=True), Line(x, values, INK, "D(x)")]
    title = "" if moment.gap is None else f"|D - D*| {moment.gap:.2f} in the mean"
    return chart(lines, (_WIDE, 120), title, (ends, (0.0, 1.0)), (0.5,))


def _history(film: Film, now: int) -> Image.Image:
    """The divergence and the value of the game up to a moment, over the logarithm of the images."""
    moments, size = film.moments, ((3 * _SIDE + 10) // 2 if len(film.data.low) == 2 else (_WIDE - 10) // 2, _CHART)
    x = np.log2([max(one.frame.images, moments[min(1, len(moments) - 1)].frame.images / 2, 1) for one in moments])
    ends = (float(x[0]), max(float(x[-1]), float(x[0]) + 1))
    past = slice(0, now + 1)
    js = np.array([one.js for one in moments])
    left = chart(
        [Line(x[past], js[past], INK)], size, f"JS divergence: {js[now]:.3f} of at most 0.693", (ends, (0, _LOG2))
    )
    value = np.array([float(one.frame.value) for one in moments])
    lines, levels = [Line(x[past], value[past], INK, f"V = {value[now]:.3f}" if film.bound else "")], []
    if film.bound:
        lines.append(Line(x[past], 2 * js[past] - _LOG4, REAL, f"2 JS - log 4 = {2 * js[now] - _LOG4:.3f}", True))
        span, title, levels = (min(-2.0, -_LOG4), 0.0), "", [-_LOG4]
    else:
        span, title = _span(value), f"value of the game, -D's loss: {value[now]:.3g}"
    return beside([left, chart(lines, size, title, (ends, span), levels)])


def _caption(film: Film, moment: Moment) -> Image.Image:
    width = 3 * _SIDE + 20 if len(film.data.low) == 2 else _WIDE
    words = f"{film.recipe.name}: {moment.frame.images:,} points seen; arrows: minus the gradient of G's loss"
    return titled(Image.new("RGB", (width, 1), "white"), words)


def _points_title(moment: Moment) -> str:
    return "data (blue), generated (orange)" + _outside(moment)


def _outside(moment: Moment) -> str:
    return f", {moment.q.outside:.0%} outside" if moment.q.outside >= 0.005 else ""


def _window(film: Film) -> tuple[Floats, Floats]:
    low, high = (_units(film, corner[None])[0] for corner in (film.data.low, film.data.high))
    return low, high


def _span(values: Floats, cut: float = 0.0) -> tuple[float, float]:
    """The range of the finite values but a share `cut` of the least and the largest; of one value, one from there."""
    finite = values[np.isfinite(values)]
    low, high = np.quantile(finite, [cut, 1 - cut]).tolist() if len(finite) else (0.0, 1.0)
    return low, high if high > low else low + 1


def _units(film: Film, points: Tensor) -> Floats:
    """Points `(N, d)` in the units of the data."""
    found: Floats = (film.data.offset + film.data.scale * points.double()).numpy()
    return found


def _arrow_scale(film: Film) -> float:
    """The gradient's norm that is drawn at full length: one for all frames, so that vanishing gradients vanish."""
    strong = [float(one.pushes.norm(dim=1).quantile(0.9)) for one in film.frames]
    finite = [value for value in strong if np.isfinite(value)]
    return float(np.median(finite)) if finite else 1.0


def _moves(pushes: Tensor, scale: float, longest: float) -> Floats:
    """Arrows in pixels: `longest` for a norm of twice the scale or more."""
    moves = torch.nan_to_num(pushes.double(), 0.0, 0.0, 0.0) * (longest / 2 / max(scale, 1e-30))
    norm = moves.norm(dim=1, keepdim=True)
    found: Floats = (moves * (longest / norm.clamp_min(longest))).numpy()
    return found
