"""Reconstruction of real samples by D's decoders."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions.labels import Labels
from zerosum.game import Clock, Draws, Turn
from zerosum.networks import FastGANDiscriminator
from zerosum.terms import Reconstruction


class Decoding(nn.Module):
    """A discriminator that remembers what it was asked to reconstruct."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))
        self.asked = []

    def reconstruct(self, x, c, part):
        self.asked.append((x, c, part))
        return [(x, self.weight * x), (x[:, :1], self.weight + x[:, :1])]


def table(D, player="D", position=0, c=None):
    x = torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    return Turn(player, D, None, x, x + 1, None, c, Clock(), Draws(seed=0, position=position))


def test_value_is_the_sum_of_mean_absolute_errors_and_trains_the_decoders():
    D, c = Decoding(), torch.arange(4)
    turn = table(D, c=c)
    x = turn.x.detach().double().numpy()
    value = Reconstruction(weight=3.0)(turn)
    assert value.item() == pytest.approx(3 * (np.abs(0.5 * x).mean() + 0.5), rel=1e-5)
    value.backward()
    assert D.weight.grad.item() == pytest.approx(3 * (1 - np.abs(x).mean()), rel=1e-4)
    ((seen, label, _),) = D.asked
    assert torch.equal(seen, turn.x)
    assert not seen.requires_grad, "the gradient by the samples is no part of it"
    assert label is c


def test_what_is_reconstructed_is_the_augmented_sample_that_d_scores():
    turn = table(Decoding())
    turn.augment = lambda x, role, turn: x * turn.draws.uniform(f"augment {role}", (len(x), 1, 1, 1))
    turn.D.forward = lambda x: turn.D.scored.append(x) or x.flatten(1).sum(1)
    turn.D.scored = []
    Reconstruction()(turn)
    assert turn.real.score.shape == (4,)
    assert torch.equal(turn.D.asked[0][0], turn.D.scored[0])
    assert not torch.equal(turn.D.asked[0][0], turn.x)


def test_the_quarter_differs_between_updates_and_is_the_same_in_a_repeated_one():
    D = Decoding()
    for position in [*range(0, 200, 4), 0]:
        Reconstruction()(table(D, position=position))
    parts = [part for _, _, part in D.asked]
    assert set(parts) == {0, 1, 2, 3}
    assert parts[0] == parts[-1]


def test_decoders_learn_to_reconstruct():
    D = FastGANDiscriminator(size=8, decoders=True).build((1, 16, 16), Labels(2))
    optimiser = torch.optim.Adam(D.parameters(), lr=0.01)
    x = torch.ones(4, 1, 16, 16) * torch.tensor([-0.8, -0.3, 0.3, 0.8]).view(4, 1, 1, 1)
    values = []
    for position in range(20):
        turn = Turn("D", D, None, x, x, None, torch.arange(4) % 2, Clock(), Draws(seed=0, position=position))
        value = Reconstruction()(turn)
        values.append(value.item())
        gradients = torch.autograd.grad(value, [*D.parameters()], materialize_grads=True, allow_unused=True)
        for p, gradient in zip(D.parameters(), gradients, strict=True):
            p.grad = gradient
        optimiser.step()
    assert values[-1] < 0.5 * values[0]


def test_what_it_cannot_do_is_refused():
    with pytest.raises(ValueError, match="Reconstruction trains D's decoders: put it among d_terms, not g_terms"):
        Reconstruction()(table(Decoding(), player="G"))
    with pytest.raises(ValueError, match=r"Reconstruction needs a D that reconstructs, .* found Linear"):
        Reconstruction()(table(nn.Linear(2, 1)))
    for weight in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="weight weighs the reconstructions and is at least 0; found"):
            Reconstruction(weight=weight)
