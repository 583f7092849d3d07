"""Self-supervision of a discriminator by reconstruction of real samples from its feature maps."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from zerosum.game.turn import Turn


@runtime_checkable
class Reconstructs(Protocol):
    """A discriminator with decoders."""

    def reconstruct(self, x: Tensor, c: Tensor | None, part: int) -> list[tuple[Tensor, Tensor]]:
        """Pairs of target and reconstruction from D's feature maps of x `(B, ...)`; `part`, 0 to 3, is a quadrant."""
        ...


@dataclass(frozen=True)
class Reconstruction:
    """weight sum_i E |target_i - decoder_i(maps of x)| over real samples x: FastGAN, arXiv 2101.04775, section 3.2.

    D's feature maps must allow a decoder to reconstruct the real image, and one of its quadrants, drawn at random for
    each update. This regularises D, which otherwise overfits small data sets. As in the authors' code, x is the
    augmented image that D scores. The paper uses a perceptual distance of a pretrained network; here it is the mean
    absolute error.

    Args:
        weight: weight of the term (>= 0).
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"weight weighs the reconstructions and is at least 0; found {self.weight}")

    def __call__(self, turn: Turn) -> Tensor:
        """The term on this turn, a scalar >= 0.

        Raises `ValueError` in an update of G, and where D has no decoders.
        """
        if turn.player != "D":
            raise ValueError("Reconstruction trains D's decoders: put it among d_terms, not g_terms")
        if not isinstance(turn.D, Reconstructs):
            raise ValueError(
                f"Reconstruction needs a D that reconstructs, as FastGANDiscriminator(decoders=True); found {turn.D!r}"
            )
        part = int(torch.randint(4, (), generator=turn.draws.stream("reconstruction")))
        pairs = turn.D.reconstruct(turn.seen(turn.x.detach(), "real"), turn.c, part)
        return self.weight * torch.stack([(target - made).abs().mean() for target, made in pairs]).sum()
