"""Continuous distributions on the real line, each with its CDF F, inverse CDF F^-1 and density f.

All take and return float64 tensors of any one shape; u lies in (0, 1).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require

_LINE = (-math.inf, math.inf)


@dataclass(frozen=True)
class NormalDistribution:
    """The normal (Gaussian) distribution."""

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        require(self, self.std > 0, "std > 0")

    @property
    def support(self) -> tuple[float, float]:
        """The real line."""
        return _LINE

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = Phi((x - mean) / std)."""
        below: Tensor = torch.special.ndtr((x - self.mean) / self.std)
        return below

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = mean + std Phi^-1(u)."""
        z: Tensor = torch.special.ndtri(u)
        return self.mean + self.std * z

    def density(self, x: Tensor) -> Tensor:
        """f(x) = exp(-((x - mean) / std)^2 / 2) / (std sqrt(2 pi))."""
        return torch.exp(-(((x - self.mean) / self.std) ** 2) / 2) / (self.std * math.sqrt(2 * math.pi))


@dataclass(frozen=True)
class UniformDistribution:
    """The uniform distribution on an interval."""

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        require(self, self.low < self.high, "low < high")

    @property
    def support(self) -> tuple[float, float]:
        """From low to high."""
        return self.low, self.high

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = (x - low) / (high - low)."""
        return ((x - self.low) / (self.high - self.low)).clamp(0, 1)

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = low + (high - low) u."""
        return self.low + (self.high - self.low) * u

    def density(self, x: Tensor) -> Tensor:
        """f(x) = 1 / (high - low)."""
        return _inside(self.support, x, torch.full_like(x, 1 / (self.high - self.low)))


@dataclass(frozen=True)
class ExponentialDistribution:
    """The exponential distribution (waiting times)."""

    rate: float = 1.0

    def __post_init__(self) -> None:
        require(self, self.rate > 0, "rate > 0")

    @property
    def support(self) -> tuple[float, float]:
        """From 0 on."""
        return 0.0, math.inf

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = 1 - exp(-rate x)."""
        return -torch.expm1(-self.rate * x.clamp(min=0))

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = -log(1 - u) / rate."""
        return -torch.log1p(-u) / self.rate

    def density(self, x: Tensor) -> Tensor:
        """f(x) = rate exp(-rate x)."""
        return _inside(self.support, x, self.rate * torch.exp(-self.rate * x.clamp(min=0)))


@dataclass(frozen=True)
class CauchyDistribution:
    """The Cauchy distribution, which has no mean."""

    centre: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        require(self, self.scale > 0, "scale > 0")

    @property
    def support(self) -> tuple[float, float]:
        """The real line."""
        return _LINE

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = 1/2 + arctan((x - centre) / scale) / pi."""
        return 0.5 + torch.arctan((x - self.centre) / self.scale) / math.pi

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = centre + scale tan(pi (u - 1/2))."""
        return self.centre + self.scale * torch.tan(math.pi * (u - 0.5))

    def density(self, x: Tensor) -> Tensor:
        """f(x) = scale / (pi (scale^2 + (x - centre)^2))."""
        return self.scale / (math.pi * (self.scale**2 + (x - self.centre) ** 2))


@dataclass(frozen=True)
class LogisticDistribution:
    """The logistic distribution."""

    centre: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        require(self, self.scale > 0, "scale > 0")

    @property
    def support(self) -> tuple[float, float]:
        """The real line."""
        return _LINE

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = 1 / (1 + exp(-(x - centre) / scale))."""
        return torch.sigmoid((x - self.centre) / self.scale)

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = centre + scale log(u / (1 - u))."""
        return self.centre + self.scale * torch.logit(u)

    def density(self, x: Tensor) -> Tensor:
        """f(x) = F(x) (1 - F(x)) / scale."""
        z = (x - self.centre) / self.scale
        return torch.sigmoid(z) * torch.sigmoid(-z) / self.scale


@dataclass(frozen=True)
class LaplaceDistribution:
    """The Laplace (two-sided exponential) distribution."""

    centre: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        require(self, self.scale > 0, "scale > 0")

    @property
    def support(self) -> tuple[float, float]:
        """The real line."""
        return _LINE

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = (1 + sign(z) (1 - exp(-|z|))) / 2, where z = (x - centre) / scale."""
        z = (x - self.centre) / self.scale
        return (1 - z.sign() * torch.expm1(-z.abs())) / 2

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = centre - scale sign(u - 1/2) log(1 - 2 |u - 1/2|)."""
        v = u - 0.5
        return self.centre - self.scale * v.sign() * torch.log1p(-2 * v.abs())

    def density(self, x: Tensor) -> Tensor:
        """f(x) = exp(-|x - centre| / scale) / (2 scale)."""
        return torch.exp(-(x - self.centre).abs() / self.scale) / (2 * self.scale)


def _inside(support: tuple[float, float], x: Tensor, density: Tensor) -> Tensor:
    """Return a density where x lies in the support, and 0 elsewhere."""
    return torch.where((x >= support[0]) & (x <= support[1]), density, 0.0)
