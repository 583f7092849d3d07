"""Discrete distributions on the real line, with the methods of `continuous` except `density`: their CDF is a step
function.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum.distributions.inversion import inverse_of


@dataclass(frozen=True)
class BernoulliDistribution:
    """The Bernoulli distribution: 1 with probability p, else 0."""

    p: float = 0.5

    def __post_init__(self) -> None:
        require(self, 0 < self.p < 1, "0 < p < 1")

    @property
    def support(self) -> tuple[float, float]:
        """From 0 to 1."""
        return 0.0, 1.0

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = 0 below 0, 1 - p from 0 on, 1 from 1 on."""
        return torch.where(x < 1, torch.full_like(x, 1 - self.p), 1.0) * (x >= 0)

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = 1 for u > 1 - p, else 0."""
        return (u > 1 - self.p).to(u.dtype)


@dataclass(frozen=True)
class StepsDistribution:
    """The distribution of finitely many values, in ascending order, with weights (equal by default)."""

    values: tuple[float, ...] = (-1.0, 0.0, 2.0)
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.values, self.values[1:], strict=False))
        require(self, len(self.values) >= 2 and rising, "at least two values, in rising order")
        require(self, len(self.weights) in (0, len(self.values)), "as many weights as values, or none")
        require(self, all(weight > 0 for weight in self.weights), "every weight > 0")

    @property
    def support(self) -> tuple[float, float]:
        """From the smallest value to the largest."""
        return self.values[0], self.values[-1]

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = the share of the weights of the values up to x."""
        values, steps = self._steps()
        return torch.cat([steps.new_zeros(1), steps])[torch.searchsorted(values, x.double().contiguous(), right=True)]

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = the smallest value with F(x) >= u."""
        values, steps = self._steps()
        return values[torch.searchsorted(steps, u.double().contiguous())]

    def _steps(self) -> tuple[Tensor, Tensor]:
        weights = torch.tensor(self.weights or (1.0,) * len(self.values), dtype=torch.float64)
        steps = (weights / weights.sum()).cumsum(0)
        steps[-1] = 1
        return torch.tensor(self.values, dtype=torch.float64), steps


@dataclass(frozen=True)
class PoissonDistribution:
    """The Poisson distribution: the number of events where `rate` are expected."""

    rate: float = 4.0

    def __post_init__(self) -> None:
        require(self, self.rate > 0, "rate > 0")

    @property
    def support(self) -> tuple[float, float]:
        """From 0 on."""
        return 0.0, math.inf

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = sum_{k <= x} exp(-rate) rate^k / k!, as a regularised incomplete gamma function."""
        count = x.double().floor()
        below = torch.special.gammaincc(count.clamp(min=0) + 1, torch.tensor(self.rate, dtype=torch.float64))
        return torch.where(count < 0, 0.0, below)

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = the smallest integer k with F(k) >= u."""
        return inverse_of(self.cdf, self.support)(u.double().flatten()).reshape(u.shape)
