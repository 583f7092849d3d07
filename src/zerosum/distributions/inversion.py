"""Inverse transform sampling from any distribution on the real line.

If U is uniform on (0, 1) and F is a cumulative distribution function (CDF), then F^-1(U) has that distribution, where
F^-1(u) = inf {x : F(x) >= u} also where F jumps or stays level (Devroye 1986, Non-Uniform Random Variate Generation,
theorem 2.1). A generator of one-dimensional samples learns this map.
"""

__all__ = ["inverse_transform"]

import math
from collections.abc import Callable

import torch
from torch import Tensor

from zerosum.distributions._functions import Function, ends, evaluated
from zerosum.distributions._integration import cdf_of

_END = 1e-6  # tolerance for a CDF's limits 0 and 1 at the ends of the line
_NOISE = 1e-9  # tolerance for a decrease, or for values outside 0..1, by rounding
_LEVELS = 1_000
_LARGEST = torch.finfo(torch.float64).max
_SIGN = torch.iinfo(torch.int64).min


def inverse_transform(
    n: int,
    *,
    inverse_cdf: Function | None = None,
    cdf: Function | None = None,
    density: Function | None = None,
    support: tuple[float, float] = (-math.inf, math.inf),
    seed: int = 0,
) -> Tensor:
    """Draw n samples, float64 (n,), from the distribution on the line with this inverse CDF, CDF or density.

    Exactly one of the three is given, as a function from float64 (k,) to (k,). A CDF may jump and stay level. A density
    need not integrate to 1, and may be unbounded where it is still integrable; a peak much narrower than a thousandth
    of its distance from the ends of the support (from 0 on the whole line) may be overlooked. `support` is the interval
    (low, high), possibly infinite, outside which the distribution has no mass. Raises `ValueError` when the function is
    not an inverse CDF, CDF or density.
    """
    if n < 1:
        raise ValueError(f"n should be at least 1, but is {n}")
    given = [function for function in (inverse_cdf, cdf, density) if function is not None]
    if len(given) != 1:
        raise ValueError(f"give one of inverse_cdf, cdf and density, not {len(given)} of them")
    u = open_uniform(n, seed)
    if inverse_cdf is not None:
        return _checked_inverse(inverse_cdf, u, ends(support))
    if density is not None:
        cdf, support = cdf_of(density, support)
    assert cdf is not None
    return inverse_of(cdf, support)(u)


def open_uniform(n: int, seed: int) -> Tensor:
    """Draw n uniform samples from the open interval (0, 1), float64: odd multiples of 2^-53."""
    random = torch.Generator().manual_seed(seed)
    return (torch.randint(1 << 52, (n,), generator=random).double() + 0.5) / (1 << 52)


def inverse_of(cdf: Function, support: tuple[float, float] = (-math.inf, math.inf)) -> Function:
    """Return the generalised inverse of a CDF, inf {x : F(x) >= u}, for u (k,) in (0, 1), float64.

    It is exact: the least of all float64 numbers at which the CDF, as computed, reaches u. The inverse raises
    `ValueError` when the CDF decreases somewhere, or does not rise from 0 to 1 within the support.
    """
    low, high = ends(support)

    def inverse(u: Tensor) -> Tensor:
        levels = torch.cat([u, (torch.arange(_LEVELS, dtype=torch.float64) + 0.5) / _LEVELS])
        bottom, top, levels = _bracket(cdf, low, high, levels)
        x = _bisected(cdf, bottom, top, levels)
        part = torch.linspace(0, 1, _LEVELS, dtype=torch.float64)
        _check_rises(cdf, torch.cat([x, bottom * (1 - part) + top * part]))
        return x[: len(u)]

    return inverse


def _checked_inverse(inverse_cdf: Function, u: Tensor, support: tuple[float, float]) -> Tensor:
    """Return the values of an inverse CDF; raises `ValueError` unless they are finite and within the support."""
    x = evaluated("inverse CDF", inverse_cdf, u)
    outside = (x < support[0]) | (x > support[1]) | x.isinf()
    if outside.any():
        raise ValueError(
            f"the inverse CDF is {float(x[outside][0]):g} at u = {float(u[outside][0]):g}, outside {support}"
        )
    return x


def _bracket(cdf: Function, low: float, high: float, levels: Tensor) -> tuple[float, float, Tensor]:
    """Return a bounded interval in which a CDF passes all levels, and the levels, clamped to its values at the ends."""
    anchor = low if math.isfinite(low) else high if math.isfinite(high) else 0.0
    first, last = min(float(levels.min()), _END), max(float(levels.max()), 1 - _END)
    top = high if math.isfinite(high) else _far(cdf, anchor, 1, lambda value: value >= last)
    bottom = low if math.isfinite(low) else _far(cdf, anchor, -1, lambda value: value < first)
    most, least = _at(cdf, top), _at(cdf, bottom)
    if most < 1 - _END:
        raise ValueError(f"the CDF should rise to 1 at the upper end of its support, but is {most:g} at x = {top:g}")
    if math.isfinite(low):
        return bottom, top, levels.clamp(max=most)
    if least > _END:
        raise ValueError(
            f"the CDF should start from 0 at the lower end of its support, but is {least:g} at x = {bottom:g}"
        )
    return bottom, top, levels.clamp(math.nextafter(least, 1), most)


def _far(cdf: Function, anchor: float, sign: int, enough: Callable[[float], bool]) -> float:
    """Return the first point away from the anchor at which the CDF is high or low enough, or else the last float."""
    step = 1.0
    while True:
        x = max(-_LARGEST, min(_LARGEST, anchor + sign * step))
        if enough(_at(cdf, x)) or step > _LARGEST / 4:
            return x
        step *= 2


def _at(cdf: Function, x: float) -> float:
    return float(evaluated("CDF", cdf, torch.tensor([x], dtype=torch.float64)))


def _bisected(cdf: Function, bottom: float, top: float, levels: Tensor) -> Tensor:
    """Return for each level the least float64 number from bottom to top at which the CDF reaches it.

    It bisects the ranks of the floats, not their values, and so ends after 64 steps at any scale.
    """
    below = _rank(torch.full_like(levels, bottom)) - 1
    above = _rank(torch.full_like(levels, top))
    for _ in range(64):
        middle = (below >> 1) + (above >> 1) + (below & above & 1)  # their mean; the sum could overflow
        reached = evaluated("CDF", cdf, _number(middle).clamp(min=bottom)) >= levels
        reached &= middle > below
        above, below = torch.where(reached, middle, above), torch.where(reached, below, middle)
    return _number(above)


def _rank(x: Tensor) -> Tensor:
    """Return the rank, int64, of float64 numbers: adjacent floats have adjacent ranks."""
    bits = x.view(torch.int64)
    return torch.where(bits < 0, _SIGN - bits, bits)


def _number(rank: Tensor) -> Tensor:
    """Return the float64 numbers of these ranks."""
    return torch.where(rank < 0, _SIGN - rank, rank).view(torch.float64)


def _check_rises(cdf: Function, x: Tensor) -> None:
    x = x.sort().values
    y = evaluated("CDF", cdf, x)
    outside = (y < -_NOISE) | (y > 1 + _NOISE)
    if outside.any():
        raise ValueError(f"the CDF should lie in 0..1, but is {float(y[outside][0]):g} at x = {float(x[outside][0]):g}")
    falls = (y[1:] < y[:-1] - _NOISE).nonzero()
    if len(falls):
        at = int(falls[0])
        raise ValueError(
            f"the CDF should never fall, but is {float(y[at]):g} at x = {float(x[at]):g} "
            f"and {float(y[at + 1]):g} at x = {float(x[at + 1]):g}"
        )
