"""Ranks: raw modules and one flat all-reduce, nothing wrapped."""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor


def rank() -> int:
    """This process's rank; 0 where nothing is distributed."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def ranks() -> int:
    """Number of processes; 1 where nothing is distributed."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def average(value: Tensor) -> Tensor:
    """The mean of a detached tensor over all ranks, as a new tensor of the same shape."""
    if ranks() == 1:
        return value
    total = value.clone()
    dist.all_reduce(total)
    return total / ranks()


def average_gradients(gradients: Sequence[Tensor]) -> Sequence[Tensor]:
    """The mean of each gradient over all ranks, sent as one flat tensor.

    Every rank must bring a gradient for every parameter, zeros where a loss does not reach one: that keeps the
    flat layouts alike, whatever terms rest on this move.
    """
    if ranks() == 1:
        return gradients
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= ranks()
    parts = torch.split(flat, [g.numel() for g in gradients])
    return [part.view_as(g) for part, g in zip(parts, gradients, strict=True)]


def same_start(tensors: Sequence[Tensor]) -> None:
    """Give every rank the tensors of rank 0, in place."""
    if ranks() > 1:
        for tensor in tensors:
            dist.broadcast(tensor.data, 0)
