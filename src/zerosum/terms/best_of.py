"""The least error of several samples of one condition."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.game.distributed import own_rows
from zerosum.game.turn import Turn
from zerosum.terms._common import check_player, check_weight, generated


@dataclass(frozen=True)
class BestOf:
    """weight E min_k |x - G(z_k, c)|, the least error of `count` samples: the variety loss, Gupta et al. 2018.

    Social GAN, arXiv 1803.10892, equation 4, with absolute differences, each a mean over the elements of a sample. x is
    the real sample of condition c, as in `L1`, whose minimum is one sample for each condition, the median of what is
    possible. Here other latents may lead to other samples, since only the nearest is pulled towards x. The latents are
    those of the sample and of the next ones in the batch. All samples are generated once without gradients, and the
    nearest once more.

    Args:
        count: samples of each condition (>= 1), at most as many as the batch has latents.
        weight: weight (>= 0).
    """

    count: int = 5
    weight: float = 100.0
    whole_batch: ClassVar[str] = "generates samples from the latents of the rest of the batch"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if self.count < 1:
            raise ValueError(f"count is a number of samples, at least 1; found {self.count}")

    def __call__(self, turn: Turn) -> Tensor:
        """The mean least error on this turn, a scalar >= 0."""
        check_player(turn, "G", self)
        every = turn.everyone(turn.z)
        count = min(self.count, len(every))
        real, others = turn.x.detach(), [own_rows(every.roll(-k, 0)).detach() for k in range(1, count)]
        with torch.no_grad():
            errors = torch.stack([_error(real, turn.x_fake), *(_error(real, generated(turn, z)) for z in others)])
            z = torch.stack([turn.z, *others])[errors.argmin(0), torch.arange(len(real), device=errors.device)]
        return self.weight * _error(real, generated(turn, z)).mean()


def _error(real: Tensor, fake: Tensor) -> Tensor:
    """The mean absolute difference of each sample, `(B,)`."""
    return (real - fake).abs().flatten(1).mean(1)
