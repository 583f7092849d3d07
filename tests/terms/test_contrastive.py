"""The contrast of samples and conditions: its formula, both players, and where it cannot be."""

import numpy as np
import pytest
import torch

from zerosum.game.judgement import Judgement
from zerosum.terms import Contrastive

LABELS = [1, 0, 2, 1, 3]
X = np.random.default_rng(0).normal(0, 1, (5, 4))
EMBEDDED = np.random.default_rng(1).normal(0, 1, (4, 4))


def D(x, c):
    embedding = torch.tensor(EMBEDDED)[c]
    return Judgement((x * embedding).sum(1), x, embedding=embedding)


def expected(x, temperature):
    """-log softmax of the cosine of each pair among those of other conditions, by rows and by columns."""
    e = EMBEDDED[LABELS]
    cosines = (x @ e.T) / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(e, axis=1)[None]
    total = 0.0
    for i, own in enumerate(LABELS):
        rivals = [j for j, other in enumerate(LABELS) if j == i or other != own]
        for logits in (cosines[i], cosines[:, i]):
            total += np.log(np.exp(logits[rivals] / temperature).sum()) - logits[i] / temperature
    return total / (2 * len(LABELS))


@pytest.mark.parametrize("player", ["D", "G"])
def test_it_is_the_loss_of_finding_its_condition_among_the_others(build_turn, player):
    turn = build_turn(player, D, x=X, x_fake=X[::-1].copy(), c=LABELS)
    wanted = expected(X if player == "D" else X[::-1], 0.3)
    assert Contrastive(weight=2.0, temperature=0.3)(turn).item() == pytest.approx(2 * wanted, rel=1e-12)


def test_it_vanishes_where_pairs_are_told_apart_or_conditions_are_the_same(build_turn):
    apart = build_turn("D", D, x=EMBEDDED[[1, 0, 2, 1, 3]], x_fake=X, c=LABELS)
    assert Contrastive(temperature=1e-3)(apart).item() == pytest.approx(0, abs=1e-12)
    same = build_turn("D", D, x=X, x_fake=X, c=[2] * 5)
    assert Contrastive()(same).item() == 0


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            lambda x, c: x.sum(1),
            r"needs a discriminator that returns an embedding of the condition \(conditioning=Proj",
        ),
        (lambda x, c: Judgement(x.sum(1), None, embedding=x), "needs a discriminator that returns features"),
        (lambda x, c: Judgement(x.sum(1), x[:, :2], embedding=x), "features and embeddings of one size; found 2 and 4"),
    ],
)
def test_it_says_where_it_cannot_be(build_turn, found, sentence):
    with pytest.raises(ValueError, match=sentence):
        Contrastive()(build_turn("D", found, x=X, x_fake=X, c=LABELS))


def test_what_it_cannot_be_made_of_is_refused():
    with pytest.raises(ValueError, match="weight weighs a penalty and is at least 0; found -1"):
        Contrastive(weight=-1.0)
    with pytest.raises(ValueError, match="Contrastive takes a temperature above 0; found 0"):
        Contrastive(temperature=0.0)
