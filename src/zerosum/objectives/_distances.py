"""Distances between feature vectors."""

from torch import Tensor


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Squared Euclidean distances `(N, M)` of rows a `(N, C)` and b `(M, C)`."""
    # Centring first avoids cancellation in |a|^2 - 2ab + |b|^2 far from the origin.
    centre = b.detach().mean(0)
    a, b = a - centre, b - centre
    square = a.square().sum(1)[:, None] - 2 * a @ b.T + b.square().sum(1)[None]
    return square.clamp_min(0)


def vectors(scores: Tensor) -> Tensor:
    """Scores `(B, ...)` as vectors `(B, C)`."""
    return scores.flatten(1) if scores.dim() > 1 else scores[:, None]
