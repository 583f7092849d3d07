"""A D that tells real samples of a class from generated ones of it."""

import re

import numpy as np
import pytest
import torch

from zerosum.game import Judgement
from zerosum.terms import DiscriminativeClass


def samples(seed, *shape):
    return np.random.default_rng(seed).normal(0, 1, shape)


def showing(logits):
    """A discriminator that says of a sample `(B, 2 K)` the logits of K classes by side."""
    return lambda x, *c: Judgement(x.flatten(1).sum(1), sides=logits(x).unflatten(1, (2, -1)))


def likelihood(logits, c, side):
    """log C of the class on a side, by the definition, of logits `(B, 2 K)`."""
    odds = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return np.log(odds[np.arange(len(c)), c + side * logits.shape[1] // 2])


@pytest.mark.parametrize("player", ["G", "D"])
def test_d_tells_both_sides_and_g_is_paid_for_the_difference(build_turn, player):
    x, x_fake, c = samples(0, 5, 6), samples(1, 5, 6), np.array([0, 2, 1, 2, 2])
    turn = build_turn(player, showing(lambda x: 3 * x), x=x, x_fake=x_fake, c=c)
    as_real, as_generated = (likelihood(3 * x_fake, c, side) for side in (0, 1))
    wanted = as_generated - as_real if player == "G" else -likelihood(3 * x, c, 0) - as_generated
    assert DiscriminativeClass(0.5)(turn).item() == pytest.approx(0.5 * wanted.mean(), rel=1e-12)


def test_a_d_that_cannot_tell_leaves_g_nothing_to_gain(build_turn):
    c, x = np.array([0, 1, 2]), samples(0, 3, 2)
    blind = showing(lambda x: 0 * torch.ones(3, 6, dtype=torch.float64))
    assert DiscriminativeClass()(build_turn("G", blind, x=x, x_fake=x, c=c)) == 0
    assert DiscriminativeClass()(build_turn("D", blind, x=x, x_fake=x, c=c)).item() == pytest.approx(2 * np.log(6))


@pytest.mark.parametrize("player", ["G", "D"])
def test_of_a_sample_without_a_class_nothing_is_read(build_turn, player):
    x, c, known = samples(0, 4, 6), np.array([0, 3, 2, 3]), [0, 2]
    term = DiscriminativeClass()
    shown = term(build_turn(player, showing(lambda x: x), x=x, x_fake=2 * x, c=c)).item()
    alone = term(build_turn(player, showing(lambda x: x), x=x[known], x_fake=2 * x[known], c=c[known])).item()
    assert shown == pytest.approx(alone, rel=1e-12)
    assert term(build_turn(player, showing(lambda x: x), x=x, x_fake=x, c=np.full(4, 3))) == 0


@pytest.mark.parametrize("player", ["G", "D"])
def test_gradients_are_those_of_the_formula(build_turn, player):
    """Of a sample's own logits: what C says less what is so, on D's sides; for G, -1 and 1."""
    x, c = torch.tensor(samples(0, 4, 6)), np.array([0, 2, 1, 2])
    weights = torch.ones(6, dtype=torch.float64, requires_grad=True)
    DiscriminativeClass()(build_turn(player, showing(lambda x: weights * x), x=x, x_fake=x, c=c)).backward()
    own, other = np.eye(6)[c], np.eye(6)[c + 3]
    odds = np.exp(x.numpy()) / np.exp(x.numpy()).sum(1, keepdims=True)
    gradients = other - own if player == "G" else 2 * odds - own - other
    np.testing.assert_allclose(weights.grad, (gradients * x.numpy()).mean(0), rtol=1e-10)


def test_predictions_keep_their_digits_under_autocast(build_turn):
    turn = build_turn(
        "G", showing(lambda x: x.bfloat16()), x=samples(0, 4, 6), x_fake=samples(1, 4, 6), c=np.arange(4) % 3
    )
    with torch.autocast("cpu", torch.bfloat16):
        assert DiscriminativeClass()(turn).dtype == torch.float32


@pytest.mark.parametrize("c", [None, np.array([0.5, 1.5]), np.array([[0, 1], [1, 0]])])
def test_without_labels_there_is_no_class_to_tell(build_turn, c):
    x = samples(0, 2, 6)
    with pytest.raises(ValueError, match="DiscriminativeClass predicts labels: use data with labels, and"):
        DiscriminativeClass()(build_turn("D", showing(lambda x: x), x=x, x_fake=x, c=c))


def test_a_d_without_such_a_head_is_refused(build_turn):
    x = samples(0, 2, 3)
    turn = build_turn("D", lambda x, *c: Judgement(x.sum(1), x, x), x=x, x_fake=x, c=np.array([0, 1]))
    sentence = "DiscriminativeClass needs a discriminator that returns logits of real and generated classes"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        DiscriminativeClass()(turn)
    with pytest.raises(ValueError, match=r"weight weighs a penalty and is at least 0; found -1\.0"):
        DiscriminativeClass(-1.0)
