"""When to stop a run: after its best checkpoint by a score, once nothing has improved on it beyond its error."""

__all__ = ["Stopping", "when_to_stop"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zerosum.evaluation.best import best_line, criterion
from zerosum.evaluation.scores import format_score
from zerosum.recipes.evaluation import Evaluation
from zerosum.runs.log import ERROR, SCORE
from zerosum.runs.plain_json import is_number

_PATIENCE = 3  # evaluations without an improvement, from which on it is time to stop


@dataclass(frozen=True)
class Stopping:
    """The best evaluation of a run, and how long ago it was.

    A later evaluation is better if it is so by more than two standard errors of the difference.

    Attributes:
        score: the score by which evaluations are compared.
        value: its value at the best one.
        error: its standard error; None if unknown.
        images: images at the best one.
        since: images from there to the last evaluation.
        later: number of evaluations since.
    """

    score: str
    value: float
    error: float | None
    images: int
    since: int
    later: int

    @property
    def stop(self) -> bool:
        """Whether the run can be stopped: three evaluations or more have not improved on the best."""
        return self.later >= _PATIENCE

    def __str__(self) -> str:
        best = f"the best {self.score} is {format_score(self.value, self.error)}, after {self.images:,} images"
        if not self.later:
            return f"{best}, the last evaluation: the run still improves."
        since = f"nothing has improved on it beyond its error for {self.since:,} images"
        return f"{best}; {since}{': it is time to stop' if self.stop else ''}."


def when_to_stop(log: Sequence[Mapping[str, Any]], plan: Evaluation | None) -> Stopping | None:
    """Return the best evaluation in the lines of a log, by the criterion of its plan; None where there is none.

    Raises `ValueError` where the plan names a score that its metrics do not give.
    """
    by = criterion(plan)
    best = best_line(log, by)
    if by is None or best is None:
        return None
    key, error = SCORE + by.score, best.get(ERROR + by.score)
    later = [line["images"] for line in log if is_number(line.get(key)) and line["images"] > best["images"]]
    since = max(later, default=best["images"]) - best["images"]
    return Stopping(by.score, best[key], error, best["images"], since, len(later))
