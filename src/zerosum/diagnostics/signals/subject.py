"""What a check-up looks at: real samples, samples of the averaged and the live generator, and the discriminator."""

__all__ = ()

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from zerosum.diagnostics.signals._measures import spread
from zerosum.diagnostics.signals.real_samples import RealSamples
from zerosum.game.distributed import everyone, own_rows, ranks
from zerosum.game.game import Game
from zerosum.game.precision import at_least_float32
from zerosum.game.random import stream
from zerosum.game.trainable import MAIN, TrainableGame
from zerosum.game.two_games import TwoGames
from zerosum.recipes.recipe import Recipe

_WILD = 1e3  # times the largest real value, at which samples are clipped


@dataclass(frozen=True, eq=False)
class Samples:
    """Generated samples `(n, ...)` and their features `(n, d)`."""

    x: Tensor
    features: Tensor

    @cached_property
    def spread(self) -> Tensor:
        """The mean distance of two features."""
        return spread(self.features)


@dataclass(eq=False)
class Subject:
    """What a check-up looks at. Samples are generated at the first access, from the same latents in every check-up.

    Attributes:
        recipe: the recipe.
        real: the real samples.
        trained: the game.
        before: features of the samples of the last check-ups, by name.
        images: images seen.
    """

    recipe: Recipe
    real: RealSamples
    trained: TrainableGame
    before: Mapping[str, Tensor]
    images: int
    after: dict[str, Tensor] = field(default_factory=dict)

    @cached_property
    def game(self) -> Game | None:
        """The game of a generator and a discriminator, or the first of two; None for another kind of game."""
        game = self.trained.forward if isinstance(self.trained, TwoGames) else self.trained
        return game if isinstance(game, Game) else None

    @property
    def precision(self) -> Callable[[], AbstractContextManager[None]]:
        """The context of networks and losses."""
        return nullcontext if self.game is None else self.game.precision

    @property
    def kept(self) -> tuple[nn.Module, ...]:
        """The modules that a check-up uses, the average unfinished."""
        average = self.trained.generators[MAIN] if self.game is None else self.game.ema.averaged
        return (*self.trained.networks.values(), average)

    @cached_property
    def averaged(self) -> nn.Module:
        """The averaged generator, roughly finished: its buffers are given back after the check-up."""
        if self.game is None:
            return self.trained.generators[MAIN]
        with self.precision():
            return self.game.ema.rough()

    @cached_property
    def z(self) -> Tensor:
        """The latents, `(n, size)`."""
        return self.latents("latent")

    @cached_property
    def average(self) -> Samples:
        """Samples of the averaged generator."""
        return self._samples(self.averaged, self.z, self.real.c)

    @cached_property
    def live(self) -> Samples | None:
        """Samples of the generator that is trained, as in training; None where no network is called G."""
        G = self.trained.networks.get("G")
        return None if G is None else self._samples(G, self.z, self.real.c)

    @property
    def both(self) -> dict[str, Samples]:
        """The samples by the suffix of their signals."""
        return {"": self.average} if self.live is None else {"": self.average, "_live": self.live}

    def latents(self, purpose: str) -> Tensor:
        """Latents for the reference, the same in every check-up."""
        random = stream(self.recipe.seed, "check-up", purpose)
        x = self.real.x
        return self.recipe.latent.draw(len(x), random).to(x.device, at_least_float32(x).dtype)

    def in_batches(self, network: Callable[..., Tensor], *rows: Tensor | None) -> Tensor:
        """What a network, of this process, gives for rows `(n, ...)`, in batches as in training, without gradients.

        Of each batch every process takes its own rows, so that layers that exchange statistics give what one process
        gives; `network` takes the rows that are not None.
        """
        given = [t for t in rows if t is not None]
        found = []
        with torch.no_grad(), self.precision():
            for block in zip(*(torch.split(t, self.recipe.batch) for t in given), strict=True):
                is_shared = len(block[0]) % ranks() == 0
                own = [own_rows(t) if is_shared else t for t in block]
                parts = zip(*(torch.split(t, self.recipe.micro_batch or len(own[0])) for t in own), strict=True)
                made = torch.cat([at_least_float32(network(*part)) for part in parts])
                found.append(everyone([made])[0] if is_shared else made)
        return torch.cat(found)

    def generate(self, G: nn.Module, z: Tensor, c: Tensor | None) -> Tensor:
        """Samples of a generator, `(n, ...)`, without gradients, clipped where they are wild."""
        x = self.in_batches(G, z, c)
        most = _WILD * float(self.real.x.abs().max())
        return x.nan_to_num(most, most, -most).clamp(-most, most)

    def _samples(self, G: nn.Module, z: Tensor, c: Tensor | None) -> Samples:
        x = self.generate(G, z, c)
        return Samples(x, self.real.embedding(x))
