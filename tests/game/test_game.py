"""The step: who moves, what is read, and what is logged."""

import copy
from itertools import islice

import pytest
import torch
from torch import nn

from zerosum.game import Batch
from zerosum.networks import IdentityDiscriminator
from zerosum.objectives import MMD, Relativistic, Wasserstein
from zerosum.terms import R1, Every, Geometric, Scheduled


class Counted(nn.Module):
    """A discriminator that counts its forward passes."""

    def __init__(self, network):
        super().__init__()
        self.network, self.passes = network, 0

    def forward(self, x):
        self.passes += 1
        return self.network(x)


def test_each_player_moves_itself_and_leaves_the_other_untouched(play, batches, unchanged):
    game = play(objective=Relativistic(), D_terms=(R1(),))
    for move, mover, other in ((game.update_D, game.D, game.G), (game.update_G, game.G, game.D)):
        mine_same, theirs_same = unchanged(mover.network), unchanged(other.network)
        gradients = [p.grad for p in other.network.parameters()]
        move(next(batches))
        assert not mine_same()
        assert theirs_same()
        assert all(p.grad is g for p, g in zip(other.network.parameters(), gradients, strict=True))


def test_the_real_batch_is_left_as_it_was(play, batches):
    batch = next(batches)
    before = batch.x.clone()
    play(D_terms=(R1(),)).update_D(batch)
    assert torch.equal(batch.x, before)
    assert not batch.x.requires_grad
    assert batch.x.grad is None


def test_a_step_is_n_critic_updates_of_d_each_on_its_own_batch_then_one_of_g(play, batches, spying):
    D_spy, G_spy = spying(), spying()
    game = play(n_critic=3, D_terms=(D_spy,), G_terms=(G_spy,))
    all_batches = list(islice(batches, 8))
    stream = iter(all_batches)
    game.step(stream)
    game.step(stream)
    assert [turn.x.tolist() for turn in D_spy.turns] == [all_batches[i].x.tolist() for i in (0, 1, 2, 4, 5, 6)]
    assert [turn.x.tolist() for turn in G_spy.turns] == [all_batches[i].x.tolist() for i in (3, 7)]
    assert [turn.clock.updates for turn in D_spy.turns] == [0, 1, 2, 3, 4, 5]
    assert [turn.clock.images for turn in D_spy.turns] == [0, 4, 8, 12, 16, 20]
    assert [turn.clock.images for turn in G_spy.turns] == [12, 24]
    assert D_spy.turns[1].clock.progress == 0.04
    assert (game.D.updates, game.G.updates, game.images) == (6, 2, 24)
    latents = torch.stack([turn.z for turn in (*D_spy.turns, *G_spy.turns)])
    assert len(latents.unique(dim=0)) == 8


def test_an_update_scores_each_batch_once(play, batches, fresh_networks):
    D = Counted(fresh_networks()[1])
    game = play(D=D, D_terms=(R1(), R1()))
    game.update_D(next(batches))
    assert D.passes == 2
    game.update_G(next(batches))
    assert D.passes == 3, "the generator's update scores its samples only"


def test_the_generator_is_not_run_for_gradients_on_ds_move(play, batches, spying):
    spy = spying()
    play(D_terms=(spy,)).update_D(next(batches))
    (turn,) = spy.turns
    assert turn.x_fake.is_leaf
    assert turn.x_fake.requires_grad


def test_two_equal_terms_both_count_and_both_show(play, batches):
    log = play(D_terms=(R1(), R1(), Every(2, R1())), objective=Wasserstein()).update_D(batch := next(batches))
    assert list(log) == ["D/loss", "D/R1", "D/R1#2", "D/R1#3", "D/gradient_norm"]
    assert log["D/R1"] == log["D/R1#2"] == log["D/R1#3"] / 2
    one, two = play(D_terms=(R1(), R1())), play(D_terms=(R1(gamma=2.0),))
    one.update_D(batch)
    two.update_D(batch)
    for a, b in zip(one.D.network.parameters(), two.D.network.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-7)


def test_a_term_goes_by_its_own_name_through_all_that_is_wrapped_around_it(play, batches):
    log = play(D_terms=(Every(2, Scheduled(Geometric(0.5), R1())),), objective=Wasserstein()).update_D(next(batches))
    assert list(log) == ["D/loss", "D/R1", "D/gradient_norm"]


def test_the_log_holds_detached_scalars_and_the_length_of_the_gradient(play, batches, fresh_networks, spying):
    game = play(objective=Wasserstein())
    batch = next(batches)
    spy = spying()
    game.G.terms = (spy,)
    log = game.update_G(batch)
    assert all(value.shape == () and not value.requires_grad for value in log.values())
    G, D = fresh_networks()
    gradients = torch.autograd.grad(-D(G(spy.turns[0].z)).mean(), [*G.parameters()])
    norm = sum(float(g.double().square().sum()) for g in gradients) ** 0.5
    assert log["G/gradient_norm"].item() == pytest.approx(norm, rel=1e-5)


def test_conditions_reach_both_networks(play):
    class Labelled(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network, self.seen = network, []

        def forward(self, x, c):
            self.seen.append(c.tolist())
            return self.network(x)

    G, D = Labelled(nn.Linear(3, 2)), Labelled(nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)))
    game = play(G=G, D=D)
    game.step(iter([Batch(torch.randn(4, 2), torch.tensor([c, 1, 2, 3]), 4 * c) for c in (0, 5)]))
    assert G.seen == [[0, 1, 2, 3], [5, 1, 2, 3]]
    assert D.seen == [[0, 1, 2, 3], [0, 1, 2, 3], [5, 1, 2, 3]]


def test_a_discriminator_without_parameters_never_moves(play, batches):
    D = IdentityDiscriminator().build((2,), None)
    game = play(D=D, objective=MMD(), n_critic=0)
    log = game.step(batches)
    assert list(log) == ["G/loss", "G/gradient_norm"]
    assert (game.D.updates, game.G.updates, game.images) == (0, 1, 4)


def test_a_parameter_that_no_loss_reaches_stays_where_it_is(play, batches):
    class Idle(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Linear(3, 2), nn.Parameter(torch.ones(2))

        def forward(self, z):
            return self.used(z)

    game = play(G=Idle())
    for _ in range(2):
        game.step(batches)
    assert game.G.network.idle.tolist() == [1, 1]


def test_frozen_parameters_are_no_part_of_a_player(play, batches, fresh_networks):
    G, _ = fresh_networks()
    G[0].requires_grad_(False)
    before = G[0].weight.clone()
    game = play(G=G, G_optimiser=torch.optim.SGD(G[2].parameters(), 0.1))
    game.step(batches)
    assert torch.equal(G[0].weight, before)


def test_batch_norm_sees_real_and_generated_samples_apart(play, batches):
    D = nn.Sequential(nn.BatchNorm1d(2, affine=False), nn.Linear(2, 1), nn.Flatten(0))
    game = play(D=D)
    game.update_D(next(batches))
    assert D[0].num_batches_tracked == 2


def equal(one, other):
    """Whether two networks hold the same numbers."""
    return all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


def test_equal_games_play_equally_and_another_seed_otherwise(play, batches):
    four = list(islice(batches, 4))
    games = [play(seed=seed) for seed in (0, 0, 1)]
    for game in games:
        stream = iter(four)
        game.step(stream)
        game.step(stream)
    first, again, other = (game.G.network for game in games)
    assert equal(first, again)
    assert not equal(first, other)


def test_a_step_of_a_copy_is_the_step_of_the_original(play, batches):
    """State lives in networks, optimisers and counters only: a deep copy of all of it plays on alike."""
    game = play(D_terms=(Every(2, R1()),))
    game.step(batches)
    other, two = copy.deepcopy(game), list(islice(batches, 2))
    game.step(iter(two))
    other.step(iter(two))
    assert equal(game.G.network, other.G.network)
    assert equal(game.ema.module, other.ema.module)
