"""Plots of points: scatter plots and histograms, generated against real points; and of fields in the plane."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GENERATED, _LIVE, _REAL, _INK = "#c8682f", "#6d7f3a", "#3f7fb0", "#84888c"
_BINS = 80
_INCH = 200
"""Pixels per inch: text and dots have the same size at any image size."""

Floats = NDArray[np.floating]


def scatter(
    points: Floats,
    reference: Floats | None = None,
    centres: Floats | None = None,
    radius: float | None = None,
    side: int = 720,
    transparent: bool = False,
    live: Floats | None = None,
) -> Image.Image:
    """Draw points `(N, 2)`, orange, over real ones, blue; points of more dimensions on their first two principal axes.

    Axes and frame are those of the reference if there is one (so that plots of one run are comparable); the share of
    points outside the frame is written in a corner. A circle of the given radius (in data units) is drawn around each
    of the `centres` `(k, d)`. Points of a live generator, if given, are green. The plot is `side` pixels square, on
    white or transparent. Raises `ValueError` for other shapes and for values that are not finite.
    """
    points = _checked(points, 2)
    known = None if reference is None else _checked(reference, points.shape[1], exact=True)
    base = points if known is None else known
    moving = None if live is None else _checked(live, points.shape[1], exact=True)
    if points.shape[1] > 2:
        mean = base.mean(0)
        axes = np.linalg.eigh(np.cov(base, rowvar=False))[1][:, :-3:-1]
        points, base = (points - mean) @ axes, (base - mean) @ axes
        moving = None if moving is None else (moving - mean) @ axes
        known = None if known is None else base
        centres = None if centres is None else (centres - mean) @ axes
    figure, plot = _figure(side, side)
    if known is not None:
        plot.plot(*known.T, ".", color=_REAL, markersize=5, alpha=_faint(len(known)) / 2, markeredgewidth=0)
    if moving is not None:
        plot.plot(*moving.T, ".", color=_LIVE, markersize=2.6, alpha=_faint(len(moving)), markeredgewidth=0)
    plot.plot(*points.T, ".", color=_GENERATED, markersize=2.6, alpha=_faint(len(points)), markeredgewidth=0)
    if centres is not None and radius:
        _rings(plot, np.asarray(centres), radius)
    middle = (base.min(0) + base.max(0)) / 2
    half = float(0.56 * np.ptp(base, axis=0).max()) or 1.0
    plot.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), aspect="equal")
    _note_outside(plot, float((np.abs(points - middle) > half).any(1).mean()))
    return _image(figure, transparent)


def histogram(
    points: Floats,
    reference: Floats | None = None,
    size: tuple[int, int] = (960, 480),
    transparent: bool = False,
    live: Floats | None = None,
) -> Image.Image:
    """Draw the density of points `(N,)` or `(N, 1)`, orange, with the outline of that of real ones, blue, and of
    those of a live generator, green, if given.

    The frame follows the bulk of the reference (or of the points), so that a heavy tail does not compress the rest into
    one bar; the share of points outside it is written in a corner. Raises `ValueError` for other shapes and for values
    that are not finite.
    """
    values = _checked(points.reshape(len(points), -1), 1, exact=True)[:, 0]
    known = None if reference is None else _checked(reference.reshape(len(reference), -1), 1, exact=True)[:, 0]
    low, high = _bulk(values if known is None else known)
    edges = np.linspace(low, high, _BINS + 1)
    figure, plot = _figure(*size)
    plot.stairs(_density(values, edges), edges, fill=True, color=_GENERATED, alpha=0.55)
    if known is not None:
        plot.stairs(_density(known, edges), edges, color=_REAL, linewidth=1.3)
    if live is not None:
        moving = _checked(live.reshape(len(live), -1), 1, exact=True)[:, 0]
        plot.stairs(_density(moving, edges), edges, color=_LIVE, linewidth=1.3)
    plot.set(xlim=(low, high), yticks=[])
    plot.set_ylim(bottom=0)
    _note_outside(plot, float(((values < low) | (values > high)).mean()))
    return _image(figure, transparent)


def _checked(points: Floats, dimensions: int, exact: bool = False) -> NDArray[np.float64]:
    fits = points.ndim == 2 and len(points) and points.shape[1] >= dimensions
    if not fits or (exact and points.shape[1] != dimensions):
        wanted = f"{dimensions}" if exact else f"{dimensions} or more"
        raise ValueError(f"this plot takes points (N, d) of {wanted} dimensions, not {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("points must be finite to be plotted")
    return points.astype(np.float64)


def _bulk(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return a range that contains all but the far tails, with a margin."""
    low, quarter, median, three_quarters, high = np.quantile(values, [0.002, 0.25, 0.5, 0.75, 0.998])
    if radius := 6 * (three_quarters - quarter):
        low, high = max(low, median - radius), min(high, median + radius)
    margin = 0.15 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _density(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return counts over bins as a density of all values, including those outside the bins."""
    counts: NDArray[np.float64] = np.histogram(values, edges)[0].astype(np.float64)
    return counts / (len(values) * np.diff(edges))


def _faint(count: int) -> float:
    """Return an opacity at which dense regions of so many dots still differ."""
    return float(np.clip(40 / np.sqrt(count), 0.12, 0.8))


def vector_field(
    places: Floats,
    directions: Floats,
    paths: Sequence[Floats] = (),
    axes: tuple[str, str] = ("x", "y"),
    title: str = "",
    side: int = 480,
) -> Image.Image:
    """Draw a field in the plane as arrows of equal length, and trajectories over it; (0, 0) is marked.

    Args:
        places: points `(n, 2)`, which set the frame.
        directions: the field there, `(n, 2)`; where it is 0 there is no arrow.
        paths: trajectories `(m, 2)`, orange, each with a blue dot at its start.
        axes: names of the axes.
        title: text above.
        side: height and width in pixels.

    Raises:
        ValueError: for arrays of other shapes, and for values that are not finite.
    """
    places, directions = _checked(places, 2, exact=True), _checked(directions, 2, exact=True)
    if len(places) != len(directions):
        raise ValueError(f"a field has a direction at each place; found {len(directions)} and {len(places)}")
    figure, plot = _figure(side, side)
    (left, low), (right, high) = places.min(0), places.max(0)
    length = np.linalg.norm(directions, axis=1)
    moves = length > 0
    unit = directions[moves] / length[moves, None]
    apart = float(np.sqrt((right - left) * (high - low) / len(places))) or 1.0
    arrows = plot.quiver(
        *places[moves].T, *unit.T, angles="xy", scale_units="xy", scale=1.4 / apart, pivot="mid", width=0.004
    )
    arrows.set(color=_INK, alpha=0.5)
    for path in paths:
        plot.plot(*_checked(path, 2, exact=True).T, color=_GENERATED, linewidth=0.8)
        plot.plot(*path[:1].T, ".", color=_REAL, markersize=5)
    plot.plot([0], [0], "k+", markersize=5, markeredgewidth=0.8)
    plot.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    plot.set_xlabel(axes[0], fontsize=6, color=_INK)
    plot.set_ylabel(axes[1], fontsize=6, color=_INK)
    plot.set_title(title, fontsize=6)
    return _image(figure, transparent=False)


def _figure(width: int, height: int) -> tuple["Figure", "Axes"]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _INCH, height / _INCH), dpi=_INCH, layout="constrained")
    plot = figure.add_subplot()
    plot.tick_params(colors=_INK, labelsize=6, length=2, width=0.5)
    plot.locator_params(nbins=5)
    for name, spine in plot.spines.items():
        spine.set(visible=name in ("left", "bottom"), color=_INK, linewidth=0.5)
    plot.patch.set_alpha(0)
    return figure, plot


def _rings(plot: "Axes", centres: NDArray[np.float64], radius: float) -> None:
    from matplotlib.collections import EllipseCollection

    sizes = np.full(len(centres), 2 * radius)
    style = {"facecolors": "none", "edgecolors": _INK, "linewidths": 0.6}
    plot.add_collection(
        EllipseCollection(
            sizes, sizes, 0 * sizes, units="xy", offsets=centres, transOffset=plot.transData, zorder=3, **style
        )
    )


def _note_outside(plot: "Axes", share: float) -> None:
    if share:
        words = f"{100 * share:.2g} % outside"
        plot.text(0.99, 0.99, words, transform=plot.transAxes, ha="right", va="top", fontsize=6, color=_INK)


def _image(figure: "Figure", transparent: bool) -> Image.Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.patch.set_alpha(0 if transparent else 1)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    image = Image.fromarray(np.array(canvas.buffer_rgba()))  # type: ignore[no-untyped-call]
    return image if transparent else image.convert("RGB")
