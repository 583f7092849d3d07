"""The Frechet distance of features taken as Gaussians (FID), without its bias (FID infinity) and class by class."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._arrays import Array, described, tensors
from zerosum.metrics._features import check_pair, exact, in_chunks, mean
from zerosum.metrics.moments import Moments, moments_of

_MOST_PARTS, _STRAIGHT = 3, 2  # parts of at least so many samples a dimension: there FID is straight in 1/N
_COLUMNS = 256  # columns, and rows, of a product at a time, where half of it is all that is needed
_EPSILON = 2.0**-52
_ROUNDING = 4 * _EPSILON  # error of an eigenvalue, as a share of the largest that there could be
_SURE = 100  # errors above which an eigenvalue's root is known well, and its error is by chance above or below
_LOST = 1e-11  # error of the trace, as a share of both variances, above which the slow and exact way is gone


def frechet_distance(real: Array, fake: Array) -> float:
    """The squared Frechet distance of the Gaussians with the mean and covariance of features (Heusel et al. 2017).

        FID = |m_r - m_f|^2 + tr S_r + tr S_f - 2 tr (S_r S_f)^(1/2)    (arXiv 1706.08500, equation 6)

    With covariances over N - 1. It is biased upwards for few samples, see `frechet_infinity`. Where there are fewer
    samples than dimensions the trace is computed among samples, and where both are few no d x d matrix is made.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, two or more samples each, of any floating-point dtype.

    Raises:
        ValueError: for features of another kind, with NaN, or of unlike dimensions.
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
    """The same from moments of features, which is all it depends on; each of two or more samples.

    tr (S_r S_f)^(1/2) is the sum of the roots of the eigenvalues of L^T S_f L with S_r = L L^T (Cholesky), which is
    symmetric: eigenvalues cannot come out complex, and no root of a matrix is taken. Of a singular covariance, as of
    fewer samples than dimensions, L is the root over the eigenvectors that carry variance. Where eigenvalues are still
    so near 0 that rounding would show, the trace is the sum of the singular values of the product of two such roots;
    then no eigenvalue is squared.
    """
    if real.mean.shape != fake.mean.shape:
        raise ValueError(f"both sides need as many dimensions; found {len(real.mean)} real and {len(fake.mean)} fake")
    few, many = sorted((real, fake), key=lambda side: side.count)
    variance = few.variance + many.variance
    return _distance(real.mean - fake.mean, variance, _trace_of_root(few, many, variance))


@dataclass(frozen=True)
class FrechetInfinity:
    """A Frechet distance as it would be for endless samples, and the straight line that says so.

    Attributes:
        value: where the line meets 1/N = 0; around 0 for equal distributions, so it can be below 0.
        slope: of the line: the bias of the distance, times the number of generated samples.
        standard_error: the deviation of `value` over draws of as many samples, estimated from that between parts.
        samples: generated samples a part, for each point of the fit; the first is all of them.
        distances: the mean Frechet distance of parts of that size, for each point.
    """

    value: float
    slope: float
    standard_error: float
    samples: tuple[float, ...]
    distances: tuple[float, ...]


def frechet_infinity(real: Array, fake: Array, splits: int = 3, seed: int = 0) -> FrechetInfinity:
    """The Frechet distance extrapolated to endless samples (FID infinity; Chong and Forsyth 2020, arXiv 1911.07023).

    The expectation of FID is the true distance plus c / N and less (section 3 there), so a straight line through the
    distances at several N, over 1/N, meets it at 0. Here both sides are cut at random into as many parts, since both
    biases count: one, two and, with six samples a dimension or more, three. All samples serve at every point, and the
    distances of the parts are averaged. The fit weighs k parts by 1/k^2, as the line bends towards few samples.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, four or more samples each, of any floating-point dtype.
        splits: how often they are cut anew; the points are means over the cuts.
        seed: of the cuts.

    Raises:
        ValueError: for features of another kind, with NaN, of unlike dimensions, or no split.
    """
    real, fake = tensors(real, fake)
    check_pair(real, fake, least=4)
    if splits < 1:
        raise ValueError(f"splits must be 1 or more; found {splits}")
    draw = torch.Generator().manual_seed(seed)
    cuts = 2 if min(len(real), len(fake)) < _MOST_PARTS * _STRAIGHT * real.shape[1] else _MOST_PARTS
    found = {parts: torch.zeros(splits, parts, dtype=torch.float64) for parts in range(2, cuts + 1)}
    for split in range(splits):
        orders = [torch.randperm(len(side), generator=draw).to(side.device) for side in (real, fake)]
        for parts, distances in found.items():
            pairs = zip(*(order.tensor_split(parts) for order in orders), strict=True)
            distances[split] = torch.tensor([frechet_distance(real[a], fake[b]) for a, b in pairs])
    points = [frechet_distance(real, fake), *(float(distances.mean()) for distances in found.values())]
    x = torch.arange(1, cuts + 1, dtype=torch.float64) / len(fake)
    line = torch.stack([torch.ones_like(x), x], 1) / x[:, None]  # each point's row over its spread, which grows as x
    y = torch.tensor(points, dtype=torch.float64) / x
    value, slope = torch.linalg.lstsq(line, y[:, None]).solution[:, 0].tolist()
    error = torch.stack([distances.var(1).mean() / parts for parts, distances in found.items()]).mean().sqrt()
    return FrechetInfinity(value, slope, float(error), tuple((1 / x).tolist()), tuple(points))


@dataclass(frozen=True)
class IntraClassFrechet:
    """Frechet distances class by class.

    Attributes:
        value: their mean, each class counting alike.
        classes: the distance of each class, by its label in ascending order.
    """

    value: float
    classes: dict[int, float]


def intra_class_frechet(real: Array, real_labels: Array, fake: Array, fake_labels: Array) -> IntraClassFrechet:
    """The mean over classes of the Frechet distance within the class (intra FID; Miyato and Koyama 2018).

    For conditional games (arXiv 1802.05637, section 4): it sees a class that is drawn wrongly, or without variety,
    where the distance over all classes sees their mixture only. The fewer samples a class, the larger its bias.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, of any floating-point dtype.
        real_labels, fake_labels: their classes, of an integer dtype, `(N,)` and `(M,)`: the same classes on both sides,
            with two or more samples each.

    Raises:
        ValueError: for features or labels of another kind, or for a class without two samples on a side.
    """
    real, real_labels, fake, fake_labels = tensors(real, real_labels, fake, fake_labels)
    check_pair(real, fake)
    for features, labels, side in ((real, real_labels, "real"), (fake, fake_labels, "fake")):
        if labels.shape != (len(features),) or labels.is_floating_point() or labels.is_complex():
            raise ValueError(
                f"{side} labels must be integers, one for each of {len(features)} samples; found {described(labels)}"
            )
    classes = torch.unique(torch.cat([real_labels.cpu(), fake_labels.cpu()])).tolist()
    sides = {label: (real[real_labels == label], fake[fake_labels == label]) for label in classes}
    for label, (those, these) in sides.items():
        if min(len(those), len(these)) < 2:
            raise ValueError(
                f"each class needs 2 or more samples on both sides; class {label} has {len(those)} real and "
                f"{len(these)} fake"
            )
    distances = {label: frechet_distance(those, these) for label, (those, these) in sides.items()}
    return IntraClassFrechet(sum(distances.values()) / len(distances), distances)


def _distance(drift: Tensor, variance: float, root: float) -> float:
    return max(0.0, float(drift.square().sum()) + variance - 2 * root)


def _variance(features: Tensor, centre: Tensor) -> float:
    """The trace of the covariance."""
    return sum(float((part - centre).square().sum()) for _, part in in_chunks(features)) / (len(features) - 1)


def _trace_of_root(few: Moments, many: Moments, variance: float) -> float:
    """The trace of the root of the product of the covariances; a matrix is let go when it has served."""
    first, second = few.covariance, many.covariance
    error = _ROUNDING * float(first.norm() * second.norm())
    lower, failed = torch.linalg.cholesky_ex(first)
    if few.count > len(first) and not int(failed):
        del first
        square = torch.zeros_like(lower)
        for start in range(0, len(lower), _COLUMNS):
            # The lower triangle of L^T S L is all that is read, and L is 0 above its diagonal.
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
    """R `(d, rank)` with R R^T the covariance, over the eigenvectors whose eigenvalue is more than rounding."""
    values, vectors = torch.linalg.eigh(covariance)
    kept = values > len(values) * _EPSILON * values[-1]
    root: Tensor = vectors[:, kept] * values[kept].sqrt()
    return root


def _any_root(covariance: Tensor) -> Tensor:
    """R with R R^T the covariance: Cholesky's where there is one, which takes a tenth of the time."""
    lower, failed = torch.linalg.cholesky_ex(covariance)
    return _root(covariance) if int(failed) else lower


def _sum_of_singular_values(product: Tensor, variance: float) -> float:
    """That of a matrix `(n, m)` whose columns sum to 0."""
    n = len(product)
    # Its one sure zero would come out as the root of a rounding error: it is made a number known beforehand.
    known = float(product.norm()) / n**0.5
    square = torch.zeros(n, n, dtype=product.dtype, device=product.device)
    for start in range(0, n, _COLUMNS):
        square[start:, start : start + _COLUMNS] = product[start:] @ product[start : start + _COLUMNS].T
    squares = torch.linalg.eigvalsh(square + known**2 / n)
    found = _sum_of_roots(squares, _ROUNDING * float(squares[-1]), variance)
    return float(torch.linalg.svdvals(product).sum()) if found is None else found - known


def _sum_of_roots(squares: Tensor, error: float, variance: float) -> float | None:
    """The sum of the roots of eigenvalues, known up to an error each; None where those of the roots may add up."""
    roots = squares.clamp_min(0).sqrt()
    doubtful = roots[squares < _SURE * error]
    lost = float((error / (doubtful + error**0.5)).sum())
    return None if lost > _LOST * variance else float(roots.sum())
