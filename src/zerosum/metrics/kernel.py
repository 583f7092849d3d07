"""The kernel distance of features (KID): unbiased for any number of samples, with its standard error."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._arrays import Array, tensors
from zerosum.metrics._features import check_pair, chunk_rows, exact, mean

_ROWS = 1024  # rows and columns of a block of the kernel matrix, at most
_ENOUGH = 4  # samples from which the variance can be estimated


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance and its standard error.

    Attributes:
        value: squared MMD under the cubic kernel; about 0 for equal distributions, so it can be negative.
        standard_error: standard deviation of `value` over samples of this size; None for fewer than four in a set.
    """

    value: float
    standard_error: float | None


def kernel_distance(real: Array, fake: Array) -> KernelDistance:
    """The squared maximum mean discrepancy of features under k(x, y) = (x.y / d + 1)^3 (Binkowski et al. 2018).

    The U-statistic over all pairs, without the diagonals (arXiv 1801.01401, section 4; Gretton et al. 2012, eq. 3):

        KID = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{i, j} k(x_i, y_j)

    whereas other implementations average it over random subsets. It takes N^2 d operations, in bounded memory.

    The standard error comes from the same sums. With the Hoeffding decomposition of the kernel into its mean, the
    effect of each sample and the residual of each pair (for the MMD, Bounliphone et al. 2016, arXiv 1511.04581, and
    Sutherland and Deka 2019, arXiv 1906.02104), the variance of the statistic is

        4 Var a / n + 4 Var b / m + 2 Var c / (n (n - 1)) + 2 Var e / (m (m - 1)) + 4 Var f / (n m)

    where a, b are the effects of real and generated samples, and c, e, f the residuals of real, generated and mixed
    pairs. Each variance is estimated without bias by an analysis of variance. For equal distributions only the last
    three terms remain, which a jackknife counts twice; the estimates of the first two can then be negative, and may
    reduce the sum to at most half of the others.

    Args:
        real, fake: features `(N, d)` and `(M, d)`, two or more samples each, of any floating-point dtype.

    Raises:
        ValueError: for invalid features, NaN, or different dimensions.
    """
    real, fake = tensors(real, fake)
    check_pair(real, fake)
    n, m = len(real), len(fake)
    centre = mean(real)
    rr, ff = (_sums(features, features, centre, within=True) for features in (real, fake))
    rf = _sums(real, fake, centre, within=False)
    value = rr.total / (n * (n - 1)) + ff.total / (m * (m - 1)) - 2 * rf.total / (n * m)
    if min(n, m) < _ENOUGH:
        return KernelDistance(value, None)
    effects_r, left_r = _within(rr)
    effects_f, left_f = _within(ff)
    across_r, across_f, left = _across(rf)
    added_r = _spread(effects_r - across_r) - left_r / (n - 2) - left / m
    added_f = _spread(effects_f - across_f) - left_f / (m - 2) - left / n
    of_pairs = 2 * left_r / (n * (n - 1)) + 2 * left_f / (m * (m - 1)) + 4 * left / (n * m)
    variance = max(4 * added_r / n + 4 * added_f / m + of_pairs, of_pairs / 2)
    return KernelDistance(value, variance**0.5)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums of a kernel matrix: of its rows `(n,)`, of its columns `(m,)` and of its squares."""

    rows: Tensor
    columns: Tensor
    squares: float

    @property
    def total(self) -> float:
        return float(self.rows.sum())


def _sums(first: Tensor, second: Tensor, centre: Tensor, within: bool) -> _Sums:
    """The sums over the pairs of two sets; with `within`, the two sets are the same and the diagonal is excluded.

    Of the kernel minus its value at (c, c), c the centre. This leaves distances unchanged and avoids cancellation far
    from the origin: with u = x - c, v = y - c and a = c.c / d + 1,

        t = (u.c + v.c + u.v) / d,  k(x, y) - k(c, c) = t^3 + 3 a t^2 + 3 a^2 t
    """
    a = float(centre @ centre) / len(centre) + 1
    rows, columns = (
        torch.zeros(len(features), dtype=torch.float64, device=centre.device) for features in (first, second)
    )
    squares, at_once = 0.0, min(_ROWS, chunk_rows(first))
    for i in range(0, len(first), at_once):
        u = exact(first[i : i + at_once]) - centre
        for j in range(i if within else 0, len(second), at_once):
            v = exact(second[j : j + at_once]) - centre
            t = (u @ v.T + (u @ centre)[:, None] + (v @ centre)[None]) / len(centre)
            kernel = (t + 3 * a).mul_(t).add_(3 * a * a).mul_(t)
            if within and i == j:
                kernel.fill_diagonal_(0)
            rows[i : i + len(u)] += kernel.sum(1)
            columns[j : j + len(v)] += kernel.sum(0)
            squares += float(kernel.square().sum()) * (2 if within and i != j else 1)
            if within and i != j:  # the block below the diagonal is the transpose
                rows[j : j + len(v)] += kernel.sum(0)
    return _Sums(rows, columns, squares)


def _within(sums: _Sums) -> tuple[Tensor, float]:
    """Within a set: the effect of each sample `(n,)`, by least squares, and the residual variance of a pair.

    Over the n (n - 1) / 2 pairs, of which the mean and the n samples take n degrees of freedom.
    """
    n = len(sums.rows)
    centre = sums.total / (n * (n - 1))
    effects = (sums.rows - (n - 1) * centre) / (n - 2)
    left = (sums.squares - n * (n - 1) * centre**2) / 2 - (n - 2) * float(effects.square().sum())
    return effects, max(left, 0.0) / (n * (n - 3) / 2)


def _across(sums: _Sums) -> tuple[Tensor, Tensor, float]:
    """Between two sets: the effects of the samples of each, and the residual variance of a pair."""
    n, m = len(sums.rows), len(sums.columns)
    centre = sums.total / (n * m)
    first, second = sums.rows / m - centre, sums.columns / n - centre
    left = sums.squares - n * m * centre**2 - m * float(first.square().sum()) - n * float(second.square().sum())
    return first, second, max(left, 0.0) / ((n - 1) * (m - 1))


def _spread(values: Tensor) -> float:
    return float(values.var(correction=1))
