"""What a transformation, an augmentation and a schedule are."""

from typing import Protocol

from torch import Tensor

from zerosum.game.draws import Draws
from zerosum.game.turn import Turn


class Transformation(Protocol):
    """A random change of each sample of a batch by itself, which gradients pass through, twice if need be."""

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """Samples of the shape of x, `(B, C, H, W)` or `(B, d)`; what is random is drawn under `purpose`."""
        ...


class Augmentation(Protocol):
    """What is done to samples, real and generated alike and on both players' moves, before D sees them."""

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        """Samples of the shape of x as D shall see them; the role is `real`, `fake` or a name of other points."""
        ...


class Schedule(Protocol):
    """A factor over the course of a run."""

    def __call__(self, progress: float) -> float:
        """The factor at a progress in [0, 1]."""
        ...
