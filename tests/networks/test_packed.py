"""Discriminators of packs: PacGAN."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions.labels import Labels
from zerosum.game import Clock, Draws, Turn
from zerosum.networks import (
    Concatenate,
    DCGANDiscriminator,
    FastGANDiscriminator,
    IdentityDiscriminator,
    MLPDiscriminator,
    Packed,
    ResNetDiscriminator,
)
from zerosum.objectives import Relativistic
from zerosum.terms import R1, GradientPenalty


@pytest.mark.parametrize("shape", [(3,), (2, 8, 9)], ids=str)
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_samples_in_a_row_are_scored_as_one_of_more_channels(shape, samples):
    D = Packed(MLPDiscriminator(size=8), samples).build(shape, None)
    x = torch.randn(6, *shape)
    packs = torch.stack([torch.cat([*x[i : i + samples]]) for i in range(0, 6, samples)])
    judgement = D(x)
    assert judgement.score.shape == (6 // samples,)
    assert torch.equal(judgement.score, D.discriminator(packs).score)


def test_maps_are_those_of_packs():
    D = Packed(FastGANDiscriminator(size=4), 2).build((2, 16, 16), None).eval()
    x = torch.randn(4, 2, 16, 16)
    packs = torch.stack([torch.cat([*x[:2]]), torch.cat([*x[2:]])])
    assert all(torch.equal(*pair) for pair in zip(D(x).maps, D.discriminator.maps(packs), strict=True))


@pytest.mark.parametrize("inner", [DCGANDiscriminator(size=4), ResNetDiscriminator(size=4)], ids=["DCGAN", "ResNet"])
def test_labels_are_joined_to_each_sample_before(inner):
    D = Packed(inner, 2, Concatenate(3)).build((2, 8, 8), Labels(4))
    seen = []
    D.discriminator.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    x, c = torch.randn(4, 2, 8, 8), torch.tensor([0, 1, 2, 3])
    D(x, c)
    (packs,) = seen
    assert packs.shape == (2, 10, 8, 8)
    rows = D.join.embedding(c)
    for sample in range(4):
        mine = packs[sample // 2, 5 * (sample % 2) : 5 * (sample % 2) + 5]
        assert torch.equal(mine[:2], x[sample])
        torch.testing.assert_close(mine[2:, 0, 0], rows[sample])
    swapped = D(x, c[[1, 0, 2, 3]]).score
    assert swapped[0] != D(x, c).score[0]
    with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
        D(x)


def table(D, x, x_fake):
    x, x_fake = x.requires_grad_(), x_fake.requires_grad_()
    return Turn("D", D, None, x, x_fake, None, None, Clock(), Draws(seed=0, position=0))


def test_penalties_hold_what_the_docstring_says():
    """A linear discriminator of packs: its gradient by each sample is a share of the gradient by the pack."""
    D = Packed(MLPDiscriminator(size=8), 2).build((3,), None)
    D.discriminator = nn.Sequential(nn.Linear(6, 1), nn.Flatten(0))
    weight = torch.tensor([1.0, -2.0, 2.0, 0.0, 3.0, -4.0])
    with torch.no_grad():
        D.discriminator[0].weight.copy_(weight[None])
    turn = table(D, torch.randn(8, 3), torch.randn(8, 3))
    by_pack = (weight**2).sum()
    assert R1(gamma=2.0)(turn).item() == pytest.approx(by_pack.item() / 2)
    gradients = np.array([3.0, 5.0])
    assert GradientPenalty(weight=1.0)(turn).item() == pytest.approx(((gradients - 1) ** 2).mean(), rel=1e-5)


def test_games_of_score_pairs_pair_packs():
    D = Packed(MLPDiscriminator(size=8), 2).build((3,), None)
    turn = table(D, torch.randn(8, 3), torch.randn(8, 3))
    real, fake = (j.score.detach().double().numpy() for j in (turn.real, turn.fake))
    wanted = np.log1p(np.exp(-(real - fake))).mean()
    assert Relativistic().d_loss(turn.real.score, turn.fake.score).item() == pytest.approx(wanted, rel=1e-5)


def test_a_bare_score_may_stand_inside():
    D = Packed(IdentityDiscriminator(), 2).build((3,), Labels(2))
    assert D(torch.randn(4, 3), torch.zeros(4, dtype=torch.int64)).score.shape == (2, 2 * (3 + 16))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Packed(MLPDiscriminator(), 0), "samples counts those of a pack, at least 1; found 0"),
        (
            lambda: Packed(MLPDiscriminator(), 3).build((2,), None)(torch.zeros(4, 2)),
            "packs of 3 samples need a batch that divides by it; found 4",
        ),
        (
            lambda: Packed(MLPDiscriminator(auxiliary=2)).build((2,), None)(torch.zeros(4, 2)),
            "a pack has no label of its own to predict: build the discriminator inside without logits",
        ),
    ],
)
def test_what_cannot_be_packed_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
