"""Wasserstein distances of samples: on the line exactly, and in many dimensions over random directions."""

import torch
from torch import Tensor

from zerosum._arrays import Array, described, tensor, tensors
from zerosum.metrics._features import AT_ONCE, check_pair, exact, in_chunks, mean


def wasserstein_1d(
    x: Array, y: Array, x_weights: Array | None = None, y_weights: Array | None = None, order: float = 1.0
) -> float:
    """The Wasserstein distance of samples on the line: what it costs to carry the mass of one onto the other.

        W_p = (integral over u in (0, 1) of |F^-1(u) - G^-1(u)|^p)^(1/p)

    With F and G the distribution functions (Villani 2003, theorem 2.18): the u-th part of one goes to the u-th part of
    the other. Exact for samples of unlike numbers and weights. It grows with the way however far the two are apart, and
    is in units of x.

    Args:
        x, y: samples `(N,)` and `(M,)`, one or more, of any floating-point dtype.
        x_weights, y_weights: their weights, `(N,)` and `(M,)`, 0 or more, of any sum above 0; equal by default.
        order: p, 1 or more.

    Raises:
        ValueError: for samples or weights of another kind, NaN among them, or an order below 1.
    """
    x, y = tensors(x, y)
    x_weights = None if x_weights is None else tensor(x_weights)
    y_weights = None if y_weights is None else tensor(y_weights)
    _check_order(order)
    x, u = _sorted(x, x_weights, "x")
    y, v = _sorted(y, y_weights, "y")
    width, at_x, at_y = _shared_steps(u, v)
    return float(((x[at_x] - y[at_y]).abs() ** order * width).sum() ** (1 / order))


def sliced_wasserstein(real: Array, fake: Array, directions: int = 500, order: float = 2.0, seed: int = 0) -> float:
    """The Wasserstein distance of features along random directions (Bonneel et al. 2015, "Sliced and Radon").

        SW_p = (E over unit vectors w of W_p(w.x, w.y)^p)^(1/p)

    Each is exact, for unlike numbers of samples too; the expectation is over seeded directions, so the same features
    give the same number. It sees all moments, where the Frechet distance sees two. Samples of equal distributions are
    not at 0 but near the distance of two draws of real ones: compare at the same N.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, two or more samples each, of any floating-point dtype.
        directions: how many, 1 or more.
        order: p, 1 or more.
        seed: of the directions.

    Raises:
        ValueError: for features of another kind, with NaN, of unlike dimensions, no direction, or an order below 1.
    """
    real, fake = tensors(real, fake)
    check_pair(real, fake)
    _check_order(order)
    if directions < 1:
        raise ValueError(f"directions must be 1 or more; found {directions}")
    centre = mean(real)
    draw = torch.Generator().manual_seed(seed)
    unit = torch.nn.functional.normalize(torch.randn(directions, len(centre), generator=draw, dtype=torch.float64))
    u, v = (_levels(torch.ones(len(side), dtype=torch.float64, device=centre.device)) for side in (real, fake))
    width, at_x, at_y = _shared_steps(u, v)
    total = 0.0
    for some in torch.split(unit.to(centre.device), max(1, AT_ONCE // len(width))):
        x, y = (_along(side, centre, some) for side in (real, fake))
        total += float((width @ (x[at_x] - y[at_y]).abs() ** order).sum())
    return float((total / directions) ** (1 / order))


def _check_order(order: float) -> None:
    if not order >= 1:
        raise ValueError(f"order must be 1 or more; found {order}")


def _sorted(x: Tensor, weights: Tensor | None, name: str) -> tuple[Tensor, Tensor]:
    """Samples in ascending order, and the share of the mass up to and with each."""
    if x.dim() != 1 or not x.is_floating_point() or not len(x) or not bool(x.isfinite().all()):
        raise ValueError(f"{name} must be finite floating-point samples (N,), one or more; found {described(x)}")
    values, order = exact(x).sort()
    if weights is None:
        return values, _levels(torch.ones_like(values))
    if weights.shape != x.shape or not bool((weights.isfinite() & (weights >= 0)).all()) or not bool(weights.any()):
        raise ValueError(
            f"{name}_weights must be finite, 0 or more, not all 0, one a sample; found {described(weights)}"
        )
    return values, _levels(exact(weights)[order])


def _levels(weights: Tensor) -> Tensor:
    """The share of the mass up to and with each sample, `(N,)`; the last is 1."""
    mass = weights.cumsum(0)
    return mass / mass[-1]


def _shared_steps(u: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The steps on which both inverse distribution functions are constant: their widths, and which sample each has."""
    level = torch.unique(torch.cat([u, v]))
    width = level.diff(prepend=level.new_zeros(1))
    return width, torch.searchsorted(u, level), torch.searchsorted(v, level)


def _along(features: Tensor, centre: Tensor, directions: Tensor) -> Tensor:
    """Features seen along directions `(p, d)`, each in ascending order: `(N, p)`."""
    return torch.cat([(part - centre) @ directions.T for _, part in in_chunks(features)]).sort(0).values
