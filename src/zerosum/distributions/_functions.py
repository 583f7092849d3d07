"""Checked evaluation of functions on the real line that users pass in."""

from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


def evaluated(name: str, function: Function, x: Tensor) -> Tensor:
    """Return a function's values at x as float64; raises `ValueError` unless there is one at each, and none is nan."""
    y = torch.as_tensor(function(x), dtype=torch.float64)
    if y.shape != x.shape:
        raise ValueError(f"the {name} should return {tuple(x.shape)} values for {tuple(x.shape)}, not {tuple(y.shape)}")
    if y.isnan().any():
        raise ValueError(
            f"the {name} is nan at x = {float(x[y.isnan()][0]):g}: give it a support within which it is not"
        )
    return y


def ends(support: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of an interval; raises `ValueError` unless the first is below the second."""
    low, high = support
    if not low < high:
        raise ValueError(f"support should be (low, high) with low < high, but is {support}")
    return low, high
