"""Wasserstein distances of samples: exact in one dimension, sliced in many."""

import torch
from torch import Tensor

from zerosum._arrays import Array, described, tensor, tensors
from zerosum.metrics._features import AT_ONCE, check_pair, exact, in_chunks, mean


def wasserstein_1d(
    x: Array, y: Array, x_weights: Array | None = None, y_weights: Array | None = None, order: float = 1.0
) -> float:
    """The Wasserstein distance of one-dimensional samples: the cost of optimal transport from one to the other.

        W_p = (integral over u in (0, 1) of |F^-1(u) - G^-1(u)|^p)^(1/p)

    With F and G the CDFs (Villani 2003, theorem 2.18): the u-quantile of one is transported to the u-quantile of the
    other. Exact also for different numbers of samples and weights. In units of x; it grows with the distance between
    the distributions even if they do not overlap.

    Args:
        x, y: samples `(N,)` and `(M,)`, one or more, of any floating-point dtype.
        x_weights, y_weights: their weights, `(N,)` and `(M,)`, 0 or more, with a sum above 0; equal by default.
        order: p, 1 or more.

    Raises:
        ValueError: for invalid samples or weights, NaN, or an order below 1.
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
    """The sliced Wasserstein distance of features, over random directions (Bonneel et al. 2015, "Sliced and Radon").

        SW_p = (E over unit vectors w of W_p(w.x, w.y)^p)^(1/p)

    Each is exact, also for different numbers of samples; the expectation is over seeded directions, so the result is
    deterministic. It depends on all moments, the Frechet distance on two. For equal distributions it is not 0 but about
    the distance of two sets of real samples: compare at equal N.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, two or more samples each, of any floating-point dtype.
        directions: number of directions, 1 or more.
        order: p, 1 or more.
        seed: seed of the directions.

    Raises:
        ValueError: for invalid features, NaN, different dimensions, no direction, or an order below 1.
    """
    real, fake = tensors(real, fake)
    check_pair(real, fake)
    _check_order(order)
    if directions < 1:
        raise ValueError(f"directions must be 1 or more; found {directions}")
    centre = mean(real)
    draw = torch.Generator().manual_seed(seed)
    unit = torch.nn.functional.normalize(torch.randn(directions, len(centre), generator=draw, dtype=torch.float64))
    u, v = (_levels(torch.ones(len(s), dtype=torch.float64, device=centre.device)) for s in (real, fake))
    width, at_x, at_y = _shared_steps(u, v)
    total = 0.0
    for some in torch.split(unit.to(centre.device), max(1, AT_ONCE // len(width))):
        x, y = (_projected(features, centre, some) for features in (real, fake))
        total += float((width @ (x[at_x] - y[at_y]).abs() ** order).sum())
    return float((total / directions) ** (1 / order))


def _check_order(order: float) -> None:
    if not order >= 1:
        raise ValueError(f"order must be 1 or more; found {order}")


def _sorted(x: Tensor, weights: Tensor | None, name: str) -> tuple[Tensor, Tensor]:
    """Samples in ascending order, and the cumulative mass up to and including each."""
    if x.dim() != 1 or not x.is_floating_point() or not len(x) or not bool(x.isfinite().all()):
        raise ValueError(f"{name} must be finite floating-point samples (N,), one or more; found {described(x)}")
    values, order = exact(x).sort()
    if weights is None:
        return values, _levels(torch.ones_like(values))
    if weights.shape != x.shape or not bool((weights.isfinite() & (weights >= 0)).all()) or not bool(weights.any()):
        raise ValueError(
            f"{name}_weights must be finite, 0 or more, not all 0, one per sample; found {described(weights)}"
        )
    return values, _levels(exact(weights)[order])


def _levels(weights: Tensor) -> Tensor:
    """The cumulative mass up to and including each sample, `(N,)`; the last is 1."""
    mass = weights.cumsum(0)
    return mass / mass[-1]


def _shared_steps(u: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The intervals on which both inverse CDFs are constant: their widths, and the sample index of each."""
    level = torch.unique(torch.cat([u, v]))
    width = level.diff(prepend=level.new_zeros(1))
    return width, torch.searchsorted(u, level), torch.searchsorted(v, level)


def _projected(features: Tensor, centre: Tensor, directions: Tensor) -> Tensor:
    """Projections of features on directions `(p, d)`, each in ascending order: `(N, p)`."""
    return torch.cat([(part - centre) @ directions.T for _, part in in_chunks(features)]).sort(0).values
