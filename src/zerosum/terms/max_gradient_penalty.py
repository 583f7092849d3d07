"""The penalty on the largest gradient norm of the discriminator, an estimate of its Lipschitz constant."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from zerosum.game.turn import Turn
from zerosum.terms._common import check_weight
from zerosum.terms.gradient_penalties import interpolates, squared_gradient_norm


@dataclass(frozen=True)
class MaxGradientPenalty:
    """weight max |grad D(u)|^2 over points u between real and generated samples: MaxGP, Zhou et al. 2019.

    Lipschitz GANs (arXiv 1902.05687) add the square of D's Lipschitz constant to its loss, which exists for many
    objectives where the unconstrained optimum of D does not. The constant is estimated by the largest gradient norm of
    the batch, over all ranks: u = e x + (1 - e) G(z) with one e ~ U[0, 1] for each sample, as in `GradientPenalty`.
    Only the sample with that gradient is penalised. There is no target norm: the penalty and the objective balance.

    Args:
        weight: lambda (>= 0); the larger, the smaller the Lipschitz constant at which the two balance.
    """

    weight: float = 1.0
    whole_batch: ClassVar[str] = "takes the largest gradient of the batch"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The penalty on this turn, a scalar >= 0; raises `ValueError` on a turn of G, as `GradientPenalty` does."""
        points = interpolates(turn).requires_grad_()
        return self.weight * turn.everyone(squared_gradient_norm(turn, turn.judge(points), points)).max()
