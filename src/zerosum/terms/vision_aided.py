"""The losses of a second discriminator on frozen features, beside the first: vision-aided GANs."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from zerosum.game.distributed import everyone
from zerosum.game.turn import Turn
from zerosum.objectives.logistic import NonSaturating
from zerosum.protocols import Objective
from zerosum.terms._common import check_stateless, check_weight


@runtime_checkable
class HasAid(Protocol):
    """A discriminator with a second one."""

    def aided(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Scores `(B, ...)` of the second discriminator."""
        ...


@dataclass(frozen=True)
class VisionAided:
    """weight V(D', G), the losses of a second discriminator D' after a warm-up: Kumari et al. 2022, equation 2.

    arXiv 2112.09130. D' has heads on the frozen features of a trained network (`Aided`), and is trained beside D, which
    sees pixels. It belongs among both players' terms, with the same `begin`: before, D' is neither trained nor used,
    as it would separate the samples of an untrained G too easily. The paper chooses the features by how well a linear
    classifier on them separates real from generated images: `linear_probe`.

    Args:
        objective: the losses on the scores of D', without a state; the paper takes the logistic ones.
        weight: weight (>= 0); 1 in the paper.
        begin: share of the run at which it begins, in [0, 1].
    """

    objective: Objective = NonSaturating()
    weight: float = 1.0
    begin: float = 0.0

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        check_stateless(self, self.objective)
        if not 0 <= self.begin <= 1:
            raise ValueError(f"begin is a share of the run, in [0, 1]; found {self.begin}")

    def __call__(self, turn: Turn) -> Tensor:
        """The loss of the player that is updated, a scalar; raises `ValueError` where D has no second one."""
        if not isinstance(turn.D, HasAid):
            raise ValueError(f"VisionAided needs a D with a second one, as Aided; found {turn.D!r:.80}")
        if turn.clock.progress < self.begin:
            return turn.zero()
        if turn.player == "D":
            real, fake = everyone([self._scores(turn, "real"), self._scores(turn, "fake")])
            return self.weight * self.objective.d_loss(real, fake)
        roles = ("fake", "real") if self.objective.reads_real else ("fake",)
        return self.weight * self.objective.g_loss(*everyone([self._scores(turn, role) for role in roles]))

    @staticmethod
    def _scores(turn: Turn, role: str) -> Tensor:
        """The scores of D' on a batch as D sees it, augmented."""
        seen = turn.seen(turn.x if role == "real" else turn.x_fake, role)
        assert isinstance(turn.D, HasAid)
        return turn.D.aided(seen, turn.c)
