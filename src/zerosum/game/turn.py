"""One player's move, as objectives, terms and observers see it."""

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
    """A random change of each sample of a batch by itself, which gradients pass through, twice if need be."""

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """Samples of the shape of x, `(B, C, H, W)` or `(B, d)`; what is random is drawn under `purpose`."""
        ...


class Augmentation(Protocol):
    """What is done to samples, real and generated alike, before D sees them."""

    def __call__(self, x: Tensor, role: str, turn: "Turn") -> Tensor:
        """The samples as D shall see them, of the same shape and differentiable twice by x."""
        ...


@dataclass(frozen=True, eq=False)
class Clock:
    """How far the run is.

    Attributes:
        moves: moves that this player made before this one.
        images: images that the discriminator's real side has seen before this round.
        progress: images as a share of the whole run, 0 at its start and 1 at its end.
    """

    updates: int = 0
    images: int = 0
    progress: float = 0.0


@dataclass(eq=False)
class Turn:
    """One move of one player: what is on the table.

    Each batch is judged once, at the first look at `real` or `fake`, and objective, terms and observers share
    that forward pass. Real and generated samples are judged in separate passes, so that batch norm sees them
    apart (Radford et al. 2016, arXiv 1511.06434).

    Attributes:
        player: whose move it is, "G" or "D".
        D: the discriminator as shown to the player, `D(x[, c]) -> score or Judgement`.
        G: the generator, `G(z[, c]) -> x`.
        x: real samples `(B, ...)`; on D's move they require gradients, so penalties can differentiate by them.
        x_fake: generated samples `(B, ...)`; attached to G on G's move only.
        z: the latents they came from `(B, size)`.
        c: the condition of both, or None.
        clock: how far the run is.
        draws: this move's random numbers.
        augment: what is done to samples before D sees them, from the samples, their role (`real`, `fake`, or what
            a term calls its own) and this turn; None for nothing.
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
        """D's judgement of other points `(B, ...)`, under this turn's condition and through its augmentation.

        Points of one role are augmented alike, sample by sample.
        """
        seen = x if self.augment is None else self.augment(x, role, self)
        return Judgement.of(self.D(seen) if self.c is None else self.D(seen, self.c))

    def average(self, value: Tensor) -> Tensor:
        """The mean of a value over all ranks, through which gradients pass."""
        return average([value])[0]

    def everyone(self, rows: Tensor) -> Tensor:
        """The rows `(B, ...)` of all ranks, `(B * ranks, ...)`, for terms that compare samples; gradients pass."""
        return everyone([rows])[0]

    def zero(self) -> Tensor:
        """A zero on this turn's device, for terms that rest."""
        return torch.zeros((), device=self.x.device)
