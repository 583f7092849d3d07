"""What an objective that watches the game needs of a turn; the game itself it does not know."""

from typing import Protocol

from torch import Tensor


class Judged(Protocol):
    """A judgement."""

    @property
    def score(self) -> Tensor:
        """Scores `(B, ...)`."""
        ...


class Timed(Protocol):
    """A clock."""

    @property
    def progress(self) -> float:
        """How far the run is, 0 at its start and 1 at its end."""
        ...


class Watched(Protocol):
    """A turn: both judgements, the clock, and the mean over ranks."""

    @property
    def real(self) -> Judged:
        """D's judgement of the real samples."""
        ...

    @property
    def fake(self) -> Judged:
        """D's judgement of the generated samples."""
        ...

    @property
    def clock(self) -> Timed:
        """How far the run is."""
        ...

    def average(self, value: Tensor) -> Tensor:
        """The mean of a value over all ranks."""
        ...
