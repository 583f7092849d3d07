"""Affine maps of a space of n dimensions, one for each sample: `(B, n, n + 1)`, a matrix and beside it an offset."""

import torch
from torch import Tensor


def identity(n: int, device: torch.device) -> Tensor:
    """The map `(1, n, n + 1)` that changes nothing."""
    return torch.eye(n, n + 1, device=device)[None]


def composed(outer: Tensor, inner: Tensor) -> Tensor:
    """The map `(B, n, n + 1)` that does `inner` and then `outer`."""
    # Sums of products and not a matrix product, which autocast would round to bfloat16.
    both = (outer[:, :, :-1, None] * inner[:, None]).sum(2)
    return torch.cat((both[:, :, :-1], both[:, :, -1:] + outer[:, :, -1:]), dim=2)


def carried(affine: Tensor, points: Tensor) -> Tensor:
    """The points `(B, n)` carried through the map of their sample."""
    return (affine[:, :, :-1] * points[:, None]).sum(2) + affine[:, :, -1]
