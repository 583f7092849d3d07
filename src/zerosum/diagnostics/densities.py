"""Densities of points on the line and in the plane: the optimal discriminator, and the Jensen-Shannon divergence.

A distribution is given by its mass in each of equal cells of a window, and outside. So every quantity is finite, and
what falls within one cell is not resolved: the divergence of masses is a lower bound of that of densities, which it
approaches as the cells become small.
"""

__all__ = ["density_masses", "optimal_discriminator"]

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.metrics.divergences import js_divergence
from zerosum.runs.frames import lattice

CELLS = {1: 2_048, 2: 512}  # in each direction, by the number of dimensions
_BANDWIDTHS = 11  # tried, each the root of two times the one before


def optimal_discriminator(log_p: Tensor, log_q: Tensor) -> Tensor:
    """D*(x) = p(x) / (p(x) + q(x)), of any shape, from the logarithms of the densities of real and generated points.

    The discriminator that maximises the value of the game (Goodfellow et al. 2014, arXiv 1406.2661, proposition 1). It
    is accurate where both densities are too small for a float, 1 where only q is 0, and 0 where only p is; where both
    are, no D is better than another, and it is nan.

    Raises `ValueError` for densities that are nan or infinite.
    """
    for name, log in (("p", log_p), ("q", log_q)):
        if bool((log.isnan() | (log == math.inf)).any()):
            raise ValueError(f"a density is a finite number of at least 0; {name} is nan or infinite at some points")
    return torch.where((log_p == -math.inf) & (log_q == -math.inf), math.nan, torch.sigmoid(log_p - log_q))


@dataclass(frozen=True, eq=False)
class Masses:
    """A distribution of points in d dimensions as its mass in equal cells of a window.

    Attributes:
        low, high: corners of the window `(d,)`, float64.
        inside: the mass of each cell `(n,) * d`, float64; the rest of 1 lies outside.
        blur: standard deviation of the Gaussian that the distribution is blurred by; 0 for none.
    """

    low: Tensor
    high: Tensor
    inside: Tensor
    blur: float = 0.0

    @property
    def outside(self) -> float:
        """The mass outside the window."""
        return max(0.0, 1 - float(self.inside.sum()))

    @property
    def cell(self) -> Tensor:
        """The size of a cell in each direction `(d,)`."""
        return (self.high - self.low) / torch.tensor(self.inside.shape)

    @property
    def density(self) -> Tensor:
        """The density in each cell, of the shape of `inside`."""
        return self.inside / float(self.cell.prod())

    def js(self, other: "Masses") -> float:
        """The Jensen-Shannon divergence of two distributions on the same cells, in nats: from 0 to log 2.

        What lies outside the window counts as one cell. Raises `ValueError` for other cells.
        """
        same = torch.equal(self.low, other.low) and torch.equal(self.high, other.high)
        if not same or self.inside.shape != other.inside.shape:
            raise ValueError("the divergence is between distributions on the same cells")
        p, q = (torch.cat([one.inside.flatten(), torch.tensor([one.outside]).double()]) for one in (self, other))
        return js_divergence(p / p.sum(), q / q.sum())

    def optimal(self, generated: "Masses", least: float = 0.0) -> Tensor:
        """The optimal discriminator in each cell, against generated points: p / (p + q).

        It is nan where both masses are 0, or their sum at most `least`.
        """
        p, q = self.inside, generated.inside
        found = optimal_discriminator(p.log(), q.log())
        return torch.where(p + q > least, found, math.nan)

    def coarser(self, factor: int) -> "Masses":
        """The same in cells `factor` times as wide; the number of cells in each direction must divide by it."""
        n, d = self.inside.shape[0] // factor, self.inside.dim()
        total = self.inside.reshape((n, factor) * d).sum([*range(1, 2 * d, 2)])
        return Masses(self.low, self.high, total, self.blur)

    def at(self, points: Tensor) -> Tensor:
        """The density at points `(N, d)`: that of their cells, and 0 outside."""
        index, inside = _cells(points, self.low, self.high, self.inside.shape[0])
        found = torch.zeros(len(points), dtype=torch.float64)
        found[inside] = self.density.flatten()[index]
        return found

    def blurred(self, blur: float) -> "Masses":
        """The distribution of points to which Gaussian noise of standard deviation `blur` is added; 0 for the same.

        Mass that leaves the window counts as outside.
        """
        if not blur:
            return self
        total = self.inside
        for axis, size in enumerate(self.cell.tolist()):
            total = torch.tensordot(_kernel(total.shape[axis], blur / size), total.movedim(axis, 0), 1).movedim(0, axis)
        return Masses(self.low, self.high, total, math.hypot(self.blur, blur))


def density_masses(log_density: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, n: int = 0) -> Masses:
    """The masses of a distribution of known density, by the midpoint rule.

    Args:
        log_density: maps points `(N, d)` to the logarithm of the density there.
        low, high: corners of the window `(d,)`, float64.
        n: cells in each direction; by default 2,048 on the line and 512 in the plane.

    Raises:
        ValueError: for a density that is nan or infinite in the middle of a cell, and where the masses add up to more
            than 1.01, as of a density that is much narrower than a cell.
    """
    n, d = n or CELLS[len(low)], len(low)
    log = log_density(lattice(low, high, n)).double()
    if bool((log.isnan() | (log == math.inf)).any()):
        raise ValueError("a density is a finite number of at least 0; this one is nan or infinite at some points")
    inside = log.exp().reshape((n,) * d) * float(((high - low) / n).prod())
    if not inside.sum() <= 1.01:
        raise ValueError(f"a density has a mass of 1; in cells of {n} by direction this one has {inside.sum():.3g}")
    return Masses(low, high, inside / max(1.0, float(inside.sum())))


def kernel_masses(points: Tensor, low: Tensor, high: Tensor, bandwidth: float, n: int = 0) -> Masses:
    """The masses of the distribution of points `(N, d)`, estimated with a Gaussian kernel.

    The estimate is that of the distribution blurred by the bandwidth (Parzen 1962). Args and `n` as `density_masses`;
    `bandwidth` is the standard deviation of the kernel, 0 for a histogram. Raises `ValueError` for points with nan.
    """
    n = n or CELLS[len(low)]
    index, _ = _cells(points, low, high, n)
    inside = torch.bincount(index, minlength=n ** len(low)).double().reshape((n,) * len(low)) / len(points)
    return Masses(low, high, inside).blurred(bandwidth)


def pushed_masses(values: Tensor, low: Tensor, high: Tensor, n: int = 0) -> Masses:
    """The masses of G(z) on the line, from its values `(N, 1)` at the quantiles (i + 1/2) / N of a latent z.

    Between two neighbours the map is taken as linear, so that the mass 1 / N between them is spread evenly (the change
    of variables); the two ends have 1 / (2 N) each. Exact for maps that are linear there.
    """
    n, x = n or CELLS[1], _finite(values)[:, 0]
    cell = float(high - low) / n
    left, right = torch.minimum(x[:-1], x[1:]), torch.maximum(x[:-1], x[1:])
    # Every cell that a segment meets within the window, and the part of the segment in it.
    first, last = (((ends - low) / cell).floor().clamp(-1, n).long() for ends in (left, right))
    counts = last - first + 1
    segment = torch.repeat_interleave(torch.arange(len(counts)), counts)
    index = first[segment] + torch.arange(len(segment)) - (counts.cumsum(0) - counts)[segment]
    start, width = low + cell * index, (right - left)[segment]
    part = torch.minimum(right[segment], start + cell) - torch.maximum(left[segment], start)
    share = torch.where(width > 0, part.clamp_min(0) / width, 1.0)
    kept = (index >= 0) & (index < n)
    inside = torch.zeros(n, dtype=torch.float64).index_add_(0, index[kept], share[kept])
    ends, _ = _cells(x[[0, -1]][:, None], low, high, n)
    inside.index_add_(0, ends, torch.full((len(ends),), 0.5, dtype=torch.float64))
    return Masses(low, high, inside / len(x))


def chosen_bandwidth(points: Tensor, low: Tensor, high: Tensor) -> float:
    """The standard deviation of a Gaussian kernel for points `(N, d)`, by the likelihood of each under the others.

    Of a cell's size and multiples of it by the root of two, the one of the largest mean log density, leaving the point
    itself out, mixed with 1 % of the uniform density so that single points far away do not decide (Duin 1976).
    """
    cell = float(((high - low) / CELLS[len(low)]).max())
    area = float((high - low).prod())

    def likelihood(bandwidth: float) -> float:
        others = leave_one_out(kernel_masses(points, low, high, bandwidth), points)
        return float((0.99 * others + 0.01 / area).log().mean())

    return max((cell * 2 ** (step / 2) for step in range(_BANDWIDTHS)), key=likelihood)


def leave_one_out(masses: Masses, points: Tensor) -> Tensor:
    """The kernel density at each of the points `(N, d)` of `kernel_masses`, estimated from the others, `(N,)`."""
    own = math.prod(float(_kernel(3, masses.blur / size)[1, 1] / size) for size in masses.cell.tolist())
    return ((len(points) * masses.at(points) - own) / max(len(points) - 1, 1)).clamp_min(0)


def _kernel(n: int, width: float) -> Tensor:
    """The matrix `(n, n)` that blurs cells by a Gaussian of standard deviation `width`, in cells, without its ends."""
    apart = torch.arange(1 - n, n, dtype=torch.float64)
    reach = torch.arange(-math.ceil(9 * width), math.ceil(9 * width) + 1, dtype=torch.float64)
    weights, total = (torch.exp(-(cells**2) / (2 * width**2)) for cells in (apart, reach))
    return (weights / total.sum()).unfold(0, n, 1).flip(1)  # row i has the weights of i - j


def _cells(points: Tensor, low: Tensor, high: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The index of the cell of each point within the window `(K,)`, and which points these are `(N,)`."""
    place = ((_finite(points) - low) / (high - low) * n).floor()
    inside = ((place >= 0) & (place < n)).all(1)
    kept = place[inside].long()
    index = kept[:, 0]
    for axis in range(1, kept.shape[1]):
        index = index * n + kept[:, axis]
    return index, inside


def _finite(points: Tensor) -> Tensor:
    if bool(points.isnan().any()):
        raise ValueError("a distribution is estimated from points, and some of these are nan")
    return points.double()
