"""The largest gradient norm between real and generated samples, against a discriminator known in closed form."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.game import Draws
from zerosum.game.micro_batches import whole_batch_reasons
from zerosum.terms import GradientPenalty, MaxGradientPenalty


class Tanh(nn.Module):
    """D(x) = v . tanh(W x), in float64."""

    def __init__(self):
        super().__init__()
        random = np.random.default_rng(0)
        self.W, self.v = (nn.Parameter(torch.tensor(random.normal(0, 1, shape))) for shape in ((4, 3), (4,)))

    def forward(self, x):
        return (x @ self.W.T).tanh() @ self.v


def squared_norms(W, v, points):
    """|grad D(u)|^2 of each point by the chain rule, in numpy."""
    inner = 1 - np.tanh(points @ W.T) ** 2
    return (((inner * v) @ W) ** 2).sum(1)


@pytest.fixture
def given(build_turn):
    random = np.random.default_rng(1)
    x, x_fake = random.normal(0, 1, (8, 3)), random.normal(1, 2, (8, 3))
    D = Tanh()
    turn = build_turn("D", D, x=x, x_fake=x_fake)
    epsilon = turn.draws.uniform("gradient penalty", (8, 1)).double().numpy()
    return D, turn, epsilon * x + (1 - epsilon) * x_fake


def test_it_is_the_largest_squared_norm_on_the_lines_between_the_samples(given):
    D, turn, points = given
    W, v = D.W.detach().numpy(), D.v.detach().numpy()
    wanted = squared_norms(W, v, points)
    assert MaxGradientPenalty(weight=3.0)(turn).item() == pytest.approx(3 * wanted.max(), rel=1e-6)
    assert wanted.max() > 1.5 * wanted.mean()  # else a mean would pass


def test_its_gradient_is_that_of_the_one_sample_and_agrees_with_differences(given, differences):
    D, turn, points = given
    found = torch.autograd.grad(MaxGradientPenalty()(turn), (D.W, D.v))
    W, v = D.W.detach().numpy(), D.v.detach().numpy()
    np.testing.assert_allclose(found[0], differences(lambda W: squared_norms(W, v, points).max(), W), rtol=1e-4)
    np.testing.assert_allclose(found[1], differences(lambda v: squared_norms(W, v, points).max(), v), rtol=1e-4)


def test_a_linear_discriminator_costs_its_squared_norm_at_any_batch_size(build_turn):
    weight = torch.tensor([3.0, -4.0], dtype=torch.float64)
    for batch in (1, 2, 9):
        random = np.random.default_rng(batch)
        turn = build_turn(
            "D", lambda x: x @ weight, x=random.normal(0, 1, (batch, 2)), x_fake=random.normal(0, 1, (batch, 2))
        )
        assert MaxGradientPenalty(weight=0.5)(turn).item() == pytest.approx(12.5)


def test_samples_are_taken_where_the_mean_penalty_takes_them(given):
    _, turn, _ = given
    one = replace(turn, x=turn.x[:1], x_fake=turn.x_fake[:1])  # of one sample, the largest is the mean
    assert MaxGradientPenalty(weight=2.0)(one).item() == pytest.approx(GradientPenalty(2.0, target=0.0)(one).item())
    other = replace(turn, draws=Draws(seed=1, position=0))
    assert MaxGradientPenalty()(other) != MaxGradientPenalty()(turn)


def test_micro_batches_and_turns_of_the_generator_are_refused(build_turn):
    assert [*whole_batch_reasons(MaxGradientPenalty())] == [
        "MaxGradientPenalty takes the largest gradient of the batch"
    ]
    turn = build_turn("G", lambda x: x.sum(1), x=np.zeros((2, 2)), x_fake=np.ones((2, 2)))
    with pytest.raises(ValueError, match="put them among d_terms, not g_terms"):
        MaxGradientPenalty()(turn)


def test_a_weight_below_zero_is_refused():
    with pytest.raises(ValueError, match="weight weighs a penalty and is at least 0; found -1"):
        MaxGradientPenalty(weight=-1)
