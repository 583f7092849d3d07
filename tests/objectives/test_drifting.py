"""Drifting against the paper's algorithm in loops, its symmetries, and what it moves samples to."""

import numpy as np
import pytest
import torch

from zerosum.objectives import Drifting

RADII = (0.1, 0.5)


def points(seed, *shape):
    return np.random.default_rng(seed).normal(0, 2, shape)


def slow_fields(x, y, radii):
    """Algorithm 2 of arXiv 2602.04770 with the normalisation of features of appendix A.6, as they stand there."""
    n, m, size = len(x), len(y), x.shape[1]
    every = [*y, *x]
    distance = np.array([[np.sqrt(((a - b) ** 2).sum()) for b in every] for a in x])
    others = [(i, j) for i in range(n) for j in range(n + m) if j != m + i]
    mean = np.mean([distance[place] for place in others])
    unit = mean / np.sqrt(size)
    fields = []
    for radius in radii:
        kernel = np.zeros((n, n + m))
        for place in others:
            kernel[place] = np.exp(-distance[place] / (radius * mean))
        affinity = np.sqrt((kernel / kernel.sum(1, keepdims=True)) * (kernel / kernel.sum(0, keepdims=True)))
        field = np.zeros_like(x)
        for i in range(n):
            pull, push = affinity[i, :m], affinity[i, m:]
            field[i] = sum(pull[j] * push.sum() * y[j] for j in range(m))
            field[i] -= sum(push[j] * pull.sum() * x[j] for j in range(n))
        fields.append(field / unit)
    return unit, fields


@pytest.mark.parametrize("size", [1, 2, 5])
def test_loss_and_gradient_are_those_of_the_loops(size):
    x, y = points(0, 6, size), points(1, 4, size)
    unit, fields = slow_fields(x, y, RADII)
    drift = sum(field / np.sqrt((field**2).mean()) for field in fields)
    fake = torch.tensor(x, requires_grad=True)
    value = Drifting(RADII).g_loss(fake, torch.tensor(y))
    value.backward()
    assert value.item() == pytest.approx((drift**2).mean(), rel=1e-9)
    np.testing.assert_allclose(fake.grad.numpy(), -2 * drift / unit / x.size, rtol=1e-8, atol=1e-10)


def test_a_learned_discriminator_maximises_the_mean_square_of_the_fields():
    x, y = points(0, 6, 3), points(1, 4, 3)
    real = torch.tensor(y, requires_grad=True)
    value = Drifting(RADII).d_loss(real, torch.tensor(x))
    assert value.item() == pytest.approx(-sum((f**2).mean() for f in slow_fields(x, y, RADII)[1]), rel=1e-9)
    (gradient,) = torch.autograd.grad(value, real)
    assert gradient.isfinite().all() and gradient.abs().max() > 1e-3


def drift(x, y, radii=RADII):
    fake = torch.tensor(x, requires_grad=True)
    (gradient,) = torch.autograd.grad(Drifting(radii).g_loss(fake, torch.tensor(y)), fake)
    return -gradient.numpy()


def test_shifts_turns_and_scales_of_all_samples_change_nothing():
    x, y = points(2, 8, 2), points(3, 8, 2)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(drift(x + 100, y + 100), drift(x, y), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(drift(x @ turn, y @ turn), drift(x, y) @ turn, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(drift(3 * x, 3 * y), drift(x, y) / 3, rtol=1e-8, atol=1e-12)


def test_where_both_sets_have_one_distribution_the_field_is_noise():
    x, y = points(4, 400, 2), points(5, 400, 2)
    (same,), (apart,) = (slow(x, other) for other in (y, y + 2))
    assert np.abs(same.mean(0)).max() < 0.15 * np.abs(apart.mean(0)).max()


def slow(x, y):
    return [field.numpy() for field in Drifting((0.2,)).fields(torch.tensor(x), torch.tensor(y))[1]]


def test_a_sample_goes_to_the_mode_that_lacks_samples():
    """Two modes as real samples, all generated ones at the first: what lies between is drawn to the second."""
    y = np.repeat([[0.0, 0.0], [4.0, 0.0]], 8, axis=0) + points(6, 16, 2) / 100
    x = np.concatenate([points(7, 15, 2) / 100, [[2.0, 0.0]]])
    assert drift(x, y, (0.5,))[-1, 0] > 0
    away = drift(np.concatenate([points(7, 15, 2) / 100 + [4, 0], [[2.0, 0.0]]]), y, (0.5,))
    assert away[-1, 0] < 0


def test_equal_samples_give_finite_losses():
    same = torch.zeros(4, 2, requires_grad=True)
    objective = Drifting()
    for value in (objective.g_loss(same, torch.zeros(4, 2)), objective.d_loss(same, torch.zeros(4, 2))):
        (gradient,) = torch.autograd.grad(value, same)
        assert value.isfinite() and gradient.isfinite().all()


def test_bfloat16_scores_are_compared_in_float32():
    x, y = torch.tensor(points(8, 6, 3)).float(), torch.tensor(points(9, 6, 3)).float()
    expected = Drifting().g_loss(x, y)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Drifting().g_loss(x, y), expected)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="needs at least 2 generated samples; found 1"):
        Drifting().g_loss(torch.zeros(1, 2), torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"Drifting compares with real samples: give g_loss\(fake, real\)"):
        Drifting().g_loss(torch.zeros(2, 2))
    for radii in ((), (0.1, 0.0)):
        with pytest.raises(ValueError, match="radii must be one or more numbers above 0"):
            Drifting(radii)
