"""Denoising diffusion GANs: a sample is denoised in a few steps, each by a conditional GAN."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from zerosum.conditions.condition import Condition
from zerosum.data.dataset import Dataset
from zerosum.game.diffusion import Denoiser, DenoisingGame, Diffusion, noisy_condition
from zerosum.game.game import Watcher
from zerosum.game.latents import Normal
from zerosum.game.trainable import MAIN
from zerosum.recipes.own_networks import generator_spec

if TYPE_CHECKING:
    from zerosum.recipes.recipe import Recipe


@dataclass(frozen=True)
class Denoising:
    """A denoising diffusion GAN: Xiao, Kreis and Vahdat 2022 (arXiv 2112.07804).

    Samples become noise in a few large steps, and G undoes one step: from x_t, the step and its own noise, its network
    predicts x_0, and x_{t-1} is drawn from q(x_{t-1} | x_t, x_0). D sees x_{t-1}, of the data or of G, under x_t and
    the step. Both networks are conditional ones, under a vector, or for images an image (such as `UNet` and
    `PatchDiscriminator`): x_t with further components or planes for the step.

    The run's generator undoes all steps, from noise to a sample. Its z has the random numbers of all of them, so the
    recipe's latent is `Normal(steps * (d + k))`, where d is the count of numbers of a sample, and k > 0 that of G's own
    noise at a step.

    Args:
        steps: number of steps (>= 1).
        beta_min: rate of the diffusion at its start (>= 0), see `zerosum.game.diffusion.Diffusion`.
        beta_max: rate at its end (> beta_min).
    """

    steps: int = 4
    beta_min: float = 0.1
    beta_max: float = 20.0
    reads: ClassVar[tuple[str, ...]] = (
        "d_terms", "g_terms", "d_after", "G_opt", "D_opt", "n_critic", "n_generator", "ema", "ema_rampup",
    )  # fmt: skip

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 1_000:
            raise ValueError(f"Denoising takes 1 to 1,000 steps; found {self.steps}")
        if not 0 <= self.beta_min < self.beta_max or not 0.01 <= self.beta_max <= 1_000:
            raise ValueError(
                f"Denoising needs 0 <= beta_min < beta_max, and beta_max from 0.01 to 1,000; found {self.beta_min} and "
                f"{self.beta_max}"
            )

    def build(
        self,
        recipe: "Recipe",
        dataset: Dataset,
        device: torch.device,
        precision: Callable[[], AbstractContextManager[None]],
        watchers: Sequence[Watcher],
    ) -> DenoisingGame:
        """The game; raises `ValueError` for a conditional recipe, and for a latent of another kind or size."""
        from zerosum.recipes.players import two_players

        condition = noisy_condition(dataset.shape, self.steps)
        game = two_players(recipe, dataset.shape, condition, device, precision, watchers)
        game.latent = Normal(recipe.latent.size // self.steps)
        return DenoisingGame(game)

    def generator(self, name: str, recipe: "Recipe", shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """G, `generator`, a `Denoiser`; raises `ValueError` for another name, and as `build`."""
        if name != MAIN:
            raise ValueError(f"Denoising has one generator, called {MAIN!r}; found {name!a:.40}")
        if recipe.conditional:
            raise ValueError("the condition of Denoising is the noisy sample alone: set conditional=False")
        size, numbers = recipe.latent.size, math.prod(shape)
        if not isinstance(recipe.latent, Normal) or size % self.steps or size // self.steps <= numbers:
            least = self.steps * (numbers + 1)
            raise ValueError(
                f"with {self.steps} steps, samples of {numbers:,} numbers need latent=Normal(size), where size is a "
                f"multiple of {self.steps} and at least {least}; found {recipe.latent!r}"
            )
        inner = generator_spec(recipe.generator)
        network = inner.build(size // self.steps - numbers, shape, noisy_condition(shape, self.steps))
        return Denoiser(network, Diffusion(self.steps, self.beta_min, self.beta_max), shape)
