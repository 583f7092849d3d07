"""Signals of every update: how D's scores separate real from generated samples."""

__all__ = ()

import torch
from torch import Tensor

from zerosum.diagnostics.signals._measures import row_means, share_above
from zerosum.diagnostics.signals.names import SIGNAL
from zerosum.game.distributed import everyone
from zerosum.game.turn import Turn
from zerosum.protocols import HasReference, Objective

_EVERY = 16  # updates of D: it costs a few operations, without waiting for the device


class ScoreSignals:
    """A watcher that logs, in every 16th update of D, how well its scores separate real from generated samples.

    Nothing is logged for objectives whose scores have no order, and for players not called D.
    """

    def __init__(self) -> None:
        self._ranked = True

    def meet(self, objective: Objective) -> None:
        """Note whether the objective's scores are ranked."""
        self._ranked = is_ranked(objective)

    @torch.no_grad()
    def watch(self, player: str, turn: Turn, log: dict[str, Tensor]) -> None:
        """Log `real_above` and `score_gap` after an update of D that has computed both judgements."""
        seen = "real" in vars(turn) and "fake" in vars(turn)
        if player != "D" or not self._ranked or not seen or turn.clock.updates % _EVERY:
            return
        real, fake = everyone([row_means(turn.real.score), row_means(turn.fake.score)])
        log[f"{SIGNAL}real_above"] = share_above(real, fake)
        log[f"{SIGNAL}score_gap"] = score_gap(real, fake)


def is_ranked(objective: Objective) -> bool:
    """Whether real samples shall have the higher scores; so for an objective that states no reference points."""
    return not isinstance(objective, HasReference) or objective.reference.ranked


def score_gap(real: Tensor, fake: Tensor) -> Tensor:
    """The difference of the mean scores of real `(n,)` and generated `(m,)` samples, in their standard deviation."""
    std = ((real.var(correction=0) + fake.var(correction=0)) / 2).sqrt()
    return (real.mean() - fake.mean()) / std.clamp_min(1e-12)
