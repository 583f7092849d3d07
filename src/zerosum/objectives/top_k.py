"""Training on the best fakes only."""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.objectives.kernel import MMD
from zerosum.protocols import Objective, Stateful, Watched, Watching


@dataclass(frozen=True)
class TopK:
    """Any objective, with G learning from the fakes that score highest alone: Sinha et al. 2020 (arXiv 2002.06224).

    Where D is good, the gradient of a fake that scores low leads away from the data as often
    as towards it. The share of the batch that counts falls from 1 at the run's start to `share` at the progress
    `until`, linearly, and is rounded up to whole samples. A score map counts by its mean. An objective that compares
    with real samples is given those of the same rows.

    Args:
        objective: what the players want. `MMD` is refused: its scores are features, and there is no highest.
        share: smallest share of the fakes, in (0, 1]; the paper takes 0.75, and 0.5 as the hardest.
        until: progress at which it is reached, in (0, 1].
    """

    objective: Objective
    share: float = 0.75
    until: float = 1.0
    progress: Tensor = field(
        default_factory=lambda: torch.zeros((), dtype=torch.float64), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if isinstance(self.objective, MMD):
            raise ValueError("TopK ranks fakes by their score, and the scores of MMD are features without a rank")
        for name, value in (("share", self.share), ("until", self.until)):
            if not 0 < value <= 1:
                raise ValueError(f"TopK's {name} is a part of a whole, in (0, 1]; found {value}")

    whole_batch: ClassVar[str] = "ranks the samples of the batch"

    @property
    def reads_real(self) -> bool:
        """Whether the objective inside needs the scores of real samples."""
        return self.objective.reads_real

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """That of the objective inside, a scalar from scores `(B, ...)`."""
        return self.objective.d_loss(real, fake)

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """That of the objective inside on the fakes that score highest, a scalar from scores `(B, ...)`."""
        count = self.count(len(fake))
        if count == len(fake):
            return self.objective.g_loss(fake, real)
        rows = fake.detach().flatten(1).mean(1) if fake.dim() > 1 else fake.detach()
        best = rows.topk(count).indices
        return self.objective.g_loss(fake[best], None if real is None else real[best])

    def count(self, batch: int) -> int:
        """How many fakes of a batch count at present."""
        share = 1 - (1 - self.share) * min(self.progress.item() / self.until, 1.0)
        return max(1, math.ceil(round(share * batch, 6)))

    def watch(self, player: str, turn: Watched, log: dict[str, Tensor]) -> None:
        """After each move: note how far the run is, and let the objective inside watch too."""
        self.progress.fill_(turn.clock.progress)
        if isinstance(self.objective, Watching):
            self.objective.watch(player, turn, log)

    def state_dict(self) -> dict[str, Tensor]:
        """The progress, and the memory of the objective inside."""
        inner = self.objective.state_dict() if isinstance(self.objective, Stateful) else {}
        return {"progress": self.progress.clone(), **{f"objective.{name}": value for name, value in inner.items()}}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take progress and memory from `state_dict()`."""
        self.progress.copy_(state["progress"])
        if isinstance(self.objective, Stateful):
            mine = {name: value for name, value in state.items() if name.startswith("objective.")}
            self.objective.load_state_dict({name.removeprefix("objective."): v for name, v in mine.items()})
