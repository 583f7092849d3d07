"""A probability that increases while D overfits and decreases while it does not."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from zerosum.augment._checks import check_probability
from zerosum.game.turn import Turn
from zerosum.objectives.drifting import Drifting
from zerosum.objectives.kernel import MMD
from zerosum.protocols import HasBoundary, Objective


def _zero() -> Tensor:
    return torch.zeros((), dtype=torch.float64)


def check_adaptation(target: float, every: int, images: int, limit: float) -> None:
    """Raise `ValueError` for invalid settings of the adaptation."""
    if not -1 < target < 1:
        raise ValueError(f"target is a mean of signs, in (-1, 1); found {target}")
    if every < 1:
        raise ValueError(f"every counts updates of D between two changes of p, at least 1; found {every}")
    if images < 1:
        raise ValueError(f"images counts those in which p can rise from 0 to 1, at least 1; found {images}")
    check_probability("limit", limit)


@dataclass(eq=False)
class Adaptation:
    """The probability p and the statistics of D since its last change, on the CPU in float64.

    `boundary` is the score of the objective above which D takes a sample for real; None to compare the scores of pairs.
    """

    p: Tensor = field(default_factory=_zero)
    signs: Tensor = field(default_factory=_zero)
    seen: Tensor = field(default_factory=_zero)
    updates: Tensor = field(default_factory=_zero)
    boundary: float | None = 0.0

    def meet(self, objective: Objective) -> None:
        """Take the boundary of the objective; raises `ValueError` for MMD and Drifting, whose scores are features."""
        if isinstance(objective, MMD | Drifting):
            raise ValueError(
                f"an adaptive augmentation follows the sign of D's scores, and those of {type(objective).__name__} are "
                f"features without a sign: use FixedAugment"
            )
        self.boundary = objective.boundary if isinstance(objective, HasBoundary) else None

    def after(self, turn: Turn, target: float, every: int, images: int, limit: float) -> Tensor:
        """Record an update of D, adjust p every `every` updates, and return r = E[sign(D(x) - b)] of this update.

        b is the boundary; without one r = E[sign(D(x) - D(G(z)))]. It is the mean over all ranks, and p is adjusted by
        the mean over all samples since its last change: by the number of these samples over `images`, upwards where r
        is above the target and downwards where it is below. p stays in [0, limit].
        """
        batch = len(turn.x) * turn.draws.ranks
        scores = turn.real.score - (turn.fake.score if self.boundary is None else self.boundary)
        r = turn.average(scores.detach().sign().mean())
        self.signs += batch * r.to(self.signs)
        self.seen += batch
        self.updates += 1
        if self.updates >= every:
            direction = (self.signs / self.seen - target).sign()
            self.p.add_(direction * self.seen / images).clamp_(0, limit)
            for counter in (self.signs, self.seen, self.updates):
                counter.zero_()
        return r

    def state_dict(self) -> dict[str, Tensor]:
        """All four values, each a scalar."""
        return {name: value.clone() for name, value in self._numbers().items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load the values."""
        for name, value in self._numbers().items():
            value.copy_(state[name])

    def _numbers(self) -> dict[str, Tensor]:
        return {"p": self.p, "signs": self.signs, "seen": self.seen, "moves": self.updates}
