"""The Frechet distance of features taken as Gaussians (FID), without its bias (FID infinity) and class by class."""

import torch
from torch import Tensor

from zerosum.metrics._features import check_pair, in_pieces, mean
from zerosum.metrics.moments import Moments, moments_of

_COLUMNS = 256  # columns of a triangular product at a time
_EPSILON = 2.0**-52
_ROUNDING = 16 * _EPSILON  # error of an eigenvalue as a share of the largest one
_LOST = 1e-9  # error of the trace, as a share of both variances, above which the slow and exact way is gone


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """The squared Frechet distance of the Gaussians with the mean and covariance of features (Heusel et al. 2017).

        FID = |m_r - m_f|^2 + tr S_r + tr S_f - 2 tr (S_r S_f)^(1/2)    (arXiv 1706.08500, equation 6)

    With covariances over N - 1. It is biased upwards for few samples, see `frechet_infinity`. Where there are fewer
    samples than dimensions the trace is computed among samples, and no matrix of d x d is made.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, two or more samples each, of any floating-point dtype.

    Raises:
        ValueError: for features of another kind, with NaN, or of unlike dimensions.
    """
    check_pair(real, fake)
    n, m, d = len(real), len(fake), real.shape[1]
    if n * m > d * d:
        return frechet_distance_from_moments(moments_of(real), moments_of(fake))
    # With centred rows X and Y, tr (S_r S_f)^(1/2) is the sum of the singular values of X Y^T / sqrt((n-1)(m-1)).
    real_mean, fake_mean = mean(real), mean(fake)
    product = torch.empty(n, m, dtype=torch.float64, device=real_mean.device)
    for row, x in in_pieces(real):
        for column, y in in_pieces(fake):
            product[row : row + len(x), column : column + len(y)] = (x - real_mean) @ (y - fake_mean).T
    variance = _variance(real, real_mean) + _variance(fake, fake_mean)
    root = _sum_of_singular_values(product / ((n - 1) * (m - 1)) ** 0.5, variance)
    return _distance(real_mean - fake_mean, variance, root)


def frechet_distance_from_moments(real: Moments, fake: Moments) -> float:
    """The same from moments of features, which is all it depends on; each of two or more samples.

    tr (S_r S_f)^(1/2) is the sum of the roots of the eigenvalues of L^T S_f L with S_r = L L^T (Cholesky), which is
    symmetric: eigenvalues cannot come out complex, and no root of a matrix is taken. Where a covariance is so nearly
    singular that rounding would show, it is the sum of the singular values of A^T B, with A and B roots of the two over
    those of their eigenvectors that carry variance; then no eigenvalue is squared.
    """
    if real.mean.shape != fake.mean.shape:
        raise ValueError(f"both sides need as many dimensions; found {len(real.mean)} real and {len(fake.mean)} fake")
    first, second = real.covariance, fake.covariance
    variance = float(first.trace() + second.trace())
    return _distance(real.mean - fake.mean, variance, _trace_of_root(first, second, variance))


def _distance(drift: Tensor, variance: float, root: float) -> float:
    return max(0.0, float(drift.square().sum()) + variance - 2 * root)


def _variance(features: Tensor, centre: Tensor) -> float:
    """The trace of the covariance."""
    return sum(float((part - centre).square().sum()) for _, part in in_pieces(features)) / (len(features) - 1)


def _trace_of_root(first: Tensor, second: Tensor, variance: float) -> float:
    lower, failed = torch.linalg.cholesky_ex(first)
    if not int(failed):
        square = torch.zeros_like(first)
        for start in range(0, len(first), _COLUMNS):
            # The lower triangle of L^T S L is all that is read, and L is 0 above its diagonal.
            rest, columns = slice(start, None), slice(start, start + _COLUMNS)
            square[rest, columns] = lower[rest, rest].T @ (second[rest, rest] @ lower[rest, columns])
        found = _sum_of_roots(torch.linalg.eigvalsh(square), variance)
        if found is not None:
            return found
    return float(torch.linalg.svdvals(_root(first).T @ _root(second)).sum())


def _root(covariance: Tensor) -> Tensor:
    """R `(d, rank)` with R R^T the covariance, over the eigenvectors whose eigenvalue is more than rounding."""
    values, vectors = torch.linalg.eigh(covariance)
    kept = values > len(values) * _EPSILON * values[-1]
    root: Tensor = vectors[:, kept] * values[kept].sqrt()
    return root


def _sum_of_singular_values(product: Tensor, variance: float) -> float:
    """That of a matrix `(n, m)` whose rows and columns sum to 0."""
    product = product if len(product) <= product.shape[1] else product.T
    n, m = product.shape
    # Its one sure zero would come out as the root of a rounding error: it is made a number known beforehand.
    known = float(product.norm()) / n**0.5
    filled = product + known / (n * m) ** 0.5
    found = _sum_of_roots(torch.linalg.eigvalsh(filled @ filled.T), variance)
    return float(torch.linalg.svdvals(product).sum()) if found is None else found - known


def _sum_of_roots(squares: Tensor, variance: float) -> float | None:
    """The sum of the roots of eigenvalues in ascending order; None where their rounding errors may add up to much."""
    error = _ROUNDING * float(squares[-1])
    roots = squares.clamp_min(0).sqrt()
    lost = error / (roots + error**0.5).clamp_min(torch.finfo(torch.float64).tiny)
    return None if float(lost.sum()) > _LOST * variance else float(roots.sum())
