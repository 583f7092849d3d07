"""Fitting the parameters of a renderer to given images."""

__all__ = ()

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._arrays import Array, tensors

_BLOCK = 256
_STEPS = 8
_STEP = 1e-3  # finite difference, in standard deviations of a parameter over the starts
_DAMPING = 1e-3


@dataclass(frozen=True, eq=False)
class NearestDrawing:
    """The fit of each image.

    Attributes:
        parameters: parameters of the nearest drawing, `(B, n)`.
        error: squared distance to it, float64 `(B,)`.
        power: squared distance of the image to its mean, float64 `(B,)`.
    """

    parameters: Tensor
    error: Tensor
    power: Tensor


def nearest_drawing(images: Array, draw: Callable[[Tensor], Tensor], starts: Array) -> NearestDrawing:
    """Find the parameters of `draw` that minimise the squared error to each image.

    The nearest drawing of the starts is improved by eight Levenberg-Marquardt steps, each accepted only if it reduces
    the error: with residual r, its Jacobian J (by finite differences) and damping m, (J^T J + m diag(J^T J)) step =
    -J^T r.

    Args:
        images: `(B, C, H, W)`.
        draw: renders images from parameters `(B, n)`.
        starts: initial parameters `(S, n)`; their standard deviations are the scale of each parameter.
    """
    images, starts = tensors(images, starts)
    scale = starts.std(0).clamp(min=1e-9)
    drawn = torch.cat([draw(rows).flatten(1) for rows in torch.split(starts, _BLOCK)])
    blocks = torch.split(images.flatten(1), _BLOCK)
    parameters = torch.cat([_fitted(block, draw, starts, drawn, scale) for block in blocks])
    x = images.flatten(1).double()
    y = torch.cat([draw(rows).flatten(1) for rows in torch.split(parameters, _BLOCK)]).double()
    return NearestDrawing(parameters, (x - y).square().sum(1), (x - x.mean(1, keepdim=True)).square().sum(1))


def _fitted(x: Tensor, draw: Callable[[Tensor], Tensor], starts: Tensor, drawn: Tensor, scale: Tensor) -> Tensor:
    # |x - y|^2 without |x|^2, which is the same for every start
    nearest = (drawn.square().sum(1) - 2 * x @ drawn.T).argmin(1)
    parameters, residual = starts[nearest], drawn[nearest] - x
    error, damping = residual.square().sum(1), x.new_full((len(x),), _DAMPING)
    for _ in range(_STEPS):
        step = _step(parameters, residual, draw, scale, damping)
        tried = parameters + step
        new = draw(tried).flatten(1) - x
        smaller = new.square().sum(1) < error
        parameters = torch.where(smaller[:, None], tried, parameters)
        residual = torch.where(smaller[:, None], new, residual)
        error = residual.square().sum(1)
        damping = torch.where(smaller, damping / 4, damping * 8)
    return parameters


def _step(
    parameters: Tensor, residual: Tensor, draw: Callable[[Tensor], Tensor], scale: Tensor, damping: Tensor
) -> Tensor:
    """The step of each image, `(B, n)`."""
    base = draw(parameters).flatten(1)
    differences = _STEP * torch.diag(scale)
    jacobian = torch.stack([(draw(parameters + d).flatten(1) - base) / _STEP for d in differences], 1).double()
    normal = jacobian @ jacobian.mT
    diagonal = normal.diagonal(dim1=1, dim2=2)
    damped = normal + torch.diag_embed(damping[:, None].double() * diagonal + 1e-6 * diagonal.amax(1, keepdim=True))
    gain: Tensor = torch.linalg.solve(damped, -(jacobian @ residual.double()[..., None])[..., 0])
    return gain.clamp(-2, 2).to(parameters.dtype) * scale
