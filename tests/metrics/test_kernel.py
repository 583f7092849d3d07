from fractions import Fraction

import numpy as np
import pytest
import torch

from zerosum.metrics import kernel
from zerosum.metrics.kernel import kernel_distance


def drawn(count, dimensions=4, seed=0, shift=0.0, spread=1.0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dimensions)) * spread + shift)


def by_hand(real, fake):
    """The statistic over the full matrices, in numpy."""
    x, y = real.double().numpy(), fake.double().numpy()
    rr, ff, rf = ((a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    n, m = len(x), len(y)
    within = (rr.sum() - np.trace(rr)) / (n * (n - 1)) + (ff.sum() - np.trace(ff)) / (m * (m - 1))
    return within - 2 * rf.mean()


@pytest.mark.parametrize(("n", "m", "d"), [(50, 50, 4), (30, 70, 4), (2, 2, 1), (2, 9, 3), (5, 4, 60), (90, 80, 1)])
def test_it_is_the_formula(n, m, d):
    real, fake = drawn(n, d), drawn(m, d, seed=1, shift=0.3, spread=1.4)
    assert kernel_distance(real, fake).value == pytest.approx(by_hand(real, fake), rel=1e-11)


@pytest.mark.parametrize(("n", "m"), [(50, 50), (30, 71)])
def test_blocks_sides_and_order_change_nothing(n, m, monkeypatch):
    real, fake = drawn(n), drawn(m, seed=1, shift=0.3)
    wanted = kernel_distance(real, fake)
    orders = [torch.randperm(count, generator=torch.Generator().manual_seed(2)) for count in (n, m)]
    others = [kernel_distance(real[orders[0]], fake[orders[1]]), kernel_distance(fake, real)]
    for rows in (1, 7, 64):
        monkeypatch.setattr(kernel, "_ROWS", rows)
        others.append(kernel_distance(real, fake))
    for other in others:
        assert other.value == pytest.approx(wanted.value, rel=1e-11)
        assert other.standard_error == pytest.approx(wanted.standard_error, rel=1e-11)


def test_a_set_beside_itself_counts_the_pairs_of_a_sample_with_its_copy():
    real = drawn(40)
    value = kernel_distance(real, real).value
    assert value == pytest.approx(by_hand(real, real), rel=1e-11) == kernel_distance(real, real.clone()).value
    assert value < 0


def test_far_from_the_origin_the_digits_are_kept():
    """At an offset of a million the kernel is 10^18 and differs in its last digits: exact fractions show them."""
    draw = np.random.default_rng(0)
    x, y = (draw.integers(-8, 9, count) / 4 + 2.0**20 for count in (9, 8))

    def mean(a, b, diagonal):
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if diagonal or i != j]
        return sum((Fraction(a[i]) * Fraction(b[j]) + 1) ** 3 for i, j in pairs) / len(pairs)

    exact = float(mean(x, x, False) + mean(y, y, False) - 2 * mean(x, y, True))
    real, fake = (torch.from_numpy(points)[:, None] for points in (x, y))
    assert kernel_distance(real, fake).value == pytest.approx(exact, rel=1e-6)
    assert abs(by_hand(real, fake) / exact - 1) > 1e-6


def over_draws(n, m, d, shift, draws=400):
    """Values, and the estimates of their variance, over draws of Gaussians."""
    draw = torch.Generator().manual_seed(0)
    found = [
        kernel_distance(torch.randn(n, d, generator=draw), torch.randn(m, d, generator=draw) + shift)
        for _ in range(draws)
    ]
    return np.array([one.value for one in found]), np.array([one.standard_error**2 for one in found])


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_it_is_unbiased_over_draws(shift):
    """E (x y + 1)^3 holds the first three moments: MMD^2 = 3 (m1 - m1')^2 + 3 (m2 - m2')^2 + (m3 - m3')^2."""
    values, _ = over_draws(10, 14, 1, shift)
    truth = 3 * shift**2 + 3 * shift**4 + (shift**3 + 3 * shift) ** 2
    assert abs(values.mean() - truth) < 3 * values.std() / len(values) ** 0.5
    diagonals = 25 / 10 + 25 / 14  # what these would add and more: E (x^2 + 1)^3 is 25
    assert values.std() / len(values) ** 0.5 < 0.1 * diagonals


@pytest.mark.parametrize(
    ("n", "m", "d", "shift"),
    [(40, 40, 8, 0.0), (25, 60, 8, 0.0), (30, 30, 1, 0.7), (60, 25, 2, 0.7), (8, 8, 8, 1.5), (30, 50, 30, 0.1)],
)
def test_the_standard_error_is_the_deviation_over_draws(n, m, d, shift):
    """Where distributions are equal too, where a jackknife would say 1.4 times as much."""
    values, variances = over_draws(n, m, d, shift)
    assert variances.mean() ** 0.5 == pytest.approx(values.std(ddof=1), rel=0.15)


def variance_by_hand(real, fake):
    """Its two parts, of samples and of pairs, from the full matrices: what is left of a pair by double centring."""
    x, y = real.double().numpy(), fake.double().numpy()
    rr, ff, rf = ((a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))

    def within(k):
        n = len(k)
        off = ~np.eye(n, dtype=bool)
        mean = k[off].mean()
        effect = (np.where(off, k, 0).sum(1) - (n - 1) * mean) / (n - 2)
        left = (k - mean - effect[:, None] - effect)[off]
        return effect, (left**2).sum() / 2 / (n * (n - 3) / 2)

    (a, vr), (b, vf) = within(rr), within(ff)
    n, m = rf.shape
    left = rf - rf.mean(1)[:, None] - rf.mean(0) + rf.mean()
    v = (left**2).sum() / ((n - 1) * (m - 1))
    of_samples = 4 / n * ((a - rf.mean(1)).var(ddof=1) - vr / (n - 2) - v / m)
    of_samples += 4 / m * ((b - rf.mean(0)).var(ddof=1) - vf / (m - 2) - v / n)
    return of_samples, 2 * vr / (n * (n - 1)) + 2 * vf / (m * (m - 1)) + 4 * v / (n * m)


def test_the_standard_error_is_the_formula_and_never_nothing_where_samples_vary():
    cut = []
    for seed in range(20):
        real, fake = drawn(12, 1, seed=seed), drawn(15, 1, seed=seed + 100, shift=0.5 * (seed % 2))
        of_samples, of_pairs = variance_by_hand(real, fake)
        cut.append(of_samples < -of_pairs / 2)
        wanted = max(of_samples + of_pairs, of_pairs / 2)
        assert kernel_distance(real, fake).standard_error == pytest.approx(wanted**0.5, rel=1e-9)
    assert 0 < sum(cut) < 20


def test_the_parts_of_the_variance_are_those_of_two_analyses_of_variance():
    """Least squares in numpy, over the pairs within a set and across two."""
    draw = np.random.default_rng(0)
    square, table = draw.normal(size=(6, 6)), draw.normal(size=(5, 7))
    square = square + square.T
    np.fill_diagonal(square, 0)

    def sums(matrix):
        rows, columns = (torch.from_numpy(matrix.sum(axis)) for axis in (1, 0))
        return kernel._Sums(rows, columns, float((matrix**2).sum()))

    pairs = [(i, j) for i in range(6) for j in range(i)]
    design = np.array([[1, *((k in pair) for k in range(6))] for pair in pairs], float)
    values = np.array([square[pair] for pair in pairs])
    fit = np.linalg.lstsq(design, values, rcond=None)[0]
    effects, left = kernel._within(sums(square))
    assert np.allclose(effects, fit[1:] - fit[1:].mean())
    assert left == pytest.approx(((values - design @ fit) ** 2).sum() / (15 - 6))
    first, second, left = kernel._across(sums(table))
    rest = table - table.mean(1)[:, None] - table.mean(0) + table.mean()
    assert np.allclose(first, table.mean(1) - table.mean()) and np.allclose(second, table.mean(0) - table.mean())
    assert left == pytest.approx((rest**2).sum() / (4 * 6))


def test_edges():
    still = torch.full((6, 3), 0.5)
    found = kernel_distance(still, still[:5])
    assert (found.value, found.standard_error) == (0.0, 0.0)
    assert kernel_distance(still, torch.full((6, 3), 1.5)).value == pytest.approx(
        (0.25 + 1) ** 3 + (2.25 + 1) ** 3 - 2 * (0.75 + 1) ** 3
    )
    assert kernel_distance(drawn(3), drawn(9)).standard_error is None
    assert kernel_distance(drawn(4), drawn(4, seed=1)).standard_error > 0


def test_refusals():
    good = drawn(9, 3)
    with pytest.raises(ValueError, match="2 or more real samples are needed; found 1"):
        kernel_distance(good[:1], good)
    with pytest.raises(ValueError, match="real and fake features need equal dimensions; found 3 real and 2 fake"):
        kernel_distance(good, good[:, :2])
    with pytest.raises(
        ValueError, match=r"fake features must be floating-point numbers \(N, d\); found int32 \(9, 3\)"
    ):
        kernel_distance(good, good.int())
    with pytest.raises(ValueError, match="real features must be finite; sample 0 is not"):
        kernel_distance(good * torch.nan, good)
