"""More distributions on the real line, as in `continuous`: heavy tails, unbounded densities, corners, two modes."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum.distributions.inversion import inverse_of


@dataclass(frozen=True)
class ParetoDistribution:
    """The Pareto distribution, which is heavy-tailed: its mean is infinite for shape <= 1."""

    shape: float = 3.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        require(self, self.shape > 0 and self.scale > 0, "shape > 0 and scale > 0")

    @property
    def support(self) -> tuple[float, float]:
        """From scale on."""
        return self.scale, math.inf

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = 1 - (scale / x)^shape."""
        return 1 - (self.scale / x.clamp(min=self.scale)) ** self.shape

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = scale (1 - u)^(-1 / shape)."""
        return self.scale * (1 - u) ** (-1 / self.shape)

    def density(self, x: Tensor) -> Tensor:
        """f(x) = (shape / x) (scale / x)^shape."""
        y = x.clamp(min=self.scale)
        return torch.where(x >= self.scale, self.shape / y * (self.scale / y) ** self.shape, 0.0)


@dataclass(frozen=True)
class KumaraswamyDistribution:
    """The Kumaraswamy distribution on (0, 1): like the beta distribution, F^-1 in closed form; unbounded for a < 1."""

    a: float = 0.5
    b: float = 0.5

    def __post_init__(self) -> None:
        require(self, self.a > 0 and self.b > 0, "a > 0 and b > 0")

    @property
    def support(self) -> tuple[float, float]:
        """From 0 to 1."""
        return 0.0, 1.0

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = 1 - (1 - x^a)^b."""
        return 1 - (1 - x.clamp(0, 1) ** self.a) ** self.b

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = (1 - (1 - u)^(1/b))^(1/a)."""
        return (1 - (1 - u) ** (1 / self.b)) ** (1 / self.a)

    def density(self, x: Tensor) -> Tensor:
        """f(x) = a b x^(a - 1) (1 - x^a)^(b - 1)."""
        y = x.clamp(0, 1)
        inside = self.a * self.b * y ** (self.a - 1) * (1 - y**self.a) ** (self.b - 1)
        return torch.where((x >= 0) & (x <= 1), inside, 0.0)


@dataclass(frozen=True)
class TriangularDistribution:
    """The triangular distribution: its density rises linearly from low to peak and falls linearly to high."""

    low: float = -1.0
    peak: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        require(self, self.low < self.peak < self.high, "low < peak < high")

    @property
    def support(self) -> tuple[float, float]:
        """From low to high."""
        return self.low, self.high

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = (x - low)^2 / (width (peak - low)) up to the peak, 1 - (high - x)^2 / (width (high - peak)) after."""
        x, width = x.clamp(self.low, self.high), self.high - self.low
        rising = (x - self.low) ** 2 / (width * (self.peak - self.low))
        falling = 1 - (self.high - x) ** 2 / (width * (self.high - self.peak))
        return torch.where(x < self.peak, rising, falling)

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u) = low + sqrt(u width (peak - low)) up to the peak, high - sqrt((1 - u) width (high - peak)) after."""
        width = self.high - self.low
        rising = self.low + (u * width * (self.peak - self.low)).sqrt()
        falling = self.high - ((1 - u) * width * (self.high - self.peak)).sqrt()
        return torch.where(u < (self.peak - self.low) / width, rising, falling)

    def density(self, x: Tensor) -> Tensor:
        """f(x) = 2 / width at the peak, falling linearly to 0 at both ends."""
        rising = (x - self.low) / (self.peak - self.low)
        falling = (self.high - x) / (self.high - self.peak)
        return 2 / (self.high - self.low) * torch.minimum(rising, falling).clamp(min=0)


@dataclass(frozen=True)
class MixtureDistribution:
    """A mixture of normal distributions, with weights (equal by default); its inverse CDF has no formula."""

    means: tuple[float, ...] = (-2.0, 1.0)
    stds: tuple[float, ...] = (0.5, 1.0)
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require(self, 0 < len(self.means) == len(self.stds), "as many means as stds, at least one")
        require(self, len(self.weights) in (0, len(self.means)), "as many weights as means, or none")
        require(self, all(std > 0 for std in self.stds), "every std > 0")
        require(self, all(weight > 0 for weight in self.weights), "every weight > 0")

    @property
    def support(self) -> tuple[float, float]:
        """The real line."""
        return -math.inf, math.inf

    def cdf(self, x: Tensor) -> Tensor:
        """F(x) = sum_i weight_i Phi((x - mean_i) / std_i)."""
        means, stds, weights = self._parts()
        below: Tensor = torch.special.ndtr((x[..., None] - means) / stds)
        return (weights * below).sum(-1)

    def inverse_cdf(self, u: Tensor) -> Tensor:
        """F^-1(u), inverted numerically."""
        return inverse_of(self.cdf)(u.double().flatten()).reshape(u.shape)

    def density(self, x: Tensor) -> Tensor:
        """f(x) = sum_i weight_i phi((x - mean_i) / std_i) / std_i."""
        means, stds, weights = self._parts()
        parts = torch.exp(-(((x[..., None] - means) / stds) ** 2) / 2) / (stds * math.sqrt(2 * math.pi))
        return (weights * parts).sum(-1)

    def _parts(self) -> tuple[Tensor, Tensor, Tensor]:
        weights = torch.tensor(self.weights or (1.0,) * len(self.means), dtype=torch.float64)
        means, stds = (torch.tensor(part, dtype=torch.float64) for part in (self.means, self.stds))
        return means, stds, weights / weights.sum()
