"""Games on boards: what is shared is shared, what makes a game is kept, and what finds no place is told."""

from dataclasses import dataclass, fields, replace

import pytest

from zerosum.bench.literature import reported
from zerosum.bench.modes import plan, usual_games
from zerosum.bench.tasks import OF_SIZE, OF_THE_BOARD, boards, fitted, on_board
from zerosum.game.device import choose_device
from zerosum.networks.dcgan import DCGANDiscriminator
from zerosum.networks.minibatch import MinibatchDiscrimination
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.networks.packed import Packed
from zerosum.recipes.named_recipes import named
from zerosum.recipes.reader import read_recipe
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.training.build import build_game

BOARDS = {board.name: board for board in boards()}


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


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
@pytest.mark.parametrize("name", usual_games())
def test_every_game_is_played_on_the_same_terms(board, name):
    game = named(name)
    composed, _ = on_board(game, board)
    kept = {f.name for f in fields(Recipe)} - {*OF_THE_BOARD, "generator", "discriminator"}
    assert all(getattr(composed, field) == getattr(board.own, field) for field in OF_THE_BOARD)
    assert all(getattr(composed, field) == getattr(game, field) for field in kept)
    assert not composed.conditional
    judge = composed.discriminator
    if isinstance(judge, Packed):  # packing is the game's, and what packs the board's
        assert judge.samples == game.discriminator.samples
        judge = judge.discriminator
    for own, shared in ((composed.generator, board.generator), (judge, board.discriminator)):
        assert type(own) is type(shared)
        assert all(getattr(own, f.name) == getattr(shared, f.name) for f in fields(own) if f.name in OF_SIZE)
    assert read_recipe(pretty(composed)) == composed


def test_the_boards_are_the_known_sets_and_their_own_games_stay_whole():
    assert {name: board.samples for name, board in BOARDS.items()} == {
        "ring-8": 2500, "grid-25": 2500, "mixture-64d": 2500, "stacked-digits": 25_600,
    }  # fmt: skip
    for name in ("ring-8", "grid-25", "mixture-64d"):
        assert on_board(BOARDS[name].own, BOARDS[name]) == (BOARDS[name].own, [])
    assert boards("some/mnist.npz")[3].own.data.path == "some/mnist.npz"
    assert {board for board in BOARDS if reported(board)} == {"ring-8", "grid-25", "stacked-digits"}


def test_every_board_can_be_built_with_its_own_game():
    """With a few samples of the data, since only their shape counts."""
    for board in BOARDS.values():
        recipe, _ = on_board(board.own, board)
        recipe = replace(recipe, data=replace(recipe.data, count=4))
        game = build_game(recipe, recipe.data.open(), choose_device("cpu"), "float32")
        assert game.G.parameters and game.D.parameters


def test_what_a_game_builds_into_its_network_is_built_into_the_boards():
    board = DCGANDiscriminator(32)
    assert fitted(board, DCGANDiscriminator(8, norm="none")) == (DCGANDiscriminator(32, norm="none"), [])
    assert fitted(board, DCGANDiscriminator(8)) == (board, [])
    assert fitted(MLPDiscriminator(hidden=(9,)), MLPDiscriminator(hidden=(7,), dropout=0.3))[0] == MLPDiscriminator(
        hidden=(9,), dropout=0.3
    )
    assert fitted(MLPDiscriminator(hidden=(9,), dropout=0.1), MLPDiscriminator(dropout=0.3))[0].dropout == 0.1
    assert on_board(named("wgan-gp"), BOARDS["stacked-digits"])[0].discriminator == DCGANDiscriminator(32, norm="none")
    assert on_board(named("dcgan"), BOARDS["stacked-digits"])[0].discriminator == DCGANDiscriminator(32)


def test_a_network_that_holds_another_stays_round_the_boards():
    game = Holding(Holding(DCGANDiscriminator(8, norm="none"), together=3))
    found, left = fitted(DCGANDiscriminator(32), game)
    assert found == Holding(Holding(DCGANDiscriminator(32, norm="none"), together=3)) and left == []


def test_what_finds_no_place_is_told():
    assert fitted(DCGANDiscriminator(32), MLPDiscriminator(dropout=0.3)) == (DCGANDiscriminator(32), ["dropout=0.3"])
    assert fitted(MLPDiscriminator(), DCGANDiscriminator(8, norm="none"))[1] == []
    game = replace(named("minimax"), name="layered", discriminator=Layered(similar=16))
    assert on_board(game, BOARDS["ring-8"])[1] == ["layered on ring-8 goes without similar=16"]


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
def test_a_value_that_the_boards_network_does_not_know_finds_no_place(board, built_in, told):
    """It would be refused, or misread, when the run builds its network; the sentence comes before any run."""
    game = replace(named("minimax"), name="strange", discriminator=built_in)
    composed, left = on_board(game, BOARDS[board])
    assert left == [f"strange on {board} goes without {told}"]
    judge = composed.discriminator.discriminator if isinstance(built_in, Packed) else composed.discriminator
    assert judge == BOARDS[board].discriminator
    assert plan([BOARDS[board]], [game], seeds=1, own=False)[1] == left
    composed.discriminator.build((3, 28, 28) if board == "stacked-digits" else (2,), None)


def test_a_value_that_both_know_is_taken_though_their_norms_differ():
    assert fitted(MLPDiscriminator(), DCGANDiscriminator(8, norm="layer")) == (MLPDiscriminator(norm="layer"), [])
    assert fitted(DCGANDiscriminator(), MLPDiscriminator(norm="spectral")) == (DCGANDiscriminator(norm="spectral"), [])
    minibatch = MinibatchDiscrimination(7, 3)
    assert fitted(MLPDiscriminator(), DCGANDiscriminator(minibatch=minibatch))[0].minibatch == minibatch
