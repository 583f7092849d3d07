"""Vision-aided GANs: the second discriminator's losses, its warm-up, and the network that holds both."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions import Labels
from zerosum.game import Clock, Draws, Judgement, Turn
from zerosum.networks import Aided, DCGANDiscriminator, FeatureDiscriminator
from zerosum.objectives import Hinge, Relativistic, TopK
from zerosum.terms import VisionAided

AID = FeatureDiscriminator("random-conv", side=8, size=2)


def built(condition=None):
    torch.manual_seed(0)
    return Aided(DCGANDiscriminator(size=4, norm="none"), AID).build((1, 8, 8), condition).eval()


def turn(D, player="D", progress=0.0, c=None, augment=None):
    draw = torch.Generator().manual_seed(0)
    x, fake = (torch.randn(4, 1, 8, 8, generator=draw).requires_grad_() for _ in range(2))
    return Turn(player, D, None, x, fake, None, c, Clock(progress=progress), Draws(0, 0), augment)


def test_the_output_is_that_of_the_first_and_the_scores_of_the_second_stand_beside_it():
    D, c = built(Labels(3)), torch.tensor([0, 2, 1, 1])
    x = torch.randn(4, 1, 8, 8)
    assert torch.equal(D(x, c).score, D.own(x, c).score) and torch.equal(D(x, c).features, D.own(x, c).features)
    assert torch.equal(D.aided(x, c), D.aid(x, c).score)
    parts = {name.partition(".")[0] for name, _ in D.named_parameters()}
    assert parts == {"own", "aid"} and not any("network" in name for name, _ in D.named_parameters())


def test_both_losses_are_the_objectives_of_the_second_discriminators_scores():
    D = built()
    both = turn(D)
    real, fake = (D.aid(x).score.detach().double().numpy() for x in (both.x, both.x_fake))
    of_D, of_G = np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean(), np.logaddexp(0, -fake).mean()
    assert VisionAided(weight=2.0)(both).item() == pytest.approx(2 * of_D, rel=1e-5)
    assert VisionAided(weight=2.0)(turn(D, "G")).item() == pytest.approx(2 * of_G, rel=1e-5)
    hinge = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    assert VisionAided(Hinge())(both).item() == pytest.approx(hinge, rel=1e-5)
    paired = np.logaddexp(0, fake - real).mean()
    assert VisionAided(Relativistic())(both).item() == pytest.approx(paired, rel=1e-5)
    assert VisionAided(Relativistic())(turn(D, "G")).item() == pytest.approx(
        np.logaddexp(0, real - fake).mean(), rel=1e-5
    )


def test_it_trains_the_heads_of_the_second_alone_and_reaches_the_samples():
    D = built()
    aid = {name for name, _ in D.named_parameters() if name.startswith("aid.")}
    gradients = torch.autograd.grad(VisionAided()(turn(D)), [*D.parameters()], allow_unused=True)
    reached = {name for (name, _), g in zip(D.named_parameters(), gradients, strict=True) if g is not None and g.any()}
    assert reached == aid != set()
    of_G = turn(D, "G")
    (gradient,) = torch.autograd.grad(VisionAided()(of_G), of_G.x_fake)
    assert gradient.any()


def test_before_its_beginning_it_is_nothing():
    D = built()
    for player in "DG":
        early = VisionAided(begin=0.25)(turn(D, player, progress=0.2))
        assert early.item() == 0 and not early.requires_grad
        assert VisionAided(begin=0.25)(turn(D, player, progress=0.25)).item() > 0


def test_it_sees_augmented_samples():
    D = built()
    roles = []

    def augment(x, role, turn):
        roles.append(role)
        return -x

    both = turn(D, augment=augment)
    real, fake = (D.aid(-x).score.detach().double().numpy() for x in (both.x, both.x_fake))
    expected = np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean()
    assert VisionAided()(both).item() == pytest.approx(expected, rel=1e-5)
    assert roles == ["real", "fake"], "the roles of the first, so both see the same"


def test_a_condition_reaches_the_second():
    D, c = built(Labels(3)), torch.tensor([0, 2, 1, 1])
    values = {VisionAided()(turn(D, c=labels)).item() for labels in (c, c.flip(0))}
    assert len(values) == 2


def test_what_it_cannot_use_is_refused():
    D = DCGANDiscriminator(size=4).build((1, 8, 8), None)
    for other in (D, nn.Identity(), lambda x: Judgement(x)):
        with pytest.raises(ValueError, match="VisionAided needs a D with a second one, as Aided; found"):
            VisionAided()(turn(other))
    with pytest.raises(ValueError, match=r"begin is a share of the run, in \[0, 1\]; found 1.5"):
        VisionAided(begin=1.5)
    with pytest.raises(ValueError, match="weight weighs a penalty and is at least 0; found -1"):
        VisionAided(weight=-1)
    with pytest.raises(ValueError, match="VisionAided needs parts without a state, as it would not be saved"):
        VisionAided(TopK(Hinge()))
