"""The symptoms of a run over time: what would have been diagnosed after each check-up."""

__all__ = ()

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from zerosum.diagnostics.course import Course, is_return
from zerosum.diagnostics.diagnose import Diagnosis, diagnose
from zerosum.diagnostics.signals.names import SIGNAL
from zerosum.recipes.recipe import Recipe
from zerosum.runs.plain_json import is_number

_CHECK_UP = SIGNAL + "arbiter"  # of samples alone, so in the line of a check-up, and in no other


def history(log: Sequence[Mapping[str, Any]], recipe: Recipe) -> list[Diagnosis]:
    """The diagnosis after each check-up in a log: that of the lines up to there, of which each is read once."""
    starts = [0, *(place for place, line in enumerate(log) if is_return(line)), len(log)]
    found = []
    for start, end in pairwise(starts):
        course, seen = Course.of(log[start:end], recipe), Counter[str]()
        for line in log[start:end]:
            seen.update(name for name, value in line.items() if is_number(value))
            if _CHECK_UP in line:
                curves = {name: (x[: seen[name]], y[: seen[name]]) for name, (x, y) in course.curves.items()}
                found.append(diagnose(replace(course, curves={k: v for k, v in curves.items() if len(v[0])})))
    return found
