"""Gradient penalties against critics whose gradients are known in closed form, and against finite differences."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.game import Clock, Draws, Judgement, Turn
from zerosum.terms import R1, R2, GradientPenalty

PENALTIES = {"R1": R1(gamma=3.0), "R2": R2(gamma=3.0), "GradientPenalty": GradientPenalty(weight=3.0)}


class GivenDraws(Draws):
    """Draws whose uniform numbers are given."""

    def __init__(self, epsilon):
        super().__init__(seed=0, position=0)
        object.__setattr__(self, "epsilon", torch.as_tensor(epsilon, dtype=torch.float32))

    def uniform(self, purpose, shape):
        assert shape == (len(self.epsilon),) + (1,) * (len(shape) - 1)
        return self.epsilon.view(shape)


def table(D, x, x_fake, draws=None, player="D"):
    """A turn of D over given real and generated samples."""
    x, x_fake = (torch.as_tensor(a, dtype=torch.float32).requires_grad_() for a in (x, x_fake))
    return Turn(player, D, None, x, x_fake, None, None, Clock(), draws or Draws(seed=0, position=0))


def samples(seed, *shape):
    return np.random.default_rng(seed).normal(0, 1, shape)


def linear(grad):
    """D(x) = <grad, x>, as a map from images or vectors."""
    weight = torch.as_tensor(grad, dtype=torch.float32)
    return lambda x: x.flatten(1) @ weight


@pytest.mark.parametrize("batch", [1, 2, 7, 64])
def test_a_linear_critic_costs_what_its_gradient_norm_gives_at_every_batch_size(batch):
    turn = table(linear([3.0, 0.0, -4.0]), samples(0, batch, 3), samples(1, batch, 3))
    assert R1(gamma=0.1)(turn).item() == pytest.approx(0.05 * 25)
    assert R2(gamma=0.1)(turn).item() == pytest.approx(0.05 * 25)
    assert GradientPenalty()(turn).item() == pytest.approx(10 * (5 - 1) ** 2)
    assert GradientPenalty(weight=0.5, target=0.0)(turn).item() == pytest.approx(0.5 * 25)


@pytest.mark.parametrize("batch", [1, 2, 7, 64])
def test_a_critic_of_gradient_norm_one_costs_the_gradient_penalty_nothing(batch):
    direction = samples(0, 12)
    D = linear(direction / np.linalg.norm(direction))
    turn = table(D, samples(1, batch, 3, 2, 2), samples(2, batch, 3, 2, 2))
    assert GradientPenalty()(turn).item() == pytest.approx(0, abs=1e-10)
    assert GradientPenalty(one_sided=True)(turn).item() == pytest.approx(0, abs=1e-10)


def test_one_sided_penalty_spares_gradient_norms_below_the_target():
    gentle, steep = (table(linear([s, 0.0]), samples(0, 5, 2), samples(1, 5, 2)) for s in (0.5, 3.0))
    assert GradientPenalty(one_sided=True)(gentle) == 0
    assert GradientPenalty()(gentle).item() == pytest.approx(10 * 0.25)
    assert GradientPenalty(one_sided=True)(steep) == GradientPenalty()(steep)


def test_a_quadratic_critic_costs_its_squared_gradient_norm_at_each_sample():
    a = samples(0, 3, 3)
    x, x_fake, epsilon = samples(1, 6, 3), samples(2, 6, 3), np.linspace(0, 1, 6)
    form = torch.tensor(a, dtype=torch.float32)
    turn = table(lambda v: ((v @ form) * v).sum(1) / 2, x, x_fake, GivenDraws(epsilon))
    symmetric = (a + a.T) / 2
    between = epsilon[:, None] * x + (1 - epsilon[:, None]) * x_fake
    assert R1(gamma=2.0)(turn).item() == pytest.approx(((x @ symmetric) ** 2).sum(1).mean(), rel=1e-5)
    assert R2(gamma=2.0)(turn).item() == pytest.approx(((x_fake @ symmetric) ** 2).sum(1).mean(), rel=1e-5)
    grads = np.linalg.norm(between @ symmetric, axis=1)
    assert GradientPenalty(2.0)(turn).item() == pytest.approx(2 * ((grads - 1) ** 2).mean(), rel=1e-5)


class MLP(nn.Module):
    """D(x) = v . tanh(W x + b), beside the same in float64 numpy."""

    def __init__(self):
        super().__init__()
        shapes = {"W": (4, 3), "b": (4,), "v": (4,)}
        self.values = {name: samples(seed, *shape) for seed, (name, shape) in enumerate(shapes.items())}
        for name, value in self.values.items():
            self.register_parameter(name, nn.Parameter(torch.tensor(value, dtype=torch.float32)))

    def forward(self, x):
        return (x @ self.W.T + self.b).tanh() @ self.v


def score(values, x):
    return np.tanh(x @ values["W"].T + values["b"]) @ values["v"]


def grads(values, x):
    """By central differences of the scores."""
    steps = np.eye(x.shape[1]) * 1e-4
    return np.stack([(score(values, x + step) - score(values, x - step)) / 2e-4 for step in steps], axis=1)


def penalty(name, values, x, x_fake, epsilon):
    if name == "GradientPenalty":
        between = epsilon[:, None] * x + (1 - epsilon[:, None]) * x_fake
        return 3 * ((np.linalg.norm(grads(values, between), axis=1) - 1) ** 2).mean()
    return 1.5 * (grads(values, x if name == "R1" else x_fake) ** 2).sum(1).mean()


@pytest.mark.parametrize("name", PENALTIES)
def test_value_and_parameter_gradients_are_those_of_finite_differences(name):
    D, x, x_fake, epsilon = MLP(), samples(3, 5, 3), samples(4, 5, 3), np.linspace(0.1, 0.9, 5)
    value = PENALTIES[name](table(D, x, x_fake, GivenDraws(epsilon)))
    value.backward()
    assert value.item() == pytest.approx(penalty(name, D.values, x, x_fake, epsilon), rel=1e-5)
    for key, array in D.values.items():
        for place in np.ndindex(*array.shape):
            step = np.zeros_like(array)
            step[place] = 1e-4
            up, down = (D.values | {key: array + sign * step} for sign in (1, -1))
            grad = (penalty(name, up, x, x_fake, epsilon) - penalty(name, down, x, x_fake, epsilon)) / 2e-4
            assert D.get_parameter(key).grad[place].item() == pytest.approx(grad, abs=2e-4), (key, place)


@pytest.mark.parametrize("name", PENALTIES)
def test_splitting_a_batch_changes_nothing(name):
    D, x, x_fake, epsilon = MLP(), samples(3, 8, 3), samples(4, 8, 3), np.linspace(0, 1, 8)
    whole = PENALTIES[name](table(D, x, x_fake, GivenDraws(epsilon)))
    halves = [
        PENALTIES[name](table(D, x[half], x_fake[half], GivenDraws(epsilon[half])))
        for half in (slice(0, 4), slice(4, 8))
    ]
    assert whole.item() == pytest.approx(sum(half.item() for half in halves) / 2, rel=1e-5)


def points_scored(draws, x, x_fake):
    """Where the gradient penalty looks."""
    seen = []

    def D(u):
        seen.append(u.detach().numpy())
        return u.flatten(1).sum(1)

    GradientPenalty()(table(D, x, x_fake, draws))
    (between,) = seen
    return between


def test_points_lie_between_real_and_generated_samples_with_one_epsilon_a_sample():
    x, x_fake = samples(5, 64, 2, 3, 3), samples(6, 64, 2, 3, 3)
    between = points_scored(Draws(seed=0, position=0), x, x_fake)
    epsilon = ((between - x_fake) / (x - x_fake)).reshape(64, -1)
    weight = np.abs(x - x_fake).reshape(64, -1)  # digits of a quotient go with its denominator
    mine = np.average(epsilon, weights=weight**2, axis=1)
    assert np.abs((epsilon - mine[:, None]) * weight).max() < 1e-5
    assert len(np.unique(mine.round(4))) > 60
    assert mine.min() < 0.1 < 0.9 < mine.max()
    assert mine.min() >= 0
    assert mine.max() <= 1


def test_every_update_takes_other_points_and_a_repeated_one_the_same():
    x, x_fake = samples(5, 4, 2), samples(6, 4, 2)
    first, other, again = (points_scored(Draws(seed=0, position=p), x, x_fake) for p in (0, 4, 0))
    assert not np.allclose(first, other)
    assert np.array_equal(first, again)


def dead_critics():
    silent = nn.Linear(2, 1)
    nn.init.zeros_(silent.weight)
    flat = nn.Linear(2, 1)
    return {
        "zero weights": (silent, lambda x: silent(x)[:, 0]),
        "never looks": (flat, lambda x: flat.bias.expand(len(x))),
    }


@pytest.mark.parametrize("kind", dead_critics())
@pytest.mark.parametrize("name", PENALTIES)
def test_a_dead_critic_gives_finite_gradients(name, kind):
    module, D = dead_critics()[kind]
    value = PENALTIES[name](table(D, samples(7, 4, 2), samples(8, 4, 2)))
    assert value.item() == pytest.approx(3.0 if name == "GradientPenalty" else 0.0)
    gradients = torch.autograd.grad(value, [*module.parameters()], materialize_grads=True, allow_unused=True)
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_gradient_of_a_score_map_is_that_of_its_sum():
    turn = table(lambda x: x[:, :1, :2, :2] * 2, samples(0, 3, 1, 4, 4), samples(1, 3, 1, 4, 4))
    assert R1(gamma=2.0)(turn).item() == pytest.approx(4 * 2**2)


def test_penalties_read_the_score_of_a_judgement():
    def D(x):
        return Judgement(x @ torch.tensor([3.0, 4.0]), features=x * 100)

    assert R1(gamma=2.0)(table(D, samples(0, 3, 2), samples(1, 3, 2))).item() == pytest.approx(25)


def test_penalties_share_the_forward_pass_of_the_loss():
    scored = []

    def D(x):
        scored.append(x)
        return x.sum(1)

    turn = table(D, samples(0, 3, 2), samples(1, 3, 2))
    (turn.real.score.mean() - turn.fake.score.mean() + R1()(turn) + R2()(turn)).backward()
    assert len(scored) == 2


@pytest.mark.parametrize("name", PENALTIES)
def test_gradient_penalties_among_g_terms_are_refused(name):
    latent = torch.ones(3, 2, requires_grad=True)
    D = linear([1.0, 1.0])
    turn = Turn("G", D, None, torch.zeros(3, 2), latent * 2, None, None, Clock(), Draws(seed=0, position=0))
    with pytest.raises(
        ValueError, match="gradient penalties differentiate by D's input: put them among d_terms, not g_terms"
    ):
        PENALTIES[name](turn)


def test_samples_of_unlike_shapes_are_refused():
    turn = table(linear([1.0, 1.0]), samples(0, 3, 2), samples(1, 2, 2))
    with pytest.raises(ValueError, match=r"real and generated samples differ in shape: \(3, 2\), \(2, 2\)"):
        GradientPenalty()(turn)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda value: R1(gamma=value), "gamma weighs a penalty and is at least 0; found"),
        (lambda value: R2(gamma=value), "gamma weighs a penalty and is at least 0; found"),
        (lambda value: GradientPenalty(weight=value), "weight weighs a penalty and is at least 0; found"),
        (lambda value: GradientPenalty(target=value), "target .* is at least 0; found"),
    ],
)
def test_weights_below_zero_are_refused(make, message):
    for value in (-1.0, float("nan")):
        with pytest.raises(ValueError, match=message):
            make(value)
