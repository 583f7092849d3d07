"""Games on tasks: shared fields, fields of the game, and unsupported parts."""

from dataclasses import dataclass, fields, replace

import pytest

from zerosum.bench.literature import reported
from zerosum.bench.modes import default_games, plan
from zerosum.bench.tasks import SIZE_FIELDS, TASK_FIELDS, fitted, on_task, tasks
from zerosum.game.device import choose_device
from zerosum.networks.dcgan import DCGANDiscriminator
from zerosum.networks.minibatch import MinibatchDiscrimination
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.networks.packed import Packed
from zerosum.recipes.named_recipes import named
from zerosum.recipes.reader import read_recipe
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.training.build import build_game

TASKS = {task.name: task for task in tasks()}


@dataclass(frozen=True)
class Holding:
    """A discriminator that wraps another, such as `Packed`."""

    discriminator: object = DCGANDiscriminator(8)
    together: int = 2

    def build(self, shape, condition):
        return self.discriminator.build(shape, condition)


@dataclass(frozen=True)
class Layered:
    """A discriminator with a field that no task supports."""

    size: int = 5
    similar: int = 0
    norm: object = "none"

    def build(self, shape, condition):
        raise NotImplementedError


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
@pytest.mark.parametrize("name", default_games())
def test_every_game_has_the_same_task_fields(task, name):
    game = named(name)
    composed, _ = on_task(game, task)
    kept = {f.name for f in fields(Recipe)} - {*TASK_FIELDS, "generator", "discriminator"}
    assert all(getattr(composed, field) == getattr(task.default, field) for field in TASK_FIELDS)
    assert all(getattr(composed, field) == getattr(game, field) for field in kept)
    assert not composed.conditional
    network = composed.discriminator
    if isinstance(network, Packed):  # packing belongs to the game, the inner network to the task
        assert network.samples == game.discriminator.samples
        network = network.discriminator
    for own, shared in ((composed.generator, task.generator), (network, task.discriminator)):
        assert type(own) is type(shared)
        assert all(getattr(own, f.name) == getattr(shared, f.name) for f in fields(own) if f.name in SIZE_FIELDS)
    assert read_recipe(pretty(composed)) == composed


def test_the_tasks_are_the_known_sets_and_default_games_are_unchanged():
    assert {name: task.samples for name, task in TASKS.items()} == {
        "ring-8": 2500, "grid-25": 2500, "mixture-64d": 2500, "stacked-digits": 25_600,
    }  # fmt: skip
    for name in ("ring-8", "grid-25", "mixture-64d"):
        assert on_task(TASKS[name].default, TASKS[name]) == (TASKS[name].default, [])
    assert tasks("some/mnist.npz")[3].default.data.path == "some/mnist.npz"
    assert {task for task in TASKS if reported(task)} == {"ring-8", "grid-25", "stacked-digits"}


def test_every_task_can_be_built_with_its_default_game():
    """With few samples, since only their shape matters."""
    for task in TASKS.values():
        recipe, _ = on_task(task.default, task)
        recipe = replace(recipe, data=replace(recipe.data, count=4))
        game = build_game(recipe, recipe.data.open(), choose_device("cpu"), "float32")
        assert game.G.parameters and game.D.parameters


def test_additions_of_a_game_are_set_in_the_network_of_the_task():
    task = DCGANDiscriminator(32)
    assert fitted(task, DCGANDiscriminator(8, norm="none")) == (DCGANDiscriminator(32, norm="none"), [])
    assert fitted(task, DCGANDiscriminator(8)) == (task, [])
    assert fitted(MLPDiscriminator(hidden=(9,)), MLPDiscriminator(hidden=(7,), dropout=0.3))[0] == MLPDiscriminator(
        hidden=(9,), dropout=0.3
    )
    assert fitted(MLPDiscriminator(hidden=(9,), dropout=0.1), MLPDiscriminator(dropout=0.3))[0].dropout == 0.1
    assert on_task(named("wgan-gp"), TASKS["stacked-digits"])[0].discriminator == DCGANDiscriminator(32, norm="none")
    assert on_task(named("dcgan"), TASKS["stacked-digits"])[0].discriminator == DCGANDiscriminator(32)


def test_a_wrapping_network_is_kept_around_that_of_the_task():
    game = Holding(Holding(DCGANDiscriminator(8, norm="none"), together=3))
    found, left = fitted(DCGANDiscriminator(32), game)
    assert found == Holding(Holding(DCGANDiscriminator(32, norm="none"), together=3)) and left == []


def test_unsupported_parts_are_reported():
    assert fitted(DCGANDiscriminator(32), MLPDiscriminator(dropout=0.3)) == (DCGANDiscriminator(32), ["dropout=0.3"])
    assert fitted(MLPDiscriminator(), DCGANDiscriminator(8, norm="none"))[1] == []
    game = replace(named("minimax"), name="layered", discriminator=Layered(similar=16))
    assert on_task(game, TASKS["ring-8"])[1] == ["layered on ring-8 is run without similar=16"]


@pytest.mark.parametrize(
    ("task", "built_in", "reported"),
    [
        ("ring-8", DCGANDiscriminator(8, norm="virtual"), "norm='virtual'"),
        ("ring-8", DCGANDiscriminator(8, norm="instance"), "norm='instance'"),
        ("grid-25", Packed(DCGANDiscriminator(8, norm="virtual"), samples=3), "norm='virtual'"),
        ("stacked-digits", Layered(norm=1), "norm=1"),
    ],
)
def test_a_value_that_the_task_does_not_support_is_reported(task, built_in, reported):
    """It would be refused, or misread, when the run builds its network; the sentence comes before any run."""
    game = replace(named("minimax"), name="strange", discriminator=built_in)
    composed, left = on_task(game, TASKS[task])
    assert left == [f"strange on {task} is run without {reported}"]
    network = composed.discriminator.discriminator if isinstance(built_in, Packed) else composed.discriminator
    assert network == TASKS[task].discriminator
    assert plan([TASKS[task]], [game], seeds=1, default=False)[1] == left
    composed.discriminator.build((3, 28, 28) if task == "stacked-digits" else (2,), None)


def test_a_value_that_both_know_is_taken_though_their_norms_differ():
    assert fitted(MLPDiscriminator(), DCGANDiscriminator(8, norm="layer")) == (MLPDiscriminator(norm="layer"), [])
    assert fitted(DCGANDiscriminator(), MLPDiscriminator(norm="spectral")) == (DCGANDiscriminator(norm="spectral"), [])
    minibatch = MinibatchDiscrimination(7, 3)
    assert fitted(MLPDiscriminator(), DCGANDiscriminator(minibatch=minibatch))[0].minibatch == minibatch
