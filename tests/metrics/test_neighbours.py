import numpy as np
import pytest
import torch

import zerosum.metrics._distances as distances
import zerosum.metrics._features as reading
from zerosum.metrics._cells import k_means
from zerosum.metrics.jackknife import jackknife, leave_one_out
from zerosum.metrics.neighbours import density_coverage, nearest_neighbours, precision_recall


def drawn(count, dimensions=3, seed=0, shift=0.0, spread=1.0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, dimensions)) * spread + shift)


def squares(a, b):
    """Squared distances from the differences: exact for small integers."""
    return ((a[:, None] - b[None]) ** 2).sum(2)


def reach(x, k):
    return np.sort(squares(x, x) + np.diag(np.full(len(x), np.inf)), axis=1)[:, k - 1]


def by_hand(real, fake, k):
    """Precision and recall with closed balls, density and coverage with open ones."""
    x, y = real.double().numpy(), fake.double().numpy()
    apart = squares(x, y)
    around_real = reach(x, k)[:, None]
    return (
        (apart <= around_real).any(0).mean(),
        (apart <= reach(y, k)[None]).any(1).mean() if k < len(y) else None,
        (apart < around_real).sum() / (k * len(y)),
        (apart < around_real).any(1).mean(),
    )


def found(real, fake, k):
    pr, dc = precision_recall(real, fake, k), density_coverage(real, fake, k)
    return pytest.approx((pr.precision, pr.recall, dc.density, dc.coverage), rel=1e-12)


@pytest.mark.parametrize(("n", "m", "d", "k"), [(60, 80, 3, 3), (80, 60, 1, 5), (9, 30, 40, 8), (2, 2, 3, 1)])
def test_they_are_the_formulas(n, m, d, k):
    real, fake = drawn(n, d), drawn(m, d, seed=1, shift=0.5, spread=0.8)
    assert by_hand(real, fake, k) == found(real, fake, k)


@pytest.mark.parametrize(("n", "m", "d", "k"), [(60, 80, 3, 3), (40, 61, 1, 5), (30, 24, 40, 4), (90, 70, 2, 7)])
def test_errors_are_those_of_sampling_the_generated_set(monkeypatch, n, m, d, k):
    """Of recall and coverage: the jackknife by the scores of nine tenths; of means: the standard error of a mean."""
    real, fake = drawn(n, d), drawn(m, d, seed=1, shift=0.5, spread=0.8)
    x, y = real.numpy(), fake.numpy()
    balls = (squares(x, y) < reach(x, k)[:, None]).sum(0) / k
    inside = (squares(x, y) <= reach(x, k)[:, None]).any(0)
    pairs = [(precision_recall(real, some, k), density_coverage(real, some, k)) for some in leave_one_out(fake)]
    wanted = (
        inside.std(ddof=1) / m**0.5,
        jackknife([shares.recall for shares, _ in pairs]),
        balls.std(ddof=1) / m**0.5,
        jackknife([shares.coverage for _, shares in pairs]),
    )
    for size in (1024, 7):
        monkeypatch.setattr(distances, "_ROWS", size)
        monkeypatch.setattr(distances, "_COLUMNS", size)
        one, two = precision_recall(real, fake, k), density_coverage(real, fake, k)
        found = (one.precision_error, one.recall_error, two.density_error, two.coverage_error)
        assert found == pytest.approx(wanted, rel=1e-9) and wanted[1] > 0


def test_few_samples_have_no_errors_of_recall_and_coverage():
    found = precision_recall(drawn(20), drawn(9, seed=1), 8)
    assert found.recall_error is None and found.precision_error is not None
    assert precision_recall(drawn(9), drawn(3, seed=1), 1).recall_error is None
    assert density_coverage(drawn(9), drawn(3, seed=1), 1).coverage_error is None


@pytest.mark.parametrize("offset", [0, 2**20])
@pytest.mark.parametrize("k", [1, 3, 7])
def test_points_of_a_lattice_are_told_exactly(offset, k):
    """Copies, and points on the very edge of a ball: there rounding would decide, and must not."""
    draw = np.random.default_rng(k)
    real, fake = (torch.from_numpy(draw.integers(0, 3, (count, 4)).astype(float)) for count in (90, 70))
    assert by_hand(real, fake, k) == found(real + offset, fake + offset, k)
    scaled = 0.1 * (real + offset), 0.1 * (fake + offset)  # no more exact, but alike both ways
    assert precision_recall(scaled[0], scaled[0], k).precision == 1.0
    assert density_coverage(scaled[0], scaled[0], k).density == pytest.approx(by_hand(*2 * [real], k)[2], abs=0.2)


def test_blocks_and_order_change_nothing(monkeypatch):
    real, fake = drawn(60), drawn(50, seed=1, shift=0.5)
    wanted = by_hand(real, fake, 3)
    assert wanted == found(real.flip(0), fake[torch.randperm(50, generator=torch.Generator().manual_seed(0))], 3)
    for rows, columns, at_once in ((7, 5, 2**21), (64, 20, 2**21), (11, 13, 9)):
        monkeypatch.setattr(distances, "_ROWS", rows)
        monkeypatch.setattr(distances, "_COLUMNS", columns)
        monkeypatch.setattr(reading, "AT_ONCE", at_once)
        assert wanted == found(real, fake, 3)


def test_rounding_is_settled_by_the_differences_only_where_it_could_decide(monkeypatch):
    asked = []
    of_pairs = distances.of_pairs
    monkeypatch.setattr(distances, "of_pairs", lambda a, b, i, j: asked.append(len(i)) or of_pairs(a, b, i, j))
    density_coverage(drawn(60), drawn(50, seed=1), 5)
    assert asked == [60 * 9, 0]
    asked.clear()
    density_coverage(torch.zeros(60, 2), torch.zeros(50, 2), 5)
    assert asked == [60 * 9, 60 * 50]


def test_what_they_are_for():
    real = drawn(300)
    lost = real[real[:, 0] > 0] + 0.01  # half of the data, drawn well
    assert precision_recall(real, lost).precision > 0.95 and density_coverage(real, lost).density > 0.9
    assert density_coverage(real, lost).coverage < 0.75
    assert precision_recall(real, drawn(300, seed=1, spread=3)).precision < 0.5
    outlier = torch.cat([real, 100 * torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])])
    noise = drawn(300, seed=3, spread=20)
    assert precision_recall(outlier, noise).precision > 0.8  # fooled by the outliers' balls
    assert density_coverage(outlier, noise).density < precision_recall(outlier, noise).precision / 2


def test_one_place_only():
    still = torch.full((9, 4), 0.3)
    assert precision_recall(still, still).precision == precision_recall(still, still).recall == 1.0
    assert density_coverage(still, still).coverage == 0.0  # an open ball of radius 0 is empty
    assert precision_recall(still, still + 1).precision == 0.0


def test_neighbours_are_the_nearest_and_their_pairs_the_closest_first():
    train, samples, held_out = drawn(50), drawn(20, seed=1), drawn(30, seed=2)
    made = nearest_neighbours(samples, train, held_out)
    apart = np.sqrt(squares(samples.numpy(), train.numpy()))
    assert made.nearest.tolist() == apart.argmin(1).tolist()
    assert np.allclose(made.distances, apart.min(1), rtol=1e-14)
    assert np.allclose(made.held_out, np.sqrt(squares(held_out.numpy(), train.numpy()).min(1)), rtol=1e-14)
    order = apart.min(1).argsort()[:7]
    assert made.pairs(7).tolist() == [[n, apart[n].argmin()] for n in order]


def test_the_statistic_is_that_of_mann_and_whitney():
    """By counting pairs; with ties, the variance of U by going through relabellings of the same numbers."""
    train = torch.zeros(2, 1)
    samples, held_out = torch.tensor([[1.0], [2], [2], [5], [7], [9]]), torch.tensor([[2.0], [2], [5], [6], [6.5]])
    made = nearest_neighbours(samples, train, held_out)
    a, b = samples[:, 0].numpy(), held_out[:, 0].numpy()
    wins = (a[:, None] > b).sum() + (a[:, None] == b).sum() / 2
    draw, both = np.random.default_rng(0), np.concatenate([a, b])
    shuffled = [draw.permutation(both) for _ in range(20_000)]
    others = [(s[:6, None] > s[6:]).sum() + (s[:6, None] == s[6:]).sum() / 2 for s in shuffled]
    assert made.closer == pytest.approx(1 - wins / 30)
    assert made.statistic == pytest.approx((wins - 15) / np.std(others), rel=0.03)
    assert made.p_value == pytest.approx(
        np.mean(np.random.default_rng(1).normal(size=10**6) < made.statistic), abs=2e-3
    )


def test_it_is_a_standard_normal_number_for_new_data():
    found = [
        nearest_neighbours(drawn(40, seed=3 * n), drawn(60, seed=3 * n + 1), drawn(30, seed=3 * n + 2), cells)
        for n in range(50)
        for cells in (1, 2)
    ]
    z = np.array([one.statistic for one in found if len(one.cells) == 1])
    assert abs(z.mean()) < 0.3 and 0.8 < z.std() < 1.25
    p = np.array([one.p_value for one in found])
    assert 0.02 < (p < 0.1).mean() < 0.18 and 0.4 < p.mean() < 0.6


def test_copies_are_caught_and_misses_are_not_taken_for_them():
    train, held_out = drawn(200), drawn(200, seed=1)
    copies = nearest_neighbours(train[:80] + 0.01, train, held_out)
    assert copies.statistic < -8 and copies.p_value < 1e-12 and copies.closer > 0.95
    far = nearest_neighbours(drawn(80, seed=2, spread=3), train, held_out)
    assert far.statistic > 5 and far.p_value > 0.999 and far.closer < 0.3
    verbatim = nearest_neighbours(train, train, held_out)
    assert verbatim.closer == 1.0 and float(verbatim.distances.max()) == 0.0
    alike = nearest_neighbours(train, train, train)
    assert (alike.statistic, alike.closer, alike.p_value) == (0.0, 0.5, 0.5)


def test_cells_see_copies_in_one_region():
    """Half of the data lie dense, half sparse; copies of the dense half are hardly closer than held-out ones of it."""

    def both(seed, count=100):
        return torch.cat([drawn(count, 2, seed, spread=0.01), drawn(count, 2, seed + 50, shift=30)])

    train, held_out, samples = both(0), both(1), both(2)
    samples[:100] = train[:100] + 1e-5
    whole, cut = (nearest_neighbours(samples, train, held_out, cells) for cells in (1, 2))
    assert min(cut.cells) < -10 < whole.statistic < 0
    assert cut.p_value < 1e-6 * whole.p_value and len(whole.cells) == 1
    assert min(abs(z) for z in cut.cells) < 3


def test_k_means_finds_the_cells_and_keeps_an_empty_one():
    points = torch.cat([drawn(30, 2, seed, spread=0.1, shift=10.0 * seed) for seed in range(4)])
    before = torch.get_rng_state()
    centres = k_means(points, 4, seed=0)
    assert torch.equal(torch.get_rng_state(), before) and torch.equal(centres, k_means(points, 4, seed=0))
    wanted = torch.stack([part.mean(0) for part in points.split(30)])
    assert torch.allclose(centres[centres[:, 0].argsort()], wanted, atol=1e-9)
    assert torch.equal(k_means(torch.ones(5, 2), 3, seed=0), torch.ones(3, 2).double())


def test_refusals():
    good = drawn(9)
    for k in (0, 9):
        with pytest.raises(ValueError, match=f"k must be 1 or more and below the number of samples, 9; found {k}"):
            precision_recall(good, drawn(20), k)
        with pytest.raises(ValueError, match=f"k must be 1 or more and below the number of samples, 9; found {k}"):
            density_coverage(good, drawn(20), k)
    with pytest.raises(ValueError, match="below the number of samples, 3; found 3"):
        precision_recall(good, good[:3], 3)
    assert density_coverage(good, good[:3], 5).coverage > 0
    with pytest.raises(ValueError, match="real and fake features need equal dimensions; found 3 real and 2 fake"):
        precision_recall(good, good[:, :2])
    with pytest.raises(ValueError, match="2 or more fake samples are needed; found 1"):
        density_coverage(good, good[:1])
    with pytest.raises(ValueError, match="fake features must be finite; sample 0 is not"):
        density_coverage(good, good / 0)
    with pytest.raises(ValueError, match="2 or more held-out samples are needed; found 1"):
        nearest_neighbours(good, good, good[:1])
    with pytest.raises(ValueError, match="all features need equal dimensions; found 3 generated and 2 training"):
        nearest_neighbours(good, good[:, :2], good)
    with pytest.raises(ValueError, match="cells must be 1 to the 9 training samples; found 10"):
        nearest_neighbours(good, good, good, cells=10)
    with pytest.raises(ValueError, match="none of 2 cells has 10 samples and 10 held-out ones: choose fewer cells"):
        nearest_neighbours(good, good, good, cells=2)
