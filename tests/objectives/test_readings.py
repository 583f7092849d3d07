"""What objectives log in updates: the value of the logistic games, and the balance of BEGAN."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zerosum.objectives import BoundaryEquilibrium, Minimax, NonSaturating


def turn(real, fake, average=lambda value: value):
    judgements = [SimpleNamespace(score=torch.as_tensor(s)) for s in (real, fake)]
    return SimpleNamespace(real=judgements[0], fake=judgements[1], average=average)


@pytest.mark.parametrize("objective", [Minimax(), NonSaturating()])
def test_logistic_games_log_the_probabilities_and_the_value(objective):
    real, fake = np.array([0.3, -2.0, 40.0]), np.array([[-1.0, 4.0], [0.5, -40.0]])
    log = {}
    objective.watch("G", turn(real, fake), log)
    assert log == {}
    objective.watch("D", turn(real, fake), log)
    d_real, d_fake = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))
    assert log["D(x)"].item() == pytest.approx(d_real.mean(), rel=1e-12)
    assert log["D(G(z))"].item() == pytest.approx(d_fake.mean(), rel=1e-12)
    assert log["V"].item() == pytest.approx(np.log(d_real).mean() + np.log1p(-d_fake).mean(), rel=1e-12)


def test_value_of_a_discriminator_that_cannot_tell_is_minus_log_4():
    log = {}
    Minimax().watch("D", turn([0.0, 0.0], [0.0]), log)
    assert log["V"].item() == pytest.approx(-math.log(4))
    assert log["D(x)"] == log["D(G(z))"] == 0.5


def test_balance_follows_the_errors_and_stays_in_its_range():
    objective = BoundaryEquilibrium(gamma=0.5, rate=0.1)
    k = 0.0
    for error_real, error_fake in [(4.0, 1.0), (3.0, 0.5), (1.0, 6.0), (9.0, 0.0), (9.0, 0.0), (9.0, 0.0), (1.0, 99.0)]:
        log = {}
        objective.watch("D", turn([-error_real, -error_real], [-error_fake]), log)
        k = min(max(k + 0.1 * (0.5 * error_real - error_fake), 0.0), 1.0)
        assert log["k"].item() == pytest.approx(k, abs=1e-6)
        assert log["convergence"].item() == pytest.approx(error_real + abs(0.5 * error_real - error_fake))
        loss = objective.d_loss(torch.tensor([-error_real]), torch.tensor([-error_fake]))
        assert loss.item() == pytest.approx(error_real - k * error_fake, rel=1e-5)
    assert k == 0.0


def test_balance_reaches_both_ends():
    objective = BoundaryEquilibrium(rate=1.0)
    objective.watch("D", turn([-9.0], [-0.0]), log := {})
    assert log["k"] == 1
    objective.watch("D", turn([-0.0], [-9.0]), log)
    assert log["k"] == 0


def test_a_logged_balance_does_not_change_afterwards():
    objective = BoundaryEquilibrium(rate=0.1)
    objective.watch("D", turn([-4.0], [-1.0]), first := {})
    objective.watch("D", turn([-4.0], [-1.0]), {})
    assert first["k"].item() == pytest.approx(0.1)


def test_balance_changes_in_updates_of_d_only():
    objective = BoundaryEquilibrium(rate=0.1)
    objective.watch("G", turn([-4.0], [-1.0]), log := {})
    assert log == {}
    assert objective.balance == 0


def test_balance_is_led_by_the_errors_of_all_ranks():
    objective = BoundaryEquilibrium(gamma=0.5, rate=0.1)
    objective.watch("D", turn([-4.0], [-1.0], average=lambda value: value / 2), log := {})
    assert log["k"].item() == pytest.approx(0.1 * (0.5 * 2.0 - 0.5))
    assert log["convergence"].item() == pytest.approx(2.0 + 0.5)


def test_balance_is_saved_and_restored():
    objective, other = BoundaryEquilibrium(rate=0.1), BoundaryEquilibrium(rate=0.1)
    objective.watch("D", turn([-4.0], [-1.0]), {})
    state = objective.state_dict()
    objective.watch("D", turn([-4.0], [-1.0]), {})
    other.load_state_dict(state)
    assert other.balance.item() == pytest.approx(0.1)
    assert objective == other, "the balance belongs to a run, not to the value written in a recipe"
    assert repr(objective) == "BoundaryEquilibrium(gamma=0.5, rate=0.1)"


def test_no_gradient_flows_through_the_balance():
    objective = BoundaryEquilibrium(rate=0.1)
    real, fake = torch.tensor([-4.0], requires_grad=True), torch.tensor([-1.0], requires_grad=True)
    objective.watch("D", turn(real, fake), log := {})
    assert not any(value.requires_grad for value in log.values())
    assert not objective.balance.requires_grad
