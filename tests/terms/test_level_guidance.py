"""Guidance by levels, in float64: against numpy, and against a twin written out plainly."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.game import Clock, Draws, Turn
from zerosum.game.random import derived_seed
from zerosum.objectives import BoundaryEquilibrium, Hinge, NonSaturating, TopK
from zerosum.terms import R1, R2, Every, LeCam, LevelGuidance


def shares(levels, least=0.125, floor=0.01):
    return np.array([1 - least ** (1 - i / (levels - 1)) + floor for i in range(levels)])


class Growing(nn.Module):
    """A generator in float64 with a weight of its own for each of three depths."""

    def __init__(self):
        super().__init__()
        random = torch.Generator().manual_seed(1)
        self.shows = nn.ParameterList([torch.randn(5, 8, generator=random).double() for _ in range(3)])

    def levels(self, z, c=None):
        shift = 0 if c is None else c.view(-1, 1, 1, 1).double()
        shown = torch.stack([z @ w for w in self.shows]).cumsum(0)
        return tuple(x.view(-1, 2, 2, 2) + shift for x in shown)

    def forward(self, z, c=None):
        return self.levels(z, c)[-1]


class Scoring(nn.Module):
    """A discriminator in float64 of three images together, which keeps what it has seen."""

    levels = 3

    def __init__(self):
        super().__init__()
        random = torch.Generator().manual_seed(2)
        self.weight = nn.Parameter(torch.randn(24, 4, generator=random).double())
        self.seen = []

    def forward(self, x, c=None):
        self.seen.append(x.detach())
        return torch.tanh(x.flatten(1) @ self.weight).sum(1) + (0 if c is None else c)


def table(player, G, D, c=None, position=0, batch=6):
    random = torch.Generator().manual_seed(3)
    z = torch.randn(batch, 5, generator=random).double()
    x = torch.randn(batch, 2, 2, 2, generator=random).double()
    x_fake = G(z, c)
    if player == "D":
        x, x_fake = x.requires_grad_(), x_fake.detach().requires_grad_()
    return Turn(player, D, G, x, x_fake, z, c, Clock(), Draws(seed=0, position=position))


def drawn(turn, name, shape):
    seed = derived_seed(turn.draws.seed, "level guidance")
    return replace(turn.draws, seed=seed).normal(name, shape).double().numpy()


def stack_by_hand(images, noise):
    """Each level from the one below it: scaled to its own share of the image, and the missing variance added."""
    t = shares(len(images))
    carried, below = np.zeros_like(images[0]), 0.0
    found = [None] * len(images)
    for i in range(len(images))[::-1]:
        ratio = (1 - t[i]) / (1 - below)
        carried = carried * ratio + np.sqrt(t[i] ** 2 - (below * ratio) ** 2) * noise[:, i]
        found[i], below = (1 - t[i]) * images[i] + carried, t[i]
    return np.concatenate(found, axis=1)


def test_shares_of_noise_are_those_of_the_formula_and_fall_towards_the_full_depth():
    np.testing.assert_allclose(LevelGuidance().noise_shares(4), [0.885, 0.76, 0.51, 0.01], atol=1e-12)
    for levels in (2, 3, 7):
        np.testing.assert_allclose(LevelGuidance().noise_shares(levels), shares(levels), rtol=1e-12)
    gentle = LevelGuidance(least=0.5, floor=0.0).noise_shares(3)
    np.testing.assert_allclose(gentle, [0.5, 1 - 0.5**0.5, 0.0], atol=1e-12)


@pytest.mark.parametrize("player", ["D", "G"])
def test_d_sees_both_sides_level_by_level_under_the_noise_of_its_share(player):
    G, D = Growing(), Scoring()
    turn = table(player, G, D)
    LevelGuidance()(turn)
    seen = D.seen if player == "D" else D.seen[::-1]
    for found, wanted in zip(seen, stacks(turn, G), strict=True):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12)


def stacks(turn, G):
    x = turn.x.detach().numpy()
    levels = [level.detach().numpy() for level in G.levels(turn.z, turn.c)]
    shape = (len(x), 3, 2, 2, 2)
    return stack_by_hand([x] * 3, drawn(turn, "real", shape)), stack_by_hand(levels, drawn(turn, "fake", shape))


def test_noise_has_its_share_at_each_level_and_a_shallow_image_says_no_more_than_a_deep_one():
    D = Scoring()
    turn = table("D", Growing(), D, batch=2_000)
    turn.x.data.zero_()
    LevelGuidance()(turn)
    noise = D.seen[0].view(2_000, 3, 8).numpy()
    t = shares(3)
    np.testing.assert_allclose(noise.std((0, 2)), t, rtol=0.03)
    walk = noise / (1 - t)[:, None]
    for i in (0, 1):
        step, deeper = (walk[:, i] - walk[:, i + 1]).ravel(), walk[:, i + 1].ravel()
        assert abs(np.corrcoef(step, deeper)[0, 1]) < 0.03
    assert abs(np.corrcoef(D.seen[0].flatten().numpy(), D.seen[1].flatten().numpy())[0, 1]) < 0.1, "each side its own"


def test_noise_differs_between_updates_and_is_the_same_in_a_repeated_one():
    D = Scoring()
    for position in (0, 6, 0):
        LevelGuidance()(table("D", Growing(), D, position=position))
    first, other, again = D.seen[::2]
    assert not torch.equal(first, other)
    assert torch.equal(first, again)


def scores_by_hand(stack, D, c):
    return np.tanh(stack.reshape(len(stack), -1) @ D.weight.detach().numpy()).sum(1) + (0 if c is None else c.numpy())


@pytest.mark.parametrize("c", [None, torch.arange(6)], ids=["plain", "labels"])
def test_the_whole_term_is_that_of_a_plain_twin(c):
    G, D = Growing(), Scoring()
    term = LevelGuidance(weight=0.7, penalties=(R1(gamma=0.3), Every(2, R2(gamma=0.2))))
    turn = table("D", G, D, c)
    real, fake = (scores_by_hand(stack, D, c) for stack in stacks(turn, G))
    W = D.weight.detach().numpy()

    def grads(stack):
        return (1 - np.tanh(stack.reshape(len(stack), -1) @ W) ** 2) @ W.T

    r1, r2 = ((grads(stack) ** 2).sum(1).mean() for stack in stacks(turn, G))
    d_loss = np.log1p(np.exp(-(real - fake))).mean()
    assert term(turn).item() == pytest.approx(0.7 * (d_loss + 0.3 / 2 * r1 + 2 * 0.2 / 2 * r2), rel=1e-6)
    g_loss = np.log1p(np.exp(-(fake - real))).mean()
    assert term(table("G", G, D, c)).item() == pytest.approx(0.7 * g_loss, rel=1e-6)
    plain = LevelGuidance(objective=NonSaturating())
    assert plain(table("G", G, D, c)).item() == pytest.approx(np.log1p(np.exp(-fake)).mean(), rel=1e-6)


def test_the_gradient_is_that_of_the_formula_and_the_full_depth_is_not_counted_twice(differences):
    """By the weights of each depth: the last image is G's own affair, so the weights that only it has get none."""
    G, D = Growing(), Scoring()
    turn = table("G", G, D)
    gradients = torch.autograd.grad(LevelGuidance()(turn), [*G.shows], materialize_grads=True)
    assert not gradients[2].any()
    z, x, last = turn.z.numpy(), turn.x.numpy(), turn.x_fake.detach().numpy()
    shape = (6, 3, 2, 2, 2)
    real = scores_by_hand(stack_by_hand([x] * 3, drawn(turn, "real", shape)), D, None)
    weights = np.stack([w.detach().numpy() for w in G.shows[:2]])

    def loss(w):
        shallow = [(z @ w[: i + 1].sum(0)).reshape(-1, 2, 2, 2) for i in range(2)]
        fake = scores_by_hand(stack_by_hand([*shallow, last], drawn(turn, "fake", shape)), D, None)
        return np.log1p(np.exp(-(fake - real))).mean()

    wanted = differences(loss, weights)
    np.testing.assert_allclose(torch.stack(gradients[:2]).numpy(), wanted, atol=1e-7)
    assert np.abs(wanted).max() > 1e-3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LevelGuidance(weight=-1.0), "weight weighs a penalty and is at least 0; found -1.0"),
        (lambda: LevelGuidance(floor=0.2), "shares of noise need 0 <= floor < least <= 1; found 0.2 and 0.125"),
        (lambda: LevelGuidance(floor=-0.1), "shares of noise need 0 <= floor < least"),
        (lambda: LevelGuidance(least=1.5), "shares of noise need 0 <= floor < least"),
        (lambda: LevelGuidance(BoundaryEquilibrium()), "LevelGuidance needs parts without a state, as it would"),
        (lambda: LevelGuidance(TopK(Hinge())), "LevelGuidance needs parts without a state"),
        (lambda: LevelGuidance(penalties=(Every(2, LeCam()),)), "LevelGuidance needs parts .* found LeCam"),
    ],
)
def test_what_it_cannot_do_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
