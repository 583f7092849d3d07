"""Gradient descent on many points of a space at once, within the prior's radius."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from zerosum.latent.model import Inputs
from zerosum.latent.space import Prior, Space

RATE = 0.2  # of Adam, in standard deviations of the prior
_BETAS = (0.9, 0.99)
_VALUES = 1 << 18  # of the images that pass through G together

Loss = Callable[[Tensor, Inputs, Tensor, Tensor], Tensor]
"""Maps outputs of the network `(B, ...)`, inputs, points, and the rows `(B,)` that they are of, to losses `(B,)`."""


@dataclass(frozen=True)
class Stage:
    """Steps of a search of `total` steps, from `begin` to before `end`: the rate falls over the second half of all."""

    begin: int
    end: int
    total: int

    @property
    def rates(self) -> list[float]:
        """The rate of each step."""
        return [RATE * min(1.0, 2 * (1 - step / self.total)) for step in range(self.begin, self.end)]


def descend(
    space: Space, prior: Prior, points: Tensor, inputs: Inputs, loss: Loss, stage: Stage
) -> tuple[Tensor, Tensor]:
    """Move points to lower losses, each independently, by Adam.

    A step is measured in standard deviations of the prior, so one rate serves all spaces. Points are projected onto the
    ball whose radius 99.9 % of the prior do not exceed, also the first.

    Returns:
        The best point of each path, its start included, `(n, *shape)`, and its loss `(n,)`.

    Raises:
        ValueError: where samples do not depend on the point.
    """
    at_once = max(1, min(250, _VALUES // _size(space, points, inputs)))
    found = [
        _descent(space, prior, points[rows], inputs.rows(rows), partial(_of_rows, loss, rows), stage)
        for rows in torch.split(torch.arange(len(points)), at_once)
    ]
    ends, losses = zip(*found, strict=True)
    return torch.cat(ends), torch.cat(losses)


def _size(space: Space, points: Tensor, inputs: Inputs) -> int:
    """The number of values of an image."""
    with torch.no_grad():
        return space.images(points[:1], inputs.rows(slice(1))).numel()


def _of_rows(loss: Loss, rows: Tensor, made: Tensor, inputs: Inputs, points: Tensor) -> Tensor:
    return loss(made, inputs, points, rows)


def _descent(
    space: Space,
    prior: Prior,
    points: Tensor,
    inputs: Inputs,
    loss: Callable[[Tensor, Inputs, Tensor], Tensor],
    stage: Stage,
) -> tuple[Tensor, Tensor]:
    u = _within((points - prior.mean).detach() / prior.std, prior.far).requires_grad_()
    best, least = u.detach().clone(), torch.full((len(u),), torch.inf)
    optimiser = torch.optim.Adam([u], RATE, _BETAS)
    for rate in (*stage.rates, None):
        now = prior.mean + prior.std * u
        made = space.batches(now, inputs)
        values = loss(made, inputs, now)
        if not made.requires_grad:
            raise ValueError(f"the samples of this generator do not depend on {space.name}: no image can be inverted")
        better = values.detach() < least
        best[better], least[better] = u.detach()[better], values.detach()[better]
        if rate is not None:
            optimiser.param_groups[0]["lr"] = rate
            (u.grad,) = torch.autograd.grad(values.sum(), u)
            optimiser.step()
            _within(u, prior.far)
    return prior.mean + prior.std * best, least


@torch.no_grad()
def _within(u: Tensor, far: float) -> Tensor:
    """Project points `(n, *shape)` in standard deviations onto a ball about the mean, in place."""
    radius = u.flatten(1).square().mean(1).sqrt()
    return u.mul_((far / radius.clamp_min(1e-12)).clamp(max=1).view(-1, *[1] * (u.dim() - 1)))
