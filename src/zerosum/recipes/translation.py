"""Translation without pairs by two games, one in each direction."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from zerosum.conditions.condition import Condition
from zerosum.conditions.image import Image
from zerosum.data.dataset import Dataset
from zerosum.game.game import Watcher
from zerosum.game.trainable import MAIN
from zerosum.game.two_games import BACKWARD, CycleTerm, TwoGames
from zerosum.networks.blind import Blind
from zerosum.recipes.own_networks import discriminator_spec, generator_spec

if TYPE_CHECKING:
    from zerosum.recipes.recipe import Recipe


@dataclass(frozen=True)
class Cycle:
    """Two generators and two discriminators that translate images both ways: CycleGAN, Zhu et al. 2017.

    G translates the condition a to the domain of the samples b, F back (arXiv 1703.10593). Each has a discriminator of
    its domain, built from `Recipe.discriminator`, that does not see the condition; cycles a to b to a and b to a to b
    should return to where they began. F is the generator `backward` of the run.

    Args:
        weight: weight of the cycles (>= 0).
        noise: standard deviation of noise added to a translated image before it is translated back, in units of
            [-1, 1]: G cannot hide the original in details that are not seen (Chu et al. 2017, arXiv 1712.02950).
    """

    weight: float = 10.0
    noise: float = 0.0
    reads: ClassVar[tuple[str, ...]] = (
        "d_terms", "g_terms", "d_after", "G_opt", "D_opt", "augment", "ema", "ema_rampup",
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not self.weight >= 0 or not self.noise >= 0:
            raise ValueError(f"weight and noise of Cycle are at least 0; found {self.weight} and {self.noise}")

    def build(
        self,
        recipe: "Recipe",
        dataset: Dataset,
        device: torch.device,
        precision: Callable[[], AbstractContextManager[None]],
        watchers: Sequence[Watcher],
    ) -> TwoGames:
        """The two games; watchers observe the first. Raises `ValueError` unless conditions are images like samples."""
        from zerosum.recipes.players import two_players

        kind = dataset.condition
        if not recipe.conditional or not isinstance(kind, Image) or kind.shape != dataset.shape:
            raise ValueError(
                f"Cycle translates images to images of the same shape, and {dataset.name} has samples of "
                f"{dataset.shape} under {kind!r}: use Unpaired(a, b) with conditional=True"
            )
        plain = replace(recipe, game=None, discriminator=Blind(discriminator_spec(recipe.discriminator)))
        forward, backward = (
            two_players(plain, dataset.shape, kind, device, precision, own, purpose)
            for own, purpose in ((watchers, "initialisation"), ((), "initialisation of the way back"))
        )
        for game, other in ((forward, backward), (backward, forward)):
            game.G.terms = (*game.G.terms, CycleTerm(other.G.network, self.weight, self.noise))
        return TwoGames(forward, backward)

    def generator(self, name: str, recipe: "Recipe", shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """G, `generator`, or F, `backward`; raises `ValueError` for another name."""
        if name not in (MAIN, BACKWARD):
            raise ValueError(f"Cycle has the generators {MAIN} and {BACKWARD}; found {name!r}")
        return generator_spec(recipe.generator).build(recipe.latent.size, shape, condition)
