"""Changes of a running game against a symptom: rates and penalties, recorded in checkpoints and in the log."""

__all__ = ()

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import reduce
from typing import Any

from zerosum.data.dataset import Dataset
from zerosum.diagnostics.advice import SAFE, Advice, advise
from zerosum.diagnostics.diagnose import diagnose
from zerosum.diagnostics.patient import Patient
from zerosum.diagnostics.symptom import Symptom
from zerosum.evaluation.best import best_line, criterion
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.settings import with_setting
from zerosum.recipes.using import known_of
from zerosum.runs.plain_json import is_count
from zerosum.runs.run import Run
from zerosum.runs.stored_condition import condition_of
from zerosum.training.ranks import RankGroup

TREATMENTS = "treatments"  # the name, among a checkpoint's numbers, of those so far
MOST = 5  # in a run


@dataclass(frozen=True)
class Treatment:
    """A change of the game.

    Attributes:
        symptom: the symptom it is against.
        reason: its sentence.
        settings: settings of the recipe, of the fields `SAFE`.
        why: why they help; each reason counts once for a symptom.
        images: real samples seen when it was decided.
        back: real samples at which the run shall go on, at the newest checkpoint up to there.
        until: real samples before which no other treatment follows.
    """

    symptom: str
    reason: str
    settings: tuple[str, ...]
    why: str
    images: int
    back: int
    until: int

    @property
    def facts(self) -> dict[str, Any]:
        """It as plain JSON values."""
        return {**asdict(self), "settings": [*self.settings]}


class TreatmentDue(Exception):  # no error: the loop is left to go back
    """The game shall be changed; raised on every rank, with the treatment on the first."""

    def __init__(self, treatment: Treatment | None) -> None:
        super().__init__("the game is to be changed")
        self.treatment = treatment


def treated(recipe: Recipe, treatments: Sequence[Mapping[str, Any]]) -> Recipe:
    """The recipe under treatments, as plain values of a checkpoint; raises `ValueError` for any that are none."""
    if not isinstance(treatments, list | tuple):
        raise ValueError(f"its treatments should be a list; found {treatments!a:.80}")
    settings = [setting for one in treatments for setting in _settings(one)]
    known = known_of(recipe)
    return reduce(lambda changed, setting: with_setting(changed, setting, known), settings, recipe)


def _settings(treatment: object) -> list[str]:
    values = treatment if isinstance(treatment, dict) else {}
    found, words = values.get("settings"), (values.get("symptom"), values.get("why"))
    settings = [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
    whole = settings == found and is_count(values.get("until")) and all(isinstance(one, str) for one in words)
    if not whole or any(one.partition("=")[0] not in SAFE for one in settings):
        raise ValueError(f"its treatments should be settings of {', '.join(SAFE)}; found {treatment!a:.80}")
    return settings


@dataclass(eq=False)
class RunDoctor:
    """Reads the log of a run while it trains, on the first rank: says each certain symptom once, and treats it.

    An error, as a damaged log or one in an objective of the user, ends this and not the run.

    Attributes:
        recipe: the recipe of the run.
        dataset: its data.
        run: its folder.
        acts: whether to treat symptoms.
        treatments: those so far, as plain values.
    """

    recipe: Recipe
    dataset: Dataset
    run: Run
    acts: bool
    treatments: Sequence[Mapping[str, Any]] = ()
    said: set[str] = field(init=False)
    failed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.said = {one["symptom"] for one in self.treatments}
        with suppress(Exception):  # which the first visit says
            self.said |= {symptom.name for symptom in self._certain()}  # of an earlier start

    def visit(self, images: int, say: Callable[[str], None]) -> Treatment | None:
        """Say what is certain now and was not before, and return what to change, if anything."""
        try:
            return None if self.failed else self._visited(images, say)
        except Exception as error:  # noqa: BLE001  # of any kind, as parts may be the user's; training needs no doctor
            self.failed = True
            say(f"no symptoms from {images:,} images on: {type(error).__name__}: {error}")
            return None

    def _visited(self, images: int, say: Callable[[str], None]) -> Treatment | None:
        certain = self._certain()
        for symptom in certain:
            if symptom.name not in self.said:
                say(f"after {images:,} images, {symptom.name}: {symptom.text} See `zerosum doctor {self.run}`.")
        self.said |= {symptom.name for symptom in certain}
        waits = any(images < one["until"] for one in self.treatments)
        if not self.acts or waits or len(self.treatments) >= MOST:
            return None
        return next((found for symptom in certain if (found := self._treatment(symptom, images))), None)

    def _certain(self) -> list[Symptom]:
        return [*diagnose(self.run.log, self.recipe).certain]

    def _treatment(self, symptom: Symptom, images: int) -> Treatment | None:
        """The first safe advice on a symptom that was not followed yet."""
        recipe = treated(self.recipe, self.treatments)
        done = [one["why"] for one in self.treatments if one["symptom"] == symptom.name]
        condition = condition_of(recipe, self.dataset.condition)
        patient = Patient(recipe, self.dataset.shape, condition, self.dataset.coding is not None)
        for advice in advise(symptom.name, patient):
            if advice.safe and advice.why not in done:
                return self._decided(symptom, advice, images)
        return None

    def _decided(self, symptom: Symptom, advice: Advice, images: int) -> Treatment:
        best = best_line(self.run.log, criterion(self.recipe.evaluation))
        back = symptom.since if best is None else best["images"]
        return Treatment(symptom.name, symptom.text, advice.settings, advice.why, images, back, images + advice.images)


def visit(doctor: RunDoctor | None, group: RankGroup, images: int, total: int, say: Callable[[str], None]) -> None:
    """Have the doctor read the log, on the first rank; raises `TreatmentDue` on every rank where it treats the run."""
    due = None if doctor is None else doctor.visit(images, say)
    if group.maximum(due is not None) and images < total:
        raise TreatmentDue(due)
