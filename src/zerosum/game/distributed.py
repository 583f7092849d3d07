"""Distributed training: one flat all-reduce per update, and an all-gather where samples are compared.

Modules are not wrapped. Every rank makes the same updates in the same order on equally many samples, so that their
collectives match. With one process nothing is sent, and tensors are returned unchanged.
"""

__all__ = ["average", "everyone", "own_rows"]

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import FunctionCtx


def rank() -> int:
    """This process's rank; 0 where nothing is distributed."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def ranks() -> int:
    """Number of processes; 1 where nothing is distributed."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


class _Sum(torch.autograd.Function):
    """The sum of a tensor over the ranks.

    Each rank's loss depends on the tensors of all ranks, and the sum of the losses is minimised. So the gradient is the
    sum of the gradients of all ranks: the same function again, for derivatives of any order.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, mine: Tensor) -> Tensor:  # noqa: ARG004  torch's signature
        total = mine.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> Any:  # noqa: ARG004  torch's signature
        return _summed(gradients[0].contiguous())


def _summed(mine: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(mine)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return total


def average(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """The mean of each tensor over all ranks, sent as one flat tensor; differentiable any number of times.

    Every rank must give the same shapes: a gradient for every parameter, zeros where the loss does not depend on it,
    whichever terms are inactive in this update.
    """
    if ranks() == 1:
        return tensors
    flat = _summed(torch.cat([t.flatten() for t in tensors])) / ranks()
    parts = torch.split(flat, [t.numel() for t in tensors])
    return [part.view_as(t) for part, t in zip(parts, tensors, strict=True)]


def everyone(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """The rows `(B, ...)` of each tensor on all ranks, in their order `(B * ranks, ...)`, sent as one flat tensor.

    Differentiable any number of times. Where every rank computes its loss on all rows, the gradient averaged over the
    ranks is that of one process with all the rows.
    """
    if ranks() == 1:
        return tensors
    flat = torch.cat([t.flatten() for t in tensors])
    before, after = flat.new_zeros(rank() * len(flat)), flat.new_zeros((ranks() - 1 - rank()) * len(flat))
    every = _summed(torch.cat([before, flat, after]))
    parts = torch.split(every.view(ranks(), -1), [t.numel() for t in tensors], dim=1)
    return [part.reshape(-1, *t.shape[1:]) for part, t in zip(parts, tensors, strict=True)]


def own_rows(rows: Tensor) -> Tensor:
    """This rank's rows `(B, ...)` of the rows of all ranks `(B * ranks, ...)`."""
    own = len(rows) // ranks()
    return rows[rank() * own : (rank() + 1) * own]


def same_start(tensors: Sequence[Tensor]) -> None:
    """Give every rank the tensors of rank 0, in place."""
    if ranks() > 1:
        for tensor in tensors:
            dist.broadcast(tensor.data, 0)
