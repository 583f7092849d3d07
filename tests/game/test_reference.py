"""The game against a training loop written out by hand, the usual way: `zero_grad`, `backward`, `step`."""

import copy
import math
from itertools import islice

import torch
from torch.nn.functional import softplus

from zerosum.game import Normal
from zerosum.game.random import stream
from zerosum.objectives import Relativistic
from zerosum.terms import R1, R2, Every, Geometric, Scheduled


def gradient_penalty(D, x):
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return gradient.square().sum(1).mean()


def by_hand(G, D, batches, rounds, n_critic, seed):
    """The non-saturating game with R1 (gamma 0.2) on every second update of D, and an average of G."""
    G_opt, D_opt = (torch.optim.Adam(network.parameters(), 0.01, (0.5, 0.9)) for network in (G, D))
    average, images, updates = copy.deepcopy(G), 0, 0
    for _ in range(rounds):
        for _ in range(n_critic):
            batch = next(batches)
            z = Normal(3).draw(len(batch.x), stream(seed, "latent", batch.position))
            D_opt.zero_grad()
            loss = softplus(-D(batch.x)).mean() + softplus(D(G(z).detach())).mean()
            if updates % 2 == 0:
                loss = loss + 2 * 0.1 * gradient_penalty(D, batch.x)
            loss.backward()
            D_opt.step()
            updates += 1
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


def r3gan_by_hand(G, D, batches, rounds, seed, total):
    """R3GAN (arXiv 2501.05441): every fake against a real sample of its own, and R1 and R2 in every update of D.

    L_D = E[f(D(G(z)) - D(x))] + gamma/2 (E |grad_x D(x)|^2 + E |grad_x D(G(z))|^2) with f = softplus; L_G is the first
    part with the roles changed. gamma falls from 0.3 by equal ratios to a tenth over the run.
    """
    G_opt, D_opt = (torch.optim.Adam(network.parameters(), 0.01, (0.5, 0.9)) for network in (G, D))
    for move in range(rounds):
        real, real_for_G = next(batches), next(batches)
        x_fake = G(Normal(3).draw(len(real.x), stream(seed, "latent", real.position))).detach()
        gamma = 0.3 * 0.1 ** (move * len(real.x) / total)
        D_opt.zero_grad()
        loss = sum(softplus(D(x_fake[i : i + 1]) - D(real.x[i : i + 1])) for i in range(len(x_fake))) / len(x_fake)
        (loss + gamma / 2 * (gradient_penalty(D, real.x) + gradient_penalty(D, x_fake))).backward()
        D_opt.step()
        G_opt.zero_grad()
        x_fake = G(Normal(3).draw(len(real_for_G.x), stream(seed, "latent", real_for_G.position)))
        softplus(D(real_for_G.x) - D(x_fake)).mean().backward()
        G_opt.step()


def test_the_game_of_r3gan_ends_at_the_weights_of_its_paper_written_by_hand(play, batches, fresh_networks):
    terms = tuple(Scheduled(Geometric(end=0.1), term(gamma=0.3)) for term in (R1, R2))
    game = play(objective=Relativistic(), seed=7, D_terms=terms, images_total=40)
    eight = list(islice(batches, 8))
    stream_of_eight = iter(eight)
    for _ in range(4):
        game.step(stream_of_eight)
    G, D = fresh_networks()
    r3gan_by_hand(G, D, iter(eight), rounds=4, seed=7, total=40)
    for mine, theirs in ((game.G.network, G), (game.D.network, D)):
        for (name, a), b in zip(mine.named_parameters(), theirs.parameters(), strict=True):
            if name != "2.bias" or mine is game.G.network:  # D's last bias cancels in every difference
                assert torch.allclose(a, b, atol=1e-6), name
