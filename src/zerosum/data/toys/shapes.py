"""Curves and areas in the plane, and a one-dimensional interval."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import MOST_MODES, require, require_room
from zerosum.data.dataset import Dataset, in_memory


@dataclass(frozen=True)
class Moons:
    """Two interleaving half circles of radius 1, labelled by moon, centred at 0.

    Args:
        noise: standard deviation of the noise added to the curve.
        count: number of points.
        seed: random seed.
    """

    noise: float = 0.05
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.noise >= 0 and self.count >= 1, "noise >= 0 and count >= 1")
        require_room(self, self.count, 2, 8)

    def open(self) -> Dataset:
        """Draw the points."""
        random = torch.Generator().manual_seed(self.seed)
        moon = torch.randint(2, (self.count,), generator=random)
        angle = math.pi * torch.rand(self.count, generator=random)
        upper = _plane(angle.cos() - 0.5, angle.sin() - 0.25)
        x = torch.where(moon[:, None] == 0, upper, -upper)
        return in_memory("moons", _blurred(x, self.noise, random), moon, ("upper", "lower"), made_by=self)


@dataclass(frozen=True)
class Circles:
    """Concentric circles around 0, equally likely, labelled by circle.

    Args:
        radii: the radius of each.
        noise: standard deviation of the noise added to the curve.
        count: number of points.
        seed: random seed.
    """

    radii: tuple[float, ...] = (1.0, 2.0)
    noise: float = 0.05
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, len(self.radii) >= 1 and all(radius > 0 for radius in self.radii), "radii > 0, at least one")
        require(self, self.noise >= 0 and self.count >= 1, "noise >= 0 and count >= 1")
        require_room(self, self.count, 2, 8)

    def log_density(self, x: Tensor) -> Tensor:
        """log p at points (N, 2), float64 (N,); `ValueError` for noise = 0, which has none.

        A circle of radius R with noise s has p(r) = exp(-(r^2 + R^2) / (2 s^2)) I0(r R / s^2) / (2 pi s^2) at radius r.
        """
        if not self.noise:
            raise ValueError("points with a standard deviation of 0 have no density")
        radii, variance = torch.tensor(self.radii, dtype=torch.float64), self.noise**2
        r = x.cpu().double().norm(dim=1)[:, None]
        bessel = torch.special.i0e(r * radii / variance).log()  # I0(y) exp(-y)
        parts: Tensor = bessel - (r - radii).square() / (2 * variance) - math.log(2 * math.pi * variance * len(radii))
        return parts.logsumexp(1)

    def open(self) -> Dataset:
        """Draw the points."""
        random = torch.Generator().manual_seed(self.seed)
        circle = torch.randint(len(self.radii), (self.count,), generator=random)
        angle = 2 * math.pi * torch.rand(self.count, generator=random)
        radius = torch.tensor(self.radii)[circle]
        x = _plane(radius * angle.cos(), radius * angle.sin())
        return in_memory("circles", _blurred(x, self.noise, random), circle, tuple(map(str, self.radii)), made_by=self)


@dataclass(frozen=True)
class Spiral:
    """Spiral arms from 0, labelled by arm, with density proportional to the radius along them.

    Args:
        arms: number of arms.
        turns: turns of each arm around 0; negative for clockwise.
        radius: outer radius.
        noise: standard deviation of the noise added to the curve.
        count: number of points.
        seed: random seed.
    """

    arms: int = 2
    turns: float = 1.5
    radius: float = 2.0
    noise: float = 0.03
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.arms >= 1 and self.radius > 0, "arms >= 1 and radius > 0")
        require(self, self.arms <= MOST_MODES, f"arms <= {MOST_MODES:,}")
        require(self, self.noise >= 0 and self.count >= 1, "noise >= 0 and count >= 1")
        require_room(self, self.count, 2, 8)

    def open(self) -> Dataset:
        """Draw the points."""
        random = torch.Generator().manual_seed(self.seed)
        arm = torch.randint(self.arms, (self.count,), generator=random)
        along = torch.rand(self.count, generator=random).sqrt()
        angle = 2 * math.pi * (self.turns * along + arm / self.arms)
        x = self.radius * _plane(along * angle.cos(), along * angle.sin())
        classes = tuple(f"arm {number}" for number in range(self.arms))
        return in_memory("spiral", _blurred(x, self.noise, random), arm, classes, made_by=self)


@dataclass(frozen=True)
class SwissRoll:
    """A two-dimensional swiss roll: a spiral of one and a half turns, from a third of the radius to the radius.

    Args:
        radius: outer radius.
        noise: standard deviation of the noise added to the curve.
        count: number of points.
        seed: random seed.
    """

    radius: float = 2.0
    noise: float = 0.03
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.radius > 0, "radius > 0")
        require(self, self.noise >= 0 and self.count >= 1, "noise >= 0 and count >= 1")
        require_room(self, self.count, 2, 8)

    def open(self) -> Dataset:
        """Draw the points."""
        random = torch.Generator().manual_seed(self.seed)
        along = (1 + 2 * torch.rand(self.count, generator=random)) / 3
        angle = 4.5 * math.pi * along
        x = self.radius * _plane(along * angle.cos(), along * angle.sin())
        return in_memory("swiss roll", _blurred(x, self.noise, random), made_by=self)


@dataclass(frozen=True)
class Checkerboard:
    """Uniform over the dark cells of a checkerboard, centred at 0: a density with sharp edges and holes.

    Args:
        side: number of cells in each row and column.
        cell: width of a cell.
        count: number of points.
        seed: random seed.
    """

    side: int = 4
    cell: float = 1.0
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.side >= 1 and self.cell > 0 and self.count >= 1, "side >= 1, cell > 0 and count >= 1")
        require_room(self, self.count, 2, 8)

    def log_density(self, x: Tensor) -> Tensor:
        """log p at points (N, 2), float64 (N,): -inf outside the dark cells."""
        place = (x.cpu().double() / self.cell + self.side / 2).floor()
        inside = ((place >= 0) & (place < self.side)).all(1) & (place.sum(1) % 2 == 0)
        area = (self.side**2 + 1) // 2 * self.cell**2
        return torch.where(inside, -math.log(area), -math.inf).double()

    def open(self) -> Dataset:
        """Draw the points."""
        random = torch.Generator().manual_seed(self.seed)
        cells = torch.cartesian_prod(torch.arange(self.side), torch.arange(self.side)).reshape(-1, 2)
        dark = cells[cells.sum(1) % 2 == 0]
        corner = dark[torch.randint(len(dark), (self.count,), generator=random)]
        x = corner + torch.rand(self.count, 2, generator=random) - self.side / 2
        return in_memory("checkerboard", self.cell * x, made_by=self)


@dataclass(frozen=True)
class Uniform1D:
    """The uniform distribution on an interval.

    Args:
        low: lower bound.
        high: upper bound.
        count: number of points.
        seed: random seed.
    """

    low: float = -1.0
    high: float = 1.0
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.low < self.high and self.count >= 1, "low < high and count >= 1")
        require_room(self, self.count, 8)

    def log_density(self, x: Tensor) -> Tensor:
        """log p at points (N, 1), float64 (N,): -inf outside the interval."""
        inside = (x[:, 0] >= self.low) & (x[:, 0] < self.high)
        return torch.where(inside, -math.log(self.high - self.low), -math.inf).double().cpu()

    def open(self) -> Dataset:
        """Draw the points."""
        u = torch.rand(self.count, 1, generator=torch.Generator().manual_seed(self.seed))
        return in_memory("interval", self.low + (self.high - self.low) * u, made_by=self)


def _plane(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack([x, y], 1)


def _blurred(x: Tensor, noise: float, random: torch.Generator) -> Tensor:
    return x + noise * torch.randn(x.shape, generator=random)
