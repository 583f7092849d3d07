"""Affine maps in n dimensions, one for each sample: `(B, n, n + 1)`, a matrix and an offset."""

import torch
from torch import Tensor


def identity(n: int, device: torch.device) -> Tensor:
    """The identity map `(1, n, n + 1)`."""
    return torch.eye(n, n + 1, device=device)[None]


def composed(outer: Tensor, inner: Tensor) -> Tensor:
    """The map `(B, n, n + 1)` of `inner` followed by `outer`."""
    # Sums of products and not a matrix product, which autocast would round to bfloat16.
    both = (outer[:, :, :-1, None] * inner[:, None]).sum(2)
    return torch.cat((both[:, :, :-1], both[:, :, -1:] + outer[:, :, -1:]), dim=2)


def transformed(affine: Tensor, points: Tensor) -> Tensor:
    """The points `(B, n)` transformed by the map of their sample."""
    return (affine[:, :, :-1] * points[:, None]).sum(2) + affine[:, :, -1]
