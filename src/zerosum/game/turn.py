"""One player's update, as objectives, terms and watchers see it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from zerosum.game.distributed import average, everyone
from zerosum.game.judgement import Judgement
from zerosum.game.random import Draws

Discriminator = Callable[..., Tensor | Judgement]
Generator = Callable[..., Tensor]


class Transformation(Protocol):
    """A random transformation of each sample of a batch, twice differentiable."""

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """Samples of the shape of x, `(B, C, H, W)` or `(B, d)`; random numbers are drawn under `purpose`."""
        ...


class Augmentation(Protocol):
    """Changes real and generated samples before D sees them."""

    def __call__(self, x: Tensor, role: str, turn: "Turn") -> Tensor:
        """The augmented samples, of the same shape and twice differentiable by x."""
        ...


@dataclass(frozen=True, eq=False)
class Clock:
    """The progress of the run.

    Attributes:
        updates: updates of this player before this one.
        images: real images that the discriminator has seen before this step.
        progress: images as a share of the whole run, 0 at its start and 1 at its end.
    """

    updates: int = 0
    images: int = 0
    progress: float = 0.0


@dataclass(eq=False)
class Turn:
    """One update of one player: networks, samples, and D's judgements of them.

    The forward pass of D on a batch is computed once, at the first access of `real` or `fake`, and shared by objective,
    terms and watchers. Real and generated samples go through D in separate passes, so that batch norm does not mix
    them (Radford et al. 2016, arXiv 1511.06434).

    Attributes:
        player: the player that is updated, "G" or "D".
        D: the discriminator that this player trains against, `D(x[, c]) -> score or Judgement`.
        G: the generator, `G(z[, c]) -> x`.
        x: real samples `(B, ...)`; in D's update they require gradients, so penalties can differentiate by them.
        x_fake: generated samples `(B, ...)`; attached to G in G's update only.
        z: their latents `(B, size)`.
        c: the condition of both, or None.
        clock: the progress of the run.
        draws: the random numbers of this update.
        augment: augmentation of the samples that D sees, a function of the samples, their role (`real`, `fake`, or a
            name that a term chooses) and this turn; None for no augmentation.
    """

    player: str
    D: Discriminator
    G: Generator
    x: Tensor
    x_fake: Tensor
    z: Tensor
    c: Tensor | None
    clock: Clock
    draws: Draws
    augment: "Augmentation | None" = None

    @cached_property
    def real(self) -> Judgement:
        """D's judgement of the real samples."""
        return self.judge(self.x, "real")

    @cached_property
    def fake(self) -> Judgement:
        """D's judgement of the generated samples."""
        return self.judge(self.x_fake, "fake")

    def judge(self, x: Tensor, role: str = "other") -> Judgement:
        """D's judgement of other points `(B, ...)`, under this turn's condition and augmentation.

        Points of the same role are augmented with the same random numbers, sample by sample.
        """
        seen = self.seen(x, role)
        return Judgement.of(self.D(seen) if self.c is None else self.D(seen, self.c))

    def seen(self, x: Tensor, role: str = "other") -> Tensor:
        """Points `(B, ...)` as D sees them, augmented."""
        return x if self.augment is None else self.augment(x, role, self)

    def average(self, value: Tensor) -> Tensor:
        """The mean of a value over all ranks, differentiable."""
        return average([value])[0]

    def everyone(self, rows: Tensor) -> Tensor:
        """The rows `(B, ...)` of all ranks, `(B * ranks, ...)`, for terms that compare samples; differentiable."""
        return everyone([rows])[0]

    def zero(self) -> Tensor:
        """A zero on this turn's device, for inactive terms."""
        return torch.zeros((), device=self.x.device)
