"""A generator of texts: its samples have the distribution of its likelihood, and gradients pass through its choices."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from zerosum.game import Gumbel
from zerosum.networks import TextGenerator

SHAPE = (3, 1, 3)


def generator(size=6, temperature=1.0, shape=SHAPE):
    torch.manual_seed(0)
    made = TextGenerator(size, temperature).build(shape[0] * shape[2], shape, None)
    with torch.no_grad():
        made.head.weight.mul_(6)
        made.start.normal_()
    return made.double()


def every():
    codes = torch.tensor([*itertools.product(range(3), repeat=3)])
    return one_hot(codes, 3).movedim(2, 1)[:, :, None].double()


def test_samples_have_the_distribution_of_the_likelihood():
    G = generator()
    z = Gumbel(9).draw(20_000, torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        x, p = G(z), G.log_likelihood(every()).exp()
    assert torch.equal(x.sum(1), torch.ones_like(x.sum(1))) and x.shape == (20_000, *SHAPE)
    assert p.sum() == pytest.approx(1) and p.max() > 3 * p.min()
    numbers = (x.argmax(1).flatten(1) * torch.tensor([9, 3, 1])).sum(1)
    share = torch.bincount(numbers, minlength=27) / len(x)
    assert (share - p).abs().max() < 0.012
    cold = Gumbel(9, scale=0.0).draw(4, torch.Generator().manual_seed(1)).double()
    assert bool((G(cold) == G(cold)[:1]).all()), "without noise the text is always the same"


def test_the_likelihood_is_the_product_of_the_probabilities_of_each_symbol():
    G = generator()
    weights = {name: tensor.detach().numpy() for name, tensor in G.named_parameters()}
    sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
    for x, found in zip(every().numpy()[:, :, 0], G.log_likelihood(every()).tolist(), strict=True):
        state, before, total = weights["start"], np.zeros(3), 0.0
        for here in x.T:
            own = weights["recurrent.weight_ih_l0"] @ before + weights["recurrent.bias_ih_l0"]
            past = weights["recurrent.weight_hh_l0"] @ state + weights["recurrent.bias_hh_l0"]
            reset, update = sigmoid(own[:6] + past[:6]), sigmoid(own[6:12] + past[6:12])
            state = (1 - update) * np.tanh(own[12:] + reset * past[12:]) + update * state
            score = weights["head.weight"] @ state + weights["head.bias"]
            total += score @ here - np.log(np.exp(score).sum())
            before = here
        assert found == pytest.approx(total, abs=1e-10)


def test_the_gradient_is_that_of_a_softmax_at_the_temperature():
    for temperature in (1.0, 0.3):
        G = generator(temperature=temperature, shape=(3, 1, 1))
        z = Gumbel(3).draw(5, torch.Generator().manual_seed(2)).double()
        weight = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
        hard = torch.autograd.grad((G(z)[:, :, 0, 0] @ weight).sum(), G.head.bias)[0]
        bias = G.head.bias.detach().clone().requires_grad_()
        output, _ = G.recurrent(torch.zeros(5, 1, 3, dtype=torch.float64), G.start.expand(1, 5, -1).contiguous())
        soft = ((output[:, 0] @ G.head.weight.T + bias + z) / temperature).softmax(1)
        expected = torch.autograd.grad((soft @ weight).sum(), bias)[0]
        assert torch.allclose(hard, expected) and hard.abs().max() > 1e-3


def test_a_symbol_follows_from_the_noise_and_the_symbols_before_it():
    G = generator()
    z = Gumbel(9).draw(50, torch.Generator().manual_seed(3)).double()
    changed = z.clone()
    changed[:, 6:] += 5 * torch.randn(50, 3, generator=torch.Generator().manual_seed(4))
    one, other = G(z).detach(), G(changed).detach()
    assert torch.equal(one[..., :2], other[..., :2]) and not torch.equal(one, other)


def test_refusals():
    with pytest.raises(ValueError, match="temperature is that of a softmax, above 0; found 0"):
        TextGenerator(temperature=0.0)
    with pytest.raises(ValueError, match=r"makes texts \(V, 1, L\), as of Lines; found samples of \(2,\)"):
        TextGenerator().build(9, (2,), None)
    with pytest.raises(ValueError, match=r"3 symbols at each of 3 places: set latent=Gumbel\(9\); found 64 dimensions"):
        TextGenerator().build(64, SHAPE, None)
    from zerosum.conditions import Labels

    with pytest.raises(ValueError, match="TextGenerator takes no condition: set conditional=False"):
        TextGenerator().build(9, SHAPE, Labels(2))
