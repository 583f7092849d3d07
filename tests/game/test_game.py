"""The step: who moves, what is read, what is logged, and what stops it."""

import copy
from itertools import islice

import pytest
import torch
from torch import nn
from torch.func import functional_call

from zerosum.game import Batch, Game, NonFiniteError
from zerosum.networks import IdentityDiscriminator
from zerosum.objectives import MMD, Relativistic, Wasserstein
from zerosum.terms import R1, Cosine, Every, WeightClip


def weights(network):
    return [value.detach().clone() for value in network.state_dict().values()]


def same(before, network):
    return all(torch.equal(a, b) for a, b in zip(before, network.state_dict().values(), strict=True))


class Spy:
    """A term that keeps every turn it sees."""

    def __init__(self, value=0.0):
        self.turns, self.value = [], value

    def __call__(self, turn):
        self.turns.append(turn)
        return torch.tensor(self.value)


class Counted(nn.Module):
    """A discriminator that counts its forward passes."""

    def __init__(self, network):
        super().__init__()
        self.network, self.passes = network, 0

    def forward(self, x):
        self.passes += 1
        return self.network(x)


def test_each_player_moves_itself_and_leaves_the_other_untouched(play, batches):
    game = play(objective=Relativistic(), D_terms=(R1(),))
    for move, mover, other in ((game.move_D, game.D, game.G), (game.move_G, game.G, game.D)):
        mine, theirs = weights(mover.network), weights(other.network)
        gradients = [p.grad for p in other.network.parameters()]
        move(next(batches))
        assert not same(mine, mover.network)
        assert same(theirs, other.network)
        assert all(p.grad is g for p, g in zip(other.network.parameters(), gradients, strict=True))


def test_the_real_batch_is_left_as_it_was(play, batches):
    batch = next(batches)
    before = batch.x.clone()
    play(D_terms=(R1(),)).move_D(batch)
    assert torch.equal(batch.x, before)
    assert not batch.x.requires_grad
    assert batch.x.grad is None


def test_a_round_is_n_critic_moves_of_d_each_on_its_own_batch_then_one_of_g(play, batches):
    D_spy, G_spy = Spy(), Spy()
    game = play(n_critic=3, D_terms=(D_spy,), G_terms=(G_spy,))
    all_batches = list(islice(batches, 8))
    stream = iter(all_batches)
    game.step(stream)
    game.step(stream)
    assert [turn.x.tolist() for turn in D_spy.turns] == [all_batches[i].x.tolist() for i in (0, 1, 2, 4, 5, 6)]
    assert [turn.x.tolist() for turn in G_spy.turns] == [all_batches[i].x.tolist() for i in (3, 7)]
    assert [turn.clock.moves for turn in D_spy.turns] == [0, 1, 2, 3, 4, 5]
    assert [turn.clock.images for turn in D_spy.turns] == [0, 4, 8, 12, 16, 20]
    assert [turn.clock.images for turn in G_spy.turns] == [12, 24]
    assert D_spy.turns[1].clock.progress == 0.04
    assert (game.D.moves, game.G.moves, game.images) == (6, 2, 24)
    latents = torch.stack([turn.z for turn in (*D_spy.turns, *G_spy.turns)])
    assert len(latents.unique(dim=0)) == 8


def test_a_move_judges_each_batch_once(play, batches, fresh_networks):
    D = Counted(fresh_networks()[1])
    game = play(D=D, D_terms=(R1(), R1()))
    game.move_D(next(batches))
    assert D.passes == 2
    game.move_G(next(batches))
    assert D.passes == 3, "the generator's move judges its samples only"


def test_the_generator_is_not_run_for_gradients_on_ds_move(play, batches):
    spy = Spy()
    play(D_terms=(spy,)).move_D(next(batches))
    (turn,) = spy.turns
    assert turn.x_fake.is_leaf
    assert turn.x_fake.requires_grad


def test_two_equal_terms_both_count_and_both_show(play, batches):
    log = play(D_terms=(R1(), R1(), Every(2, R1())), objective=Wasserstein()).move_D(batch := next(batches))
    assert list(log) == ["D/loss", "D/R1", "D/R1#2", "D/R1#3", "D/gradient"]
    assert log["D/R1"] == log["D/R1#2"] == log["D/R1#3"] / 2
    one, two = play(D_terms=(R1(), R1())), play(D_terms=(R1(gamma=2.0),))
    one.move_D(batch)
    two.move_D(batch)
    for a, b in zip(weights(one.D.network), weights(two.D.network), strict=True):
        assert torch.allclose(a, b, atol=1e-7)


def test_the_log_holds_detached_scalars_and_the_length_of_the_gradient(play, batches, fresh_networks):
    game = play(objective=Wasserstein())
    batch = next(batches)
    spy = Spy()
    game.G.terms = (spy,)
    log = game.move_G(batch)
    assert all(value.shape == () and not value.requires_grad for value in log.values())
    G, D = fresh_networks()
    gradients = torch.autograd.grad(-D(G(spy.turns[0].z)).mean(), [*G.parameters()])
    norm = sum(float(g.double().square().sum()) for g in gradients) ** 0.5
    assert log["G/gradient"].item() == pytest.approx(norm, rel=1e-5)


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


def test_g_is_shown_what_the_hook_makes_of_d_and_d_itself_stays(play, batches, fresh_networks):
    """A look-ahead: G descends against D one gradient step later, without D having moved."""

    def look_ahead(game: Game, batch: Batch):
        own = dict(game.D.network.named_parameters())
        _, x_fake = game.generate(batch)
        loss = game.objective.d_loss(game.D.network(batch.x), game.D.network(x_fake.detach()))
        gradients = torch.autograd.grad(loss, [*own.values()])
        ahead = {name: p - 0.5 * g for (name, p), g in zip(own.items(), gradients, strict=True)}
        return lambda x: functional_call(game.D.network, ahead, (x,))

    batch = next(batches)
    spy = Spy()
    game = play(shown=look_ahead, G_terms=(spy,), objective=Wasserstein())
    before = weights(game.D.network)
    log = game.move_G(batch)
    assert same(before, game.D.network)
    G, D = fresh_networks()
    z = spy.turns[0].z
    (D(G(z).detach()).mean() - D(batch.x).mean()).backward()
    with torch.no_grad():
        for p in D.parameters():
            p -= 0.5 * p.grad
    assert log["G/loss"].item() == pytest.approx(-D(G(z)).mean().item(), rel=1e-5)
    assert log["G/loss"].item() != pytest.approx(-fresh_networks()[1](G(z)).mean().item(), rel=1e-3)


class Noting:
    """An observer that notes what it saw and adds a reading; as a term it is worth nothing."""

    def __init__(self):
        self.seen = []

    def watch(self, player, turn, log):
        self.seen.append((player, turn.player, sorted(log)))
        log["reading"] = turn.fake.score.detach().mean()

    def __call__(self, turn):
        return turn.zero()


def test_watchers_see_every_move_and_may_add_to_the_log(play, batches):
    watcher = Noting()
    log = play(watchers=(watcher,)).step(batches)
    assert [seen[:2] for seen in watcher.seen] == [("D", "D"), ("G", "G")]
    assert {"D/loss", "D/gradient"} <= set(watcher.seen[0][2])
    assert "reading" in log


def test_objectives_and_terms_that_can_watch_need_no_listing(play, batches):
    inside, outside = Noting(), Noting()
    log = play(D_terms=(Every(2, inside),), G_terms=(outside,)).step(batches)
    assert len(inside.seen) == len(outside.seen) == 2
    assert {"V", "D(x)", "D(G(z))"} <= set(log), "the logistic objective reads the value of the game"


def test_weights_are_projected_after_each_move_of_their_player_only(play, batches):
    game = play(D_after=WeightClip(0.02))
    game.G.network[0].weight.data.fill_(3.0)
    game.move_D(next(batches))
    assert max(p.abs().max().item() for p in game.D.network.parameters()) <= 0.02
    game.move_G(next(batches))
    assert game.G.network[0].weight.max() > 2


def test_the_learning_rate_follows_the_progress_of_the_run(play, batches):
    game = play(G_rate=Cosine(end=0.1), D_rate=Cosine())
    rates = []
    for _ in range(3):
        game.step(batches)
        rates.append([player.optimiser.param_groups[0]["lr"] for player in (game.D, game.G)])
    assert rates[0] == pytest.approx([0.01, 0.01 * Cosine(end=0.1)(0.04)])
    assert rates[2] == pytest.approx([0.01 * Cosine()(0.08), 0.01 * Cosine(end=0.1)(0.12)])


def test_a_discriminator_without_parameters_never_moves(play, batches):
    D = IdentityDiscriminator().build((2,), None)
    game = play(D=D, objective=MMD(), n_critic=0)
    log = game.step(batches)
    assert list(log) == ["G/loss", "G/gradient"]
    assert (game.D.moves, game.G.moves, game.images) == (0, 1, 4)


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
    game.move_D(next(batches))
    assert D[0].num_batches_tracked == 2


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_stops_the_run_before_anything_moved(play, batches, bad):
    game = play(D_terms=(R1(), Spy(bad)))
    before = weights(game.D.network)
    with pytest.raises(NonFiniteError, match=r"^D/Spy is no longer a finite number$"):
        game.step(batches)
    assert same(before, game.D.network)
    assert game.D.moves == game.images == 0
    assert not game.D.optimiser.state


def test_every_part_that_went_wrong_is_named(play, batches):
    game = play(G_terms=(Spy(float("nan")), Spy(1.0), Spy(float("inf"))))
    before = weights(game.G.network)
    with pytest.raises(NonFiniteError, match=r"^G/Spy, G/Spy#3 is no longer a finite number$"):
        game.step(batches)
    assert same(before, game.G.network)


def test_a_gradient_that_is_no_number_is_found_where_the_loss_is_one(play, batches):
    class Cliff:
        def __call__(self, turn):
            return (turn.fake.score * 0).sqrt().sum()

    game = play(D_terms=(Cliff(),))
    before = weights(game.D.network)
    with pytest.raises(NonFiniteError, match=r"^D/gradient is no longer a finite number$"):
        game.step(batches)
    assert same(before, game.D.network)


def test_equal_games_play_equally_and_another_seed_otherwise(play):
    def played(seed):
        game = play(seed=seed)
        stream = iter([Batch(torch.full((4, 2), 2.0), None, 4 * i) for i in range(4)])
        game.step(stream)
        game.step(stream)
        return weights(game.G.network)

    first, again, other = played(0), played(0), played(1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_step_of_a_copy_is_the_step_of_the_original(play, batches):
    """State lives in networks, optimisers and counters only: a deep copy of all of it plays on alike."""
    game = play(D_terms=(Every(2, R1()),))
    first, second = islice(batches, 2), list(islice(batches, 2))
    game.step(first)
    other = copy.deepcopy(game)
    game.step(iter(second))
    other.step(iter(second))
    assert same(weights(game.G.network), other.G.network)
