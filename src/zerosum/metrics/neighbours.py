"""Metrics by nearest neighbours: precision and recall, density and coverage, and memorisation (C_T)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._arrays import Array, tensors
from zerosum.metrics._cells import k_means
from zerosum.metrics._distances import Block, blocks, nearest, radii, radii_without
from zerosum.metrics._features import check_features, check_pair, mean
from zerosum.metrics.jackknife import groups, jackknife

_CELL = 10  # samples and held-out samples that a cell needs to be counted


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1].

    Attributes:
        precision: share of generated samples within the real manifold: fidelity.
        recall: share of real samples within the generated manifold: diversity.
        precision_error, recall_error: their standard errors over generated sets of this size, with the real one fixed;
            None for too few samples.
    """

    precision: float
    recall: float
    precision_error: float | None = None
    recall_error: float | None = None


@dataclass(frozen=True)
class DensityCoverage:
    """Generated samples in the neighbourhoods of real ones.

    Attributes:
        density: mean number of real neighbourhoods that contain a generated sample, over k: fidelity; its expectation
            for equal distributions is 1, exceeded by samples concentrated where real ones are dense.
        coverage: share of real neighbourhoods that contain a generated sample, in [0, 1]: diversity.
        density_error, coverage_error: their standard errors over generated sets of this size, with the real one fixed;
            None for too few samples.
    """

    density: float
    coverage: float
    density_error: float | None = None
    coverage_error: float | None = None


def precision_recall(real: Array, fake: Array, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv 1904.06991, equations 1 and 2).

    The manifold of a set is the union of closed balls around each sample with the radius of its k-th nearest neighbour
    in the set. The samples of one set that lie in the other's manifold are counted. An outlier among the real samples
    has a large ball, see `density_coverage`. Both depend on N and k: compare at equal values. The error of recall is
    that of the delete-a-group jackknife over ten groups of consecutive generated samples.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, more than k of each, of any floating-point dtype.
        k: the neighbour that sets the radius of a ball, 1 or more.

    Raises:
        ValueError: for invalid features, NaN, different dimensions, or k samples or fewer.
    """
    real, fake = tensors(real, fake)
    _check(real, fake, k, min(len(real), len(fake)))
    parts = _parts(len(fake), k)
    real_radii, (fake_radii, without) = radii(real, k), radii_without(fake, k, parts)
    made, found = (torch.zeros(len(x), dtype=torch.bool, device=real_radii.device) for x in (fake, real))
    found_without = found.new_zeros(len(real), without.shape[1])
    for block in blocks(real, fake):
        made[block.columns] |= _inside(block, real_radii[block.rows, None], closed=True).any(0)
        found[block.rows] |= _inside(block, fake_radii[None, block.columns], closed=True).any(1)
        least = block.squared - block.rounding  # the estimate of an error need not be exact
        for part in range(without.shape[1]):
            found_without[block.rows, part] |= (least <= without[None, block.columns, part]).any(1)
    return PrecisionRecall(
        float(made.double().mean()),
        float(found.double().mean()),
        _error_of_mean(made),
        _error_without(found_without),
    )


def density_coverage(real: Array, fake: Array, k: int = 5) -> DensityCoverage:
    """Density and coverage (Naeem et al. 2020, arXiv 2002.09797, equations 5 and 6).

    Around each real sample lies an open ball with the radius of its k-th nearest real neighbour. Density counts the
    balls that contain each generated sample, so one large ball matters little; coverage counts the balls that contain
    any. For equal distributions coverage is about 1 - 1/2^k. The error of coverage is that of the delete-a-group
    jackknife over ten groups of consecutive generated samples.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, more than k real ones, of any floating-point dtype.
        k: the neighbour that sets the radius of a ball, 1 or more.

    Raises:
        ValueError: for invalid features, NaN, different dimensions, or k real samples or fewer.
    """
    real, fake = tensors(real, fake)
    _check(real, fake, k, len(real))
    real_radii = radii(real, k)
    parts = groups(len(fake))
    within = torch.zeros(len(fake), dtype=torch.int64, device=real_radii.device)
    covered = torch.zeros(len(real), len(parts), dtype=torch.bool, device=real_radii.device)  # by each group
    for block in blocks(real, fake):
        inside = _inside(block, real_radii[block.rows, None], closed=False)
        within[block.columns] += inside.sum(0)
        for number, part in enumerate(parts):
            first, last = (max(0, edge - block.columns.start) for edge in (part.start, part.stop))
            covered[block.rows, number] |= inside[:, first:last].any(1)
    others = covered.sum(1, keepdim=True) - covered.int()  # groups, without each one, that cover a real sample
    return DensityCoverage(
        float(within.sum()) / (k * len(fake)),
        float(covered.any(1).double().mean()),
        _error_of_mean(within.double() / k),
        _error_without(others > 0),
    )


def _check(real: Tensor, fake: Tensor, k: int, count: int) -> None:
    check_pair(real, fake)
    if not 1 <= k < count:
        raise ValueError(f"k must be 1 or more and below the number of samples, {count}; found {k}")


def _parts(count: int, k: int) -> list[slice]:
    """Groups of generated samples without each of which there are more than k; one where there are too few."""
    parts = groups(count)
    largest = max(part.stop - part.start for part in parts)
    return parts if count - largest > k else [slice(0, count)]


def _error_of_mean(values: Tensor) -> float | None:
    return float(values.double().std()) / len(values) ** 0.5 if len(values) > 1 else None


def _error_without(found: Tensor) -> float | None:
    """The jackknife error of a share of real samples, from those that count without each group, `(N, groups)`."""
    return jackknife(found.double().mean(0).tolist())


def _inside(block: Block, radius: Tensor, closed: bool) -> Tensor:
    """Which pairs are within the squared radii, `(rows, 1)` around the rows or `(1, columns)` around the columns."""
    inside = block.squared <= radius if closed else block.squared < radius
    # Where rounding could decide, as between copies of a sample, the distance is computed from the differences.
    row, column = ((block.squared - radius).abs() <= block.rounding).nonzero(as_tuple=True)
    apart, limit = block.exact(row, column), radius.expand_as(inside)[row, column]
    inside[row, column] = apart <= limit if closed else apart < limit
    return inside


@dataclass(frozen=True, eq=False)
class Memorisation:
    """Whether samples are closer to the training set than held-out data (memorisation, overfitting).

    Attributes:
        distances: distance of each sample to its nearest training sample, float64 `(N,)`.
        nearest: index of that training sample, int64 `(N,)`.
        held_out: distance of each held-out sample to its nearest training sample, float64 `(H,)`.
        closer: probability that a sample is closer than a held-out one; 0.5 for equal distributions, 1 for copies.
        statistic: C_T: standard normal (for one cell) for equal distributions; far below 0 for copies, far above 0 if
            samples are further from the training set than held-out data.
        p_value: probability of such a statistic or a lower one for equal distributions: small for copies.
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
        """The closest pairs, for a figure: indices of sample and training sample, `(count, 2)`, nearest first."""
        first = self.distances.argsort(stable=True)[:count]
        return torch.stack([first, self.nearest[first]], 1)


def nearest_neighbours(samples: Array, train: Array, held_out: Array, cells: int = 1, seed: int = 0) -> Memorisation:
    """Test samples for copies of the training set (C_T; Meehan, Chaudhuri and Dasgupta 2020, arXiv 2004.05675).

    Distances to the training set are compared with those of held-out data. Both are ranked together; the Mann-Whitney
    statistic U counts the pairs in which the sample is further than the held-out one, and Z = (U - E U) / std(U),
    corrected for ties, is standard normal for equal distributions. If the density of the data varies, copies are
    detected better locally: the space may be partitioned into cells, by k-means of the training set, and the Z of the
    cells averaged, weighted by the share of held-out data in each (C_T there). Cells with fewer than ten samples or ten
    held-out ones are left out. The average can also be 0 if one cell is copied and another missed: see `cells`.

    Args:
        samples, train, held_out: features, two or more samples each, of equal dimensions, any floating-point dtype.
        cells: number of cells; 1 is the whole space.
        seed: seed of the k-means.

    Raises:
        ValueError: for invalid features, NaN, different dimensions, or so many cells that none has enough samples.
    """
    samples, train, held_out = tensors(samples, train, held_out)
    for features, name in ((samples, "generated"), (held_out, "held-out"), (train, "training")):
        check_features(features, name)
        if features.shape[1] != samples.shape[1]:
            raise ValueError(
                f"all features need equal dimensions; found {samples.shape[1]} generated and {features.shape[1]} {name}"
            )
    if not 1 <= cells <= len(train):
        raise ValueError(f"cells must be 1 to the {len(train)} training samples; found {cells}")
    squared, index = nearest(samples, train, 1)
    distances, reference = squared[:, 0].sqrt(), nearest(held_out, train, 1)[0][:, 0].sqrt()
    closer = 1 - _above(distances, reference)[0]
    centres = k_means(train, cells, seed) if cells > 1 else mean(train)[None]
    (of_samples, of_held_out), found = (nearest(x, centres, 1)[1][:, 0] for x in (samples, held_out)), []
    for cell in range(cells):
        these, those = distances[of_samples == cell], reference[of_held_out == cell]
        if cells == 1 or min(len(these), len(those)) >= _CELL:
            found.append((len(those), _above(these, those)[1]))
    if not found:
        raise ValueError(f"none of {cells} cells has {_CELL} samples and {_CELL} held-out ones: choose fewer cells")
    shares = torch.tensor([share for share, _ in found], dtype=torch.float64)
    shares /= shares.sum()
    each = torch.tensor([z for _, z in found], dtype=torch.float64)
    statistic = float(shares @ each)
    below = math.erfc(-statistic / float(shares.norm()) / 2**0.5) / 2
    return Memorisation(distances, index[:, 0], reference, closer, statistic, below, tuple(each.tolist()))


def _above(first: Tensor, second: Tensor) -> tuple[float, float]:
    """The probability that one of the first exceeds one of the second, ties by half, and its Mann-Whitney Z."""
    n, m = len(first), len(second)
    _, place, ties = torch.unique(torch.cat([first, second]), return_inverse=True, return_counts=True)
    ranks = (ties.cumsum(0) - (ties - 1) / 2).double()[place]
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    tied = float((ties.double() ** 3 - ties).sum()) / ((n + m) * (n + m - 1))
    variance = n * m / 12 * (n + m + 1 - tied)
    return u / (n * m), (u - n * m / 2) / variance**0.5 if variance > 0 else 0.0
