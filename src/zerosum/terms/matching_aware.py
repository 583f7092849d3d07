"""Matching-aware discriminator: real samples with mismatched conditions as further negatives."""

__all__ = ["MatchingAware"]

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.game.distributed import everyone
from zerosum.game.turn import Turn
from zerosum.objectives.logistic import NonSaturating
from zerosum.protocols import Objective
from zerosum.terms._common import check_player, check_stateless, check_weight, unlike


@dataclass(frozen=True)
class MatchingAware:
    """weight L_D(D(x, c), D(x, c')), c' another sample's condition: the matching-aware D of Reed et al. 2016.

    GAN-CLS, arXiv 1605.05396, algorithm 1. Without it, a conditional D can separate real from generated samples for
    long without using the condition. Here real samples with a mismatched condition replace the generated ones in a
    second loss of D; a weight of 1 gives the paper's proportions of matched, generated and mismatched samples, 2 : 1 :
    1. c' is the condition of the next sample of the batch that has another one; where all conditions are equal, the
    term is 0.

    D has to take conditions as input: one that predicts them (`Auxiliary`) cannot learn from the term. A sample of
    unknown condition has no mismatched one, so recipes with `label_dropout` refuse the term.

    Args:
        objective: the objective of this loss, as a rule that of the recipe; one without a state.
        weight: weight (>= 0).
    """

    objective: Objective = NonSaturating()
    weight: float = 1.0
    whole_batch: ClassVar[str] = "takes mismatched conditions from the rest of the batch"

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        check_stateless(self, self.objective)

    def __call__(self, turn: Turn) -> Tensor:
        """The loss on this turn, a scalar; raises `ValueError` without conditions."""
        check_player(turn, "D", self)
        if turn.c is None:
            raise ValueError("MatchingAware needs conditions to mismatch; found none: choose conditional=True")
        others, found = mismatched(turn.everyone(turn.c))
        negatives = replace(turn, c=turn.draws.mine(others)).judge(turn.x.detach(), "real")
        return self.weight * self.objective.d_loss(*everyone([turn.real.score, negatives.score])) * found


def mismatched(c: Tensor) -> tuple[Tensor, Tensor]:
    """For each of conditions `(B, ...)` the next different one, cyclically, and whether there is any."""
    others, place = unlike(c), torch.arange(len(c), device=c.device)
    steps = (place[None] - place[:, None]) % len(c)
    return c[torch.where(others, steps, len(c)).argmin(1)], others.any()
