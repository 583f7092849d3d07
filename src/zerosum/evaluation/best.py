"""The best evaluation of a run by a score, beyond its error."""

__all__ = ()

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from zerosum.evaluation.compare import differ
from zerosum.evaluation.measure import HIGHER, Direction, chosen
from zerosum.recipes.evaluation import Evaluation
from zerosum.runs.log import ERROR, SCORE

_USUAL = "kid"  # criterion for the best generator where the plan names no score


class Criterion(NamedTuple):
    """The score that selects the best generator, and its better direction, "lower" or "higher"."""

    score: str
    better: Direction


def criterion(plan: Evaluation | None) -> Criterion | None:
    """The criterion for the best generator of a run; None where none is saved.

    Raises `ValueError` where the plan names a score that its metrics do not give, or one without a better direction.
    """
    if plan is None:
        return None
    better = {name: info.better for one in chosen(plan.metrics, plan.known) for name, info in one.gives.items()}
    if plan.best is None:
        return Criterion(_USUAL, better[_USUAL]) if better.get(_USUAL) else None
    if not better.get(plan.best):
        usable = ", ".join(name for name, way in better.items() if way) or "none"
        raise ValueError(
            f"Evaluation.best names a score of its metrics that has a better direction ({usable}); found {plan.best!r}"
        )
    return Criterion(plan.best, better[plan.best])


def best_line(log: Iterable[Mapping[str, Any]], by: Criterion | None) -> Mapping[str, Any] | None:
    """The line of a log with the best score; None where there is none, or no criterion.

    A later line replaces an earlier one only if it is better by more than two standard errors of their difference, if
    these are known.
    """
    best: Mapping[str, Any] | None = None
    if by is None:
        return best
    score, error, sign = SCORE + by.score, ERROR + by.score, -1 if by.better == HIGHER else 1
    for line in log:
        value = line.get(score)
        if value is None or not math.isfinite(value):
            continue
        if best is None:
            best = line
            continue
        least, errors = best[score], [one.get(error) for one in (best, line)]
        if sign * (value - least) < 0 and (None in errors or differ(least, errors[0], value, errors[1])):
            best = line
    return best
