import numpy as np
import pytest
import torch

import zerosum.metrics._features as reading
from zerosum.metrics import frechet
from zerosum.metrics.frechet import (
    frechet_distance,
    frechet_distance_from_moments,
    frechet_infinity,
    intra_class_frechet,
)
from zerosum.metrics.moments import Moments, moments_of


def from_moments(real, fake):
    return frechet_distance_from_moments(moments_of(real), moments_of(fake))


both_ways = pytest.mark.parametrize("distance", [frechet_distance, from_moments])


def gaussian(count, dimensions, seed=0, spread=1.0, shift=0.0):
    draw = np.random.default_rng(seed)
    mixing = draw.normal(size=(dimensions, dimensions)) / dimensions**0.5 + np.eye(dimensions)
    return torch.from_numpy(draw.normal(size=(count, dimensions)) @ mixing * spread + shift)


def exactly(count, deviations, means, seed=0):
    """Samples whose mean and covariance are exactly these, along the axes, and not only in the limit."""
    draw = np.random.default_rng(seed)
    raw = draw.normal(size=(count, len(deviations)))
    columns, _ = np.linalg.qr(raw - raw.mean(0))
    return torch.from_numpy(columns * (count - 1) ** 0.5 * np.asarray(deviations) + np.asarray(means))


def rotation(dimensions, seed=5):
    return torch.from_numpy(np.linalg.qr(np.random.default_rng(seed).normal(size=(dimensions, dimensions)))[0])


def by_hand(real, fake):
    """The formula in numpy, with the root of one covariance by its eigenvectors."""
    a, b = (np.atleast_2d(np.cov(side.numpy(), rowvar=False)) for side in (real, fake))
    values, vectors = np.linalg.eigh(a)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    trace = np.sqrt(np.linalg.eigvalsh(root @ b @ root).clip(0)).sum()
    return ((real.numpy().mean(0) - fake.numpy().mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * trace


@both_ways
@pytest.mark.parametrize(
    ("n", "m", "d"), [(50, 70, 6), (2, 2, 1), (90, 5, 1), (2, 2, 7), (3, 9, 7), (30, 4, 7), (4, 30, 7), (7, 8, 7)]
)
def test_it_is_the_formula(distance, n, m, d):
    real, fake = gaussian(n, d), gaussian(m, d, seed=1, spread=0.7, shift=0.4)
    assert distance(real, fake) == pytest.approx(by_hand(real, fake), rel=1e-6)
    assert distance(fake, real) == pytest.approx(distance(real, fake), rel=1e-11)


@both_ways
@pytest.mark.parametrize("deviations", [(1.0, 2.0, 0.5, 3.0), (1.0, 0.0, 2.0, 0.0), (1.0, 1e-3, 1e-6, 1e-9)])
@pytest.mark.parametrize("others", [(2.0, 2.0, 1.0, 0.1), (0.0, 0.0, 3.0, 1.0), (0.0, 0.0, 0.0, 0.0)])
def test_diagonal_gaussians_are_at_their_closed_form(distance, deviations, others):
    """FID of diagonal Gaussians is sum (m - m')^2 + (s - s')^2, singular or not, along any axes."""
    means = np.array([[0.0, 1.0, -2.0, 0.5], [0.5, 1.0, 0.0, 0.0]])
    real, fake = exactly(40, deviations, means[0]), exactly(60, others, means[1], seed=1)
    wanted = ((means[0] - means[1]) ** 2).sum() + ((np.array(deviations) - np.array(others)) ** 2).sum()
    assert distance(real, fake) == pytest.approx(wanted, rel=1e-7)
    turned = rotation(4)
    assert distance(real @ turned, fake @ turned) == pytest.approx(wanted, rel=1e-7)


@both_ways
@pytest.mark.parametrize("seed", range(3))
def test_sets_that_move_in_unlike_directions_share_nothing(distance, seed):
    """Where the product of the covariances is 0, its computed root is that of rounding errors, and is not summed."""
    halves = np.array([[1.0] * 10 + [0.0] * 10, [0.0] * 10 + [1.0] * 10])
    turned = rotation(20, seed)
    real, fake = (exactly(60, half, np.zeros(20), seed=seed + k) @ turned for k, half in enumerate(halves))
    assert distance(real, fake) == pytest.approx(20, rel=1e-12)


@both_ways
def test_a_spectrum_as_wide_as_float64_keeps_its_digits(distance):
    """Thirty directions from 1 down to 1e-9, the generated set ever wider: the small ones count as the formula says."""
    deviations = np.logspace(0, -9, 30)
    others = deviations[::-1].copy()
    real, fake = exactly(80, deviations, np.zeros(30)), exactly(80, others, np.zeros(30), seed=1)
    wanted = ((deviations - others) ** 2).sum()
    turned = rotation(30)
    assert distance(real @ turned, fake @ turned) == pytest.approx(wanted, rel=1e-7)


@both_ways
@pytest.mark.parametrize(("n", "d"), [(60, 6), (2, 6), (5, 6), (3, 1), (20, 300)])
def test_a_set_is_at_0_from_itself_and_from_itself_in_another_order(distance, n, d):
    real = gaussian(n, d)
    assert distance(real, real) == pytest.approx(0, abs=1e-9)
    assert distance(real, real.flip(0)) == pytest.approx(0, abs=1e-9)
    assert min(distance(turned, turned.flip(0)) for turned in (real @ rotation(d, seed) for seed in range(9))) >= 0


@both_ways
def test_features_that_never_change_are_as_far_as_their_means(distance):
    still, other = torch.full((9, 4), 0.3), torch.full((5, 4), 0.8)
    assert distance(still, still) == 0.0
    assert distance(still, other) == pytest.approx(4 * 0.25, rel=1e-6)
    moving = gaussian(30, 4).float()
    variance = float(moving.double().var(0).sum() + (moving.double().mean(0) - float(np.float32(0.3))).square().sum())
    assert distance(still, moving) == pytest.approx(variance, rel=1e-12)


@both_ways
@pytest.mark.parametrize(("n", "d"), [(60, 5), (5, 60)])
def test_turning_shifting_and_doubling_the_features(distance, n, d):
    real, fake = gaussian(n, d), gaussian(n + 1, d, seed=1, spread=0.5)
    wanted = distance(real, fake)
    assert distance(real @ rotation(d), fake @ rotation(d)) == pytest.approx(wanted, rel=1e-10)
    assert distance(3 * real, 3 * fake) == pytest.approx(9 * wanted, rel=1e-10)
    assert distance(real + 1e5, fake + 1e5) == pytest.approx(wanted, rel=1e-8)
    assert distance(real * 1e-18, fake * 1e-18) == pytest.approx(1e-36 * wanted, rel=1e-10)
    assert distance(real * 1e30, fake * 1e30) == pytest.approx(1e60 * wanted, rel=1e-10)


def test_the_fast_way_and_the_exact_one_agree(monkeypatch):
    pairs = [(gaussian(90, 20), gaussian(80, 20, seed=1)), (gaussian(9, 20), gaussian(12, 20, seed=1))]
    slow = []
    svdvals = torch.linalg.svdvals
    monkeypatch.setattr(torch.linalg, "svdvals", lambda matrix: slow.append(len(matrix)) or svdvals(matrix))
    fast = [frechet_distance(*pair) for pair in pairs]
    assert slow == []
    monkeypatch.setattr(frechet, "_LOST", -1.0)
    assert [frechet_distance(*pair) for pair in pairs] == pytest.approx(fast, rel=1e-11)
    assert slow == [20, 9]


def test_products_of_triangles_in_blocks_are_whole(monkeypatch):
    real, fake = gaussian(90, 20), gaussian(80, 20, seed=1)
    wanted = from_moments(real, fake)
    monkeypatch.setattr(frechet, "_COLUMNS", 7)
    no_slow_way(monkeypatch)
    assert from_moments(real, fake) == pytest.approx(wanted, rel=1e-12)


def no_slow_way(monkeypatch):
    monkeypatch.setattr(frechet, "_root", None)  # else it would step in for a wrong product
    monkeypatch.setattr(torch.linalg, "svdvals", None)


@pytest.mark.parametrize("columns", [1, 5, 19, 20, 21])
def test_no_block_is_lost_at_the_edge(monkeypatch, columns):
    monkeypatch.setattr(frechet, "_COLUMNS", columns)  # the last block is a single column for 19
    no_slow_way(monkeypatch)
    for sizes in ((90, 80, 20), (20, 25, 60)):  # by moments, and by the samples
        real, fake = gaussian(sizes[0], sizes[2]), gaussian(sizes[1], sizes[2], seed=1, shift=0.2)
        assert frechet_distance(real, fake) == pytest.approx(by_hand(real, fake), rel=1e-6)


@pytest.mark.parametrize("size", [255, 256, 257, 513])
def test_dimensions_and_samples_around_a_block_of_256(monkeypatch, size):
    no_slow_way(monkeypatch)
    for n, m, d in ((size + 40, size + 60, size), (size, size + 3, size + 20)):
        real, fake = gaussian(n, d), gaussian(m, d, seed=1, spread=0.8, shift=0.1)
        assert frechet_distance(real, fake) == pytest.approx(by_hand(real, fake), rel=1e-6)


def test_few_samples_make_no_matrix_between_dimensions(monkeypatch):
    monkeypatch.setattr(frechet, "moments_of", None)
    monkeypatch.setattr(reading, "AT_ONCE", 2**14)
    draw = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(count, 5000, generator=draw) for count in (12, 30))
    gram = np.linalg.svd(
        (real - real.mean(0)).double().numpy() @ (fake - fake.mean(0)).double().numpy().T, compute_uv=False
    )
    wanted = float((real.double().mean(0) - fake.double().mean(0)).square().sum())
    wanted += float(real.double().var(0).sum() + fake.double().var(0).sum()) - 2 * gram.sum() / (11 * 29) ** 0.5
    assert frechet_distance(real, fake) == pytest.approx(wanted, rel=1e-6)


def test_single_precision_features_are_not_summed_in_single_precision():
    real, fake = gaussian(50, 4).float() + 1000, gaussian(60, 4, seed=1).float() + 1000
    assert frechet_distance(real, fake) == pytest.approx(by_hand(real.double(), fake.double()), rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(8, 4), (40, 4), (20, 16), (60, 16), (200, 16)])
def test_infinity_is_nearer_to_the_truth_than_the_distance_at_every_n(n, d):
    """Over ten draws: near on the mean, with less error, and within its standard error."""
    deviations = torch.linspace(0.2, 1.5, d).double()
    truth = float(0.25 * d + (deviations - 1).square().sum())
    draw = torch.Generator().manual_seed(n)
    found = []
    for _ in range(10):
        real, fake = (torch.randn(n, d, generator=draw, dtype=torch.float64) for _ in range(2))
        found.append(frechet_infinity(real, fake * deviations + 0.5, splits=2))
    plain = np.array([one.distances[0] for one in found]) - truth
    infinite = np.array([one.value for one in found]) - truth
    assert abs(infinite.mean()) < 0.5 * abs(plain.mean())
    assert np.abs(infinite).mean() < np.abs(plain).mean()
    assert 0.4 < np.sqrt(np.mean([one.standard_error**2 for one in found])) / infinite.std(ddof=1) < 2.5


def test_infinity_is_the_line_through_its_points():
    real, fake = gaussian(200, 3), gaussian(150, 3, seed=1)
    before = torch.get_rng_state()
    found = frechet_infinity(real, fake, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert found == frechet_infinity(real, fake, seed=3) != frechet_infinity(real, fake, seed=4)
    assert found.samples == pytest.approx((150, 75, 50))
    assert found.distances[0] == frechet_distance(real, fake)
    x = 1 / np.array(found.samples)
    slope, value = np.polyfit(x, found.distances, 1, w=1 / x)
    assert (found.value, found.slope) == (pytest.approx(value, rel=1e-9), pytest.approx(slope, rel=1e-9))
    few = frechet_infinity(real[:17], fake[:17])
    assert len(few.samples) == 2
    assert few.value == pytest.approx(2 * few.distances[0] - few.distances[1], rel=1e-9)


def test_infinity_takes_all_samples_at_each_point_and_cuts_anew():
    """Parts of odd sets differ by one sample; each cut's distances come from a partition."""
    seen = []
    real, fake = gaussian(9, 2), gaussian(7, 2, seed=1)

    def distance(a, b):
        seen.append((a, b))
        return frechet_distance(a, b)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frechet, "frechet_distance", distance)
        frechet_infinity(real, fake, splits=2)
    pairs = seen[:-1]
    assert [(len(a), len(b)) for a, b in pairs] == 2 * [(5, 4), (4, 3)]
    for first, second in (pairs[:2], pairs[2:]):
        for side, whole in ((0, real), (1, fake)):
            rows = torch.cat([first[side], second[side]])
            assert sorted(rows.tolist()) == sorted(whole.tolist())
    assert not torch.equal(pairs[0][0], pairs[2][0])


def test_classes_are_compared_each_with_its_own():
    real, fake = gaussian(60, 3), gaussian(80, 3, seed=1)
    real_labels, fake_labels = torch.arange(60) % 3 + 4, torch.arange(80) % 3 + 4
    found = intra_class_frechet(real, real_labels, fake, fake_labels.int())
    wanted = {c: frechet_distance(real[real_labels == c], fake[fake_labels == c]) for c in (4, 5, 6)}
    assert found.classes == wanted and list(found.classes) == [4, 5, 6]
    assert found.value == pytest.approx(np.mean([*wanted.values()]))


def test_classes_that_change_places_are_seen_class_by_class_only():
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 2
    real = torch.randn(400, 2, generator=draw) + 8.0 * labels[:, None]
    fake = torch.randn(400, 2, generator=draw) + 8.0 * (1 - labels)[:, None]
    assert frechet_distance(real, fake) < 0.2
    assert intra_class_frechet(real, labels, fake, labels).value > 100


def test_refusals():
    good = gaussian(9, 3)
    with pytest.raises(ValueError, match="2 or more real samples are needed; found 1"):
        frechet_distance(good[:1], good)
    with pytest.raises(ValueError, match="2 or more fake samples are needed; found 0"):
        frechet_distance(good, good[:0])
    with pytest.raises(ValueError, match="real and fake features need equal dimensions; found 3 real and 2 fake"):
        frechet_distance(good, good[:, :2])
    with pytest.raises(ValueError, match="real and fake features need equal dimensions; found 3 real and 2 fake"):
        from_moments(good, good[:, :2])
    with pytest.raises(ValueError, match="a covariance needs 2 or more samples; found 1"):
        from_moments(good, good[:1])
    with pytest.raises(ValueError, match="a covariance needs 2 or more samples; found 0"):
        frechet_distance_from_moments(Moments(3), moments_of(good))
    with pytest.raises(
        ValueError, match=r"real features must be floating-point numbers \(N, d\); found uint8 \(9, 3\)"
    ):
        frechet_distance(good.byte(), good)
    with pytest.raises(
        ValueError, match=r"fake features must be floating-point numbers \(N, d\); found float64 \(27\)"
    ):
        frechet_distance(good, good.flatten())
    with pytest.raises(ValueError, match=r"real features need one dimension or more; found float64 \(9, 0\)"):
        frechet_distance(good[:, :0], good[:, :0])
    with pytest.raises(ValueError, match="fake features must be finite; sample 8 is not"):
        frechet_distance(good, torch.cat([good[:8], good[8:] * torch.inf]))
    with pytest.raises(ValueError, match="4 or more real samples are needed; found 3"):
        frechet_infinity(good[:3], good)
    with pytest.raises(ValueError, match="splits must be 1 or more; found 0"):
        frechet_infinity(good, good, splits=0)


def test_class_refusals():
    good, labels = gaussian(9, 3), torch.arange(9) % 2
    with pytest.raises(
        ValueError, match=r"real labels must be integers, one for each of 9 samples; found float32 \(9\)"
    ):
        intra_class_frechet(good, labels.float(), good, labels)
    with pytest.raises(ValueError, match=r"fake labels must be integers, one for each of 9 samples; found int64 \(8\)"):
        intra_class_frechet(good, labels, good, labels[1:])
    with pytest.raises(
        ValueError, match=r"each class needs 2 or more samples in both sets; class 1 has 4 real and 0 f"
    ):
        intra_class_frechet(good, labels, good, torch.zeros(9).long())
