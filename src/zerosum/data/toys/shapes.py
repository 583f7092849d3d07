"""Curves and areas in the plane, and the interval on the line."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum.data.dataset import Dataset, in_memory


@dataclass(frozen=True)
class Moons:
    """Two half circles of radius 1 that reach into each other, labelled by moon, centred at 0.

    Args:
        noise: standard deviation of the points from their curve.
        count: how many points are drawn.
        seed: which points are drawn.
    """

    noise: float = 0.05
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.noise >= 0 and self.count >= 1, "noise >= 0 and count >= 1")

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
    """Circles round 0, labelled by circle, each equally likely.

    Args:
        radii: the radius of each.
        noise: standard deviation of the points from their curve.
        count: how many points are drawn.
        seed: which points are drawn.
    """

    radii: tuple[float, ...] = (1.0, 2.0)
    noise: float = 0.05
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, len(self.radii) >= 1 and all(radius > 0 for radius in self.radii), "radii > 0, at least one")
        require(self, self.noise >= 0 and self.count >= 1, "noise >= 0 and count >= 1")

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
    """Arms that wind out from 0, labelled by arm, with twice as many points at twice the radius.

    Args:
        arms: how many.
        turns: how often each winds round 0; negative ones wind clockwise.
        radius: where they end.
        noise: standard deviation of the points from their curve.
        count: how many points are drawn.
        seed: which points are drawn.
    """

    arms: int = 2
    turns: float = 1.5
    radius: float = 2.0
    noise: float = 0.03
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.arms >= 1 and self.radius > 0, "arms >= 1 and radius > 0")
        require(self, self.noise >= 0 and self.count >= 1, "noise >= 0 and count >= 1")

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
    """A swiss roll seen from its end: one curve that winds one and a half turns out, to its radius from a third of it.

    Args:
        radius: where it ends.
        noise: standard deviation of the points from their curve.
        count: how many points are drawn.
        seed: which points are drawn.
    """

    radius: float = 2.0
    noise: float = 0.03
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.radius > 0, "radius > 0")
        require(self, self.noise >= 0 and self.count >= 1, "noise >= 0 and count >= 1")

    def open(self) -> Dataset:
        """Draw the points."""
        random = torch.Generator().manual_seed(self.seed)
        along = (1 + 2 * torch.rand(self.count, generator=random)) / 3
        angle = 4.5 * math.pi * along
        x = self.radius * _plane(along * angle.cos(), along * angle.sin())
        return in_memory("swiss roll", _blurred(x, self.noise, random), made_by=self)


@dataclass(frozen=True)
class Checkerboard:
    """The dark cells of a checkerboard, filled evenly: a density with sharp edges and holes, centred at 0.

    Args:
        side: cells along one side.
        cell: the side of a cell.
        count: how many points are drawn.
        seed: which points are drawn.
    """

    side: int = 4
    cell: float = 1.0
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.side >= 1 and self.cell > 0 and self.count >= 1, "side >= 1, cell > 0 and count >= 1")

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
    """Points spread evenly over an interval of the line.

    Args:
        low: where it starts.
        high: where it ends.
        count: how many points are drawn.
        seed: which points are drawn.
    """

    low: float = -1.0
    high: float = 1.0
    count: int = 50_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self, self.low < self.high and self.count >= 1, "low < high and count >= 1")

    def open(self) -> Dataset:
        """Draw the points."""
        u = torch.rand(self.count, 1, generator=torch.Generator().manual_seed(self.seed))
        return in_memory("interval", self.low + (self.high - self.low) * u, made_by=self)


def _plane(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack([x, y], 1)


def _blurred(x: Tensor, noise: float, random: torch.Generator) -> Tensor:
    return x + noise * torch.randn(x.shape, generator=random)
