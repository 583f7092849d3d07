"""Games on boards: what is shared is shared, what makes a game is kept, and what finds no place is told."""

from dataclasses import dataclass, fields, replace

import pytest

from zerosum.bench.literature import reported
from zerosum.bench.modes import plan, usual_games
from zerosum.bench.tasks import OF_SIZE, OF_THE_BOARD, fitted, on_task, tasks
from zerosum.game.device import choose_device
from zerosum.networks.dcgan import DCGANDiscriminator
from zerosum.networks.minibatch import MinibatchDiscrimination
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.networks.packed import Packed
from zerosum.recipes.named_recipes import named
from zerosum.recipes.reader import read_recipe
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.training.build import build_game

BOARDS = {task.name: task for task in tasks()}


@dataclass(frozen=True)
class Holding:
    """A discriminator that holds another, as packing does."""

    discriminator: object = DCGANDiscriminator(8)
    together: int = 2

    def build(self, shape, condition):
        return self.discriminator.build(shape, condition)


@dataclass(frozen=True)
class Layered:
    """A discriminator with a part of its own that no board knows."""

    size: int = 5
    similar: int = 0
    norm: object = "none"

    def build(self, shape, condition):
        raise NotImplementedError


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda task: task.name)
@pytest.mark.parametrize("name", usual_games())
def test_every_game_is_played_on_the_same_terms(task, name):
    game = named(name)
    composed, _ = on_task(game, task)
    kept = {f.name for f in fields(Recipe)} - {*OF_THE_BOARD, "generator", "discriminator"}
    assert all(getattr(composed, field) == getattr(task.own, field) for field in OF_THE_BOARD)
    assert all(getattr(composed, field) == getattr(game, field) for field in kept)
    assert not composed.conditional
    judge = composed.discriminator
    if isinstance(judge, Packed):  # packing is the game's, and what packs the board's
        assert judge.samples == game.discriminator.samples
        judge = judge.discriminator
    for own, shared in ((composed.generator, task.generator), (judge, task.discriminator)):
        assert type(own) is type(shared)
        assert all(getattr(own, f.name) == getattr(shared, f.name) for f in fields(own) if f.name in OF_SIZE)
    assert read_recipe(pretty(composed)) == composed


def test_the_boards_are_the_known_sets_and_their_own_games_stay_whole():
    assert {name: task.samples for name, task in BOARDS.items()} == {
        "ring-8": 2500, "grid-25": 2500, "mixture-64d": 2500, "stacked-digits": 25_600,
    }  # fmt: skip
    for name in ("ring-8", "grid-25", "mixture-64d"):
        assert on_task(BOARDS[name].own, BOARDS[name]) == (BOARDS[name].own, [])
    assert tasks("some/mnist.npz")[3].own.data.path == "some/mnist.npz"
    assert {task for task in BOARDS if reported(task)} == {"ring-8", "grid-25", "stacked-digits"}


def test_every_board_can_be_built_with_its_own_game():
    """With a few samples of the data, since only their shape counts."""
    for task in BOARDS.values():
        recipe, _ = on_task(task.own, task)
        recipe = replace(recipe, data=replace(recipe.data, count=4))
        game = build_game(recipe, recipe.data.open(), choose_device("cpu"), "float32")
        assert game.G.parameters and game.D.parameters


def test_what_a_game_builds_into_its_network_is_built_into_the_boards():
    task = DCGANDiscriminator(32)
    assert fitted(task, DCGANDiscriminator(8, norm="none")) == (DCGANDiscriminator(32, norm="none"), [])
    assert fitted(task, DCGANDiscriminator(8)) == (task, [])
    assert fitted(MLPDiscriminator(hidden=(9,)), MLPDiscriminator(hidden=(7,), dropout=0.3))[0] == MLPDiscriminator(
        hidden=(9,), dropout=0.3
    )
    assert fitted(MLPDiscriminator(hidden=(9,), dropout=0.1), MLPDiscriminator(dropout=0.3))[0].dropout == 0.1
    assert on_task(named("wgan-gp"), BOARDS["stacked-digits"])[0].discriminator == DCGANDiscriminator(32, norm="none")
    assert on_task(named("dcgan"), BOARDS["stacked-digits"])[0].discriminator == DCGANDiscriminator(32)


def test_a_network_that_holds_another_stays_round_the_boards():
    game = Holding(Holding(DCGANDiscriminator(8, norm="none"), together=3))
    found, left = fitted(DCGANDiscriminator(32), game)
    assert found == Holding(Holding(DCGANDiscriminator(32, norm="none"), together=3)) and left == []


def test_what_finds_no_place_is_told():
    assert fitted(DCGANDiscriminator(32), MLPDiscriminator(dropout=0.3)) == (DCGANDiscriminator(32), ["dropout=0.3"])
    assert fitted(MLPDiscriminator(), DCGANDiscriminator(8, norm="none"))[1] == []
    game = replace(named("minimax"), name="layered", discriminator=Layered(similar=16))
    assert on_task(game, BOARDS["ring-8"])[1] == ["layered on ring-8 goes without similar=16"]


@pytest.mark.parametrize(
    ("board", "built_in", "told"),
    [
        ("ring-8", DCGANDiscriminator(8, norm="virtual"), "norm='virtual'"),
        ("ring-8", DCGANDiscriminator(8, norm="instance"), "norm='instance'"),
        ("stacked-digits", MLPDiscriminator(8, norm="group"), "norm='group'"),
        ("grid-25", Packed(DCGANDiscriminator(8, norm="virtual"), samples=3), "norm='virtual'"),
        ("stacked-digits", Layered(norm=1), "norm=1"),
    ],
)
def test_a_value_that_the_boards_network_does_not_know_finds_no_place(task, built_in, told):
    """It would be refused, or misread, when the run builds its network; the sentence comes before any run."""
    game = replace(named("minimax"), name="strange", discriminator=built_in)
    composed, left = on_task(game, BOARDS[task])
    assert left == [f"strange on {task} goes without {told}"]
    judge = composed.discriminator.discriminator if isinstance(built_in, Packed) else composed.discriminator
    assert judge == BOARDS[task].discriminator
    assert plan([BOARDS[task]], [game], seeds=1, own=False)[1] == left
    composed.discriminator.build((3, 28, 28) if task == "stacked-digits" else (2,), None)


def test_a_value_that_both_know_is_taken_though_their_norms_differ():
    assert fitted(MLPDiscriminator(), DCGANDiscriminator(8, norm="layer")) == (MLPDiscriminator(norm="layer"), [])
    assert fitted(DCGANDiscriminator(), MLPDiscriminator(norm="spectral")) == (DCGANDiscriminator(norm="spectral"), [])
    minibatch = MinibatchDiscrimination(7, 3)
    assert fitted(MLPDiscriminator(), DCGANDiscriminator(minibatch=minibatch))[0].minibatch == minibatch
