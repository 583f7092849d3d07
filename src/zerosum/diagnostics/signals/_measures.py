"""Measures of samples and scores that several signals share."""

import torch
from torch import Tensor

_VALUES = 4096  # of a sample as a vector, of which more are thinned out


def share_above(first: Tensor, second: Tensor) -> Tensor:
    """P(a > b) + P(a = b) / 2 over all pairs of `first` (n,) and `second` (m,): the area under the ROC curve."""
    difference = first[:, None] - second[None]
    return ((difference > 0).float() + 0.5 * (difference == 0).float()).mean()


def spread(x: Tensor) -> Tensor:
    """The mean distance of two different rows of x `(n, d)`."""
    return torch.pdist(x).mean()


def nearest(x: Tensor, among: Tensor, other: bool = False) -> Tensor:
    """The distance of each row of x `(n, d)` to the nearest of `among`; if `other`, which is x, to another row."""
    distances = torch.cdist(x, among)
    if other:
        distances.fill_diagonal_(torch.inf)
    return distances.amin(1)


def row_means(score: Tensor) -> Tensor:
    """A number for each sample `(B,)` of scores `(B, ...)`: of a score map, its mean."""
    return score.detach().float().flatten(1).mean(1) if score.dim() > 1 else score.detach().float()


def vectors(x: Tensor) -> Tensor:
    """Samples `(n, ...)` as vectors `(n, d)`, of large ones every k-th value."""
    flat = x.flatten(1).float()
    return flat[:, :: -(-flat.shape[1] // _VALUES)]
