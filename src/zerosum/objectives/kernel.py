"""Matching of distributions by the maximum mean discrepancy (MMD), with or without a learned feature map."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from zerosum.objectives._distances import squared_distances, vectors
from zerosum.protocols import Reference


class Kernel(Protocol):
    """A positive definite kernel of the squared Euclidean distance."""

    def __call__(self, squared_distance: Tensor) -> Tensor:
        """Kernel values of any shape from squared distances of that shape."""
        ...


def _check_positive(name: str, values: tuple[float, ...]) -> None:
    if not len(values) or not all(value > 0 for value in values):
        raise ValueError(f"{name} must be one or more numbers above 0; found {values}")


@dataclass(frozen=True)
class GaussianKernel:
    """Sum over bandwidths s of exp(-d^2 / (2 s^2)), the mixture of Li, Swersky and Zemel 2015 (arXiv 1502.02761)."""

    bandwidths: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)

    def __post_init__(self) -> None:
        _check_positive("bandwidths", self.bandwidths)

    def __call__(self, squared_distance: Tensor) -> Tensor:
        """Kernel values from squared distances, of the same shape, in (0, number of bandwidths]."""
        total = torch.zeros_like(squared_distance)
        for s in self.bandwidths:
            total = total + torch.exp(squared_distance * (-0.5 / s**2))
        return total


@dataclass(frozen=True)
class RationalQuadraticKernel:
    """Sum over a of (1 + d^2 / (2 a))^(-a): heavy tails (Binkowski et al. 2018, arXiv 1801.01401, section 4)."""

    alphas: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0)

    def __post_init__(self) -> None:
        _check_positive("alphas", self.alphas)

    def __call__(self, squared_distance: Tensor) -> Tensor:
        """Kernel values from squared distances, of the same shape, in (0, number of alphas]."""
        total = torch.zeros_like(squared_distance)
        for a in self.alphas:
            total = total + (1 + squared_distance / (2 * a)) ** -a
        return total


@dataclass(frozen=True)
class MMD:
    """Squared maximum mean discrepancy of the scores, taken as feature vectors (Gretton et al. 2012, equation 3).

    MMD^2 = E k(x, x') - 2 E k(x, y) + E k(y, y'), by the U-statistic (without the diagonal), which is unbiased
    and so can be slightly negative. G minimises it. With a discriminator without parameters this is GMMN (Li, Swersky
    and Zemel 2015, arXiv 1502.02761); with a learned one it is MMD-GAN (Li et al. 2017, arXiv 1705.08584), and D
    maximises it. The means are taken over the batch.

    Args:
        kernel: `GaussianKernel` or `RationalQuadraticKernel`, or any callable on squared distances.
    """

    kernel: Kernel = GaussianKernel()
    reads_real: ClassVar[bool] = True
    whole_batch: ClassVar[str] = "compares every sample of the batch with every other"

    @property
    def reference(self) -> Reference:
        """D's loss is 0 at the equilibrium, and -2 k(0) for a perfect D, if k vanishes at large distances."""
        most = float(self.kernel(torch.zeros(1)))
        return Reference("a vector of features", equilibrium=0.0, perfect=-2 * most, ranked=False)

    def _discrepancy(self, x: Tensor, y: Tensor) -> Tensor:
        x, y = vectors(x), vectors(y)
        n, m = len(x), len(y)
        if min(n, m) < 2:
            raise ValueError(
                f"MMD compares within a batch and needs at least 2 real and 2 generated samples; found {n} and {m}"
            )
        # Matrices in float32: exp() of a bfloat16 distance is too inaccurate to distinguish two distributions.
        with torch.autocast(x.device.type, enabled=False):
            xx = self._off_diagonal_mean(x)
            yy = self._off_diagonal_mean(y)
            return xx - 2 * self.kernel(squared_distances(x, y)).mean() + yy

    def _off_diagonal_mean(self, x: Tensor) -> Tensor:
        n = len(x)
        values = self.kernel(squared_distances(x, x))
        return (values.sum() - values.diagonal().sum()) / (n * (n - 1))

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """-MMD^2, a scalar from features `(B, ...)`."""
        return -self._discrepancy(real, fake)

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """MMD^2, a scalar from features `(B, ...)`."""
        if real is None:
            raise ValueError("MMD compares with real samples: give g_loss(fake, real)")
        return self._discrepancy(real, fake)
