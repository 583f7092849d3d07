"""What an examination puts together: symptoms, advice on all of them, and the diagnoses over time."""

from types import SimpleNamespace

import pytest
from tests.diagnostics.ill_logs import ILL, WELL

from zerosum.diagnostics import diagnose, examine
from zerosum.diagnostics.advice import Advice
from zerosum.diagnostics.examination import Examination, Finding
from zerosum.diagnostics.history import history
from zerosum.diagnostics.symptom import Symptom
from zerosum.recipes.named_recipes import named

RECIPE = named("non-saturating")
GENERATOR = SimpleNamespace(recipe=RECIPE, shape=(2,), condition=None, coding=None)


def test_a_collapse_is_found_with_advice_and_a_healthy_log_has_neither():
    found = examine(SimpleNamespace(log=ILL), GENERATOR)
    by_name = {one.symptom.name: one for one in found.findings}
    assert by_name["mode-collapse"].advice[0].settings[0] == "d_terms=(R1(gamma=0.1),)"
    assert found.images == 90_000 and found.total == RECIPE.images
    assert "mode-collapse" in found.recommendations[0].against
    facts = found.facts
    assert not facts["healthy"] and facts["advice"][0]["settings"] and facts["stopping"] is None
    well = examine(SimpleNamespace(log=WELL), GENERATOR)
    assert well.findings == well.recommendations == () and well.facts["healthy"]
    assert any("1.386" in sentence for sentence in well.diagnosis.normal)


def test_the_history_has_the_symptom_from_the_time_it_came():
    moments = history(ILL, RECIPE)
    assert [moment.images for moment in moments] == [10_000 * n for n in range(1, 10)]
    collapsed = ["mode-collapse" in [one.name for one in moment.certain] for moment in moments]
    assert not any(collapsed[:3]) and collapsed[-1] and collapsed == sorted(collapsed)


def test_the_history_is_the_diagnosis_of_each_beginning_of_the_log_also_after_a_return():
    log = [*ILL, {"images": 30_000, "treatment": {}}, *ILL[8:], {"images": 20_000, "rollback": {}}, *WELL]
    ends = [place for place, line in enumerate(log, 1) if "signal/arbiter" in line]
    assert history(log, RECIPE) == [diagnose(log[:end], RECIPE) for end in ends] and len(ends) == 20


def advice(text):
    return Advice((text,), "why.", "who, arXiv", 5)


def finding(name, severity, *changes):
    return Finding(Symptom(name, severity, 1.0, 0), tuple(map(advice, changes)))


@pytest.mark.parametrize(
    ("findings", "order"),
    [
        ([finding("a", 1.0, "x=1", "y=1")], ["x=1", "y=1"]),
        ([finding("a", 1.0, "x=1", "y=1"), finding("b", 0.9, "y=1")], ["y=1", "x=1"]),
        ([finding("a", 1.0, "x=1", "y=1"), finding("b", 0.4, "y=1")], ["x=1", "y=1"]),
    ],
)
def test_a_change_comes_first_that_helps_against_most(findings, order):
    found = Examination(1, 1, tuple(findings), None, None).recommendations
    assert [one.advice.settings[0] for one in found] == order
    against = dict(zip(order, [one.against for one in found], strict=True))
    assert against["y=1"] == tuple(one.symptom.name for one in findings)
