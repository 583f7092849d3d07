"""The loss under which known patches of filled images count as real, against numpy and by what it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.conditions import Image
from zerosum.game.judgement import Judgement
from zerosum.game.random import Draws
from zerosum.game.turn import Clock, Turn
from zerosum.networks import PatchDiscriminator
from zerosum.objectives import Hinge, LeastSquares, NonSaturating, Relativistic, Wasserstein
from zerosum.terms import KnownPatches

SHAPE = (2, 16, 16)


def softplus(s):
    return np.log1p(np.exp(s))


LABELS = {  # the losses of a score as a real and as a generated one
    NonSaturating(): (lambda s: softplus(-s), softplus),
    Hinge(): (lambda s: np.maximum(0, 1 - s), lambda s: np.maximum(0, 1 + s)),
    Wasserstein(): (lambda s: -s, lambda s: s),
    LeastSquares(): (lambda s: (s - 1) ** 2 / 2, lambda s: s**2 / 2),
}


def turn_of(scales=1, hidden=slice(4, 9)):
    torch.manual_seed(0)
    x, fake = torch.randn(3, *SHAPE).double(), torch.randn(3, *SHAPE).double()
    mask = torch.ones(3, 1, 16, 16).double()
    mask[:, :, hidden, hidden] = -1
    mask[2] = 1  # nothing is hidden
    c = torch.cat([x, mask], 1)
    condition = Image((3, 16, 16), content="masked")
    D = PatchDiscriminator(size=4, norm="none", layers=2, scales=scales).build(SHAPE, condition).double()
    return Turn("D", D, None, x, fake, torch.zeros(3, 1), c, Clock(), Draws(0, 0, 0, 1))


def known(turn, scales):
    """By hand: scores of 4x4 pixels each, none of them hidden; of every scale the same."""
    seen = (turn.c[:, -1] > 0).numpy().reshape(3, 4, 4, 4, 4).all((2, 4)).reshape(3, 16)
    return np.tile(seen, scales)


@pytest.mark.parametrize("scales", [1, 2])
@pytest.mark.parametrize("objective", LABELS, ids=lambda one: type(one).__name__)
def test_the_labels_of_known_patches_are_exchanged(objective, scales):
    turn = turn_of(scales)
    seen = known(turn, scales)
    assert 0 < seen[0].sum() < seen[2].sum() == 16 * scales
    real, fake = LABELS[objective]
    s = turn.fake.score.detach().numpy()
    wanted = np.where(seen, real(s), fake(s)).mean() + real(turn.real.score.detach().numpy()).mean()
    found = objective.d_loss(turn.real.score, turn.fake.score) + KnownPatches(objective)(turn)
    constant = (real(0.0) - fake(0.0)) * -seen.mean()  # without a gradient
    assert found.item() == pytest.approx(wanted + constant, rel=1e-12)
    plain = objective.d_loss(turn.real.score, turn.fake.score)
    assert KnownPatches(objective, 0.5)(turn).item() == pytest.approx((found - plain).item() / 2)


def test_patches_of_the_hole_have_no_gradient_and_the_others_the_opposite_one():
    turn = turn_of()
    score = turn.fake.score.detach().requires_grad_()
    changed = replace(turn)
    changed.__dict__["fake"] = replace(turn.fake, score=score)
    (gradient,) = torch.autograd.grad(KnownPatches(Wasserstein())(changed), score)
    seen = torch.from_numpy(known(turn, 1))
    assert torch.equal(gradient != 0, seen)
    assert torch.allclose(gradient[seen], torch.full_like(gradient[seen], -2 / score.numel())), "f(s) = s becomes -s"


def test_without_known_patches_nothing_changes():
    turn = turn_of(hidden=slice(0, 16))
    turn.c[:, -1] = -1
    assert KnownPatches()(turn).item() == 0


def refused(turn, words, term=None):
    with pytest.raises(ValueError, match=words):
        (term or KnownPatches())(turn)


def test_what_it_cannot_take_is_refused_in_a_sentence():
    turn = turn_of()
    refused(replace(turn, player="G"), "KnownPatches is a term of D: put it among d_terms, not g_terms")
    refused(turn, r"takes each score alone; found Relativistic\(\)", KnownPatches(Relativistic()))
    refused(replace(turn, c=None), "needs masked images as the condition.*conditions none")
    refused(replace(turn, c=turn.c[:, :2]), r"choose data=Masked\(...\).*conditions \(3, 2, 16, 16\)")
    refused(replace(turn, augment=lambda x, role, turn: x), "set augment=None")
    single = replace(turn, D=lambda x, c: Judgement(x.mean((1, 2, 3)), maps=(x,)))
    refused(single, "a discriminator with a score for each patch, such as PatchDiscriminator")
    with pytest.raises(ValueError, match="weighs a penalty and is at least 0"):
        KnownPatches(weight=-1)
