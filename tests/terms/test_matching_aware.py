"""The matching-aware term: which conditions are wrong, what it costs, and where it cannot be."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.networks import MLPDiscriminator, MLPGenerator
from zerosum.objectives import BoundaryEquilibrium, NonSaturating, Relativistic
from zerosum.recipes.named_recipes import named
from zerosum.terms import MatchingAware
from zerosum.terms.matching_aware import mismatched
from zerosum.training.build import build_game

X = np.random.default_rng(0).normal(0, 1, (6, 3))
WEIGHTS = np.random.default_rng(1).normal(0, 1, (4, 3))
LABELS = [2, 2, 0, 3, 0, 2]
NEXT = [0, 0, 3, 0, 2, 0]  # the first label after each, in their circle, that is another


def D(x, c):
    return (x * torch.tensor(WEIGHTS)[c]).sum(1)


def scores(labels):
    return (X * WEIGHTS[labels]).sum(1)


def softplus(s):
    return np.log1p(np.exp(s))


def test_it_is_the_loss_of_d_with_wrong_labels_on_real_samples_in_place_of_the_generated(build_turn):
    turn = build_turn("D", D, x=X, x_fake=X + 1, c=LABELS)
    right, wrong = scores(LABELS), scores(NEXT)
    assert MatchingAware(weight=3.0)(turn).item() == pytest.approx(
        3 * (softplus(-right).mean() + softplus(wrong).mean()), rel=1e-12
    )
    pairs = MatchingAware(Relativistic(), weight=0.5)(turn).item()
    assert pairs == pytest.approx(0.5 * softplus(wrong - right).mean(), rel=1e-12)


def test_with_the_loss_of_the_game_a_weight_of_1_is_the_papers_algorithm(build_turn):
    """Twice log s_r + (log(1 - s_w) + log(1 - s_f)) / 2, of which D goes up."""
    turn, game = build_turn("D", D, x=X, x_fake=X + 1, c=LABELS), NonSaturating()
    total = game.d_loss(turn.real.score, turn.fake.score) + MatchingAware()(turn)
    sigmoid = {"r": scores(LABELS), "w": scores(NEXT), "f": ((X + 1) * WEIGHTS[LABELS]).sum(1)}
    s_r, s_w, s_f = (1 / (1 + np.exp(-sigmoid[side])) for side in "rwf")
    paper = np.log(s_r).mean() + (np.log(1 - s_w).mean() + np.log(1 - s_f).mean()) / 2
    assert total.item() == pytest.approx(-2 * paper, rel=1e-12)


@pytest.mark.parametrize("rows", ["labels", "attributes"])
def test_the_wrong_condition_is_the_next_that_is_another(rows):
    c, wanted = torch.tensor(LABELS), torch.tensor(NEXT)
    if rows == "attributes":
        c, wanted = (torch.stack([a.double(), a.double() % 2, a.double() * 0], 1) for a in (c, wanted))
    found, any_unlike = mismatched(c)
    assert torch.equal(found, wanted) and any_unlike


@pytest.mark.parametrize("c", [[1], [1, 1, 1]])
def test_where_all_conditions_are_alike_nothing_is_learnt(build_turn, c):
    turn = build_turn("D", D, x=X[: len(c)], x_fake=X[: len(c)], c=c)
    value = MatchingAware()(turn)
    assert value.item() == 0
    assert torch.autograd.grad(value, turn.x)[0].abs().sum() == 0


def test_the_penalties_of_the_game_do_not_see_its_samples(build_turn):
    """x enters once, as real samples; under wrong labels it is a constant."""
    turn = build_turn("D", D, x=X, x_fake=X, c=LABELS)
    gradient = torch.autograd.grad(MatchingAware()(turn), turn.x)[0].numpy()
    right = scores(LABELS)
    assert gradient == pytest.approx(-(1 / (1 + np.exp(right)))[:, None] / 6 * WEIGHTS[LABELS], rel=1e-10)


@pytest.mark.parametrize(
    ("player", "c", "sentence"),
    [
        ("D", None, "MatchingAware needs conditions to mismatch; found none: choose conditional=True"),
        ("G", LABELS, "MatchingAware is a term of D: put it among d_terms, not g_terms"),
    ],
)
def test_it_says_where_it_cannot_be(build_turn, player, c, sentence):
    with pytest.raises(ValueError, match=sentence):
        MatchingAware()(build_turn(player, D, x=X, x_fake=X, c=c))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MatchingAware(weight=-1.0), "weight weighs a penalty and is at least 0; found -1"),
        (
            lambda: MatchingAware(BoundaryEquilibrium()),
            "MatchingAware needs parts without a state",
        ),
    ],
)
def test_what_it_cannot_be_made_of_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_without_conditions_it_is_refused():
    recipe = replace(
        named("digits"), generator=MLPGenerator(), discriminator=MLPDiscriminator(), d_terms=(MatchingAware(),)
    )
    pixels = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    dataset = in_memory("tiny", pixels, torch.tensor([0, 1, 0, 1]), ("a", "b"))
    build_game(recipe, dataset, torch.device("cpu"), "float32")
    with pytest.raises(
        ValueError, match="MatchingAware trains D on mismatched conditions, and with label_dropout some samples"
    ):
        build_game(replace(recipe, label_dropout=0.1), dataset, torch.device("cpu"), "float32")
