"""The course of a run: the values of its log over the images, with what its objective says about them."""

__all__ = ["Course"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zerosum.diagnostics.signals.names import SIGNAL
from zerosum.diagnostics.symptom import Symptom
from zerosum.protocols import HasReference, Reference
from zerosum.recipes.recipe import Recipe
from zerosum.runs.log import ROLLBACK, TREATMENT, Series, curves

_LATE = 1 / 3  # of the run so far, the last part, in which a value counts
_FEW = 3  # values that count at least
_STEPS = (150, 500)  # of G, before which nothing is certain, and after which all may be
_YOUNG_STEPS, _YOUNG_SHARE = (1_000, 3_000), (0.15, 0.3)  # of G, and of the run, in which games are still young
_ENDING = (0.5, 0.9)  # of the run, after which it is late to get better
_GAIN = (0.05, 0.15)  # in coverage, clusters or separability, between noise and progress
UNKNOWN = Reference("a number of an unknown meaning")


def rise(value: float | None, low: float, high: float) -> float:
    """0 at `low`, 1 at `high` and beyond, linear between; `low` may be the larger. 0 for an unknown value."""
    if value is None or value != value:
        return 0.0
    return float(min(max((value - low) / (high - low), 0.0), 1.0))


def is_return(line: Mapping[str, Any]) -> bool:
    """Whether a line of a log says that the run went back to a checkpoint."""
    return ROLLBACK in line or TREATMENT in line


@dataclass(frozen=True, eq=False)
class Course:
    """What a log says about a run.

    Attributes:
        curves: each number of the log by name, as (images, values).
        reference: what the numbers of the objective mean.
        recipe: the recipe; None where it is unknown.
    """

    curves: Mapping[str, Series]
    reference: Reference = UNKNOWN
    recipe: Recipe | None = None

    @classmethod
    def of(cls, log: Sequence[Mapping[str, Any]], recipe: Recipe | None = None) -> "Course":
        """The course of a run with this log, from its last rollback or treatment on."""
        starts = [place for place, line in enumerate(log) if is_return(line)]
        objective = None if recipe is None else recipe.objective
        reference = objective.reference if isinstance(objective, HasReference) else UNKNOWN
        return cls(curves(log[starts[-1] :] if starts else log), reference, recipe)

    @cached_property
    def images(self) -> int:
        """Images seen at the last line."""
        return int(max((x[-1] for x, _ in self.curves.values()), default=0))

    @property
    def ripeness(self) -> float:
        """How far the run is from its start, in [0, 1]: in its first few hundred updates every generator is poor."""
        steps = self.curves.get("steps")
        return rise(1e9 if steps is None else float(steps[1][-1]), *_STEPS)

    @cached_property
    def patience(self) -> float:
        """How far samples should be by now, in [0, 1]: what is usual in a young game and wrong later, counts by it.

        It rises with the share of the run that is done, or, in long runs, with the updates of G; and it is 0 where
        samples are getting better, unless the run is near its end.
        """
        share = None if self.recipe is None else self.images / self.recipe.images
        steps = self.curves.get("steps")
        old = rise(1e9 if steps is None or share is None else float(steps[1][-1]), *_YOUNG_STEPS)
        ending = 1.0 if share is None else rise(share, *_ENDING)
        return max(old, rise(share, *_YOUNG_SHARE)) * (1 - self.progress * (1 - ending))

    @cached_property
    def progress(self) -> float:
        """Whether samples are nearer to the data than in the first half of the log, in [0, 1], by no signal of D."""
        return rise(max(self._gain("coverage"), self._gain("clusters"), self._gain("arbiter", -1)), *_GAIN)

    def _gain(self, name: str, sign: int = 1) -> float:
        """By how much the last two values are above those of the first half, or below by `sign=-1`."""
        found = self.series(name)
        if found is None:
            return 0.0
        x, y = found[0], sign * found[1]
        first = min(float(one[0]) for one, _ in self.curves.values())  # after a rollback not 0
        before = y[x <= (first + self.images) / 2][-_FEW:]
        return float(y[-2:].min() - np.median(before)) if len(before) and len(y) - len(before) >= 2 else 0.0

    def series(self, name: str) -> Series | None:
        """The finite values of a signal, or of another key of the log, over the images; None without any."""
        found = self.curves.get(SIGNAL + name, self.curves.get(name))
        if found is None:
            return None
        finite = np.isfinite(found[1])
        return (found[0][finite], found[1][finite]) if finite.any() else None

    def late(self, name: str) -> float | None:
        """The median of the last third of the run, of three values if there are; None for an unknown name."""
        found = self.series(name)
        if found is None:
            return None
        x, y = found
        return float(np.median(y[-max(_FEW, int((x > (1 - _LATE) * self.images).sum())) :]))

    def last(self, name: str) -> float | None:
        """The last value; None for an unknown name."""
        found = self.series(name)
        return None if found is None else float(found[1][-1])

    def early(self, name: str) -> float | None:
        """The median of the first third of the values."""
        found = self.series(name)
        return None if found is None else float(np.median(found[1][: max(1, len(found[1]) // 3)]))

    def since(self, name: str, holds: Callable[[float], bool]) -> int:
        """The images from which on a value fulfils a condition without a break; at the latest those of its last."""
        found = self.series(name)
        if found is None:
            return self.images
        start = len(found[0]) - 1
        while start > 0 and holds(float(found[1][start - 1])):
            start -= 1
        return int(found[0][start])

    @property
    def stillness(self) -> float:
        """1 where an iteration changes G by at most 3e-7 of its weights, 0 from 1e-5 on."""
        update = self.late("update_G")
        return 0.0 if update is None else rise(float(np.log10(max(update, 1e-30))), -5.0, -6.5)

    @cached_property
    def fidelity(self) -> float:
        """How well the samples of the averaged G stand for the data, in [0, 1], by signals that do not involve D.

        1 where a new classifier cannot distinguish them, or where they cover the real samples and their clusters.
        """
        alike = rise(self.late("arbiter"), 0.9, 0.7)
        covered = min(rise(self.late("coverage"), 0.3, 0.6), rise(self.late("clusters"), 0.5, 0.75))
        return max(alike, covered)

    @cached_property
    def coverage(self) -> float:
        """How surely samples of the live G lie beside most of the real ones, and still do, in [0, 1]."""
        return min(rise(value("coverage_live"), 0.45, 0.65) for value in (self.late, self.last))

    def symptom(
        self, name: str, severity: float, confidence: float, since: int, evidence: Sequence[str], text: str
    ) -> Symptom | None:
        """The symptom with the late values of its evidence; None without confidence.

        `text` may name values of the evidence in braces, with `-` and `/` of a name as `_`.
        """
        sure = confidence * self.ripeness
        if sure < 0.05:
            return None
        values = {key: value for key in evidence if (value := self.late(key)) is not None}
        shown = {key.replace("/", "_"): f"{value:.3g}" for key, value in values.items()}
        full = {SIGNAL + key if SIGNAL + key in self.curves else key: value for key, value in values.items()}
        words = text.format_map(_Values(shown))
        return Symptom(name, float(min(max(severity, 0.0), 1.0)), float(min(sure, 1.0)), since, full, words)


class _Values(dict[str, str]):
    """Values of a sentence, of which some may be unknown."""

    def __missing__(self, key: str) -> str:
        return "unknown"
