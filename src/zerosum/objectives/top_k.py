"""Top-k training of G, on the generated samples with the highest scores."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.objectives.drifting import Drifting
from zerosum.objectives.kernel import MMD
from zerosum.protocols import (
    HasBoundary,
    HasOptimum,
    HasReference,
    Objective,
    Reference,
    Stateful,
    Watched,
    Watching,
)


@dataclass(frozen=True)
class TopK:
    """Any objective, with G trained on the generated samples of highest score: Sinha et al. 2020 (arXiv 2002.06224).

    For a good D, the gradient of a sample with a low score points away from the data as often as towards it. The
    fraction of the batch in G's loss decreases linearly from 1 at the start of the run to `share` at the progress
    `until`, and is rounded up to whole samples. Score maps are ranked by their mean. A relativistic objective is given
    the real scores of the same rows.

    Args:
        objective: the objective. `MMD` is refused: its scores are features, which have no order.
        share: smallest fraction of the generated samples, in (0, 1]; the paper uses 0.75, and 0.5 as the lowest.
        until: progress at which it is reached, in (0, 1].
    """

    objective: Objective
    share: float = 0.75
    until: float = 1.0
    progress: Tensor = field(
        default_factory=lambda: torch.zeros((), dtype=torch.float64), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if isinstance(self.objective, MMD | Drifting):
            name = type(self.objective).__name__
            raise ValueError(f"TopK ranks fakes by their score, and the scores of {name} are features without a rank")
        for name, value in (("share", self.share), ("until", self.until)):
            if not 0 < value <= 1:
                raise ValueError(f"TopK's {name} is a part of a whole, in (0, 1]; found {value}")

    whole_batch: ClassVar[str] = "ranks the samples of the batch"

    @property
    def reads_real(self) -> bool:
        """Whether the wrapped objective needs the scores of real samples."""
        return self.objective.reads_real

    @property
    def boundary(self) -> float | None:
        """That of the wrapped objective; None if it has none."""
        return self.objective.boundary if isinstance(self.objective, HasBoundary) else None

    @property
    def probability(self) -> Callable[[Tensor], Tensor] | None:
        """That of the wrapped objective, whose D sees all samples; None if it has none."""
        return self.objective.probability if isinstance(self.objective, HasOptimum) else None

    @property
    def reference(self) -> Reference:
        """That of the wrapped objective."""
        own = self.objective
        return own.reference if isinstance(own, HasReference) else Reference("a number")

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """That of the wrapped objective, a scalar from scores `(B, ...)`."""
        return self.objective.d_loss(real, fake)

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """That of the wrapped objective on the highest fake scores, a scalar from scores `(B, ...)`."""
        count = self.count(len(fake))
        if count == len(fake):
            return self.objective.g_loss(fake, real)
        rows = fake.detach().flatten(1).mean(1) if fake.dim() > 1 else fake.detach()
        best = rows.topk(count).indices
        return self.objective.g_loss(fake[best], None if real is None else real[best])

    def count(self, batch: int) -> int:
        """Number of generated samples of a batch in G's loss at the current progress."""
        share = 1 - (1 - self.share) * min(self.progress.item() / self.until, 1.0)
        return max(1, math.ceil(round(share * batch, 6)))

    def watch(self, player: str, turn: Watched, log: dict[str, Tensor]) -> None:
        """After each update: record the progress, and call the wrapped objective's `watch`."""
        self.progress.fill_(turn.clock.progress)
        if isinstance(self.objective, Watching):
            self.objective.watch(player, turn, log)

    def state_dict(self) -> dict[str, Tensor]:
        """The progress, and the state of the wrapped objective."""
        inner = self.objective.state_dict() if isinstance(self.objective, Stateful) else {}
        return {"progress": self.progress.clone(), **{f"objective.{name}": value for name, value in inner.items()}}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load progress and state from `state_dict()`."""
        self.progress.copy_(state["progress"])
        if isinstance(self.objective, Stateful):
            mine = {name: value for name, value in state.items() if name.startswith("objective.")}
            self.objective.load_state_dict({name.removeprefix("objective."): v for name, v in mine.items()})
