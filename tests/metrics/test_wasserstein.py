import math

import numpy as np
import pytest
import torch

from zerosum.metrics import wasserstein
from zerosum.metrics.wasserstein import sliced_wasserstein, wasserstein_1d


def drawn(*shape, seed=0, shift=0.0, spread=1.0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape) * spread + shift)


def between_distributions(x, y, u, v):
    """W_1 another way: the area between the two distribution functions."""
    places = np.sort(np.concatenate([x, y]))
    f, g = (np.array([w[a <= p].sum() for p in places[:-1]]) / w.sum() for a, w in ((x, u), (y, v)))
    return (np.abs(f - g) * np.diff(places)).sum()


@pytest.mark.parametrize(("n", "m"), [(9, 9), (10, 7), (1, 5), (12, 4), (1, 1)])
def test_the_first_order_is_the_area_between_distribution_functions(n, m):
    draw = np.random.default_rng(n)
    x, y, u, v = drawn(n), drawn(m, seed=1, shift=0.5), draw.random(n), draw.random(m)
    assert wasserstein_1d(x, y) == pytest.approx(
        between_distributions(x.numpy(), y.numpy(), np.ones(n), np.ones(m)), rel=1e-12
    )
    assert wasserstein_1d(x, y, torch.from_numpy(u), torch.from_numpy(v)) == pytest.approx(
        between_distributions(x.numpy(), y.numpy(), u, v), rel=1e-12
    )
    assert wasserstein_1d(x, y, y_weights=torch.from_numpy(v)) == pytest.approx(
        between_distributions(x.numpy(), y.numpy(), np.ones(n), v), rel=1e-12
    )


@pytest.mark.parametrize("order", [1, 2, 3.5])
def test_unlike_numbers_and_weights_are_repetitions(order):
    """Each of ten samples seven times against each of seven ten times: a matching of sorted lists."""
    x, y = drawn(10), drawn(7, seed=1, shift=0.3, spread=2)
    a, b = np.sort(np.repeat(x.numpy(), 7)), np.sort(np.repeat(y.numpy(), 10))
    wanted = (np.abs(a - b) ** order).mean() ** (1 / order)
    assert wasserstein_1d(x, y, order=order) == pytest.approx(wanted, rel=1e-12)
    counts = torch.tensor([3.0, 1, 0, 2, 5, 1, 1, 0, 4, 2])
    repeated = x.repeat_interleave(counts.long())
    assert wasserstein_1d(x, y, counts, order=order) == pytest.approx(
        wasserstein_1d(repeated, y, order=order), rel=1e-12
    )


def test_it_grows_with_the_way_and_is_0_for_the_same():
    x = drawn(50)
    for way in (0.0, 0.5, 1e3):
        for order in (1, 2):
            assert wasserstein_1d(x, x.flip(0) + way, order=order) == pytest.approx(way, rel=1e-12)
    assert wasserstein_1d(x, torch.cat([x, x])) == pytest.approx(0, abs=1e-15)
    assert wasserstein_1d(2 * x, -3 * x) == pytest.approx(wasserstein_1d(-3 * x, 2 * x), rel=1e-12)


def by_directions(real, fake, directions, order):
    """Along each direction by `wasserstein_1d`, which the tests above hold."""
    draw = torch.Generator().manual_seed(0)
    w = torch.randn(directions, real.shape[1], generator=draw, dtype=torch.float64)
    w = w / w.norm(dim=1, keepdim=True)
    each = [wasserstein_1d(real.double() @ one, fake.double() @ one, order=order) ** order for one in w]
    return np.mean(each) ** (1 / order)


@pytest.mark.parametrize(("n", "m", "d"), [(30, 30, 4), (30, 21, 4), (2, 7, 9), (40, 30, 1)])
@pytest.mark.parametrize("order", [1, 2])
def test_slices_are_distances_on_the_line(n, m, d, order, monkeypatch):
    real, fake = drawn(n, d), drawn(m, d, seed=1, shift=0.4)
    wanted = pytest.approx(by_directions(real, fake, 20, order), rel=1e-11)
    assert sliced_wasserstein(real, fake, 20, order) == wanted
    assert sliced_wasserstein(fake.flip(0), real, 20, order) == wanted
    monkeypatch.setattr(wasserstein, "AT_ONCE", 150)
    assert sliced_wasserstein(real, fake, 20, order) == wanted
    if d == 1:
        assert wanted == wasserstein_1d(real[:, 0], fake[:, 0], order=order)


def test_a_shift_is_seen_at_its_length_over_the_dimensions():
    """SW_2^2 of a shift by v is E (w.v)^2 = |v|^2 / d."""
    real, way = drawn(20, 6), drawn(6, seed=2)
    found = sliced_wasserstein(real, real + way, directions=20_000)
    assert found == pytest.approx(float(way.norm()) / 6**0.5, rel=0.02)
    assert sliced_wasserstein(real, real) == 0.0
    real, moved = ((side * 2**20).round() / 2**20 for side in (real, real + way))  # so that the sums are exact
    far = sliced_wasserstein(real + 2.0**30, moved + 2.0**30, 50)
    assert far == pytest.approx(sliced_wasserstein(real, moved, 50), rel=1e-11)


def test_it_sees_what_two_moments_do_not():
    signs = torch.tensor([-1.0, 1.0]).repeat(500)[:, None]
    normal = drawn(1000, 1).float()
    normal = (normal - normal.mean()) / normal.std(correction=0)
    assert sliced_wasserstein(signs, normal, 3) > 0.3


def test_the_seed_decides_and_the_global_generator_stands_where_it_stood():
    real, fake = drawn(20, 6), drawn(20, 6, seed=1)
    before = torch.get_rng_state()
    found = [sliced_wasserstein(real, fake, 5, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(torch.get_rng_state(), before)
    assert found[0] == found[1] != found[2]


def test_refusals():
    x, good = drawn(5), drawn(5, 3)
    for bad in (torch.arange(5), torch.zeros(5, 1), torch.zeros(0), torch.tensor([math.nan])):
        with pytest.raises(ValueError, match=r"y must be finite floating-point samples \(N,\), one or more; found"):
            wasserstein_1d(x, bad)
    for bad in (torch.ones(4), torch.zeros(5), -torch.ones(5), torch.full((5,), math.inf)):
        with pytest.raises(ValueError, match="x_weights must be finite, 0 or more, not all 0, one per sample; found"):
            wasserstein_1d(x, x, x_weights=bad)
    for order in (0.5, math.nan):
        with pytest.raises(ValueError, match="order must be 1 or more; found"):
            wasserstein_1d(x, x, order=order)
        with pytest.raises(ValueError, match="order must be 1 or more; found"):
            sliced_wasserstein(good, good, order=order)
    with pytest.raises(ValueError, match="directions must be 1 or more; found 0"):
        sliced_wasserstein(good, good, directions=0)
    with pytest.raises(ValueError, match="2 or more fake samples are needed; found 1"):
        sliced_wasserstein(good, good[:1])
    with pytest.raises(ValueError, match="real and fake features need equal dimensions"):
        sliced_wasserstein(good, good[:, :2])
