"""Find directions: by a classifier's gradient, by a fitted line, from pairs; and remove one direction from another."""

__all__ = ["extremes", "follow", "gradients", "line", "orthogonal", "pairs"]

from collections.abc import Callable

import torch
from torch import Tensor

from zerosum.latent.model import Inputs
from zerosum.latent.space import Space

_AT_ONCE = 100  # images through which gradients pass together
_FEWEST = 10  # samples on each side of extremes


def within(values: Tensor, groups: Tensor | None) -> Tensor:
    """Values `(n, ...)` minus the mean of their group, or of all."""
    if groups is None:
        return values - values.mean(0)
    made = values.clone()
    for group in torch.unique(groups):
        made[groups == group] -= values[groups == group].mean(0)
    return made


def line(points: Tensor, values: Tensor, groups: Tensor | None = None) -> Tensor:
    """The change of values per change of the point, by ridge regression.

    For points of a normal prior it is the mean gradient of the values (Stein 1981). The penalty is the mean variance of
    a coordinate times dimensions / n.

    Args:
        points: `(n, *shape)`.
        values: `(n,)`, finite.
        groups: a class for each sample, whose means are removed from points and values, `(n,)`; None for one group.

    Returns:
        `(*shape,)`.
    """
    x, y = within(points.flatten(1).double(), groups), within(values.double(), groups)
    covariance = x.T @ x / len(x)
    penalty = covariance.diagonal().mean() * x.shape[1] / len(x)
    covariance.diagonal().add_(penalty)
    found: Tensor = torch.linalg.solve(covariance, x.T @ y / len(x)).float().view(points.shape[1:])
    return found


def extremes(points: Tensor, values: Tensor, groups: Tensor | None = None, share: float = 0.02) -> Tensor:
    """The normal of the plane between the samples with the highest and the lowest values.

    Shen et al. 2020 (InterFaceGAN, arXiv 1907.10786): only the extreme 2 % on each side are used. Their support vector
    machine is here a linear classifier by regularised least squares. Arguments as of `line`, and the share of samples
    on each side. Returns `(*shape,)`.
    """
    centred = within(values.double(), groups)
    count = max(_FEWEST, round(share * len(values)))
    if 2 * count > len(values):
        raise ValueError(f"extremes need {2 * _FEWEST} samples or more; found {len(values)}")
    order = centred.argsort()
    chosen = torch.cat([order[:count], order[-count:]])
    sides = torch.cat([-torch.ones(count), torch.ones(count)])
    return line(points[chosen], sides, None if groups is None else torch.zeros_like(groups[chosen]))


def gradients(space: Space, points: Tensor, inputs: Inputs, score: Callable[[Tensor], Tensor]) -> Tensor:
    """The gradients of scores by the points, through a generator whose weights rest.

    Args:
        space: the space of the points.
        points: `(n, *shape)`.
        inputs: the inputs of the samples.
        score: maps float images `(n, C, H, W)` in [-1, 1] to `(n, k)`, differentiable.

    Returns:
        `(n, k, *shape)`; their mean over samples is one direction for each score.

    Raises:
        ValueError: where samples do not depend on the point, or the score is not differentiable.
    """
    found = []
    for start in range(0, len(points), _AT_ONCE):
        row = slice(start, start + _AT_ONCE)
        leaves = points[row].detach().requires_grad_()
        scores = score(space.images(leaves, inputs.rows(row)))
        if not scores.requires_grad:
            raise ValueError(
                f"the samples of this generator do not depend on {space.name}, or their score has no gradient: nothing "
                f"can be followed"
            )
        parts = [
            torch.autograd.grad(column.sum(), leaves, retain_graph=True, materialize_grads=True)[0]
            for column in scores.unbind(1)
        ]
        found.append(torch.stack(parts, 1))
    return torch.cat(found)


def follow(
    space: Space, inputs: Inputs, score: Callable[[Tensor], Tensor], steps: int = 10, step: float = 0.5
) -> Tensor:
    """Follow the gradient of a score from each sample: controllable generation by a classifier's gradient.

    Each step has the same length, so that samples move equally fast.

    Args:
        space: the space to move in.
        inputs: the inputs of n samples.
        score: maps float images `(n, C, H, W)` in [-1, 1] to `(n,)`, differentiable.
        steps: number of steps.
        step: length of a step; negative to lower the score.

    Returns:
        The points of each step, the start first, `(steps + 1, n, *shape)`.
    """
    with torch.no_grad():
        path = [space.at(inputs)]
    for _ in range(steps):
        found = gradients(space, path[-1], inputs, lambda images: score(images)[:, None])[:, 0]
        length = found.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, *[1] * (found.dim() - 1))
        path.append(path[-1] + step * found / length)
    return torch.stack(path)


def pairs(space: Space, before: Inputs, after: Inputs) -> Tensor:
    """The mean difference of the points of pairs of samples that differ in what is wanted, `(*shape,)`."""
    with torch.no_grad():
        return (space.at(after) - space.at(before)).mean(0)


def orthogonal(direction: Tensor, others: list[Tensor]) -> Tensor:
    """The part of a direction that is orthogonal to all others: conditional manipulation, InterFaceGAN equation 4.

    Raises `ValueError` where nothing remains of it.
    """
    if not others:
        return direction
    flat = torch.stack([other.flatten() for other in others], 1).double()
    flat = flat / flat.norm(dim=0).clamp_min(1e-12)
    basis, sizes, _ = torch.linalg.svd(flat, full_matrices=False)
    basis = basis[:, sizes > 1e-6]
    whole = direction.flatten().double()
    rest = whole - basis @ (basis.T @ whole)
    if rest.norm() <= 1e-3 * whole.norm():
        raise ValueError("nothing of the direction remains without those of the other attributes: remove fewer")
    left: Tensor = rest.float().view(direction.shape)
    return left
