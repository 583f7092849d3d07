"""The Frechet distance of Gaussians fitted to features (FID), extrapolated (FID infinity) and per class (intra FID)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._arrays import Array, described, tensors
from zerosum.metrics._features import check_pair, exact, in_chunks, mean
from zerosum.metrics.moments import Moments, moments_of

_MOST_PARTS, _STRAIGHT = 3, 2  # samples per dimension from which FID is linear in 1/N
_COLUMNS = 256  # columns and rows of a block of a product of which only one triangle is needed
_EPSILON = 2.0**-52
_ROUNDING = 4 * _EPSILON  # error of an eigenvalue, relative to the largest possible one
_SURE = 100  # multiple of the error above which the root of an eigenvalue is accurate
_LOST = 1e-11  # error of the trace, relative to both variances, above which the slower exact method is used


def frechet_distance(real: Array, fake: Array) -> float:
    """The squared Frechet distance of Gaussians fitted to two sets of features, FID (Heusel et al. 2017).

        FID = |m_r - m_f|^2 + tr S_r + tr S_f - 2 tr (S_r S_f)^(1/2)    (arXiv 1706.08500, equation 6)

    With covariances over N - 1. It is biased upwards for few samples, see `frechet_infinity`. With fewer samples than
    dimensions the trace is computed from Gram matrices; if both sets are small, no d x d matrix is formed.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, two or more samples each, of any floating-point dtype.

    Raises:
        ValueError: for invalid features, NaN, or different dimensions.
    """
    real, fake = tensors(real, fake)
    check_pair(real, fake)
    few, many = sorted((real, fake), key=len)
    n, m, d = len(few), len(many), few.shape[1]
    if n > d:
        return frechet_distance_from_moments(moments_of(few), moments_of(many))
    # With centred rows X and Y, tr (S_r S_f)^(1/2) is the sum of the singular values of X Y^T / sqrt((n-1)(m-1)).
    few_mean, many_mean = mean(few), mean(many)
    if n * m <= d * d:
        product = torch.empty(n, m, dtype=torch.float64, device=few_mean.device)
        for row, x in in_chunks(few):
            for column, y in in_chunks(many):
                product[row : row + len(x), column : column + len(y)] = (x - few_mean) @ (y - many_mean).T
        product /= (m - 1) ** 0.5
    else:  # Y by a root of its covariance, which has the same singular values and fewer columns
        product = (exact(few) - few_mean) @ _any_root(moments_of(many).covariance)
    variance = _variance(few, few_mean) + _variance(many, many_mean)
    return _distance(few_mean - many_mean, variance, _sum_of_singular_values(product / (n - 1) ** 0.5, variance))


def frechet_distance_from_moments(real: Moments, fake: Moments) -> float:
    """`frechet_distance` from the moments of features, each of two or more samples.

    tr (S_r S_f)^(1/2) is the sum of the roots of the eigenvalues of L^T S_f L with S_r = L L^T (Cholesky), which is
    symmetric: eigenvalues cannot be complex, and no matrix square root is needed. For a singular covariance (fewer
    samples than dimensions) L is the root over the eigenvectors with non-zero variance. If eigenvalues are so close to
    0 that rounding matters, the trace is the sum of the singular values of the product of two such roots, which avoids
    squaring them.
    """
    if real.mean.shape != fake.mean.shape:
        raise ValueError(
            f"real and fake features need equal dimensions; found {len(real.mean)} real and {len(fake.mean)} fake"
        )
    few, many = sorted((real, fake), key=lambda moments: moments.count)
    variance = few.variance + many.variance
    return _distance(real.mean - fake.mean, variance, _trace_of_root(few, many, variance))


@dataclass(frozen=True)
class FrechetInfinity:
    """A Frechet distance extrapolated to infinitely many samples, and the fitted line.

    Attributes:
        value: intercept of the line at 1/N = 0; about 0 for equal distributions, so it can be negative.
        slope: slope of the line: the bias of the distance, times the number of generated samples.
        standard_error: standard deviation of `value` over samples of this size, estimated from that between subsets.
        samples: generated samples per subset, for each point of the fit; the first is all of them.
        distances: the mean Frechet distance of subsets of that size, for each point.
    """

    value: float
    slope: float
    standard_error: float
    samples: tuple[float, ...]
    distances: tuple[float, ...]


def frechet_infinity(real: Array, fake: Array, splits: int = 3, seed: int = 0) -> FrechetInfinity:
    """FID extrapolated to infinitely many samples (FID infinity; Chong and Forsyth 2020, arXiv 1911.07023).

    The expectation of FID is the true distance plus c / N plus higher orders (section 3 there), so a line fitted to the
    distances at several N, over 1/N, estimates it by its intercept. Both sets are split at random into the same number
    of subsets, since both are biased: one, two and, with six samples per dimension or more, three. All samples are used
    at every point, and the distances of the subsets are averaged. The fit weights k subsets by 1/k^2, since FID is not
    linear in 1/N for few samples.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, four or more samples each, of any floating-point dtype.
        splits: number of random splits; the points are means over them.
        seed: seed of the splits.

    Raises:
        ValueError: for invalid features, NaN, different dimensions, or no split.
    """
    real, fake = tensors(real, fake)
    check_pair(real, fake, least=4)
    if splits < 1:
        raise ValueError(f"splits must be 1 or more; found {splits}")
    draw = torch.Generator().manual_seed(seed)
    cuts = 2 if min(len(real), len(fake)) < _MOST_PARTS * _STRAIGHT * real.shape[1] else _MOST_PARTS
    found = {parts: torch.zeros(splits, parts, dtype=torch.float64) for parts in range(2, cuts + 1)}
    for split in range(splits):
        orders = [torch.randperm(len(features), generator=draw).to(features.device) for features in (real, fake)]
        for parts, distances in found.items():
            pairs = zip(*(order.tensor_split(parts) for order in orders), strict=True)
            distances[split] = torch.tensor([frechet_distance(real[a], fake[b]) for a, b in pairs])
    points = [frechet_distance(real, fake), *(float(distances.mean()) for distances in found.values())]
    x = torch.arange(1, cuts + 1, dtype=torch.float64) / len(fake)
    line = torch.stack([torch.ones_like(x), x], 1) / x[:, None]  # rows weighted by 1 / x
    y = torch.tensor(points, dtype=torch.float64) / x
    value, slope = torch.linalg.lstsq(line, y[:, None]).solution[:, 0].tolist()
    error = torch.stack([distances.var(1).mean() / parts for parts, distances in found.items()]).mean().sqrt()
    return FrechetInfinity(value, slope, float(error), tuple((1 / x).tolist()), tuple(points))


@dataclass(frozen=True)
class IntraClassFrechet:
    """Frechet distances per class.

    Attributes:
        value: their unweighted mean.
        classes: the distance of each class, by label in ascending order.
    """

    value: float
    classes: dict[int, float]


def intra_class_frechet(real: Array, real_labels: Array, fake: Array, fake_labels: Array) -> IntraClassFrechet:
    """The mean over classes of the Frechet distance within a class (intra FID; Miyato and Koyama 2018).

    For conditional GANs (arXiv 1802.05637, section 4): it detects a class that is wrong or lacks diversity, where FID
    sees only the mixture of classes. The fewer samples per class, the larger its bias.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, of any floating-point dtype.
        real_labels, fake_labels: their classes, of an integer dtype, `(N,)` and `(M,)`: the same classes in both sets,
            with two or more samples each.

    Raises:
        ValueError: for invalid features or labels, or a class with fewer than two samples in a set.
    """
    real, real_labels, fake, fake_labels = tensors(real, real_labels, fake, fake_labels)
    check_pair(real, fake)
    for features, labels, name in ((real, real_labels, "real"), (fake, fake_labels, "fake")):
        if labels.shape != (len(features),) or labels.is_floating_point() or labels.is_complex():
            raise ValueError(
                f"{name} labels must be integers, one for each of {len(features)} samples; found {described(labels)}"
            )
    classes = torch.unique(torch.cat([real_labels.cpu(), fake_labels.cpu()])).tolist()
    pairs = {label: (real[real_labels == label], fake[fake_labels == label]) for label in classes}
    for label, (those, these) in pairs.items():
        if min(len(those), len(these)) < 2:
            raise ValueError(
                f"each class needs 2 or more samples in both sets; class {label} has {len(those)} real and "
                f"{len(these)} fake"
            )
    distances = {label: frechet_distance(those, these) for label, (those, these) in pairs.items()}
    return IntraClassFrechet(sum(distances.values()) / len(distances), distances)


def _distance(drift: Tensor, variance: float, root: float) -> float:
    return max(0.0, float(drift.square().sum()) + variance - 2 * root)


def _variance(features: Tensor, centre: Tensor) -> float:
    """The trace of the covariance."""
    return sum(float((part - centre).square().sum()) for _, part in in_chunks(features)) / (len(features) - 1)


def _trace_of_root(few: Moments, many: Moments, variance: float) -> float:
    """The trace of the root of the product of the covariances; matrices are freed early."""
    first, second = few.covariance, many.covariance
    error = _ROUNDING * float(first.norm() * second.norm())
    lower, failed = torch.linalg.cholesky_ex(first)
    if few.count > len(first) and not int(failed):
        del first
        square = torch.zeros_like(lower)
        for start in range(0, len(lower), _COLUMNS):
            # Only the lower triangle of L^T S L is used, and L is 0 above its diagonal.
            rest, columns = slice(start, None), slice(start, start + _COLUMNS)
            part = second[rest, rest] @ lower[rest, columns]
            for row in range(start, len(lower), _COLUMNS):
                rows = slice(row, row + _COLUMNS)
                square[rows, columns] = lower[row:, rows].T @ part[row - start :]
        del lower, second
        found = _sum_of_roots(torch.linalg.eigvalsh(square), error, variance)
        if found is not None:
            return found
        first, second = few.covariance, many.covariance
    root = _root(first)
    found = _sum_of_roots(torch.linalg.eigvalsh(root.T @ second @ root), error, variance)
    return float(torch.linalg.svdvals(root.T @ _root(second)).sum()) if found is None else found


def _root(covariance: Tensor) -> Tensor:
    """R `(d, rank)` with R R^T the covariance, over the eigenvectors with eigenvalues above rounding."""
    values, vectors = torch.linalg.eigh(covariance)
    kept = values > len(values) * _EPSILON * values[-1]
    root: Tensor = vectors[:, kept] * values[kept].sqrt()
    return root


def _any_root(covariance: Tensor) -> Tensor:
    """R with R R^T the covariance: the Cholesky factor if it exists, which takes a tenth of the time."""
    lower, failed = torch.linalg.cholesky_ex(covariance)
    return _root(covariance) if int(failed) else lower


def _sum_of_singular_values(product: Tensor, variance: float) -> float:
    """The sum of the singular values of a matrix `(n, m)` whose columns sum to 0."""
    n = len(product)
    # Its zero singular value would be computed as the root of a rounding error: it is replaced by a known number.
    known = float(product.norm()) / n**0.5
    square = torch.zeros(n, n, dtype=product.dtype, device=product.device)
    for start in range(0, n, _COLUMNS):
        square[start:, start : start + _COLUMNS] = product[start:] @ product[start : start + _COLUMNS].T
    squares = torch.linalg.eigvalsh(square + known**2 / n)
    found = _sum_of_roots(squares, _ROUNDING * float(squares[-1]), variance)
    return float(torch.linalg.svdvals(product).sum()) if found is None else found - known


def _sum_of_roots(squares: Tensor, error: float, variance: float) -> float | None:
    """The sum of the roots of eigenvalues with a given error each; None if the error of the sum is too large."""
    roots = squares.clamp_min(0).sqrt()
    inaccurate = roots[squares < _SURE * error]
    lost = float((error / (inaccurate + error**0.5)).sum())
    return None if lost > _LOST * variance else float(roots.sum())
