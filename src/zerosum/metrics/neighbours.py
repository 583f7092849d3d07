"""Fidelity and variety by nearest neighbours: precision and recall, density and coverage."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.metrics._distances import Block, blocks, radii
from zerosum.metrics._features import check_pair


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1].

    Attributes:
        precision: of the generated samples, those within the real manifold: fidelity.
        recall: of the real samples, those within the generated manifold: variety.
    """

    precision: float
    recall: float


@dataclass(frozen=True)
class DensityCoverage:
    """What generated samples are to the neighbourhoods of real ones.

    Attributes:
        density: real neighbourhoods that a generated sample lies in, over k, on average: fidelity; 1 is the expectation
            for equal distributions, and samples crowded where real ones are dense exceed it.
        coverage: share of the real neighbourhoods with a generated sample in them, in [0, 1]: variety.
    """

    density: float
    coverage: float


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991, equations 1 and 2).

    The manifold of a set is the union of a closed ball around each sample that reaches to its k-th nearest neighbour in
    the set. The samples of one side that lie in the other's manifold are counted. One outlier among the real samples
    has a wide ball, see `density_coverage`. Both depend on N and k: compare at the same.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, more than k of each, of any floating-point dtype.
        k: which neighbour the balls reach to, 1 or more.

    Raises:
        ValueError: for features of another kind, with NaN, of unlike dimensions, or for k samples or fewer.
    """
    _check(real, fake, k, min(len(real), len(fake)))
    return PrecisionRecall(_share_within(real, fake, k), _share_within(fake, real, k))


def density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> DensityCoverage:
    """Density and coverage (Naeem et al. 2020, arXiv 2002.09797, equations 5 and 6).

    Around each real sample lies an open ball that reaches to its k-th nearest neighbour among the real ones. Density
    counts the balls that each generated sample lies in, so one wide ball counts little; coverage the balls that any
    lies in. For equal distributions coverage is near 1 - 1/2^k.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, more than k real ones, of any floating-point dtype.
        k: which neighbour the balls reach to, 1 or more.

    Raises:
        ValueError: for features of another kind, with NaN, of unlike dimensions, or for k real samples or fewer.
    """
    _check(real, fake, k, len(real))
    reach = radii(real, k)
    within, covered = 0, torch.zeros(len(real), dtype=torch.bool, device=reach.device)
    for block in blocks(real, fake):
        inside = _inside(block, reach, closed=False)
        within += int(inside.sum())
        covered[block.rows] |= inside.any(1)
    return DensityCoverage(within / (k * len(fake)), float(covered.double().mean()))


def _check(real: Tensor, fake: Tensor, k: int, count: int) -> None:
    check_pair(real, fake)
    if not 1 <= k < count:
        raise ValueError(f"k must be 1 or more and below the number of samples, {count}; found {k}")


def _share_within(centres: Tensor, points: Tensor, k: int) -> float:
    """The share of the points in some closed ball around a centre."""
    reach = radii(centres, k)
    found = torch.zeros(len(points), dtype=torch.bool, device=reach.device)
    for block in blocks(centres, points):
        found[block.columns] |= _inside(block, reach, closed=True).any(0)
    return float(found.double().mean())


def _inside(block: Block, reach: Tensor, closed: bool) -> Tensor:
    """Which points (columns) lie in the balls around which centres (rows), bool, for squared radii `(N,)`."""
    limit = reach[block.rows, None]
    inside = block.squared <= limit if closed else block.squared < limit
    # Where rounding could decide, as between copies of a sample, the distance is computed from the differences.
    row, column = ((block.squared - limit).abs() <= block.doubt).nonzero(as_tuple=True)
    apart = block.exact(row, column)
    near = reach[block.rows][row]
    inside[row, column] = apart <= near if closed else apart < near
    return inside
