"""The generator of a run has the batch norm statistics of its averaged weights, wherever it is used."""

import itertools
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from zerosum.data.toys.gaussians import Ring
from zerosum.game.latents import Normal
from zerosum.game.random import Draws, stream
from zerosum.game.standing import BATCHES
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import load_checkpoint, newest_checkpoint
from zerosum.runs.generator import load
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.train import train

CPU = torch.device("cpu")
RECIPE = Recipe(
    name="normed",
    data=Ring(count=100),
    generator=MLPGenerator(hidden=(8,), norm="batch"),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(4),
    batch=16,
    images=320,
    ema=1000.0,
    tick=160,
    snapshot=160,
    seed=3,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(replace(RECIPE, label_dropout=0.25), tmp_path_factory.mktemp("runs") / "run", quiet=True)


def statistics(recipe, module, c):
    """Mean and variance before the norm, over batches of the run's own conditions."""
    inputs = []
    norm = next(part for part in module.modules() if isinstance(part, torch.nn.BatchNorm1d))
    hook = norm.register_forward_pre_hook(lambda _, found: inputs.append(found[0]))
    for index in range(BATCHES):
        module(recipe.latent.draw(recipe.batch, stream(recipe.seed, "standing statistics", index)), c[index])
    hook.remove()
    return norm, torch.stack([h.mean(0) for h in inputs]).mean(0), torch.stack([h.var(0) for h in inputs]).mean(0)


def test_they_are_of_the_conditions_that_the_run_draws(run):
    generator = load(run)
    dataset = RECIPE.data.open()
    batches = Batches(dataset, 16, True, RECIPE.seed, CPU)
    c = []
    for index in range(BATCHES):
        labels = next(batches).c
        hidden = Draws(RECIPE.seed, 16 * index).uniform("label dropout", (16,)) < 0.25
        c.append(torch.where(hidden, torch.full_like(labels, 8), labels))
    norm, mean, variance = statistics(generator.recipe, generator.module, c)
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, variance)
    assert not torch.allclose(norm.running_var, newest_checkpoint(run)[1].groups["G"]["body.1.running_var"], rtol=1e-3)


def test_every_checkpoint_has_them(run):
    """The file of the run, its last checkpoint, and one on the way, whose own weights give its own statistics."""
    last = load(run).module.state_dict()
    assert all(
        torch.equal(tensor, last[name]) for name, tensor in newest_checkpoint(run)[1].groups["generator"].items()
    )
    on_the_way = load_checkpoint(run / "checkpoints" / f"{160:012d}").groups["generator"]
    game = build_game(replace(RECIPE, label_dropout=0.25), RECIPE.data.open(), CPU, "float32")
    game.ema.module.load_state_dict(on_the_way)
    game.ema.module.body[1].reset_running_stats()
    game.ema.finished = False
    again = game.ema.module.state_dict()
    assert torch.equal(again["body.1.running_var"], on_the_way["body.1.running_var"])
    assert not torch.equal(last["body.1.running_var"], on_the_way["body.1.running_var"])


def test_without_batch_norm_nothing_is_recomputed():
    game = build_game(replace(RECIPE, generator=MLPGenerator(hidden=(8,))), RECIPE.data.open(), CPU, "float32")
    assert game.ema.finish is None


def test_without_conditions_none_are_drawn():
    game = build_game(replace(RECIPE, conditional=False), RECIPE.data.open(), CPU, "float32")
    assert game.ema.finish is not None and game.ema.finish.condition is None
    game.ema.finish(game.ema.module)


class Normed(torch.nn.Module):
    """G(z, c): a linear map of the condition's pixels, with a batch norm."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm = torch.nn.Linear(64, 64), torch.nn.BatchNorm1d(64)

    def forward(self, z, c):
        return self.norm(self.linear(c.flatten(1))).view(-1, 1, 8, 8)


def test_of_two_games_the_second_has_the_samples_of_the_first_as_conditions():
    recipe = runpy.run_path(str(Path(__file__).with_name("cycle_runs.py")))["RECIPE"]
    dataset = recipe.data.open()
    game = build_game(replace(recipe, generator=Normed), dataset, CPU, "float32")
    batches = [*itertools.islice(Batches(dataset, recipe.batch, True, recipe.seed, CPU), BATCHES)]
    for one, given in zip(game.games, ([b.c for b in batches], [b.x for b in batches]), strict=True):
        one.ema.finished = False
        G = one.ema.module
        h = torch.stack([G.linear(c.flatten(1)).mean(0) for c in given]).mean(0)
        torch.testing.assert_close(G.norm.running_mean, h)
