"""A recipe as remedies see it, with the facts of its data."""

__all__ = ["Patient"]

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from zerosum.conditions.condition import Condition
from zerosum.game.player import Term, unwrapped
from zerosum.recipes.recipe import OF_THE_GAME, Recipe
from zerosum.terms.finite_differences import FiniteDifferenceR1, FiniteDifferenceR2
from zerosum.terms.gradient_penalties import R1, R2, Dragan, GradientPenalty, RothRegularizer
from zerosum.terms.max_gradient_penalty import MaxGradientPenalty

_ON_SAMPLES = (R1, R2, FiniteDifferenceR1, FiniteDifferenceR2, RothRegularizer)
PENALTIES = (*_ON_SAMPLES, GradientPenalty, Dragan, MaxGradientPenalty)


@dataclass(frozen=True)
class Patient:
    """A recipe, and what its data say about which remedies apply.

    Attributes:
        recipe: the recipe.
        shape: shape of one sample: `(C, H, W)` or `(d,)`.
        condition: the condition of its game; None without.
        coded: whether samples encode others, as latents or one-hot texts do.
    """

    recipe: Recipe
    shape: tuple[int, ...]
    condition: Condition | None = None
    coded: bool = False

    @property
    def is_image(self) -> bool:
        """Whether samples are images as people see them."""
        return len(self.shape) == 3 and not self.coded

    @property
    def trains_D(self) -> bool:
        """Whether D is trained."""
        return self.recipe.n_critic > 0

    @property
    def penalties(self) -> tuple[Term, ...]:
        """The gradient penalties among D's terms, with their wrappers."""
        return tuple(term for term in self.recipe.d_terms if isinstance(unwrapped(term), PENALTIES))

    def free(self, *names: str) -> bool:
        """Whether the recipe's game uses these fields."""
        game = self.recipe.game
        return game is None or all(name in game.reads for name in names if name in OF_THE_GAME)

    @property
    def discriminators(self) -> Iterator[tuple[str, Any]]:
        """D, and the discriminator that it wraps, and so on, each with its path in the recipe."""
        path, part = "discriminator", self.recipe.discriminator
        while is_dataclass(part):
            yield path, part
            path, part = f"{path}.discriminator", getattr(part, "discriminator", None)

    def discriminator(self, name: str) -> tuple[str, Any] | None:
        """A field of D, or of the discriminator that D wraps: its path and value; None if it has no such field."""
        for path, part in self.discriminators:
            if any(f.name == name for f in fields(part)):
                return f"{path}.{name}", getattr(part, name)
        return None
