"""Points drawn from a known distribution: data for learning an inverse transform."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from zerosum._checks import require, require_room
from zerosum.data.dataset import Dataset, in_memory
from zerosum.distributions.continuous import ExponentialDistribution
from zerosum.distributions.inversion import inverse_transform
from zerosum.protocols import Distribution


@runtime_checkable
class _Continuous(Protocol):
    """A distribution with a density."""

    def density(self, x: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class DistributionSamples:
    """One-dimensional points drawn by inverse transform sampling, which a generator of z ~ U(0, 1) can learn exactly.

    Args:
        distribution: the distribution to draw from.
        count: number of points.
        seed: random seed.
    """

    distribution: Distribution = ExponentialDistribution()
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.count >= 1, "count >= 1")
        require_room(self, self.count, 8)

    def log_density(self, x: Tensor) -> Tensor:
        """log p at points (N, 1), float64 (N,); `ValueError` for a distribution without a method `density`."""
        if not isinstance(self.distribution, _Continuous):
            raise ValueError(f"{type(self.distribution).__name__} has no density")
        return self.distribution.density(x[:, 0].cpu().double()).log()

    def open(self) -> Dataset:
        """Draw the points."""
        x = inverse_transform(
            self.count, inverse_cdf=self.distribution.inverse_cdf, support=self.distribution.support, seed=self.seed
        )
        return in_memory(type(self.distribution).__name__, x[:, None].float(), made_by=self)
