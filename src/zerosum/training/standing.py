"""Standing statistics for the averaged generators of a run."""

__all__ = ()

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from zerosum.conditions.condition import Condition
from zerosum.data.dataset import Dataset
from zerosum.game.batch import to_unit
from zerosum.game.game import Game
from zerosum.game.random import Draws
from zerosum.game.standing import BATCHES, StandingStatistics, running_norms
from zerosum.game.trainable import TrainableGame
from zerosum.game.two_games import TwoGames
from zerosum.recipes.recipe import Recipe
from zerosum.training.batches import Batches, encoded

OfBatch = Callable[[int], Tensor]


def attach_standing_statistics(game: TrainableGame, recipe: Recipe, dataset: Dataset) -> None:
    """Give the averages of generators with batch norms standing statistics.

    Conditions are those of the first batches of the run, read once, here, so that no later error of the data keeps a
    run from being saved. Games of other networks than G and D are left as they are.
    """
    games = game.games if isinstance(game, TwoGames) else (game,) if isinstance(game, Game) else ()
    if not any(running_norms(one.ema.module) for one in games):
        return
    x, c = _read(recipe, dataset)
    for one, condition in zip(games, (c, x), strict=False):
        if running_norms(one.ema.module):
            one.ema.finish = StandingStatistics(one.latent, recipe.seed, recipe.batch, condition)


def _read(recipe: Recipe, dataset: Dataset) -> tuple[OfBatch | None, OfBatch | None]:
    """The samples, for a second game, and the encoded conditions of the first batches; None without conditions."""
    conditions, device = dataset.conditions, torch.device("cpu")
    if not recipe.conditional or conditions is None:
        return None, None
    batches = Batches(dataset, recipe.batch, True, recipe.seed, device)
    indices = [batches.indices(start, start + recipe.batch) for start in range(0, BATCHES * recipe.batch, recipe.batch)]
    needed = conditions.derived or recipe.game is not None
    x = [dataset.read(rows) for rows in indices] if needed else []
    known = x if x and dataset.coding is None else [None] * BATCHES
    values = [conditions.of(rows, own) for rows, own in zip(indices, known, strict=True)]
    return partial(_samples, x), partial(_conditions, conditions.kind, values, recipe)


def _samples(x: list[Tensor], index: int) -> Tensor:
    return to_unit(x[index])


def _conditions(kind: Condition, values: list[Tensor], recipe: Recipe, index: int) -> Tensor:
    return encoded(kind, values[index], recipe.label_dropout, Draws(recipe.seed, index * recipe.batch))
