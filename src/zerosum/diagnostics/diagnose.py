"""The diagnosis of a run: its symptoms, and what is normal in it."""

__all__ = ["Diagnosis", "diagnose"]

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zerosum._paths import AnyPath
from zerosum._rooms import modules
from zerosum.diagnostics.course import UNKNOWN, Course
from zerosum.diagnostics.signals.names import SIGNAL
from zerosum.diagnostics.symptom import Symptom
from zerosum.recipes.recipe import Recipe
from zerosum.runs.run import Run

_NEAR = 0.15  # of a reference point, relative to the distance between the two


@dataclass(frozen=True)
class Diagnosis:
    """What a log says about the health of a run.

    Attributes:
        symptoms: the symptoms, by severity times confidence, the worst first; also those that are not certain.
        normal: sentences on values that may look wrong and are not.
        images: images seen.
        examined: whether the log has signals, without which most symptoms show nowhere.
    """

    symptoms: tuple[Symptom, ...]
    normal: tuple[str, ...]
    images: int
    examined: bool

    @property
    def certain(self) -> tuple[Symptom, ...]:
        """The symptoms of which the confidence is at least 1/2."""
        return tuple(symptom for symptom in self.symptoms if symptom.is_certain)

    @property
    def healthy(self) -> bool:
        """Whether the log has signals and no symptom is certain."""
        return self.examined and not self.certain


def diagnose(run: Course | Run | AnyPath | Sequence[Mapping[str, Any]], recipe: Recipe | None = None) -> Diagnosis:
    """The diagnosis of a run, from its log.

    Args:
        run: a run or its folder, the lines of a log, or a `Course`.
        recipe: the recipe of a log; that of a run folder is read.

    Raises:
        ValueError: where the folder is not a run, or its log is damaged.
    """
    course = run if isinstance(run, Course) else _course(run, recipe)
    found = [symptom for check in symptom_checks().values() if (symptom := check(course)) is not None]
    ranked = sorted(found, key=lambda symptom: (-symptom.weight, symptom.name))
    examined = any(name.startswith(SIGNAL) for name in course.curves)
    return Diagnosis(tuple(ranked), tuple(_normal(course)), course.images, examined)


def symptom_checks() -> dict[str, Callable[[Course], Symptom | None]]:
    """The function of each symptom by the symptom's name: that of its file in `symptoms`."""
    found = {}
    for module in modules("zerosum.diagnostics.symptoms"):
        name = module.__name__.rpartition(".")[2]
        found[name.replace("_", "-")] = getattr(module, name)
    return found


def _course(run: Run | AnyPath | Sequence[Mapping[str, Any]], recipe: Recipe | None) -> Course:
    if isinstance(run, Sequence) and not isinstance(run, str):
        return Course.of(run, recipe)
    opened = run if isinstance(run, Run) else Run(run)
    return Course.of(opened.log, opened.recipe if recipe is None else recipe)


def _normal(course: Course) -> Iterator[str]:
    """What looks wrong to many and is not: losses at their reference points, scores that are no probabilities."""
    reference, loss = course.reference, course.late("D/loss")
    if reference is not UNKNOWN:
        if loss is not None:
            yield from _loss(course, loss)
        yield f"A score of this objective is {reference.score}."
    above = course.late("real_above")
    if above is not None and reference.ranked:
        yield (
            f"D scores the real sample above the generated one in {above:.0%} of pairs: 50 % if it cannot "
            f"distinguish them, 100 % if it separates them, and more than 50 % in good runs too."
        )
    arbiter = course.late("arbiter")
    if arbiter is not None:
        yield f"A new classifier separates samples from real ones with an AUC of {arbiter:.2f}; 0.5 if it cannot."


def _loss(course: Course, loss: float) -> Iterator[str]:
    equilibrium, perfect = course.reference.equilibrium, course.reference.perfect
    if equilibrium is None:
        yield f"D's loss is {loss:.3g}; for this objective no value of it shows how training goes."
        return
    scale = abs(equilibrium - perfect) if perfect is not None else 0.0
    if scale and abs(loss - equilibrium) < _NEAR * scale:
        yield f"D's loss is {loss:.3f}, near the {equilibrium:.3f} of the equilibrium of this objective: no failure."
    elif perfect is not None:
        yield f"D's loss is {loss:.3g}; it is {equilibrium:.3g} at the equilibrium and {perfect:.3g} for a perfect D."
    else:
        yield f"D's loss is {loss:.3g}; it is {equilibrium:.3g} at the equilibrium, and has no least value."
