"""The game against a training loop written out by hand, the usual way: `zero_grad`, `backward`, `step`."""

import copy
import math
from itertools import islice

import torch
from torch.nn.functional import softplus

from zerosum.game import Normal, stream
from zerosum.terms import R1, Every


def slope_penalty(D, x):
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return slope.square().sum(1).mean()


def by_hand(G, D, batches, rounds, n_critic, seed):
    """The non-saturating game with R1 (gamma 0.2) on every second move of D, and an average of G."""
    G_opt, D_opt = (torch.optim.Adam(network.parameters(), 0.01, (0.5, 0.9)) for network in (G, D))
    average, images, moves = copy.deepcopy(G), 0, 0
    for _ in range(rounds):
        for _ in range(n_critic):
            batch = next(batches)
            z = Normal(3).draw(len(batch.x), stream(seed, "latent", batch.position))
            D_opt.zero_grad()
            loss = softplus(-D(batch.x)).mean() + softplus(D(G(z).detach())).mean()
            if moves % 2 == 0:
                loss = loss + 2 * 0.1 * slope_penalty(D, batch.x)
            loss.backward()
            D_opt.step()
            moves += 1
            images += len(batch.x)
        batch = next(batches)
        z = Normal(3).draw(len(batch.x), stream(seed, "latent", batch.position))
        G_opt.zero_grad()
        softplus(-D(G(z))).mean().backward()
        G_opt.step()
        # While the half-life is 5 % of the images seen, going from a to b of them leaves (a / b)^(log 2 / 0.05).
        decay = ((images - n_critic * len(batch.x)) / images) ** (math.log(2) / 0.05)
        for mine, theirs in zip(average.parameters(), G.parameters(), strict=True):
            mine.data.lerp_(theirs.data, 1 - decay)
    return average


def test_three_rounds_end_at_the_weights_of_a_loop_written_by_hand(play, batches, fresh_networks):
    game = play(n_critic=2, seed=5, D_terms=(Every(2, R1(gamma=0.2)),))
    nine = list(islice(batches, 9))
    stream_of_nine = iter(nine)
    for _ in range(3):
        game.step(stream_of_nine)
    G, D = fresh_networks()
    average = by_hand(G, D, iter(nine), rounds=3, n_critic=2, seed=5)
    for mine, theirs in ((game.G.network, G), (game.D.network, D), (game.ema.module, average)):
        for (name, a), b in zip(mine.named_parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(a, b, atol=1e-6), name
    assert game.images == 24
