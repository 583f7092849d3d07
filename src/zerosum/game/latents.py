"""Latent priors: the distributions of z."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize


def _check_size(size: int) -> None:
    if size < 1:
        raise ValueError(f"a latent vector has at least one dimension; found size={size}")


@dataclass(frozen=True)
class Normal:
    """z ~ N(0, I)."""

    size: int = 64

    def __post_init__(self) -> None:
        _check_size(self.size)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Standard normal z, float32 `(count, size)`."""
        return torch.randn(count, self.size, generator=generator)


@dataclass(frozen=True)
class Uniform:
    """Each component of z uniform in [low, high); by default [-1, 1), the prior of DCGAN (arXiv 1511.06434)."""

    size: int = 64
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _check_size(self.size)
        if not self.low < self.high:
            raise ValueError(f"a uniform latent needs low < high; found low={self.low}, high={self.high}")

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Uniform z, float32 `(count, size)`."""
        return torch.rand(count, self.size, generator=generator) * (self.high - self.low) + self.low


@dataclass(frozen=True)
class Sphere:
    """z uniform on the sphere of radius sqrt(size), near which a normal z of many dimensions lies."""

    size: int = 64

    def __post_init__(self) -> None:
        _check_size(self.size)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """z of length sqrt(size), float32 `(count, size)`."""
        z: Tensor = normalize(torch.randn(count, self.size, generator=generator), dim=1) * math.sqrt(self.size)
        return z


@dataclass(frozen=True)
class Gumbel:
    """Each component of z by a Gumbel distribution, z = -scale log(-log u), u uniform: the noise of `TextGenerator`.

    Args:
        size: number of dimensions.
        scale: scale of the noise (>= 0); the temperature at which a text is sampled.
    """

    size: int = 64
    scale: float = 1.0

    def __post_init__(self) -> None:
        _check_size(self.size)
        if not self.scale >= 0:
            raise ValueError(f"a Gumbel latent has a scale of at least 0; found {self.scale}")

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Gumbel z, float32 `(count, size)`."""
        u = torch.rand(count, self.size, generator=generator, dtype=torch.float64).clamp(min=2.0**-60)
        return (-self.scale * (-u.log()).log()).float()
