"""A game that does not wait for its device: NaN is found when the next update is launched, and nothing has changed."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from zerosum.game import NonFiniteError, Player
from zerosum.game.finite import DeferredCheck
from zerosum.terms import R1, Every, WeightClip


class FromMove:
    """A term that is NaN from an update on."""

    def __init__(self, update):
        self.update = update

    def __call__(self, turn):
        return turn.fake.score.mean() * (float("nan") if turn.clock.updates >= self.update else 0.1)


def fused(network):
    return torch.optim.Adam(network.parameters(), 0.01, (0.5, 0.9), fused=True)


@pytest.fixture
def deferred(play, fresh_networks):
    """Makes games that check for non-finite numbers late, or at each update."""

    def make(deferred=True, **options):
        G, D = fresh_networks()
        check = DeferredCheck(torch.zeros(())) if deferred else None
        return play(G, D, G_optimiser=fused(G), D_optimiser=fused(D), deferred=check, **options)

    return make


def held(game):
    """All that a bad move must leave: weights, the average, what the optimisers remember."""
    found = {f"{p.name}.{k}": v for p in (game.G, game.D) for k, v in p.network.state_dict().items()}
    found |= {f"ema.{k}": v for k, v in game.ema.module.state_dict().items()}
    for player in (game.G, game.D):
        for i, values in player.optimiser.state_dict()["state"].items():
            found |= {f"{player.name}_opt.{i}.{k}": v for k, v in values.items()}
    return {name: value.detach().clone() for name, value in found.items()}


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_late_or_not_the_game_is_the_same(deferred, batches):
    games = [deferred(deferred=way, D_terms=(Every(2, R1()),)) for way in (True, False)]
    stream = [next(batches) for _ in range(6)]
    for game in games:
        for i in range(3):
            game.step(iter(stream[2 * i :]))
    games[0].check_finite()
    assert equal(*map(held, games))


@pytest.mark.parametrize("move", [0, 2])
@pytest.mark.parametrize("player", ["D", "G"])
def test_a_bad_move_is_named_and_changes_nothing_though_the_next_is_launched(deferred, batches, player, move):
    game, before = deferred(**{f"{player}_terms": (FromMove(move),)}), []
    sound = deferred(**{f"{player}_terms": (FromMove(99),)})
    stream = [next(batches) for _ in range(2 * move + 3)]
    for which in (game, sound):
        for i in range(move):
            which.step(iter(stream[2 * i :]))
    if player == "G":
        sound.update_D(stream[2 * move])
    sound.check_finite()
    before = held(sound)
    with pytest.raises(NonFiniteError, match=rf"^{player}/FromMove is no longer a finite number$"):
        for _ in range(2):
            game.step(iter(stream[2 * move :]))
    found = held(game)
    assert all(torch.equal(found[name], value) for name, value in before.items() if not name.endswith("average"))
    # State that the optimiser only begins with holds nothing yet.
    assert not any(value.any() for name, value in found.items() if name not in before)


def test_nothing_is_kept_of_a_bad_update_that_was_the_last(deferred, batches):
    game = deferred(G_terms=(FromMove(0),))
    game.step(batches)
    with pytest.raises(NonFiniteError, match="G/FromMove"):
        game.check_finite()


class Readings(TorchDispatchMode):
    """Counts the numbers that the host reads off tensors."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_an_update_reads_nothing_but_the_flag_of_the_one_before(deferred, batches):
    game = deferred(D_terms=(Every(2, R1()),))
    game.step(batches)
    with Readings() as readings:
        for _ in range(2):
            game.step(batches)
    assert readings.count == 4


def test_only_fused_optimisers_with_nothing_after_them_can_skip_steps(fresh_networks):
    _, D = fresh_networks()
    assert Player("D", D, fused(D)).can_skip_steps
    assert not Player("D", D, torch.optim.RMSprop(D.parameters())).can_skip_steps
    assert not Player("D", D, fused(D), after=WeightClip()).can_skip_steps
