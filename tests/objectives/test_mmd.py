"""The maximum mean discrepancy against a double loop, its unbiasedness, and its digits far from the origin."""

from itertools import product

import numpy as np
import pytest
import torch

from zerosum.objectives import MMD, GaussianKernel, RationalQuadraticKernel

KERNELS = {
    GaussianKernel(): lambda q: sum(np.exp(-q / (2 * s**2)) for s in (1, 2, 4, 8, 16)),
    GaussianKernel(bandwidths=(0.7,)): lambda q: np.exp(-q / (2 * 0.49)),
    RationalQuadraticKernel(): lambda q: sum((1 + q / (2 * a)) ** -a for a in (0.2, 0.5, 1, 2, 5)),
    RationalQuadraticKernel(alphas=(3.0,)): lambda q: (1 + q / 6) ** -3,
}


def slow_mmd(kernel, x, y):
    """Gretton et al. 2012, equation 3, as it stands there."""

    def k(a, b):
        return kernel(((a - b) ** 2).sum())

    n, m = len(x), len(y)
    within_x = sum(k(x[i], x[j]) for i, j in product(range(n), repeat=2) if i != j) / (n * (n - 1))
    within_y = sum(k(y[i], y[j]) for i, j in product(range(m), repeat=2) if i != j) / (m * (m - 1))
    return within_x + within_y - 2 * sum(k(a, b) for a, b in product(x, y)) / (n * m)


def slow_gradient(kernel, x, y):
    """By each element of y, from central differences of the double loop."""
    gradient = np.zeros_like(y)
    for place in np.ndindex(*y.shape):
        step = np.zeros_like(y)
        step[place] = 1e-5
        gradient[place] = (slow_mmd(kernel, x, y + step) - slow_mmd(kernel, x, y - step)) / 2e-5
    return gradient


def points(seed, *shape):
    return np.random.default_rng(seed).normal(0, 2, shape)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_value_and_gradient_are_those_of_the_double_loop(kernel):
    x, y = points(0, 5, 3), points(1, 4, 3)
    fake = torch.tensor(y, requires_grad=True)
    value = MMD(kernel).g_loss(fake, torch.tensor(x))
    value.backward()
    assert value.item() == pytest.approx(slow_mmd(KERNELS[kernel], x, y), rel=1e-10)
    np.testing.assert_allclose(fake.grad.numpy(), slow_gradient(KERNELS[kernel], x, y), atol=1e-8)


def test_discriminator_maximises_what_the_generator_minimises():
    x, y = torch.tensor(points(0, 5, 3)), torch.tensor(points(1, 5, 3))
    assert MMD().d_loss(x, y) == -MMD().g_loss(y, x)


def test_statistic_is_unbiased():
    """The mean over all samples of 2 with repetition is the discrepancy of the distributions themselves."""
    x_all, y_all = points(2, 3, 1), points(3, 3, 1) + 1
    kernel = KERNELS[GaussianKernel()]
    expected = np.mean([kernel(((a - b) ** 2).sum()) for a, b in product(x_all, repeat=2)])
    expected += np.mean([kernel(((a - b) ** 2).sum()) for a, b in product(y_all, repeat=2)])
    expected -= 2 * np.mean([kernel(((a - b) ** 2).sum()) for a, b in product(x_all, y_all)])
    estimates = [
        MMD().g_loss(torch.tensor(y_all[list(j)]), torch.tensor(x_all[list(i)])).item()
        for i in product(range(3), repeat=2)
        for j in product(range(3), repeat=2)
    ]
    assert np.mean(estimates) == pytest.approx(expected, rel=1e-10)
    assert min(estimates) < 0 < max(estimates)


def test_digits_survive_far_from_the_origin():
    """A mean far away, as features have, must not drown the distances between them in float32."""
    x, y = torch.tensor(points(4, 16, 8)), torch.tensor(points(5, 16, 8)) + 0.5
    near = MMD().g_loss(y, x).item()
    far = [(batch + 1000).float().requires_grad_() for batch in (y, x)]
    value = MMD().g_loss(*far)
    value.backward()
    assert value.item() == pytest.approx(near, abs=1e-4)
    wanted = torch.autograd.grad(MMD().g_loss(fake := y.clone().requires_grad_(), x), fake)[0]
    assert torch.allclose(far[0].grad.double(), wanted, atol=1e-4)


def test_equal_samples_cost_as_much_as_their_own_spread_and_have_finite_gradients():
    x = torch.zeros(4, 3, requires_grad=True)
    value = MMD(GaussianKernel(bandwidths=(1.0,))).g_loss(x, torch.zeros(4, 3))
    value.backward()
    assert value == 0
    assert torch.equal(x.grad, torch.zeros(4, 3))


def test_scores_of_any_shape_are_taken_as_vectors():
    x, y = torch.tensor(points(6, 5, 2, 3)), torch.tensor(points(7, 5, 2, 3))
    assert MMD().g_loss(y, x) == MMD().g_loss(y.flatten(1), x.flatten(1))
    assert MMD().g_loss(y[:, 0, 0], x[:, 0, 0]) == MMD().g_loss(y[:, 0, :1], x[:, 0, :1])


def test_autocast_leaves_the_distances_their_digits():
    x, y = torch.tensor(points(8, 8, 4)).float(), torch.tensor(points(9, 8, 4)).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = MMD().g_loss(y, x)
    assert inside == MMD().g_loss(y, x)


def test_any_kernel_of_the_squared_distance_serves():
    x, y = points(10, 4, 2), points(11, 4, 2)
    found = MMD(lambda q: -q).g_loss(torch.tensor(y), torch.tensor(x)).item()
    assert found == pytest.approx(slow_mmd(lambda q: -q, x, y), rel=1e-10)


def test_no_kernel_meets_a_negative_distance():
    """With minus the distance as kernel this is the energy distance; its root is nan below 0."""
    x, y = points(12, 20, 5), points(13, 20, 5) + 100
    found = MMD(lambda q: -q.sqrt()).g_loss(torch.tensor(y).float(), torch.tensor(x).float()).item()
    assert found == pytest.approx(slow_mmd(lambda q: -np.sqrt(q), x, y), rel=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianKernel(bandwidths=()), r"bandwidths must be one or more numbers above 0; found \(\)"),
        (lambda: GaussianKernel(bandwidths=(1.0, 0.0)), "bandwidths must be one or more numbers above 0"),
        (lambda: RationalQuadraticKernel(alphas=(-1.0,)), "alphas must be one or more numbers above 0"),
        (lambda: MMD().g_loss(torch.zeros(4, 2)), r"MMD compares with real samples: give g_loss\(fake, real\)"),
        (
            lambda: MMD().d_loss(torch.zeros(1, 2), torch.zeros(4, 2)),
            "MMD compares within a batch and needs at least 2 real and 2 generated samples; found 1 and 4",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
