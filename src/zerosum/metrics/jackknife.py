"""The delete-a-group jackknife: standard errors from samples without one group each."""

__all__ = ()

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

GROUPS = 10


def groups(count: int) -> list[slice]:
    """Ten groups of consecutive samples, or fewer so that each has at least two; one for fewer than four samples."""
    made = max(1, min(GROUPS, count // 2))
    return [slice(count * group // made, count * (group + 1) // made) for group in range(made)]


def leave_one_out(rows: Tensor) -> Iterator[Tensor]:
    """Yield samples `(N, ...)` without one group, for each group in turn; nothing if there is only one group."""
    found = groups(len(rows))
    for group in found if len(found) > 1 else []:
        yield torch.cat([rows[: group.start], rows[group.stop :]])


def jackknife(estimates: Sequence[float]) -> float | None:
    """The standard error of an estimate from its values on the data without one group each; None for fewer than two.

    The delete-a-group jackknife: sqrt((g - 1) / g sum (t_i - mean t)^2) over g groups (Shao and Wu 1989, equation 2.3).
    """
    g = len(estimates)
    if g < 2:
        return None
    mean = math.fsum(estimates) / g
    return math.sqrt((g - 1) / g * math.fsum((estimate - mean) ** 2 for estimate in estimates))
