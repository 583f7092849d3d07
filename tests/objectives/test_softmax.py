"""Softmax GAN against its definition, in float64 numpy: cross entropies between distributions over the batch."""

import numpy as np
import pytest
import torch

from zerosum.objectives import Softmax


def cross_entropy(target, scores):
    """-sum t log p with p = exp(s) / Z, and its gradient p - t by every score."""
    p = np.exp(scores) / np.exp(scores).sum()
    return -(target * np.log(p)).sum(), p - target


def uniform_over(part, *others):
    """A distribution over several arrays in a row, uniform over the first `part` of its places."""
    size = sum(map(np.size, others))
    return np.where(np.arange(size) < part, 1 / part, 0.0)


def losses(real, fake):
    """Both losses, D's gradients by real and fake scores, and G's by the fake ones."""
    r, f = (torch.tensor(array, requires_grad=True) for array in (real, fake))
    d = Softmax().d_loss(r, f)
    g = Softmax().g_loss(f, r.detach())
    gradients = (*torch.autograd.grad(d, (r, f)), *torch.autograd.grad(g, f))
    return d.item(), g.item(), [gradient.numpy().ravel() for gradient in gradients]


@pytest.mark.parametrize("shapes", [((6,), (6,)), ((5,), (3,)), ((2, 1, 3, 3), (2, 1, 3, 3))], ids=str)
def test_losses_and_gradients_are_those_of_the_cross_entropies(shapes):
    random = np.random.default_rng(0)
    real, fake = (random.normal(0, 2, shape) for shape in shapes)
    scores, n = np.concatenate([real.ravel(), fake.ravel()]), real.size
    d, d_gradient = cross_entropy(uniform_over(n, real, fake), scores)
    g, g_gradient = cross_entropy(uniform_over(scores.size, real, fake), scores)
    found_d, found_g, (by_real, by_fake, g_by_fake) = losses(real, fake)
    assert found_d == pytest.approx(d, rel=1e-12) and found_g == pytest.approx(g, rel=1e-12)
    np.testing.assert_allclose(np.concatenate([by_real, by_fake]), d_gradient, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(g_by_fake, g_gradient[n:], rtol=1e-11, atol=1e-15)


def test_only_differences_of_scores_count_and_large_ones_stay_finite():
    real, fake = np.array([900.0, 901.0]), np.array([899.0, -4000.0])
    d, g, gradients = losses(real, fake)
    assert np.isfinite([d, g, *np.concatenate(gradients)]).all()
    assert (d, g) == pytest.approx(losses(real - 900, fake - 900)[:2], abs=1e-11)


def test_d_is_best_where_generated_samples_have_probability_0_and_g_where_all_scores_are_equal():
    n = 7
    separated = losses(np.full(n, 40.0), np.full(n, -40.0))
    equal = losses(np.zeros(n), np.zeros(n))
    assert separated[0] == pytest.approx(np.log(n), rel=1e-12) and equal[1] == pytest.approx(np.log(2 * n), rel=1e-12)
    assert np.abs(np.concatenate(separated[2][:2])).max() < 1e-15 and np.abs(equal[2][2]).max() < 1e-15
    random = np.random.default_rng(1)
    for _ in range(50):
        d, g, _ = losses(random.normal(0, 3, n), random.normal(0, 3, n))
        assert d > np.log(n) and g > np.log(2 * n)


def test_a_generated_sample_that_is_rejected_is_raised_and_one_that_stands_out_is_lowered():
    _, _, (_, _, by_fake) = losses(np.zeros(3), np.array([-30.0, 0.0, 5.0]))
    assert by_fake[0] == pytest.approx(-1 / 6, rel=1e-9)
    assert by_fake[0] < by_fake[1] < 0 < by_fake[2]


def test_the_generator_needs_real_scores():
    with pytest.raises(ValueError, match=r"the softmax is over real and generated scores: give g_loss\(fake, real\)"):
        Softmax().g_loss(torch.zeros(2))
