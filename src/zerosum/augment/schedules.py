"""Schedules of the strength of an augmentation."""

from dataclasses import dataclass

from zerosum.augment._checks import check_strength


@dataclass(frozen=True)
class Line:
    """Linear schedule: a factor from `start` at the start of the run to `end` at its end.

    Args:
        start: factor at progress 0 (>= 0).
        end: factor at progress 1 (>= 0).
    """

    start: float = 1.0
    end: float = 0.0

    def __post_init__(self) -> None:
        check_strength("start", self.start)
        check_strength("end", self.end)

    def __call__(self, progress: float) -> float:
        """The factor at a progress in [0, 1]."""
        t = min(max(progress, 0.0), 1.0)
        return (1 - t) * self.start + t * self.end
