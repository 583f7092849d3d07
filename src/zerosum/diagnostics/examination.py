"""The examination of a run: its symptoms with advice on each, and when to stop."""

__all__ = ["Examination", "examine"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from zerosum.diagnostics.advice import Advice, advise
from zerosum.diagnostics.diagnose import Diagnosis, diagnose
from zerosum.diagnostics.patient import Patient
from zerosum.diagnostics.stopping import Stopping, when_to_stop
from zerosum.diagnostics.symptom import Symptom
from zerosum.recipes.evaluation import Evaluation
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.log import is_evaluation
from zerosum.runs.run import Run


@dataclass(frozen=True)
class Finding:
    """A symptom with advice on it, the best first."""

    symptom: Symptom
    advice: tuple[Advice, ...]


@dataclass(frozen=True)
class Recommendation:
    """Advice for the whole run, and the symptoms that it is against."""

    advice: Advice
    against: tuple[str, ...]


@dataclass(frozen=True)
class Examination:
    """What a run's log says about it.

    Attributes:
        images: real samples seen at the last line of the log.
        total: those of the whole run.
        findings: the certain symptoms with advice, the worst first.
        diagnosis: all symptoms, also those that are not certain, and what is normal.
        stopping: the best evaluation; None without any.
        unknown: why there is none, in words; empty where there is one.
    """

    images: int
    total: int
    findings: tuple[Finding, ...]
    diagnosis: Diagnosis
    stopping: Stopping | None
    unknown: str = ""

    @property
    def recommendations(self) -> tuple[Recommendation, ...]:
        """The advice on all symptoms, each change once: first what is near the top for many and grave ones."""
        votes: dict[tuple[str, ...], float] = {}
        against: dict[tuple[str, ...], list[str]] = {}
        given = {one.settings: one for finding in self.findings for one in finding.advice}
        for finding in self.findings:
            for place, one in enumerate(finding.advice, 1):
                votes[one.settings] = votes.get(one.settings, 0.0) + finding.symptom.weight / place
                against.setdefault(one.settings, []).append(finding.symptom.name)
        order = sorted(given, key=lambda settings: -votes[settings])
        return tuple(Recommendation(given[settings], tuple(against[settings])) for settings in order)

    @property
    def facts(self) -> Mapping[str, Any]:
        """All of it as plain values."""
        symptoms = [{**asdict(one.symptom), "advice": [asdict(a) for a in one.advice]} for one in self.findings]
        suspected = [asdict(one) for one in self.diagnosis.symptoms if not one.is_certain]
        stopping = None if self.stopping is None else {**asdict(self.stopping), "stop": self.stopping.stop}
        known = {"images": self.images, "total": self.total, "healthy": self.diagnosis.healthy}
        advice = [{**asdict(one.advice), "against": [*one.against]} for one in self.recommendations]
        found = {"symptoms": symptoms, "advice": advice, "suspected": suspected, "normal": [*self.diagnosis.normal]}
        return {**known, **found, "stopping": stopping, "stopping_unknown": self.unknown or None}


def examine(run: Run, generator: TrainedGenerator | None = None) -> Examination:
    """Examine a run, finished or not. Where a symptom is certain its generator is loaded, if it is not given.

    Raises `ValueError` where the folder is no run, or its files are damaged.
    """
    recipe, log = run.recipe if generator is None else generator.recipe, run.log
    found = diagnose(log, recipe)
    patient = patient_of(run.generator if generator is None else generator) if found.certain else None
    findings = [Finding(one, () if patient is None else advise(one.name, patient)) for one in found.certain]
    return Examination(found.images, recipe.images, tuple(findings), found, *_stopping(log, recipe.evaluation))


def _stopping(log: Sequence[Mapping[str, Any]], plan: Evaluation | None) -> tuple[Stopping | None, str]:
    """When to stop, or why that is unknown: the plan may name metrics of the user, and these need `--use`."""
    if not any(map(is_evaluation, log)):
        return None, "the log has no scores; `zerosum train ... --evaluate kid` computes them over time"
    try:
        found = when_to_stop(log, plan)
    except ValueError as error:
        return None, str(error)
    return found, "" if found else "no score of the log is the criterion of the recipe's evaluation (`best`, or kid)"


def patient_of(generator: TrainedGenerator) -> Patient:
    """The recipe of a generator with the facts of its data."""
    return Patient(generator.recipe, generator.shape, generator.condition, generator.coding is not None)
