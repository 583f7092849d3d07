"""Means over paired seeds, with Student's interval."""

__all__ = ()

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean, stdev

import torch
from torch import Tensor

from zerosum.distributions.inversion import inverse_of

LEVEL = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, and half the width of its interval of 95 %; None for a single seed."""

    mean: float
    within: float | None

    @property
    def sign(self) -> int:
        """1 where the whole interval is above 0, -1 where it is below, else 0."""
        if self.within is None or abs(self.mean) <= self.within:
            return 0
        return 1 if self.mean > 0 else -1


def mean_of(values: Sequence[float]) -> Mean:
    """The mean of values of independent seeds, with the interval of Student's t distribution."""
    count = len(values)
    if count < 2:
        return Mean(fmean(values), None)
    return Mean(fmean(values), student_quantile((1 + LEVEL) / 2, count - 1) * stdev(values) / math.sqrt(count))


@cache
def student_quantile(u: float, degrees: int) -> float:
    """The quantile of Student's t distribution, for u in (0, 1) and an integer number of degrees of freedom."""
    return float(inverse_of(lambda t: student_cdf(t, degrees))(torch.tensor([u], dtype=torch.float64)))


def student_cdf(t: Tensor, degrees: int) -> Tensor:
    """The CDF of Student's t distribution at t, float64 `(k,)`.

    By the finite sums for integer degrees: Abramowitz and Stegun 1964, equations 26.7.3 and 26.7.4.
    """
    angle = torch.atan(t / math.sqrt(degrees))
    odd = degrees % 2
    term = angle.cos() if odd else torch.ones_like(angle)
    total = term if degrees > 1 else torch.zeros_like(angle)
    for k in range(2 + odd, degrees - 1, 2):
        term = term * angle.cos() ** 2 * (k - 1) / k
        total = total + term
    share = (angle + angle.sin() * total) * 2 / math.pi if odd else angle.sin() * total
    return (1 + share) / 2
