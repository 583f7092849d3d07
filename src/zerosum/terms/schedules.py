"""Wrappers that apply a term lazily or with a schedule, and schedules over the progress of a run."""

import math
from dataclasses import dataclass

from torch import Tensor

from zerosum.game.player import Term
from zerosum.game.turn import Turn
from zerosum.protocols import Schedule


@dataclass(frozen=True)
class Every:
    """Lazy regularisation: n times a term in every n-th update, else 0 (StyleGAN2, arXiv 1912.04958).

    The mean of the term over updates is unchanged, and its cost is divided by n.

    Args:
        n: the term is active in every n-th update (>= 1), beginning with the first.
        term: the term to wrap.
    """

    n: int
    term: Term

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"Every(n, term) counts updates: n is at least 1; found {self.n}")

    def __call__(self, turn: Turn) -> Tensor:
        """n times the term where it is active, else 0."""
        return turn.zero() if turn.clock.updates % self.n else self.n * self.term(turn)


@dataclass(frozen=True)
class Constant:
    """The factor 1 throughout."""

    def __call__(self, progress: float) -> float:
        """The factor at a progress in [0, 1]."""
        return 1.0


@dataclass(frozen=True)
class Cosine:
    """A factor that stays at `start` until `begin`, goes along half a cosine to `end` at `until`, and stays there.

    With the defaults it decays from 1 to 0 over the run.

    Args:
        end: factor at the end (>= 0).
        begin: progress at which the change begins, >= 0.
        until: progress at which it ends, above `begin` and at most 1.
        start: factor at the start (>= 0).
    """

    end: float = 0.0
    begin: float = 0.0
    until: float = 1.0
    start: float = 1.0

    def __post_init__(self) -> None:
        if not self.end >= 0 or not self.start >= 0:
            raise ValueError(f"Cosine needs start >= 0 and end >= 0; found {self.start} and {self.end}")
        if not 0 <= self.begin < self.until <= 1:
            raise ValueError(f"Cosine needs 0 <= begin < until <= 1; found {self.begin} and {self.until}")

    def __call__(self, progress: float) -> float:
        """The factor at a progress in [0, 1]."""
        t = min(max((progress - self.begin) / (self.until - self.begin), 0.0), 1.0)
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * t)) / 2


@dataclass(frozen=True)
class Geometric:
    """Exponential decay (or growth) of a factor from 1 to `end` over the run.

    Args:
        end: factor at the end (> 0).
    """

    end: float = 0.1

    def __post_init__(self) -> None:
        if not self.end > 0:
            raise ValueError(f"Geometric needs end > 0; found {self.end}")

    def __call__(self, progress: float) -> float:
        """The factor at a progress in [0, 1]."""
        return float(self.end ** min(max(progress, 0.0), 1.0))


@dataclass(frozen=True)
class Ramp:
    """Linear warm-up: a factor of 0 until `start` that rises linearly to 1 at `stop`.

    Args:
        start: progress at which the rise begins, >= 0.
        stop: progress at which it ends, above `start` and at most 1.
    """

    start: float = 0.0
    stop: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop <= 1:
            raise ValueError(f"Ramp needs 0 <= start < stop <= 1; found {self.start} and {self.stop}")

    def __call__(self, progress: float) -> float:
        """The factor at a progress in [0, 1]."""
        return min(max((progress - self.start) / (self.stop - self.start), 0.0), 1.0)


@dataclass(frozen=True)
class Scheduled:
    """A term times a schedule, as the decreasing gamma of R3GAN (arXiv 2501.05441, appendix).

    Args:
        schedule: the factor at each progress.
        term: the term to wrap.
    """

    schedule: Schedule
    term: Term

    def __call__(self, turn: Turn) -> Tensor:
        """The term, times the factor at the current progress; where that is 0, the term is not computed."""
        factor = self.schedule(turn.clock.progress)
        return factor * self.term(turn) if factor else turn.zero()
