"""Symptoms that are usual in a young game: they wait for age, and for samples that get no better."""

from dataclasses import replace

import pytest
from tests.diagnostics.test_diagnose import ILL, RECIPE, SIGNAL, log, names

IMMATURE = (
    *("mode-collapse", "mode-hopping", "oscillation", "ignored-condition"),
    *("mean-image", "weak-discriminator", "unbalanced-rates"),
)


@pytest.mark.parametrize("name", IMMATURE)
def test_what_is_usual_in_a_young_game_is_certain_only_later(name):
    young = [line | {"steps": line["images"] // 50} for line in log(ILL[name])]  # 600 updates
    assert name in names(young, replace(RECIPE, images=30_000)), "a run of its full length"
    assert name not in names(young, replace(RECIPE, images=300_000)), "a tenth of it"
    assert name in names(log(ILL[name]), replace(RECIPE, images=3_000_000)), "a hundredth, and 3,000 updates"
    better = [line | {SIGNAL + "clusters": line["images"] / 60_000} for line in young]
    assert name in names(young, None) and name in names(better, None), "a recipe that is not known"


@pytest.mark.parametrize("name", IMMATURE)
@pytest.mark.parametrize(
    ("signal", "first", "last"), [("clusters", 0.1, 0.4), ("coverage", 0.0, 0.3), ("arbiter", 1.0, 0.6)]
)
def test_samples_that_get_better_are_given_time(name, signal, first, last):
    lines = log(ILL[name] | {"clusters": 0.1, "coverage": 0.05, "arbiter": 1.0})
    assert name in names(lines)
    for number, line in enumerate(lines):
        line[SIGNAL + signal] = first + (last - first) * number / len(lines)
    assert name not in names(lines)
    assert "dead-layers" in names([line | {"signal/dead_D": 0.99} for line in lines]), "wrong at any age"
    if signal == "clusters":
        assert name in names(lines, replace(RECIPE, images=30_000)), "the run is at its end"
    if signal != "arbiter":  # of which half acquits, whatever came last
        lines[-1] = lines[-1] | {SIGNAL + signal: first}
        assert name in names(lines), "no better at the last check-up"


def test_after_a_rollback_progress_is_since_then():
    lines = [{"images": 60_000, "treatment": "the safe advice"}, *log(ILL["mode-collapse"] | {"clusters": 0.1})]
    for number, line in enumerate(lines[1:]):
        line["images"] += 60_000
        line[SIGNAL + "clusters"] = 0.1 + 0.3 * number / 30
    assert "mode-collapse" not in names(lines), "samples get better"
    assert "mode-collapse" in names([line | {SIGNAL + "clusters": 0.1} for line in lines])
