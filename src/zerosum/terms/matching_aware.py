"""Real samples under conditions that are not theirs, so that a condition is not overlooked."""

__all__ = ["MatchingAware"]

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.game.distributed import everyone
from zerosum.game.turn import Turn
from zerosum.objectives.logistic import NonSaturating
from zerosum.protocols import Objective
from zerosum.terms._common import check_forgetful, check_player, check_weight


@dataclass(frozen=True)
class MatchingAware:
    """weight L_D(D(x, c), D(x, c')), c' another sample's condition: the matching-aware D of Reed et al. 2016.

    GAN-CLS, arXiv 1605.05396, algorithm 1. A D that is given conditions otherwise sees wrong ones beside bad samples
    alone, and long gets along without looking at them. Here real samples under a wrong condition take the place of the
    generated ones in D's loss once more; a weight of 1 gives the paper's proportions of right, generated and wrong,
    2 : 1 : 1. c' is the condition of the next sample of the batch whose condition is another; where all are alike there
    is nothing to learn from, and the term is 0.

    D has to be given conditions: one that reads them off samples by itself (`Auxiliary`) sees no difference to learn
    from. And a sample of which nothing is told has no wrong condition, so games with `label_dropout` refuse the term.

    Args:
        objective: whose loss of D it is, as a rule the game's own; one without memory.
        weight: weight (>= 0).
    """

    objective: Objective = NonSaturating()
    weight: float = 1.0
    whole_batch: ClassVar[str] = "takes the wrong conditions from the rest of the batch"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        check_forgetful(self, self.objective)

    def __call__(self, turn: Turn) -> Tensor:
        """The loss on this turn, a scalar; raises `ValueError` in a game without conditions."""
        check_player(turn, "D", self)
        if turn.c is None:
            raise ValueError("MatchingAware has D see wrong conditions, and here are none: play with conditional=True")
        others, unlike = mismatched(turn.everyone(turn.c))
        wrong = replace(turn, c=turn.draws.mine(others)).judge(turn.x.detach(), "real")
        return self.weight * self.objective.d_loss(*everyone([turn.real.score, wrong.score])) * unlike


def mismatched(c: Tensor) -> tuple[Tensor, Tensor]:
    """For each of conditions `(B, ...)` the next one in their circle that is another, and whether there is any."""
    rows, place = c.flatten(1) if c.dim() > 1 else c.view(-1, 1), torch.arange(len(c), device=c.device)
    unlike = (rows[:, None] != rows[None]).any(2)
    steps = (place[None] - place[:, None]) % len(c)
    return c[torch.where(unlike, steps, len(c)).argmin(1)], unlike.any()
