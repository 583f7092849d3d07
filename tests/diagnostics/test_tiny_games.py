"""Games of two parameters against what is known of them in closed form."""

import cmath
import math

import numpy as np
import pytest
import torch

from zerosum.diagnostics import TinyGame, bilinear_game, dirac_gan, separated_game
from zerosum.objectives import Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein
from zerosum.terms import R1, R2, GradientPenalty, WeightClip

LOGISTIC = [Minimax(), NonSaturating()]


def near(game, expected):
    found = game.eigenvalues().numpy()
    assert np.allclose(sorted(found, key=lambda x: (x.imag, x.real)), sorted(expected, key=lambda x: (x.imag, x.real)))


def roots(middle, slope):
    """The eigenvalues middle +- sqrt(middle^2 - slope^2)."""
    off = cmath.sqrt(middle**2 - slope**2)
    return [middle - off, middle + off]


@pytest.mark.parametrize("objective", LOGISTIC, ids=repr)
def test_an_unpenalised_logistic_game_circles_at_first_order(objective):
    near(dirac_gan(objective), [-0.5j, 0.5j])
    theta, psi = 0.7, -1.3
    sigma = 1 / (1 + math.exp(-theta * psi))
    field = dirac_gan(objective).field([theta, psi]).numpy()
    drawn = sigma if isinstance(objective, Minimax) else 1 - sigma
    assert np.allclose(field, [psi * drawn, -theta * sigma], rtol=1e-12)


@pytest.mark.parametrize("objective", LOGISTIC, ids=repr)
@pytest.mark.parametrize("gamma", [0.3, 1.0, 1.7])
@pytest.mark.parametrize("kind", [R1, R2])
def test_a_zero_centred_penalty_draws_to_the_equilibrium(objective, gamma, kind):
    game = dirac_gan(objective, kind(gamma))
    near(game, roots(-gamma / 2, 0.5))
    assert (game.eigenvalues().real < 0).all()


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.5])
def test_instance_noise_does_so_too(noise):
    near(dirac_gan(NonSaturating(), noise=noise), roots(-(noise**2) / 4, 0.5))


def test_consensus_optimisation_does_so_too():
    near(dirac_gan(NonSaturating(), consensus=0.8), [-0.2 - 0.5j, -0.2 + 0.5j])
    near(bilinear_game(consensus=0.25), [-0.25 - 1j, -0.25 + 1j])
    with pytest.raises(ValueError, match=r"consensus is a weight, at least 0; found -0.1"):
        bilinear_game(consensus=-0.1)


def test_simultaneous_steps_always_leave_and_alternating_ones_circle():
    rate, game = 0.1, bilinear_game()
    radii = game.trajectory([1, 0], 100, rate, alternating=False).norm(dim=1)
    assert torch.allclose(radii[1:] / radii[:-1], torch.tensor(math.sqrt(1 + rate**2), dtype=torch.float64))
    radii = game.trajectory([1, 0], 200, rate).norm(dim=1)
    assert radii.min() > 0.9 and radii.max() < 1.1
    radii = dirac_gan(NonSaturating()).trajectory([0.2, 0], 60, 1.0, alternating=False).norm(dim=1)
    assert radii[-20:].min() > 1, "five times the distance of the start"


def test_a_penalised_game_arrives_and_one_with_a_target_of_one_does_not():
    start = [1.0, 1.0]
    assert dirac_gan(NonSaturating(), R1(1.0)).trajectory(start, 80, 0.5)[-1].norm() < 1e-5
    published = dirac_gan(Wasserstein(), GradientPenalty(1.0)).trajectory(start, 150, 0.2)
    assert published[-50:].norm(dim=1).max() > 0.5, "|psi| is drawn to 1, not to 0"
    centred = dirac_gan(Wasserstein(), GradientPenalty(0.5, target=0.0)).trajectory(start, 80, 0.5)
    assert centred[-1].norm() < 1e-5


def test_a_clipped_critic_stays_within_its_limit_and_overshoots():
    path = dirac_gan(Wasserstein(), d_after=WeightClip(0.5)).trajectory([2.0, 0.0], 200, 0.1)
    assert path[:, 1].abs().max() == 0.5
    assert path[-100:, 0].abs().max() > 0.3, "theta goes past 0 again and again"


def test_several_steps_of_d_are_those_of_the_field():
    game = dirac_gan(LeastSquares())
    path = game.trajectory([0.5, 0.2], 1, 0.1, n_critic=2)
    psi = 0.2
    for _ in range(2):
        psi += 0.1 * float(game.field([0.5, psi])[1])
    theta = 0.5 + 0.1 * float(game.field([0.5, psi])[0])
    assert torch.allclose(path[1], torch.tensor([theta, psi], dtype=torch.float64), rtol=1e-14)
    points = [[[0.5, 0.2], [1.0, -1.0]]]
    assert game.field(points).shape == (1, 2, 2) and torch.equal(game.field(points)[0, 1], game.field([1.0, -1.0]))


def test_gradients_vanish_as_d_grows_certain_unless_the_loss_does_not_saturate():
    distance = 4.0
    for psi in (0.5, 2.0, 8.0):
        gone, kept = (float(separated_game(kind, distance).field([0.0, psi])[0]) for kind in LOGISTIC)
        assert gone == pytest.approx(-psi / (1 + math.exp(psi * distance)), rel=1e-9)
        assert kept == pytest.approx(-psi / (1 + math.exp(-psi * distance)), rel=1e-9)
    assert abs(gone) < 1e-12 and abs(kept) > 7.9


def test_any_objective_and_any_game_of_two_parameters_is_a_field():
    curved = TinyGame(lambda theta: theta.reshape(1, 1) ** 3, lambda psi, x: psi * x[:, 0], torch.zeros(1, 1), Hinge())
    theta, psi = 0.8, 0.3
    expected = [3 * psi * theta**2, -(theta**3)]
    assert np.allclose(curved.field([theta, psi]).numpy(), expected, rtol=1e-12)
    assert np.allclose(curved.jacobian([theta, psi]).numpy(), [[6 * psi * theta, 3 * theta**2], [-3 * theta**2, 0]])
