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


def average(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """The mean of each detached tensor over all ranks, sent as one flat tensor.

    Every rank must bring the same shapes: a gradient for every parameter, zeros where a loss does not reach one,
    whatever terms rest on this move.
    """
    if ranks() == 1:
        return tensors
    flat = torch.cat([t.flatten() for t in tensors])
    dist.all_reduce(flat)
    flat /= ranks()
    parts = torch.split(flat, [t.numel() for t in tensors])
    return [part.view_as(t) for part, t in zip(parts, tensors, strict=True)]


def same_start(tensors: Sequence[Tensor]) -> None:
    """Give every rank the tensors of rank 0, in place."""
    if ranks() > 1:
        for tensor in tensors:
            dist.broadcast(tensor.data, 0)
