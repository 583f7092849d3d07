"""Mixtures of Gaussians with known modes, for tests of mode coverage."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import MOST_MODES, require, require_room
from zerosum.data.dataset import Dataset, in_memory

_ROWS = 1 << 14  # points whose density is computed at once


@dataclass(frozen=True)
class Ring:
    """A ring of equal Gaussians in the plane, labelled by mode (Srivastava et al. 2017, VEEGAN).

    Args:
        modes: number of Gaussians.
        radius: distance of their centres from 0.
        std: standard deviation of each, in every direction.
        count: number of points.
        seed: random seed.
    """

    modes: int = 8
    radius: float = 2.0
    std: float = 0.02
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.modes >= 1 and self.radius > 0, "modes >= 1 and radius > 0")
        require(self, self.modes <= MOST_MODES, f"modes <= {MOST_MODES:,}")
        require(self, self.std >= 0 and self.count >= 1, "std >= 0 and count >= 1")
        require_room(self, self.count, 2, 8)

    def centres(self) -> Tensor:
        """Return the modes' centres (modes, 2), float32, in the order of the labels."""
        angle = torch.arange(self.modes, dtype=torch.float64) * (2 * math.pi / self.modes)
        return (self.radius * torch.stack([angle.cos(), angle.sin()], 1)).float()

    def log_density(self, x: Tensor) -> Tensor:
        """log p at points (N, 2), float64 (N,); `ValueError` for std = 0, which has none."""
        return _log_mixture(x, self.centres(), self.std)

    def open(self) -> Dataset:
        """Draw the points."""
        return _mixture(self, f"ring of {self.modes}", self.centres(), self.std, self.count, self.seed)


@dataclass(frozen=True)
class Grid:
    """A square grid of equal Gaussians in the plane, centred at 0, labelled by mode (VEEGAN).

    Args:
        side: number of Gaussians in each row and column.
        spacing: distance between neighbouring centres.
        std: standard deviation of each, in every direction.
        count: number of points.
        seed: random seed.
    """

    side: int = 5
    spacing: float = 2.0
    std: float = 0.05
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.side >= 1 and self.spacing > 0, "side >= 1 and spacing > 0")
        require(self, self.side**2 <= MOST_MODES, f"side * side <= {MOST_MODES:,}")
        require(self, self.std >= 0 and self.count >= 1, "std >= 0 and count >= 1")
        require_room(self, self.count, 2, 8)

    def centres(self) -> Tensor:
        """Return the modes' centres (side * side, 2), float32, in the order of the labels."""
        line = (torch.arange(self.side) - (self.side - 1) / 2) * self.spacing
        return torch.cartesian_prod(line, line).reshape(-1, 2)

    def log_density(self, x: Tensor) -> Tensor:
        """log p at points (N, 2), float64 (N,); `ValueError` for std = 0, which has none."""
        return _log_mixture(x, self.centres(), self.std)

    def open(self) -> Dataset:
        """Draw the points."""
        return _mixture(self, f"grid of {self.side}x{self.side}", self.centres(), self.std, self.count, self.seed)


@dataclass(frozen=True)
class GaussianMixture:
    """Equal Gaussians in any number of dimensions, labelled by mode, with random centres on a sphere around 0.

    Args:
        dimensions: number of dimensions.
        modes: number of Gaussians.
        radius: radius of the sphere.
        std: standard deviation of each, in every direction.
        layout: random seed of the centres; `seed` draws the points around them.
        count: number of points.
        seed: random seed.
    """

    dimensions: int = 64
    modes: int = 10
    radius: float = 4.0
    std: float = 0.1
    layout: int = 0
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.dimensions >= 1 and self.modes >= 1, "dimensions >= 1 and modes >= 1")
        require(self, self.modes <= MOST_MODES, f"modes <= {MOST_MODES:,}")
        require(self, self.radius > 0 and self.std >= 0, "radius > 0 and std >= 0")
        require(self, self.count >= 1, "count >= 1")
        require_room(self, max(self.count, self.modes), self.dimensions, 8)

    def centres(self) -> Tensor:
        """Return the modes' centres (modes, dimensions), float32, in the order of the labels."""
        random = torch.Generator().manual_seed(self.layout)
        directions = torch.randn(self.modes, self.dimensions, generator=random, dtype=torch.float64)
        return (self.radius * torch.nn.functional.normalize(directions)).float()

    def log_density(self, x: Tensor) -> Tensor:
        """log p at points (N, dimensions), float64 (N,); `ValueError` for std = 0, which has none."""
        return _log_mixture(x, self.centres(), self.std)

    def open(self) -> Dataset:
        """Draw the points."""
        name = f"{self.modes} Gaussians in {self.dimensions} dimensions"
        return _mixture(self, name, self.centres(), self.std, self.count, self.seed)


@dataclass(frozen=True)
class Gaussian1D:
    """A one-dimensional Gaussian, as in figure 1 of the 2014 paper.

    Args:
        mean: mean.
        std: standard deviation.
        count: number of points.
        seed: random seed.
    """

    mean: float = 4.0
    std: float = 0.5
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.std > 0 and self.count >= 1, "std > 0 and count >= 1")
        require_room(self, self.count, 8)

    def log_density(self, x: Tensor) -> Tensor:
        """log p at points (N, 1), float64 (N,)."""
        return _log_mixture(x, torch.tensor([[self.mean]]), self.std)

    def open(self) -> Dataset:
        """Draw the points."""
        x = self.mean + self.std * torch.randn(self.count, 1, generator=torch.Generator().manual_seed(self.seed))
        return in_memory("Gaussian on the line", x, made_by=self)


@dataclass(frozen=True)
class GaussianMixture1D:
    """A mixture of one-dimensional Gaussians, labelled by mode.

    Args:
        means: the mean of each.
        stds: the standard deviation of each.
        weights: relative weight of each, of any sum; empty for equal weights.
        count: number of points.
        seed: random seed.
    """

    means: tuple[float, ...] = (-2.0, 0.0, 3.0)
    stds: tuple[float, ...] = (0.4, 0.2, 0.6)
    weights: tuple[float, ...] = ()
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, 0 < len(self.means) == len(self.stds), "as many means as stds, at least one")
        require(self, len(self.weights) in (0, len(self.means)), "as many weights as means, or none")
        require(self, all(std > 0 for std in self.stds), "every std > 0")
        require(self, all(weight > 0 for weight in self.weights), "every weight > 0")
        require(self, self.count >= 1, "count >= 1")
        require_room(self, self.count, 8)

    def log_density(self, x: Tensor) -> Tensor:
        """log p at points (N, 1), float64 (N,)."""
        return _log_mixture(x, torch.tensor(self.means)[:, None], self.stds, self.weights)

    def open(self) -> Dataset:
        """Draw the points."""
        random = torch.Generator().manual_seed(self.seed)
        weights = torch.tensor(self.weights or (1.0,) * len(self.means))
        mode = torch.multinomial(weights, self.count, replacement=True, generator=random)
        noise = torch.randn(self.count, generator=random)
        x = torch.tensor(self.means)[mode] + torch.tensor(self.stds)[mode] * noise
        name = f"{len(self.means)} Gaussians on the line"
        return in_memory(name, x[:, None], mode, _numbers(len(self.means)), made_by=self)


def _mixture(made_by: object, name: str, centres: Tensor, std: float, count: int, seed: int) -> Dataset:
    """Draw points around centres (k, d) with equal weight and std, labelled by centre."""
    random = torch.Generator().manual_seed(seed)
    mode = torch.randint(len(centres), (count,), generator=random)
    x = centres[mode] + std * torch.randn(count, centres.shape[1], generator=random)
    return in_memory(name, x, mode, _numbers(len(centres)), made_by=made_by)


def _log_mixture(
    x: Tensor, centres: Tensor, stds: float | tuple[float, ...], weights: tuple[float, ...] = ()
) -> Tensor:
    """log sum_i weight_i N(x; centre_i, std_i^2 I), float64 (N,), of centres (k, d); weights of any sum, or equal."""
    sigma = torch.as_tensor(stds, dtype=torch.float64).expand(len(centres))
    if not bool((sigma > 0).all()):
        raise ValueError("points with a standard deviation of 0 have no density")
    share = torch.tensor(weights or (1.0,) * len(centres), dtype=torch.float64)
    scale = share.log() - share.sum().log() - centres.shape[1] * (sigma.log() + math.log(2 * math.pi) / 2)
    rows = [
        (
            scale
            - torch.cdist(part, centres.double(), compute_mode="donot_use_mm_for_euclid_dist").square() / (2 * sigma**2)
        ).logsumexp(1)
        for part in torch.split(x.cpu().double(), _ROWS)
    ]
    return torch.cat(rows)


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(count))
