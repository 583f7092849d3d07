"""Specification of the game in a recipe, for games other than one generator and one discriminator."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import torch
from torch import nn

from zerosum.conditions.condition import Condition
from zerosum.data.dataset import Dataset
from zerosum.game.game import Watcher
from zerosum.game.trainable import MAIN, TrainableGame

if TYPE_CHECKING:
    from zerosum.recipes.recipe import Recipe


class GameSpec(Protocol):
    """Builds a game from a recipe's parts, other than the default of one generator and one discriminator.

    The game decides how to use `Recipe.generator`, `.discriminator`, `.objective`, `.latent` and the optimisers, for
    example one generator spec for both directions of a translation; anything else it needs is a field of its own. A
    second data set is passed as the condition of the first: a source with samples x and conditions from the other.
    """

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields among `recipes.recipe.OF_THE_GAME` that this game uses; setting another raises an error."""
        ...

    def build(
        self,
        recipe: "Recipe",
        dataset: Dataset,
        device: torch.device,
        precision: Callable[[], AbstractContextManager[None]],
        watchers: Sequence[Watcher],
    ) -> TrainableGame:
        """Return the initial game on a device, the same on every rank (`networks.place` broadcasts the weights).

        `precision` returns the autocast context of networks and losses. Every watcher is called after each update, see
        `Watcher.watch`.
        """
        ...

    def generator(self, name: str, recipe: "Recipe", shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """Return the module of `TrainableGame.generators` of this name, `G(z[, c]) -> x`, before loading its weights.

        Used to load a file or run folder without data. Raises `ValueError` for an unknown name.
        """
        ...


def generator_network(recipe: "Recipe", name: str, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
    """Return a generator of a recipe's game by name, for samples of a shape; raise `ValueError` if there is none."""
    if recipe.game is not None:
        return recipe.game.generator(name, recipe, shape, condition)
    if name != MAIN:
        raise ValueError(f"the game of {recipe.name} has one generator, called {MAIN!r}; found {name!a:.40}")
    return recipe.generator.build(recipe.latent.size, shape, condition)
