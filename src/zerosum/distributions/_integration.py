"""The CDF of a density, by adaptive quadrature."""

import math

import numpy as np
import torch
from torch import Tensor

from zerosum.distributions._functions import Function, ends, evaluated

_NODES, _WEIGHTS = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(8))
_PARTS = 128  # of a shell
_INNERMOST = -60  # shells start at 2^-60 ...
_OUTERMOST = (64, 1000)  # ... and end at 2^64, or where there is more beyond, at 2^1000
_HALVINGS = 60
_CELL, _ALL, _TAIL = 1e-13, 1e-7, 1e-12  # largest error of a cell, of all cells, of the last shell, relative


def cdf_of(density: Function, support: tuple[float, float]) -> tuple[Function, tuple[float, float]]:
    """Integrate a density of any scale to a CDF; return it and the bounded interval in which it increases.

    The support is cut into shells whose width doubles with the distance from its finite ends (from 0 on the whole
    line), so that every order of magnitude is covered, and their cells are halved until 8-point Gauss-Legendre
    quadrature agrees with itself. Raises `ValueError` when the density is negative, nan, infinite or 0 everywhere, or
    has no finite integral.
    """
    low, high = ends(support)
    # A density may be infinite at an end and, because of rounding, a few floats before it.
    inside = tuple(
        end + sign * 4 * math.ulp(end) if math.isfinite(end) else end for end, sign in ((low, 1), (high, -1))
    )

    def checked(x: Tensor) -> Tensor:
        x = x.clamp(*inside)
        y = evaluated("density", density, x)
        wrong = (y < 0) | y.isinf()
        if wrong.any():
            raise ValueError(
                f"the density should be finite and never negative, but is {float(y[wrong][0]):g} "
                f"at x = {float(x[wrong][0]):g}"
            )
        return y

    edges, start, mass = _outwards(checked, low, high)
    before = mass.cumsum(0) - mass
    total = before[-1] + mass[-1]

    def cdf(x: Tensor) -> Tensor:
        x = x.clamp(edges[0], edges[-1])
        cell = (torch.searchsorted(start, x, right=True) - 1).clamp(min=0)
        part = before[cell] + torch.minimum(_quadrature(checked, start[cell], x), mass[cell])
        return torch.where(x < edges[-1], part / total, 1.0)

    return cdf, (float(edges[0]), float(edges[-1]))


def _outwards(density: Function, low: float, high: float) -> tuple[Tensor, Tensor, Tensor]:
    """Integrate over the support until the tail is negligible: the ends, and the start and mass of each cell."""
    for outermost in _OUTERMOST:
        edges = _edges(low, high, outermost)
        start, mass = _refined(density, edges)
        if not mass.sum() > 0:
            raise ValueError("the density is 0 wherever it was evaluated: give it the support where it is not")
        bounded = math.isfinite(low) and math.isfinite(high)
        last = start.abs() >= start.abs().max() / 2
        if bounded or mass[last].sum() <= _TAIL * mass.sum():
            return edges[[0, -1]], start, mass
    raise ValueError("the density has no finite integral, as its tail falls off too slowly")


def _edges(low: float, high: float, outermost: int) -> Tensor:
    """Return the ends of the cells in ascending order: shells, each divided into equal parts."""
    powers = 2.0 ** torch.arange(_INNERMOST, outermost + 1, dtype=torch.float64)
    if math.isfinite(low) and math.isfinite(high):
        inner = (high / 2 - low / 2) * powers[powers <= 1]
        knots = [low + inner, high - inner]
    elif math.isfinite(low):
        knots = [low + powers]
    elif math.isfinite(high):
        knots = [high - powers]
    else:
        knots = [-powers, powers, torch.zeros(1, dtype=torch.float64)]
    finite = torch.tensor([end for end in (low, high) if math.isfinite(end)], dtype=torch.float64)
    shells = torch.cat([*knots, finite]).sort().values
    steps = torch.arange(_PARTS, dtype=torch.float64) / _PARTS
    cells = shells[:-1, None] + shells.diff()[:, None] * steps
    edges = torch.cat([cells.flatten(), shells[-1:]])
    return edges[torch.cat([edges.diff() > 0, torch.tensor([True])])]


def _refined(density: Function, edges: Tensor) -> tuple[Tensor, Tensor]:
    """Halve cells until the quadrature over each agrees with that over its halves; return their starts and masses."""
    low, high = edges[:-1], edges[1:]
    starts, masses, lacking, finished = [], [], 0.0, 0.0
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2
        left, right = _quadrature(density, low, middle), _quadrature(density, middle, high)
        error = (left + right - _quadrature(density, low, high)).abs()
        whole = finished + float((left + right).sum())
        fine = (error <= _CELL * whole) | (middle <= low) | (middle >= high)
        starts += [low[fine], middle[fine]]
        masses += [left[fine], right[fine]]
        finished += float((left + right)[fine].sum())
        lacking += float(error[fine].sum())
        low, high = torch.cat([low[~fine], middle[~fine]]), torch.cat([middle[~fine], high[~fine]])
        if not len(low):
            break
    rest = _quadrature(density, low, high)
    if lacking + float(rest.sum()) > _ALL * (finished + float(rest.sum())):
        near = f" near x = {float(low[rest.argmax()]):g}" if len(low) else ""
        raise ValueError(f"the density has no finite integral{near}, or changes too fast there to be integrated")
    start, order = torch.cat([*starts, low]).sort()
    return start, torch.cat([*masses, rest])[order]


def _quadrature(density: Function, low: Tensor, high: Tensor) -> Tensor:
    """Return the integrals from low to high, each (k,), by 8-point Gauss-Legendre quadrature."""
    half = (high - low) / 2
    x = (low + half)[:, None] + half[:, None] * _NODES
    return half * (density(x.flatten()).reshape(x.shape) @ _WEIGHTS)
