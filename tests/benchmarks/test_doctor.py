"""The benchmark of the doctor: its games can be built, and its tables count what they say."""

from benchmarks.quality.doctor import cases
from benchmarks.quality.doctor_games import HEALTHY, ILLNESSES, SUBJECTS, changed
from benchmarks.quality.doctor_table import balanced_accuracy, found, harmed, healed, tables

from zerosum.diagnostics.rules import RULES


def result(form, score, *symptoms, ill=True, advised=None, drawn=0.0, seed=0):
    made = {"subject": "points", "form": form, "ill": ill, "seed": seed, "score": score, "symptoms": [*symptoms]}
    return {**made, "advised": ["D_opt.lr=1"], "advised_score": advised, "drawn_score": drawn} if ill else made


WELL = [result("itself", 0.8, ill=False), result("hinge", 0.8, "oscillation", ill=False)]
NARROW = result("narrow D", 0.1, "weak-discriminator", advised=0.7, drawn=0.2)
MISSED = result("200 samples", 0.3, "dead-layers", drawn=0.61)
HARMLESS = result("clip too wide", 0.75)


def test_every_case_is_a_recipe_and_every_illness_is_described_by_symptoms():
    made = [*cases([*SUBJECTS], 2)]
    assert len(made) == 2 * sum(1 + len(HEALTHY[name]) + len(ILLNESSES) for name in SUBJECTS)
    for case in made:
        assert case.recipe.seed == case.seed
    for name, subject in SUBJECTS.items():
        forms = [one.settings(subject.recipe) for one in ILLNESSES.values()]
        assert all(changed(subject.recipe, form, 0) != subject.recipe for form in forms), name
    assert all(illness.symptoms <= {*RULES} for illness in ILLNESSES.values())


def test_an_illness_is_found_by_a_symptom_that_describes_it():
    assert found(NARROW) and not found(MISSED) and not found(HARMLESS)
    results = [*WELL, NARROW, MISSED, HARMLESS]
    assert balanced_accuracy(results, results) == (1 / 2 + 1 / 2) / 2, "one that did no harm is not counted"
    assert balanced_accuracy([*WELL, HARMLESS], results) is None, "none is ill"


def test_ill_and_healed_are_relative_to_the_healthy_run_of_the_seed():
    results = [*WELL, NARROW, MISSED, HARMLESS]
    assert [harmed(one, results) for one in results] == [False, False, True, True, False]
    assert healed(NARROW, "advised", results) and not healed(NARROW, "drawn", results)
    assert not healed(MISSED, "advised", results), "no advice was given"
    assert healed(MISSED, "drawn", results)


def test_the_tables_say_it():
    text = tables([*WELL, NARROW, MISSED, HARMLESS])
    assert "| seen | 0.50 | 1 of 2 | 2 of 3 | 1 of 2 | 1 of 2 | +0 ± " in text
    assert "| narrow D | points | 1 of 1 | weak-discriminator | 0.80 | 0.10 | 0.70 | 0.20 | `D_opt.lr=1` |" in text
    assert "| hinge | points | 1 of 1 | oscillation | 0.80 |" in text
