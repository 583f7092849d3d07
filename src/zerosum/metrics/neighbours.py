"""What nearest neighbours tell: precision and recall, density and coverage, and copies of the training set."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._arrays import Array, tensors
from zerosum.metrics._cells import k_means
from zerosum.metrics._distances import Block, blocks, nearest, radii
from zerosum.metrics._features import check_features, check_pair, mean

_CELL = 10  # samples and held-out ones that a cell must hold to be counted


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


def precision_recall(real: Array, fake: Array, k: int = 3) -> PrecisionRecall:
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
    real, fake = tensors(real, fake)
    _check(real, fake, k, min(len(real), len(fake)))
    real_reach, fake_reach = radii(real, k), radii(fake, k)
    made, found = (torch.zeros(len(side), dtype=torch.bool, device=real_reach.device) for side in (fake, real))
    for block in blocks(real, fake):
        made[block.columns] |= _inside(block, real_reach[block.rows, None], closed=True).any(0)
        found[block.rows] |= _inside(block, fake_reach[None, block.columns], closed=True).any(1)
    return PrecisionRecall(float(made.double().mean()), float(found.double().mean()))


def density_coverage(real: Array, fake: Array, k: int = 5) -> DensityCoverage:
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
    real, fake = tensors(real, fake)
    _check(real, fake, k, len(real))
    reach = radii(real, k)
    within, covered = 0, torch.zeros(len(real), dtype=torch.bool, device=reach.device)
    for block in blocks(real, fake):
        inside = _inside(block, reach[block.rows, None], closed=False)
        within += int(inside.sum())
        covered[block.rows] |= inside.any(1)
    return DensityCoverage(within / (k * len(fake)), float(covered.double().mean()))


def _check(real: Tensor, fake: Tensor, k: int, count: int) -> None:
    check_pair(real, fake)
    if not 1 <= k < count:
        raise ValueError(f"k must be 1 or more and below the number of samples, {count}; found {k}")


def _inside(block: Block, reach: Tensor, closed: bool) -> Tensor:
    """Which pairs are within the squared radii, `(rows, 1)` around the rows or `(1, columns)` around the columns."""
    inside = block.squared <= reach if closed else block.squared < reach
    # Where rounding could decide, as between copies of a sample, the distance is computed from the differences.
    row, column = ((block.squared - reach).abs() <= block.doubt).nonzero(as_tuple=True)
    apart, near = block.exact(row, column), reach.expand_as(inside)[row, column]
    inside[row, column] = apart <= near if closed else apart < near
    return inside


@dataclass(frozen=True, eq=False)
class Memorisation:
    """Whether samples lie closer to the training set than held-out data do.

    Attributes:
        distances: from each sample to its nearest training sample, float64 `(N,)`.
        nearest: the index of that, int64 `(N,)`.
        held_out: from each held-out sample to its nearest training sample, float64 `(H,)`.
        closer: probability that a sample lies closer than a held-out one; 0.5 where they are alike, 1 for copies.
        statistic: C_T: a standard normal number (for one cell) where they are alike; far below 0 for copies, far above
            0 where samples are further from the training set than new data would be.
        p_value: probability of such a statistic or a lower one where they are alike: small for copies.
        cells: the statistic of each cell that was counted.
    """

    distances: Tensor
    nearest: Tensor
    held_out: Tensor
    closer: float
    statistic: float
    p_value: float
    cells: tuple[float, ...]

    def pairs(self, count: int) -> Tensor:
        """The closest ones, for a picture: indices of sample and training sample, `(count, 2)`, nearest first."""
        first = self.distances.argsort(stable=True)[:count]
        return torch.stack([first, self.nearest[first]], 1)


def nearest_neighbours(samples: Array, train: Array, held_out: Array, cells: int = 1, seed: int = 0) -> Memorisation:
    """Look for copies of the training set among samples (Meehan, Chaudhuri and Dasgupta 2020, arXiv 2004.05675).

    Distances alone say little: the yardstick is how near data lie that the generator was not trained on. Both sets of
    distances to the training set are ranked together; the Mann-Whitney statistic U counts the pairs in which the sample
    is further than the held-out one, and Z = (U - E U) / deviation(U), ties corrected, is normal where both are alike.
    Where data lie dense in one region and sparse in another, copies in one are seen better among their like: so the
    space may be cut into cells, by k-means of the training set, and the Z of the cells be averaged by the share of
    held-out data in each (C_T there). Cells with fewer than ten samples or ten held-out ones are left out. An average
    is 0 too where one cell is copied and another missed: look at `cells`.

    Args:
        samples, train, held_out: features, two or more samples each, of as many dimensions, any floating-point dtype.
        cells: how many; 1 is the whole space.
        seed: of the k-means.

    Raises:
        ValueError: for features of another kind, with NaN, of unlike dimensions, or for so many cells that none is
            filled.
    """
    samples, train, held_out = tensors(samples, train, held_out)
    for features, side in ((samples, "generated"), (held_out, "held-out"), (train, "training")):
        check_features(features, side)
        if features.shape[1] != samples.shape[1]:
            raise ValueError(
                f"all sides need as many dimensions; found {samples.shape[1]} generated and {features.shape[1]} {side}"
            )
    if not 1 <= cells <= len(train):
        raise ValueError(f"cells must be 1 to the {len(train)} training samples; found {cells}")
    squared, index = nearest(samples, train, 1)
    distances, held = squared[:, 0].sqrt(), nearest(held_out, train, 1)[0][:, 0].sqrt()
    closer = 1 - _above(distances, held)[0]
    centres = k_means(train, cells, seed) if cells > 1 else mean(train)[None]
    (of_samples, of_held), found = (nearest(side, centres, 1)[1][:, 0] for side in (samples, held_out)), []
    for cell in range(cells):
        these, those = distances[of_samples == cell], held[of_held == cell]
        if cells == 1 or min(len(these), len(those)) >= _CELL:
            found.append((len(those), _above(these, those)[1]))
    if not found:
        raise ValueError(f"of {cells} cells none holds {_CELL} samples and {_CELL} held-out ones: ask for fewer cells")
    shares = torch.tensor([share for share, _ in found], dtype=torch.float64)
    shares /= shares.sum()
    each = torch.tensor([z for _, z in found], dtype=torch.float64)
    statistic = float(shares @ each)
    below = math.erfc(-statistic / float(shares.norm()) / 2**0.5) / 2
    return Memorisation(distances, index[:, 0], held, closer, statistic, below, tuple(each.tolist()))


def _above(first: Tensor, second: Tensor) -> tuple[float, float]:
    """The probability that one of the first exceeds one of the second, ties by half, and its Mann-Whitney Z."""
    n, m = len(first), len(second)
    _, place, ties = torch.unique(torch.cat([first, second]), return_inverse=True, return_counts=True)
    ranks = (ties.cumsum(0) - (ties - 1) / 2).double()[place]
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    tied = float((ties.double() ** 3 - ties).sum()) / ((n + m) * (n + m - 1))
    variance = n * m / 12 * (n + m + 1 - tied)
    return u / (n * m), (u - n * m / 2) / variance**0.5 if variance > 0 else 0.0
