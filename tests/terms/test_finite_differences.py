"""R1 and R2 by differences of scores: what they estimate, how well, and in which precision."""

import numpy as np
import pytest
import torch
from tests.terms.mlp_critic import V, W, mlp, samples, scores
from torch.nn.utils.parametrizations import spectral_norm

from zerosum.game import Judgement
from zerosum.terms import R1, R2, FiniteDifferenceR1, FiniteDifferenceR2
from zerosum.terms.finite_differences import squared_difference

BOTH = pytest.mark.parametrize(
    ("term", "exact", "given"), [(FiniteDifferenceR1, R1, "x"), (FiniteDifferenceR2, R2, "x_fake")]
)


@BOTH
def test_value_and_gradient_are_those_of_the_formula(build_turn, differences, term, exact, given):
    x = {"x": samples(2, 8, 3), "x_fake": samples(3, 8, 3)}
    weight, D = mlp(W)
    turn = build_turn("D", D, **x)
    role = "difference at real" if given == "x" else "difference at fake"
    v = turn.draws.normal(role, (4, 3)).double().numpy()
    own = x[given][::2]

    def formula(w):
        difference = (scores(w, own + 0.1 * v) - scores(w, own - 0.1 * v)) / 0.2
        return 3.0 / 2 * (difference**2).mean()

    value = term(gamma=3.0, step=0.1, shrink=2)(turn)
    assert value.item() == pytest.approx(formula(W), rel=1e-6)  # v is float32
    (gradient,) = torch.autograd.grad(value, weight)
    np.testing.assert_allclose(gradient.numpy(), differences(formula, W), atol=1e-5)


@BOTH
def test_over_directions_the_mean_is_the_penalty_and_the_variance_twice_the_fourth_power(
    build_turn, term, exact, given
):
    """One sample repeated, so that the rows are draws of the estimate: g v of v ~ N(0, I) is N(0, |g|^2)."""
    count = 100_000
    x = np.tile(samples(4, 1, 3), (count, 1))
    _, D = mlp(W)
    turn = build_turn("D", D, x=x, x_fake=x)
    found = squared_difference(turn, turn.x, 1e-3, 1, "difference").detach()
    squared = 2 * exact()(turn).item()
    assert found.mean().item() == pytest.approx(squared, rel=5 * np.sqrt(2 / count))
    assert found.var().item() == pytest.approx(2 * squared**2, rel=0.05)
    assert term(step=1e-3, shrink=1)(turn).item() == pytest.approx(squared / 2, rel=5 * np.sqrt(2 / count))


def test_the_bias_falls_with_the_square_of_the_step_and_is_none_for_a_quadratic_critic(build_turn):
    x = samples(5, 400, 3)
    weight, D = mlp(W)
    turn = build_turn("D", D, x=x, x_fake=x)
    v = turn.draws.normal("difference", (400, 3)).double()
    gradient = ((1 - torch.tanh(turn.x @ weight.T) ** 2) * torch.tensor(V)) @ weight
    exact = (gradient * v).sum(1).square().mean()
    errors = [(squared_difference(turn, turn.x, step, 1, "difference").mean() - exact).item() for step in (0.02, 0.01)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.02)
    quadratic = build_turn("D", lambda x: x.square().sum(1), x=x, x_fake=x)
    found = squared_difference(quadratic, quadratic.x, 5.0, 1, "difference")
    torch.testing.assert_close(found, (2 * quadratic.x * v).sum(1).square(), rtol=1e-6, atol=1e-6)


def test_under_autocast_scores_are_float32(build_turn):
    """In bfloat16 a score of about 20 has steps of .125, above all differences here."""
    weight = torch.tensor(W, dtype=torch.float32, requires_grad=True)
    bias = torch.full((4,), 20.0)

    def D(x):
        return torch.nn.functional.linear(x, weight, bias)[:, 0]

    turn = build_turn("D", D, x=samples(6, 16, 3), x_fake=samples(6, 16, 3))
    turn.x = torch.tensor(samples(6, 16, 3), dtype=torch.float32)
    expected = FiniteDifferenceR1()(turn)
    with torch.autocast("cpu", torch.bfloat16):
        assert turn.D(turn.x).dtype == torch.bfloat16
        found = FiniteDifferenceR1()(turn)
    assert torch.equal(found, expected) and found.dtype == torch.float32


def test_maps_are_summed_and_conditions_go_with_their_samples(build_turn):
    def D(x, c):
        return Judgement(x * c[:, None, None, None], features=x)

    turn = build_turn("D", D, x=samples(7, 6, 1, 2, 2), x_fake=samples(8, 6, 1, 2, 2), c=[1, 2, 3, 4, 5, 6])
    v = turn.draws.normal("difference at real", (3, 1, 2, 2)).double()
    expected = 1 / 2 * ((v.sum((1, 2, 3)) * torch.tensor([1, 3, 5])) ** 2).mean()
    torch.testing.assert_close(FiniteDifferenceR1(shrink=2)(turn), expected, rtol=1e-6, atol=1e-6)


def test_both_points_are_augmented_alike(build_turn):
    """A shift of its own for each sample changes no difference of a linear critic."""
    turn = build_turn("D", lambda x: x.sum(1), x=samples(9, 8, 3), x_fake=samples(10, 8, 3))
    plain = FiniteDifferenceR1()(turn)
    turn.augment = lambda x, role, turn: 2 * (x + 100 * turn.draws.normal(role + "!", tuple(x.shape)).to(x))
    torch.testing.assert_close(FiniteDifferenceR1()(turn), 4 * plain, rtol=1e-5, atol=1e-5)


def test_both_points_meet_the_same_spectral_norm(build_turn):
    """A power iteration between them would count as a difference: points that differ by nothing have none."""
    D = spectral_norm(torch.nn.Linear(3, 1)).double().train()
    x = samples(11, 8, 3)
    turn = build_turn("D", lambda x: D(0 * x + 5).flatten(), x=x, x_fake=x)
    assert FiniteDifferenceR1(step=1e-6)(turn) == 0


@BOTH
def test_they_are_refused_on_the_generators_side(build_turn, term, exact, given):
    turn = build_turn("G", lambda x: x.sum(1), x=samples(0, 4, 1), x_fake=samples(1, 4, 1))
    with pytest.raises(ValueError, match=f"{term.__name__} is a term of D: put it among d_terms"):
        term()(turn)


@BOTH
def test_numbers_out_of_range_are_refused(term, exact, given):
    with pytest.raises(ValueError, match=r"gamma weighs a penalty and is at least 0; found -1\.0"):
        term(gamma=-1.0)
    with pytest.raises(ValueError, match=r"step is a length in units of the data, above 0; found 0\.0"):
        term(step=0.0)
    with pytest.raises(ValueError, match="shrink divides the batch and is at least 1; found 0"):
        term(shrink=0)


@BOTH
def test_a_batch_that_shrink_does_not_divide_is_refused(build_turn, term, exact, given):
    turn = build_turn("D", lambda x: x.sum(1), x=samples(0, 6, 1), x_fake=samples(1, 6, 1))
    with pytest.raises(ValueError, match="shrink=4 has to divide the batch of a process or micro-batch; found 6"):
        term()(turn)
    assert torch.isfinite(term(shrink=3)(turn))


def test_a_critic_of_several_samples_together_is_refused(build_turn):
    turn = build_turn("D", lambda x: x.unflatten(0, (-1, 2)).sum((1, 2)), x=samples(9, 8, 3), x_fake=samples(10, 8, 3))
    with pytest.raises(ValueError, match="differences need a score of D for each sample; found 2 for 4"):
        FiniteDifferenceR1()(turn)
