"""Mode-seeking regularisation of G."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from zerosum.game.distributed import own_rows
from zerosum.game.turn import Turn
from zerosum.terms._common import check_player, check_weight, generated


@dataclass(frozen=True)
class ModeSeeking:
    """weight / E [|G(z) - G(z')| / |z - z'|], which separates samples of different latents: MSGAN, Mao et al. 2019.

    The ratio that MSGAN maximises (arXiv 1903.05628), inverted as in the authors' code, so that the gradient is largest
    under mode collapse. Distances are mean absolute differences. z' is the latent of the next sample in the batch, with
    the condition of the first; without conditions G(z') is that sample, and G is not run again.

    Args:
        weight: lambda (>= 0).
    """

    weight: float = 1.0
    whole_batch: ClassVar[str] = "compares each sample of the batch with the next"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The term on this turn, a scalar in (0, 1e5 weight]."""
        check_player(turn, "G", self)
        every = turn.everyone(turn.z)
        if len(every) < 2:
            raise ValueError(f"ModeSeeking compares the samples of a batch and needs at least 2; found {len(every)}")
        z = own_rows(every.roll(1, 0))
        x = own_rows(turn.everyone(turn.x_fake).roll(1, 0)) if turn.c is None else generated(turn, z)
        distance = (turn.x_fake - x).abs().flatten(1).mean(1)
        # Pairs of equal latents, as two codes may be, have a distance of 0.
        ratio = distance / (turn.z - z).abs().flatten(1).mean(1).clamp_min(1e-8)
        return self.weight / (turn.average(ratio.mean()) + 1e-5)
