"""Which game is played, as a value in a recipe."""

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
    """Builds a game of a recipe's parts, where it is not the usual one of a generator and a discriminator.

    `Recipe.generator`, `.discriminator`, `.objective`, `.latent` and the optimisers serve as the game chooses, as one
    generator spec for both directions of a translation; what else it needs are its own fields. A second data set comes
    as the condition of the first: a source whose samples are x and whose conditions are the samples of the other.
    """

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields among `recipes.recipe.OF_THE_GAME` that this game uses: a recipe that sets another is refused."""
        ...

    def build(
        self,
        recipe: "Recipe",
        dataset: Dataset,
        device: torch.device,
        precision: Callable[[], AbstractContextManager[None]],
        watchers: Sequence[Watcher],
    ) -> TrainableGame:
        """The game at its start, on a device, the same on every rank (`networks.place` sends the weights).

        `precision` makes the context in which networks and losses are computed. Every watcher is called after each
        update, as `Watcher.watch` says.
        """
        ...

    def generator(self, name: str, recipe: "Recipe", shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """The module of `TrainableGame.generators` of this name, as yet without its weights, `G(z[, c]) -> x`.

        This is how a file or a run folder is loaded, without data. Raises `ValueError` for an unknown name.
        """
        ...


def generator_network(recipe: "Recipe", name: str, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
    """A generator of a recipe's game, by name, for samples of a shape; raises `ValueError` where there is none."""
    if recipe.game is not None:
        return recipe.game.generator(name, recipe, shape, condition)
    if name != MAIN:
        raise ValueError(f"the game of {recipe.name} has one generator, called {MAIN!r}; found {name!a:.40}")
    return recipe.generator.build(recipe.latent.size, shape, condition)
