"""Each symptom is found in a log that shows it and in no healthy one, from when on, and normal values are acquitted."""

import json
from dataclasses import replace

import pytest

from zerosum.diagnostics import Course, Diagnosis, Symptom, diagnose
from zerosum.diagnostics.course import rise
from zerosum.diagnostics.diagnose import symptom_checks
from zerosum.diagnostics.signals.names import SIGNAL, SIGNALS
from zerosum.objectives import (
    MMD,
    BoundaryEquilibrium,
    Hinge,
    LeastSquares,
    NonSaturating,
    Relativistic,
    Softmax,
    Wasserstein,
)
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import pretty

RECIPE = named("digits")
GOOD = {
    **dict.fromkeys(
        ("spread", "spread_live", "spread_pixels", "spread_pixels_live", "clusters", "clusters_live"), 0.95
    ),
    **dict.fromkeys(("coverage", "coverage_live", "class_spread", "class_accuracy"), 0.8),
    "real_above": 0.8,
    "score_gap": 1.2,
    "arbiter": 0.8,
    "arbiter_live": 0.85,
    "mean_distance": 1.0,
    "offset": 0.1,
    "shift": 0.1,
    "shift_live": 0.3,
    "return": 1.3,
    "return_live": 1.3,
    "average_gap": 0.3,
    "average_lag": 0.02,
    "response": 1.5,
    "loss_gradient": 1.2,
    "steepness": 4.0,
    "steepness_real": 4.0,
    "held_out": 0.52,
    "penalty_gradient": 1.0,
    "clipped": 0.4,
    "spectrum_G": 0.1,
    "spectrum_D": 0.1,
    "dead_G": 0.2,
    "dead_D": 0.1,
    "nearest": 0.8,
    "copies": 0.0,
    "update_G": 0.002,
    "update_D": 0.002,
    "turn_G": 0.1,
    "turn_D": 0.1,
    "condition_response": 0.7,
    "latent_response": 0.7,
    "class_shift": 0.05,
    "data_copies": 0.0,
    "data_constant": 0.0,
    "data_balance": 0.95,
}
POOR = {"arbiter": 1.0, "arbiter_live": 1.0, "coverage": 0.05, "coverage_live": 0.05}
ILL = {
    "vanishing-gradients": POOR | {"loss_gradient": 0.01, "real_above": 1.0},
    "weak-discriminator": POOR | {"real_above": 0.51},
    "mode-collapse": POOR | {"clusters_live": 0.2, "clusters": 0.25, "spread_live": 0.3},
    "mode-hopping": POOR | {"clusters_live": 0.2, "clusters": 0.3, "spread_live": 0.3, "shift_live": 3.0},
    "oscillation": POOR | {"shift_live": 1.2, "return_live": 0.8},
    "divergence": POOR | {"mean_distance": 6.0},
    "overfitting-discriminator": {"held_out": 0.9},
    "memorised-samples": {"copies": 0.6, "nearest": 0.05},
    "dead-layers": {"dead_D": 0.99},
    "slack-penalty": {"penalty_gradient": 6.0},
    "saturated-clipping": POOR | {"clipped": 0.99},
    "ignored-condition": {"condition_response": 0.02},
    "unbalanced-rates": POOR | {"update_G": 0.1},
    "mean-image": POOR | {"mean_distance": 0.2, "offset": 0.1, "spread_pixels": 0.1},
    "data-trouble": {"data_copies": 0.5},
}


def log(changes=(), start=0, lines=30, **further):
    """A log whose values change at a line; ten times more check-ups than a real one, on its ticks."""
    values = {SIGNAL + name: value for name, value in GOOD.items()}
    ill = values | {SIGNAL + name: value for name, value in dict(changes).items()}
    return [
        {"images": 1000 * i, "steps": 100 * i, "D/gradient_norm": 1.0, "G/gradient_norm": 1.0, "D/loss": 1.1}
        | {"signal/epochs": i * 1.0}
        | (ill if i > start else values)
        | further
        for i in range(1, lines + 1)
    ]


def test_a_good_run_is_healthy_under_every_objective():
    for objective in (NonSaturating(), Hinge(), Wasserstein(), Relativistic(), MMD(), BoundaryEquilibrium()):
        found = diagnose(log(), replace(RECIPE, objective=objective))
        assert found.healthy and found.certain == (), (objective, found.symptoms)
    assert found.images == 30_000


@pytest.mark.parametrize("name", symptom_checks())
def test_each_illness_has_its_symptom(name):
    found = diagnose(log(ILL[name]), RECIPE)
    assert not found.healthy
    symptom = next(one for one in found.symptoms if one.name == name)
    assert symptom.is_certain and symptom.severity > 0.5, symptom
    assert symptom.text.endswith(".") and "{" not in symptom.text and "unknown" not in symptom.text
    assert symptom.evidence and all(key in log()[0] for key in symptom.evidence)


def test_every_symptom_has_an_illness_here_and_reads_signals_that_exist():
    assert symptom_checks().keys() == ILL.keys()
    assert {name for changes in ILL.values() for name in changes} <= SIGNALS.keys()
    assert GOOD.keys() | {"epochs"} == SIGNALS.keys()


def test_a_symptom_is_dated_by_the_line_from_which_on_it_was_there():
    found = diagnose(log(ILL["vanishing-gradients"], start=15), RECIPE)
    assert next(one for one in found.symptoms if one.name == "vanishing-gradients").since == 16_000
    broken = log(ILL["dead-layers"], start=10)
    broken[18]["signal/dead_D"] = 0.1
    assert next(one for one in diagnose(broken).symptoms if one.name == "dead-layers").since == 20_000


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("mode-collapse", POOR | {"class_spread": 0.2, "class_accuracy": 0.9}),
        ("unbalanced-rates", POOR | {"update_D": 0.1}),
        ("slack-penalty", POOR | {"clipped": 0.0005}),
        ("ignored-condition", {"class_accuracy": 0.1}),
    ],
)
def test_a_symptom_is_dated_by_the_signal_that_shows_it(name, changes):
    found = diagnose(log(changes, start=15), RECIPE)
    assert next(one for one in found.certain if one.name == name).since == 16_000


@pytest.mark.parametrize(
    ("name", "changes", "absent"),
    [
        ("data-trouble", {"data_balance": 0.3}, ("data_copies", "data_constant")),
        ("data-trouble", {"data_copies": 0.5}, ("data_balance",)),
        ("ignored-condition", {"class_accuracy": 0.1}, ("condition_response", "latent_response")),
        ("ignored-condition", {"condition_response": 0.02}, ("class_accuracy",)),
    ],
)
def test_a_sentence_has_no_signal_that_is_absent(name, changes, absent):
    missing = {SIGNAL + one for one in absent}
    lines = [{key: value for key, value in line.items() if key not in missing} for line in log(changes)]
    (found,) = [one for one in diagnose(lines, RECIPE).certain if one.name == name]
    assert "unknown" not in found.text and f"{next(iter(changes.values())):.3g}" in found.text


def test_clipping_that_leaves_d_flat_is_saturated_though_few_weights_are_at_the_limit():
    few = POOR | {"clipped": 0.05}
    for norm, certain in ((1e-7, True), (1e-5 / 2, True), (1e-4, False), (0.2, False)):
        assert ("saturated-clipping" in names(log(few, **{"G/gradient_norm": norm}))) is certain, norm
    (flat,) = [one for one in diagnose(log(few, **{"G/gradient_norm": 1e-7})).certain if "clipping" in one.name]
    assert flat.text == "Weights of D are clipped so tightly that the gradient norm of G is 1e-07."
    bare = [line | {"signal/clipped": float("nan")} for line in log(POOR, **{"G/gradient_norm": 1e-7})]
    assert "saturated-clipping" not in [one.name for one in diagnose(bare, RECIPE).symptoms], "nothing is clipped"


def test_samples_beside_most_of_the_real_ones_are_uneven_and_not_collapsed():
    few = {"clusters_live": 0.4, "clusters": 0.38, "arbiter": 0.95, "coverage": 0.87}  # BEGAN on digits, well trained
    for covered, certain in ((0.87, False), (0.62, False), (0.4, True), (0.3, True)):
        assert ("mode-collapse" in names(log(few | {"coverage_live": covered}))) is certain, covered
    large = POOR | {"update_G": 0.03}  # as in a Wasserstein game of some thousand updates
    for covered, certain in ((0.65, False), (0.3, True)):
        assert ("unbalanced-rates" in names(log(large | {"coverage_live": covered}))) is certain, covered
    collapsing = [*log(few | {"coverage_live": 0.87}), log(few | {"coverage_live": 0.4})[-1]]
    assert "mode-collapse" in [one.name for one in diagnose(collapsing, RECIPE).certain], "it no longer covers them"


def names(lines, recipe=RECIPE):
    return [one.name for one in diagnose(lines, recipe).certain]


def test_a_d_is_weak_where_g_has_come_to_stand():
    lines = log(ILL["weak-discriminator"] | {"shift_live": 2.0})
    assert "weak-discriminator" not in names(lines), "D runs after a moving G"
    lines[-1]["signal/shift_live"] = 0.3
    assert "weak-discriminator" in names(lines)


def test_nothing_is_certain_in_the_first_updates():
    for changes in ILL.values():
        assert diagnose(log(changes, lines=2), RECIPE).healthy


def test_symptoms_are_sorted_and_good_samples_acquit():
    found = diagnose(log(ILL["mode-hopping"] | {"dead_G": 0.9}), RECIPE)
    weights = [one.severity * one.confidence for one in found.symptoms]
    assert weights == sorted(weights, reverse=True) and len(weights) > 2
    # A strong D, large shifts and large updates are no illness where samples and data cannot be distinguished.
    busy = {"real_above": 1.0, "shift_live": 2.0, "return_live": 0.7, "update_G": 0.1, "loss_gradient": 0.01}
    assert diagnose(log(busy | {"arbiter": 0.55}), RECIPE).healthy
    assert not diagnose(log(busy | POOR), RECIPE).healthy


@pytest.mark.parametrize(
    ("objective", "loss", "words"),
    [
        (NonSaturating(), 1.38, "D's loss is 1.380, near the 1.386 of the equilibrium of this objective: no failure."),
        (Relativistic(), 0.69, "near the 0.693 of the equilibrium"),
        (Hinge(), 1.0, "D's loss is 1; it is 2 at the equilibrium and 0 for a perfect D."),
        (LeastSquares(), 0.24, "near the 0.250 of the equilibrium"),
        (Wasserstein(), -7.5, "D's loss is -7.5; it is 0 at the equilibrium, and has no least value."),
        (Softmax(), 5.0, "for this objective no value of it shows how training goes"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_losses_are_read_by_the_reference_points_of_the_objective(objective, loss, words):
    found = diagnose(log(**{"D/loss": loss}), replace(RECIPE, objective=objective))
    assert any(words in sentence for sentence in found.normal), found.normal
    assert found.healthy


def test_samples_of_one_class_may_be_alike_until_it_is_learned():
    alike = POOR | {"class_spread": 0.2, "class_accuracy": 0.9}
    (found,) = [one for one in diagnose(log(alike), RECIPE).certain if one.name == "mode-collapse"]
    assert found.text == "Samples of one class are at 0.2 of the distances of real samples of one class."
    for lines in (log(alike | {"class_accuracy": 0.2}), [*log(alike), log(alike | {"class_spread": 0.55})[-1]]):
        assert "mode-collapse" not in [one.name for one in diagnose(lines, RECIPE).certain]


def test_a_score_is_called_what_it_is():
    normal = {
        type(one).__name__: " ".join(diagnose(log(), replace(RECIPE, objective=one)).normal)
        for one in (NonSaturating(), Wasserstein(), BoundaryEquilibrium())
    }
    assert "the logit of the probability" in normal["NonSaturating"] and "80% of pairs" in normal["NonSaturating"]
    assert "a critic, which is no probability" in normal["Wasserstein"]
    assert "minus the error of a reconstruction" in normal["BoundaryEquilibrium"]
    assert "of pairs" not in normal["BoundaryEquilibrium"], "D does not separate the sets in BEGAN"


def test_nothing_is_said_of_the_loss_of_an_unknown_objective():
    assert [sentence.split()[0] for sentence in diagnose(log()).normal] == ["D", "A"]
    assert not any("objective" in sentence for sentence in diagnose(log()).normal)


def test_a_run_folder_is_read_with_its_recipe_and_from_its_last_rollback_on(tmp_path):
    (tmp_path / "recipe.txt").write_text(pretty(RECIPE))
    lines = log(ILL["divergence"])
    lines += [{"images": 500, "rollback": {"count": 1}}, *log()]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = diagnose(tmp_path)
    assert isinstance(found, Diagnosis) and found.healthy
    assert any("1.39 at the equilibrium" in sentence for sentence in found.normal)
    assert not diagnose([]).healthy and diagnose(Course.of([])).images == 0


@pytest.mark.parametrize("event", ["rollback", "treatment"])
def test_a_course_begins_where_the_run_last_went_back(event):
    lines = [*log(ILL["divergence"]), {"images": 500, event: {"count": 1}}, *log(lines=7)]
    course = Course.of(lines)
    assert course.images == 7_000 and [*course.series("D/loss")[0]] == [1_000.0 * i for i in range(1, 8)]


def test_values_that_are_not_numbers_are_left_out():
    lines = log(ILL["divergence"])
    lines[-1]["signal/mean_distance"] = float("nan")
    assert Course.of(lines).late("mean_distance") == 6.0
    assert Course.of(log()).late("no such signal") is None and rise(None, 0, 1) == rise(float("nan"), 0, 1) == 0
    assert rise(0.25, 1.0, 0.0) == 0.75


def test_a_symptom_states_its_ranges():
    with pytest.raises(ValueError, match=r"confidence of a symptom is in \[0, 1\]; found 2"):
        Symptom("mode-collapse", 0.5, 2, 0)
