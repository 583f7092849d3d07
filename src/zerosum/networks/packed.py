"""Discriminators that score several samples at once: PacGAN."""

from dataclasses import dataclass

from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.networks.conditioning import Concatenate, Join, check_way
from zerosum.networks.spec import DiscriminatorSpec


class _Packed(nn.Module):
    def __init__(self, join: Join, discriminator: nn.Module, samples: int) -> None:
        super().__init__()
        self.join, self.discriminator, self.samples = join, discriminator, samples

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        if len(x) % self.samples:
            raise ValueError(f"packs of {self.samples} samples need a batch that divides by it; found {len(x)}")
        h = self.join(x, c)
        packs = h.reshape(len(h) // self.samples, self.samples * h.shape[1], *h.shape[2:])
        judgement = Judgement.of(self.discriminator(packs))
        if judgement.logits is not None:
            raise ValueError("a pack has no label of its own to predict: build the discriminator inside without logits")
        return judgement


@dataclass(frozen=True)
class Packed:
    """Give D several samples as one, so that it can detect a lack of diversity: PacGAN, Lin et al. 2018.

    Samples that follow each other in a batch are concatenated by channels (vectors by dimensions) and scored together
    (arXiv 1712.04086, section 2), so B samples get B / samples scores; a condition is joined to each sample before, and
    the discriminator inside is built without one.

    Gradient penalties take the gradient of a pack's score by each of its samples. The squared gradient norm by the pack
    is their sum, so `R1(gamma)` here is R1 with gamma / samples on packs, and `GradientPenalty(target=t)` constrains
    the gradient norm by packs to t times the root of `samples`.

    Args:
        discriminator: scores a pack; any discriminator.
        samples: samples of a pack (>= 1); the paper uses 2 to 4. The batch must divide by it.
        conditioning: how the condition enters each sample.
    """

    discriminator: DiscriminatorSpec
    samples: int = 2
    conditioning: Concatenate = Concatenate()

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples counts those of a pack, at least 1; found {self.samples}")
        check_way(self.conditioning, Concatenate)

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: x `(B, *shape)` to a `Judgement` with scores `(B / samples, ...)`."""
        join = Join(condition, self.conditioning.size)
        packed = (self.samples * (shape[0] + join.size), *shape[1:])
        return _Packed(join, self.discriminator.build(packed, None), self.samples)
