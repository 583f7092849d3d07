"""Terms on D's features: their means, and the angles between them."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.game import Judgement
from zerosum.terms import FeatureMatching, PullingAway


def samples(seed, *shape):
    return np.random.default_rng(seed).normal(0, 1, shape)


def showing(features):
    return lambda x, *c: Judgement(x.flatten(1).sum(1), features(x))


@pytest.mark.parametrize("shape", [(6, 4), (6, 2, 3, 3)])
def test_matching_is_the_squared_distance_of_the_mean_features(build_turn, shape):
    x, x_fake = samples(0, *shape), samples(1, *shape)
    turn = build_turn("G", showing(lambda x: x**3), x=x, x_fake=x_fake)
    wanted = 0.7 * (((x**3).mean(0) - (x_fake**3).mean(0)) ** 2).sum()
    assert FeatureMatching(0.7)(turn).item() == pytest.approx(wanted, rel=1e-12)


def test_equal_means_match_whatever_the_samples(build_turn):
    x = samples(0, 6, 4)
    turn = build_turn("G", showing(lambda x: x), x=x, x_fake=2 * x.mean(0) - x)
    assert FeatureMatching()(turn).item() == pytest.approx(0, abs=1e-25)


@pytest.mark.parametrize("term", [FeatureMatching(), PullingAway()], ids=repr)
def test_gradients_reach_g_through_the_features(build_turn, term):
    torch.manual_seed(0)
    G, layer = nn.Linear(3, 4).double(), nn.Linear(4, 5).double()
    turn = build_turn("G", showing(layer), G, x=samples(0, 6, 4), z=samples(1, 6, 3))
    own = torch.autograd.grad(term(turn), [*G.parameters()])
    assert all(gradient.abs().max() > 1e-6 for gradient in own)


@pytest.mark.parametrize("term", [FeatureMatching(), PullingAway()], ids=repr)
def test_features_under_a_condition_are_taken(build_turn, term):
    D = lambda x, c: Judgement(x.sum(1), x * c[:, None])  # noqa: E731
    x = samples(0, 3, 2)
    turn, plain = build_turn("G", D, x=x, x_fake=-x, c=[1, 2, 3]), build_turn("G", showing(lambda x: x), x=x, x_fake=-x)
    assert term(turn).isfinite()
    assert isinstance(term, PullingAway) or term(turn) != term(plain)


def test_pulling_away_is_the_mean_squared_cosine_of_pairs(build_turn):
    f = samples(0, 7, 2, 3)
    turn = build_turn("G", showing(lambda x: x), x=f, x_fake=f)
    rows = f.reshape(7, -1)
    total = 0.0
    for i in range(7):
        for j in range(7):
            if i != j:
                total += (rows[i] @ rows[j] / (np.linalg.norm(rows[i]) * np.linalg.norm(rows[j]))) ** 2
    assert PullingAway(0.1)(turn).item() == pytest.approx(0.1 * total / 42, rel=1e-12)


def pulled(build_turn, features):
    return PullingAway(1.0)(build_turn("G", showing(lambda x: x), x=features, x_fake=features)).item()


def test_pulling_away_knows_no_order_and_no_length(build_turn):
    f = samples(0, 6, 4)
    assert pulled(build_turn, f[::-1].copy()) == pytest.approx(pulled(build_turn, f), rel=1e-12)
    assert pulled(build_turn, f * np.array([[1], [-2], [3], [0.1], [50], [1]])) == pytest.approx(
        pulled(build_turn, f), rel=1e-12
    )


def test_orthogonal_features_cost_nothing_and_equal_ones_all(build_turn):
    assert pulled(build_turn, 3 * np.eye(4)) == 0
    assert pulled(build_turn, np.ones((5, 3))) == pytest.approx(1)
    assert pulled(build_turn, np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])) == pytest.approx(4 / 12)


def test_features_of_nothing_give_finite_gradients(build_turn):
    f = torch.zeros(3, 2, dtype=torch.float64, requires_grad=True)
    value = PullingAway()(build_turn("G", showing(lambda x: x * f), x=np.ones((3, 2)), x_fake=np.ones((3, 2))))
    assert value == 0
    assert torch.autograd.grad(value, f)[0].isfinite().all()


@pytest.mark.parametrize("term", [FeatureMatching(), PullingAway()], ids=repr)
def test_they_keep_their_digits_under_autocast(build_turn, term):
    def half(x):
        return x.bfloat16()

    x = samples(0, 64, 32)
    turn = build_turn("G", showing(half), x=x, x_fake=samples(1, 64, 32))
    plain = build_turn("G", showing(lambda x: half(x).double()), x=x, x_fake=samples(1, 64, 32))
    with torch.autocast("cpu", torch.bfloat16):
        assert term(turn).dtype == torch.float32
        assert term(turn).item() == pytest.approx(term(plain).item(), rel=1e-5)


@pytest.mark.parametrize("term", [FeatureMatching(), PullingAway()], ids=repr)
def test_without_features_and_on_ds_side_they_are_refused(build_turn, term):
    name, x = type(term).__name__, samples(0, 3, 2)
    with pytest.raises(ValueError, match=f"{name} needs a discriminator that returns features"):
        term(build_turn("G", lambda x: x.sum(1), x=x, x_fake=x))
    with pytest.raises(ValueError, match=f"{name} is a term of G: put it among g_terms, not d_terms"):
        term(build_turn("D", showing(lambda x: x), x=x, x_fake=x))


def test_a_batch_of_one_has_nothing_to_pull_apart(build_turn):
    with pytest.raises(ValueError, match="PullingAway compares the samples of a batch and needs at least 2; found 1"):
        PullingAway()(build_turn("G", showing(lambda x: x), x=samples(0, 1, 2), x_fake=samples(0, 1, 2)))


@pytest.mark.parametrize("kind", [FeatureMatching, PullingAway])
def test_weights_below_zero_are_refused(kind):
    with pytest.raises(ValueError, match=r"weight weighs a penalty and is at least 0; found -1.0"):
        kind(weight=-1.0)
