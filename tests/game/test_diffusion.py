"""The steps of a diffusion against float64 numpy, and games of diffused samples."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions import Image, Vector
from zerosum.game.batch import Batch
from zerosum.game.diffusion import Denoiser, DenoisingGame, Diffusion, noisy, noisy_condition
from zerosum.game.random import Draws

STEPS, LOW, HIGH = 4, 0.1, 20.0


def betas():
    """Those of the paper, appendix C: 1 - exp(-beta_min / T - (beta_max - beta_min) (2t - 1) / (2 T^2)), t from 1."""
    t = np.arange(1, STEPS + 1, dtype=np.float64)
    return 1 - np.exp(-LOW / STEPS - 0.5 * (HIGH - LOW) * (2 * t - 1) / STEPS**2)


def every_step(count):
    return torch.eye(STEPS).repeat_interleave(count, 0)


def test_the_betas_are_those_of_the_paper():
    diffusion = Diffusion(STEPS, LOW, HIGH)
    np.testing.assert_allclose(diffusion.add.double().numpy() ** 2, betas(), rtol=1e-6)
    np.testing.assert_allclose(diffusion.keep.double().numpy() ** 2, 1 - betas(), rtol=1e-5)
    assert 0.4 < betas()[0] < 0.5 < 0.98 < betas()[3] < 1  # large steps


def test_a_pair_is_drawn_from_the_chain():
    """x_t and x_{t+1} from t and t + 1 steps of q(x_t | x_{t-1}), in mean, variance and covariance."""
    diffusion, count = Diffusion(STEPS, LOW, HIGH), 40_000
    x = torch.tensor([[1.5, -2.0]]).expand(STEPS * count, -1)
    noises = torch.randn(2, *x.shape, generator=torch.Generator().manual_seed(0))
    before, after = diffusion.pair(x, every_step(count), *noises)
    mean, variance = np.array([1.5, -2.0]), 0.0
    for t, (one, two) in enumerate(zip(before.split(count), after.split(count), strict=True)):
        np.testing.assert_allclose(one.mean(0), mean, atol=0.02)
        np.testing.assert_allclose(one.var(0), np.full(2, variance), atol=0.02)
        kept = np.sqrt(1 - betas()[t])
        np.testing.assert_allclose(two.mean(0), kept * mean, atol=0.02)
        covariance = ((one - one.mean(0)) * (two - two.mean(0))).mean(0)
        np.testing.assert_allclose(covariance, np.full(2, kept * variance), atol=0.02)
        mean, variance = kept * mean, (1 - betas()[t]) * variance + betas()[t]
        np.testing.assert_allclose(two.var(0), np.full(2, variance), atol=0.02)


def test_the_posterior_is_that_of_bayes():
    """q(x_t | x_{t+1}, x_0) by multiplying two normal densities on a fine grid."""
    diffusion, (x, after) = Diffusion(STEPS, LOW, HIGH), (0.7, -1.3)
    grid = np.linspace(-12, 12, 400_001)
    signal = 1.0
    for t, beta in enumerate(betas()):
        step, given = torch.eye(STEPS)[t : t + 1], [torch.full((1, 1), value) for value in (x, after)]
        noiseless, moved = (float(diffusion.undone(*given, step, torch.full((1, 1), noise))) for noise in (0.0, 1.0))
        if t == 0:
            assert noiseless == moved == pytest.approx(x, rel=1e-6)
        else:
            prior = (grid - np.sqrt(signal) * x) ** 2 / (1 - signal)
            log = -(prior + (after - np.sqrt(1 - beta) * grid) ** 2 / beta) / 2
            density = np.exp(log - log.max())
            density /= density.sum()
            mean = (density * grid).sum()
            assert noiseless == pytest.approx(mean, rel=1e-4)
            assert moved - noiseless == pytest.approx(np.sqrt((density * (grid - mean) ** 2).sum()), rel=1e-4)
        signal *= 1 - beta


@pytest.mark.parametrize("shape", [(2,), (3, 4, 5)])
def test_c_has_the_noisy_sample_and_the_step(shape):
    kind = noisy_condition(shape, STEPS)
    assert isinstance(kind, Image if len(shape) == 3 else Vector)
    x, step = torch.randn(STEPS, *shape), torch.eye(STEPS)
    c = noisy(x, step)
    assert tuple(c.shape[1:]) == kind.shape
    assert torch.equal(c[:, : shape[0]], x)
    planes = c[:, shape[0] :].flatten(2) if len(shape) == 3 else c[:, shape[0] :, None]
    assert torch.equal(planes, step[:, :, None].expand_as(planes))


class Recorded(nn.Module):
    """Predicts x_0 by a linear map of its noise and c, and records what it is given."""

    def __init__(self, shape):
        super().__init__()
        size = int(np.prod(shape))
        self.linear = nn.Linear(3 + size // shape[0] * (shape[0] + STEPS), size)
        self.shape, self.given = shape, []

    def forward(self, z, c):
        self.given.append((z, c))
        return self.linear(torch.cat([z, c.flatten(1)], 1)).view(-1, *self.shape)


@pytest.mark.parametrize("shape", [(2,), (1, 2, 2)])
def test_all_steps_are_the_single_ones_after_each_other(shape):
    """In numpy: start at noise, then four times predict x_0 and draw from the posterior; all numbers are from z."""
    torch.manual_seed(0)
    size = int(np.prod(shape))
    G = Denoiser(Recorded(shape), Diffusion(STEPS, LOW, HIGH), shape)
    z = torch.randn(5, STEPS * (size + 3))
    with torch.no_grad():
        made = G(z)
    parts = z.view(5, STEPS, size + 3)
    weight, bias = (p.detach().double().numpy() for p in G.network.parameters())
    kept = np.concatenate([[1.0], np.cumprod(1 - betas())])
    x = parts[:, 0, :size].double().numpy()
    for t in (3, 2, 1, 0):
        own, c = G.network.given[3 - t]
        assert torch.equal(own, parts[:, t, size:])
        one_hot = np.eye(STEPS)[t].repeat(size // shape[0])[None].repeat(5, 0)
        np.testing.assert_allclose(c.flatten(1).numpy(), np.concatenate([x, one_hot], 1), atol=1e-5)
        start = np.concatenate([own.double().numpy(), x, one_hot], 1) @ weight.T + bias
        mean = np.sqrt(kept[t]) * betas()[t] / (1 - kept[t + 1]) * start
        mean += np.sqrt(1 - betas()[t]) * (1 - kept[t]) / (1 - kept[t + 1]) * x
        variance = (1 - kept[t]) / (1 - kept[t + 1]) * betas()[t]
        x = mean + np.sqrt(variance) * (parts[:, t, :size].double().numpy() if t else 0)
    np.testing.assert_allclose(made.flatten(1).numpy(), x, rtol=1e-4, atol=1e-5)


def test_samples_have_gradients_to_z_through_all_steps():
    G = Denoiser(Recorded((2,)), Diffusion(STEPS, LOW, HIGH), (2,))
    z = torch.randn(3, STEPS * 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(G(z).sum(), z)
    assert bool((gradient != 0).all())


def test_double_precision_stays():
    G = Denoiser(Recorded((2,)), Diffusion(STEPS, LOW, HIGH), (2,)).double()
    assert G(torch.randn(3, STEPS * 5, dtype=torch.float64)).dtype == torch.float64


def diffused(x, position, rank=0, ranks=1):
    G = Denoiser(Recorded((2,)), Diffusion(STEPS, LOW, HIGH), (2,))
    rows = len(x) // ranks
    batch = Batch(x[rank * rows : (rank + 1) * rows], None, position)
    game = SimpleNamespace(G=SimpleNamespace(network=G), draws=lambda one: Draws(3, one.position, rank, ranks))
    return DenoisingGame(game).diffused(batch)


def test_a_batch_is_diffused_by_its_position_whatever_the_ranks():
    x = torch.randn(4_000, 2, generator=torch.Generator().manual_seed(1))
    whole, again, other = diffused(x, 64), diffused(x, 64), diffused(x, 4_064)
    assert whole.position == 64 and torch.equal(whole.x, again.x) and torch.equal(whole.c, again.c)
    assert not torch.equal(whole.c[:, 2:], other.c[:, 2:])
    halves = [diffused(x, 64, rank, 2) for rank in (0, 1)]
    assert torch.equal(torch.cat([half.x for half in halves]), whole.x)
    assert torch.equal(torch.cat([half.c for half in halves]), whole.c)
    counts = whole.c[:, 2:].sum(0)
    assert bool(((counts - 1_000).abs() < 150).all()) and counts.sum() == 4_000
    first = whole.c[:, 2] == 1
    assert torch.equal(whole.x[first], x[first])  # at step 0 the real samples themselves
    noise = whole.c[first, :2] - np.sqrt(1 - betas()[0]).astype(np.float32) * x[first]
    assert noise.var().item() == pytest.approx(betas()[0], rel=0.1)
    third, kept = whole.c[:, 4] == 1, np.cumprod(1 - betas())[1]
    past = (whole.x[third] - float(np.sqrt(kept)) * x[third]) / float(np.sqrt(1 - kept))
    noise = whole.c[third, :2] - float(np.sqrt(1 - betas()[2])) * whole.x[third]
    pair = torch.stack([past.flatten(), noise.flatten() / float(np.sqrt(betas()[2]))])
    torch.testing.assert_close(pair.cov(), torch.eye(2), atol=0.1, rtol=0)  # two noises, independent
