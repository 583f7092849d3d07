"""DRAGAN's penalty and Roth's regulariser, against critics whose gradients are known, in float64 numpy."""

import numpy as np
import pytest
import torch
from tests.terms.mlp_critic import V, W, mlp, samples, scores

from zerosum.game import Judgement
from zerosum.terms import Dragan, RothRegularizer


def linear(grad):
    weight = torch.tensor(np.asarray(grad, dtype=np.float64))
    return lambda x: x.flatten(1) @ weight


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


class Seeing:
    """A critic of gradient norm 1 that keeps the points it is given."""

    def __init__(self):
        self.points = []

    def __call__(self, x):
        self.points.append(x.detach().numpy())
        return x.flatten(1).sum(1)


def grads(w, x):
    """The gradient of the mlp by each sample."""
    return ((1 - np.tanh(x @ w.T) ** 2) * V) @ w


@pytest.mark.parametrize("batch", [1, 2, 7, 64])
def test_dragan_costs_a_linear_critic_what_its_gradient_norm_gives_at_every_batch_size(build_turn, batch):
    turn = build_turn("D", linear([3.0, 0.0, -4.0]), x=samples(0, batch, 3), x_fake=samples(1, batch, 3))
    assert Dragan()(turn).item() == pytest.approx(10 * (5 - 1) ** 2, rel=1e-12)
    assert Dragan(weight=2.0, target=3.0, noise=2.0)(turn).item() == pytest.approx(2 * (5 - 3) ** 2, rel=1e-12)
    gentle = build_turn("D", linear([0.5, 0.0, 0.0]), x=samples(0, batch, 3), x_fake=samples(1, batch, 3))
    assert Dragan(one_sided=True)(gentle) == 0
    assert Dragan()(gentle).item() == pytest.approx(10 * 0.25, rel=1e-12)
    unit = build_turn("D", linear([0.6, 0.0, -0.8]), x=samples(0, batch, 3), x_fake=samples(1, batch, 3))
    assert Dragan()(unit).item() == pytest.approx(0, abs=1e-20)


def test_the_noise_of_dragan_has_by_default_the_size_of_that_of_the_authors_code():
    """There 0.5 s a u, with a uniform in [0, 1] for each sample and u for each element."""
    random = np.random.default_rng(0)
    published = 0.5 * random.uniform(size=(100_000, 1)) * random.uniform(size=(100_000, 4))
    assert Dragan().noise == pytest.approx(np.sqrt(np.mean(published**2)), rel=0.01)


def test_dragan_looks_around_real_samples_at_a_distance_of_their_own_spread(build_turn):
    x = 5 + 3 * samples(0, 400, 2, 3, 3)
    D = Seeing()
    Dragan(noise=0.5)(build_turn("D", D, x=x, x_fake=samples(1, 400, 2, 3, 3)))
    (points,) = D.points
    noise = (points - x) / x.std()
    assert noise.mean() == pytest.approx(0, abs=0.02)
    assert noise.std() == pytest.approx(0.5, abs=0.01)
    assert len(np.unique(noise.reshape(400, -1)[:, 0])) == 400, "each sample has a noise of its own"
    assert np.abs(np.corrcoef(noise.reshape(400, -1).T) - np.eye(18)).max() < 0.3, "and each of its elements too"


def test_by_default_dragan_reaches_as_far_as_the_authors_noise(build_turn):
    x, D = 5 + 3 * samples(0, 400, 2, 3, 3), Seeing()
    Dragan()(build_turn("D", D, x=x, x_fake=x))
    draw = np.random.default_rng(1)
    published = 0.5 * x.std() * draw.uniform(size=(400, 1, 1, 1)) * draw.uniform(size=x.shape)
    reach = np.sqrt(((D.points[0] - x) ** 2).mean())
    assert reach == pytest.approx(np.sqrt((published**2).mean()), rel=0.03)
    assert reach == pytest.approx(x.std() / 6, rel=0.02)


def test_dragan_takes_other_points_in_every_update_and_the_same_in_a_repeated_one(build_turn):
    D, x = Seeing(), samples(0, 5, 2)
    for position in (0, 5, 0):
        Dragan()(build_turn("D", D, x=x, x_fake=x, position=position))
    first, other, again = D.points
    assert not np.allclose(first, other)
    assert np.array_equal(first, again)


def test_the_spread_is_that_of_all_ranks(build_turn, monkeypatch):
    whole, D = 2 + 4 * samples(3, 8, 2), Seeing()
    replies = iter([whole.mean(), whole.var()])
    asked = []

    def average(values):
        asked.append(values[0].item())
        return [torch.tensor(next(replies))]

    monkeypatch.setattr("zerosum.game.turn.average", average)
    turn = build_turn("D", D, x=whole[:4], x_fake=whole[4:])
    Dragan(noise=1.0)(turn)
    assert asked[0] == pytest.approx(whole[:4].mean())
    assert asked[1] == pytest.approx(((whole[:4] - whole.mean()) ** 2).mean()), "about the mean of all"
    drawn = turn.draws.normal("dragan", (4, 2)).numpy()
    np.testing.assert_allclose(D.points[0], whole[:4] + whole.std() * drawn, rtol=1e-6)


def dragan(w, x, noise):
    return 10 * ((np.linalg.norm(grads(w, x + 0.5 * x.std() * noise), axis=1) - 1) ** 2).mean()


def roth(w, x, x_fake):
    real = (1 - sigmoid(scores(w, x))) ** 2 * (grads(w, x) ** 2).sum(1)
    fake = sigmoid(scores(w, x_fake)) ** 2 * (grads(w, x_fake) ** 2).sum(1)
    return 0.3 / 2 * (real.mean() + fake.mean())


def test_values_and_gradients_are_those_of_the_formulas(build_turn, differences):
    x, x_fake = samples(2, 6, 3), samples(3, 6, 3)
    weight, D = mlp(W)
    turn = build_turn("D", D, x=x, x_fake=x_fake)
    noise = turn.draws.normal("dragan", (6, 3)).double().numpy()
    for term, formula in (
        (Dragan(noise=0.5), lambda w: dragan(w, x, noise)),
        (RothRegularizer(gamma=0.3), lambda w: roth(w, x, x_fake)),
    ):
        value = term(turn)
        assert value.item() == pytest.approx(formula(W), rel=1e-10)
        (gradient,) = torch.autograd.grad(value, weight, retain_graph=True)
        np.testing.assert_allclose(gradient.numpy(), differences(formula, W), atol=1e-7)


def test_roth_costs_a_linear_logit_by_the_closed_form(build_turn):
    x, x_fake = samples(4, 9, 3), samples(5, 9, 3)
    grad = np.array([3.0, 0.0, -4.0])
    value = RothRegularizer(gamma=2.0)(build_turn("D", linear(grad), x=x, x_fake=x_fake)).item()
    weights = ((1 - sigmoid(x @ grad)) ** 2).mean() + (sigmoid(x_fake @ grad) ** 2).mean()
    assert value == pytest.approx(25 * weights, rel=1e-12)


def test_roth_spares_gradients_where_d_is_sure_and_right_and_stays_finite_where_it_is_wrong(build_turn):
    near, far = np.full((3, 1), 1e4), np.full((3, 1), -1e4)
    assert RothRegularizer()(build_turn("D", linear([1.0]), x=near, x_fake=far)) == 0
    assert RothRegularizer(gamma=1.0)(build_turn("D", linear([2.0]), x=far, x_fake=near)).item() == pytest.approx(4)


def test_of_a_score_map_roth_takes_the_logarithms_summed_over_the_map(build_turn):
    x, x_fake = samples(6, 4, 1, 2, 2), samples(7, 4, 1, 2, 2)
    value = RothRegularizer(gamma=2.0)(build_turn("D", lambda x: 3 * x, x=x, x_fake=x_fake)).item()
    formula = 9 * (((1 - sigmoid(3 * x)) ** 2).sum((1, 2, 3)).mean() + (sigmoid(3 * x_fake) ** 2).sum((1, 2, 3)).mean())
    assert value == pytest.approx(formula, rel=1e-12)


def test_conditions_and_judgements_are_taken(build_turn):
    def D(x, c):
        return Judgement(x.sum(1) * c, features=100 * x)

    turn = build_turn("D", D, x=samples(8, 3, 4), x_fake=samples(9, 3, 4), c=[1, 2, 3])
    assert Dragan(weight=1.0, target=0.0)(turn).item() == pytest.approx(4 * (1 + 4 + 9) / 3, rel=1e-12)
    assert RothRegularizer()(turn).isfinite()


def test_a_dead_critic_gives_finite_gradients(build_turn):
    weight, D = mlp(np.zeros_like(W))
    turn = build_turn("D", D, x=samples(2, 6, 3), x_fake=samples(3, 6, 3))
    for term, value in ((Dragan(), 10.0), (RothRegularizer(), 0.0)):
        assert term(turn).item() == pytest.approx(value)
        assert torch.autograd.grad(term(turn), weight)[0].isfinite().all()


@pytest.mark.parametrize("term", [Dragan(), RothRegularizer()], ids=repr)
def test_they_are_refused_on_the_generators_side(build_turn, term):
    turn = build_turn("G", linear([1.0]), x=samples(0, 2, 1), x_fake=samples(1, 2, 1))
    with pytest.raises(ValueError, match="gradient penalties differentiate by D's input: put them among d_terms"):
        term(turn)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dragan(weight=-1.0), "weight weighs a penalty and is at least 0; found -1.0"),
        (lambda: Dragan(target=-1.0), "target weighs a penalty and is at least 0; found -1.0"),
        (lambda: Dragan(noise=0.0), "noise is a share of the data's standard deviation, above 0; found 0.0"),
        (lambda: RothRegularizer(gamma=-0.1), "gamma weighs a penalty and is at least 0; found -0.1"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
