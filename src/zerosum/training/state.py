"""Save a run's game to a checkpoint, and restore it."""

__all__ = ()

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.game.finite import NonFiniteError
from zerosum.game.trainable import MAIN, TrainableGame
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import Checkpoint
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.stored_condition import condition_of

_RESERVED = {"best", "classifier"}  # names of other files in a run folder


def check_generators(game: TrainableGame) -> None:
    """Raise `ValueError` where the names of a game's generators cannot be file names."""
    names = [*game.generators]
    if MAIN not in names or any(not name.isidentifier() or name in _RESERVED for name in names):
        raise ValueError(
            f"generators of {type(game).__name__} are named by identifiers, one of them {MAIN!r} and none "
            f"{' or '.join(sorted(_RESERVED))}; found {', '.join(names)}"
        )
    state = game.state_dict()
    missing = [name for name in names if name not in state]
    if missing:
        raise ValueError(f"{type(game).__name__}.state_dict() lacks a group with the weights of {missing[0]}")


def capture(
    game: TrainableGame, numbers: Mapping[str, Any], further: Mapping[str, dict[str, Tensor]] = MappingProxyType({})
) -> Checkpoint:
    """The game as a checkpoint, with further facts, `numbers`, and further groups of tensors.

    Raises `ValueError` where a group of the game has the name of one of these.
    """
    state = game.state_dict()
    both = sorted({*state} & {*further})
    if both:
        raise ValueError(f"{type(game).__name__}.state_dict() has a group {both[0]!r}, a name that the run uses")
    return Checkpoint({**further, **state}, {**numbers, "images": game.images})


def restore(game: TrainableGame, checkpoint: Checkpoint) -> None:
    """Restore a new game from a checkpoint.

    Raises `ValueError` where the checkpoint is of another game; this one may then be partly changed.
    """
    images = count(checkpoint.numbers, "images")
    game.load_state_dict(checkpoint.groups)
    if game.images != images:
        raise ValueError(f"its game has seen {game.images:,} images, and its numbers say {images:,}")


def generator_of(game: TrainableGame, recipe: Recipe, dataset: Dataset, name: str = MAIN) -> TrainedGenerator:
    """A generator of a game in its current state, with the recipe as it is written to the run folder."""
    condition, module = condition_of(recipe, dataset.condition), game.generators[name]
    return TrainedGenerator(recipe, module, dataset.shape, game.images, condition, dataset.coding, name)


def count(numbers: Mapping[str, Any], name: str) -> int:
    """A count in a checkpoint; raises `ValueError` where it is none."""
    found = numbers.get(name)
    if type(found) is not int or found < 0:
        raise ValueError(f"its {name} should be a count; found {found!a:.40}")
    return found


def check_weights(game: TrainableGame) -> None:
    """Raise `NonFiniteError` where a weight is NaN or Inf, so that it is never saved.

    Also raised for an update with NaN/Inf that was not reported yet (its images do not count).
    """
    game.check_finite()
    for name, network in game.networks.items():
        parameters = [*network.parameters()]
        if parameters and not bool(torch.stack([p.isfinite().all() for p in parameters]).all()):
            raise NonFiniteError(f"a weight of {name} is no longer a finite number")
