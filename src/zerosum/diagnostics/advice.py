"""Advice on a symptom: what to change in a recipe, why, after which paper, and within how many images it shows."""

__all__ = ["Advice", "advise"]

from collections.abc import Iterator
from dataclasses import dataclass

from zerosum.diagnostics.patient import Patient
from zerosum.diagnostics.rules import RULES
from zerosum.recipes.reader import NOTHING, Known
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.settings import with_setting

SAFE = ("G_opt.lr", "D_opt.lr", "G_opt.betas", "D_opt.betas", "d_terms")  # fields that can change in a running game


@dataclass(frozen=True)
class Advice:
    """A change of a recipe that helps against a symptom.

    Attributes:
        settings: settings `KEY=VALUE` of the recipe, as `--set` takes them.
        why: why it helps, in one sentence.
        source: the paper.
        images: within how many real samples it should show.
        safe: whether a running game can be changed so: learning rates and penalties, not networks.
    """

    settings: tuple[str, ...]
    why: str
    source: str
    images: int
    safe: bool = False

    def applied(self, recipe: Recipe, known: Known = NOTHING) -> Recipe:
        """The recipe with these settings; `known` are the user's parts by name."""
        for setting in self.settings:
            recipe = with_setting(recipe, setting, known)
        return recipe


def advise(symptom: str, patient: Patient) -> tuple[Advice, ...]:
    """Return what to change against a symptom, the best first; empty where no setting helps.

    Args:
        symptom: its name, such as `mode-collapse`.
        patient: the recipe, and the facts of its data.

    Raises:
        ValueError: for an unknown symptom.
    """
    if symptom not in RULES:
        raise ValueError(f"a symptom is one of {', '.join(RULES)}; found {symptom!r}")
    return tuple(_advice(symptom, patient))


def all_advice(patient: Patient) -> tuple[Advice, ...]:
    """The advice on all symptoms, each change once."""
    return tuple({one.settings: one for symptom in RULES for one in advise(symptom, patient)}.values())


def _advice(symptom: str, patient: Patient) -> Iterator[Advice]:
    given = set()
    for rule in RULES[symptom]:
        settings = rule.remedy(patient)
        if settings and settings not in given:
            given.add(settings)
            safe = rule.safe and all(setting.partition("=")[0] in SAFE for setting in settings)
            yield Advice(settings, rule.why, rule.source, round(patient.recipe.images * rule.share), safe)
