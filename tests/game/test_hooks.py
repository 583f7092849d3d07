"""The four places where something may be hung into the step: what G is shown, watchers, projections, rates."""

import math

import pytest
import torch
from torch.func import functional_call

from zerosum.game import Game, Turn
from zerosum.objectives import Relativistic, Wasserstein
from zerosum.recipes import Adam
from zerosum.terms import Cosine, Every, WeightClip


def test_g_trains_against_what_the_hook_returns_and_d_is_unchanged(play, batches, fresh_networks, spying, unchanged):
    """A look-ahead: G descends against D one gradient step later, without D having moved."""

    def look_ahead(game: Game, turn: Turn):
        own = dict(game.D.network.named_parameters())
        loss = game.objective.d_loss(game.D.network(turn.x), game.D.network(turn.x_fake.detach()))
        gradients = torch.autograd.grad(loss, [*own.values()])
        ahead = {name: p - 0.5 * g for (name, p), g in zip(own.items(), gradients, strict=True)}
        return lambda x: functional_call(game.D.network, ahead, (x,))

    batch = next(batches)
    spy = spying()
    game = play(opponent=look_ahead, G_terms=(spy,), objective=Wasserstein())
    still_same = unchanged(game.D.network)
    log = game.update_G(batch)
    assert still_same()
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


def test_watchers_are_called_after_every_update_and_may_add_to_the_log(play, batches):
    watcher = Noting()
    log = play(watchers=(watcher,)).step(batches)
    assert [seen[:2] for seen in watcher.seen] == [("D", "D"), ("G", "G")]
    assert {"D/loss", "D/gradient_norm"} <= set(watcher.seen[0][2])
    assert "reading" in log


def test_objectives_and_terms_that_can_watch_need_no_listing(play, batches):
    inside, outside = Noting(), Noting()
    log = play(D_terms=(Every(2, inside),), G_terms=(outside,)).step(batches)
    assert len(inside.seen) == len(outside.seen) == 2
    assert {"V", "D(x)", "D(G(z))"} <= set(log), "the logistic objective reads the value of the game"


def test_weights_are_projected_after_each_update_of_their_player_only(play, batches):
    game = play(D_after=WeightClip(0.02))
    game.G.network[0].weight.data.fill_(3.0)
    game.update_D(next(batches))
    assert max(p.abs().max().item() for p in game.D.network.parameters()) <= 0.02
    game.update_G(next(batches))
    assert game.G.network[0].weight.max() > 2


def test_the_learning_rate_follows_the_progress_of_the_run(play, batches):
    game = play(G_rate=Cosine(end=0.1), D_rate=Cosine())
    rates = []
    for _ in range(3):
        game.step(batches)
        rates.append([player.optimiser.param_groups[0]["lr"] for player in (game.D, game.G)])
    assert rates[0] == pytest.approx([0.01, 0.01 * Cosine(end=0.1)(0.04)])
    assert rates[2] == pytest.approx([0.01 * Cosine()(0.08), 0.01 * Cosine(end=0.1)(0.12)])


def test_other_settings_of_an_optimiser_follow_the_progress_too(play, batches):
    adam = Adam(betas=(0.5, 0.9), beta2_schedule=Cosine(end=0.1))
    game = play(G_adjust=adam.adjust)
    for progress in (0.04, 0.08, 0.12):
        game.step(batches)
        beta2 = 0.99 - 0.09 * (1 + math.cos(math.pi * progress)) / 2
        assert game.G.optimiser.param_groups[0]["betas"] == pytest.approx((0.5, beta2))
        assert game.D.optimiser.param_groups[0]["betas"] == (0.5, 0.9)


class Shifting:
    """An augmentation that moves samples aside, by role, and notes whom it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, x, role, turn):
        self.asked.append((turn.player, role))
        return x + {"real": 1.0, "fake": 2.0}.get(role, 3.0)


def test_d_sees_everything_through_the_augmentation_on_both_players_moves(play, batches, fresh_networks, spying):
    augment, spies = Shifting(), {"D": spying(), "G": spying()}
    game = play(augment=augment, D_terms=(spies["D"],), G_terms=(spies["G"],), objective=Relativistic())
    game.step(batches)
    assert augment.asked == [("D", "real"), ("D", "fake"), ("G", "fake"), ("G", "real")]
    D = fresh_networks()[1]
    turn = spies["D"].turns[0]
    assert torch.equal(turn.real.score, D(turn.x + 1).float())
    assert torch.equal(turn.fake.score, D(turn.x_fake + 2).float())
    (gradient,) = torch.autograd.grad(game.D.network(augment(turn.x, "aside", turn)).sum(), turn.x)
    assert gradient.any(), "penalties differentiate by the samples as they were"
    assert torch.allclose(turn.judge(turn.x).score, game.D.network(turn.x + 3))


def test_several_updates_of_g_make_one_step_and_the_average_follows_once(play, batches):
    game = play(n_critic=2, n_generator=3)
    updates = []
    game.ema.update = lambda images, seen, unless: updates.append((images, seen))
    for _ in range(2):
        game.step(batches)
    assert (game.D.updates, game.G.updates, game.images) == (4, 6, 16)
    assert updates == [(8, 8), (8, 16)]


def test_a_part_of_both_players_watches_once(play, batches):
    both = Noting()
    play(D_terms=(both,), G_terms=(both,)).step(batches)
    assert [seen[0] for seen in both.seen] == ["D", "G"]
