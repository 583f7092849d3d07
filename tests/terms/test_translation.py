"""Contrast of patches and the identity mapping, against their formulas."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions import Image
from zerosum.game.random import Draws
from zerosum.game.turn import Clock, Turn
from zerosum.networks import Translator
from zerosum.terms import IdentityMapping, PatchNCE

SHAPE = (2, 12, 12)


@pytest.fixture
def G():
    torch.manual_seed(0)
    return Translator(size=4, blocks=2, contrast=True).build(3, SHAPE, Image(SHAPE)).double()


def turn(G, player="G", c=True):
    torch.manual_seed(1)
    x, condition, z = torch.randn(3, *SHAPE).double(), torch.randn(3, *SHAPE).double(), torch.randn(3, 3).double()
    fake = G(z, condition) if isinstance(G, nn.Module) else condition
    return Turn(player, None, G, x, fake, z, condition if c else None, Clock(), Draws(0, 0, 0, 1))


def expected(G, source, made, places, temperature):
    """The mean over layers, images and patches of -log softmax, in numpy."""
    losses = []
    for q, k in zip(G.patches(made, places), G.patches(source, places), strict=True):
        for rows, columns in zip(q.detach().numpy(), k.detach().numpy(), strict=True):
            logits = rows @ columns.T / temperature
            losses.append(np.log(np.exp(logits).sum(1)) - np.diag(logits))
    return np.mean([loss.mean() for loss in losses])


@pytest.mark.parametrize("identity", [True, False])
def test_patches_are_contrasted_as_in_cut(G, identity):
    t = turn(G)
    places = torch.rand(20, 2, generator=t.draws.stream("patches"))
    value = expected(G, t.c, t.x_fake, places, 0.2)
    if identity:
        value += expected(G, t.x, G(t.z, t.x), places, 0.2)
    found = PatchNCE(weight=3.0, temperature=0.2, count=20, identity=identity)(t)
    assert found.item() == pytest.approx(3 * value, rel=1e-9)


def test_patches_are_unit_vectors_of_their_places(G):
    x = torch.randn(2, *SHAPE).double()
    places = torch.tensor([[0.0, 0.0], [0.5, 0.99]])
    found = G.patches(x, places)
    assert all(torch.allclose(one.norm(dim=2), torch.ones(2, 2).double()) for one in found)
    changed = x.clone()
    changed[:, :, 6, 11] += 1
    first = G.patches(changed, places)[0]
    assert torch.equal(first[:, 0], found[0][:, 0]) and not torch.equal(first[:, 1], found[0][:, 1])


def test_keys_are_not_differentiated(G):
    """So the gradient is that of the softmax with constant keys."""
    t = turn(G)
    term = PatchNCE(count=20, identity=False)
    places = torch.rand(20, 2, generator=t.draws.stream("patches"))
    keys = [key.detach() for key in G.patches(t.c, places)]
    losses = []
    for q, k in zip(G.patches(t.x_fake, places), keys, strict=True):
        losses.append(-(q @ k.transpose(1, 2) / 0.07).log_softmax(2).diagonal(dim1=1, dim2=2).mean())
    own = torch.autograd.grad(torch.stack(losses).mean(), [*G.parameters()], retain_graph=True, allow_unused=True)
    found = torch.autograd.grad(term(t), [*G.parameters()], allow_unused=True)
    names = [name for name, _ in G.named_parameters()]
    assert all(one is not None for name, one in zip(names, found, strict=True) if name.startswith("heads"))
    for one, other in zip(own, found, strict=True):
        assert (one is None) == (other is None) and (one is None or torch.allclose(one, other, rtol=1e-8, atol=1e-12))


def test_the_identity_mapping_compares_g_of_real_samples_with_them(G):
    t = turn(G)
    value = np.abs(G(t.z, t.x).detach().numpy() - t.x.numpy()).mean()
    assert IdentityMapping(2.0)(t).item() == pytest.approx(2 * value, rel=1e-9)


def test_what_does_not_fit_is_refused(G):
    plain = Translator(size=4, blocks=2).build(3, SHAPE, Image(SHAPE)).double()
    with pytest.raises(
        ValueError, match=r"PatchNCE needs a G that embeds patches of images, as Translator\(contrast=T"
    ):
        PatchNCE()(turn(plain))
    with pytest.raises(
        ValueError, match=r"PatchNCE takes a temperature above 0 and a count of at least 2; found 0\.0 and 2"
    ):
        PatchNCE(temperature=0.0, count=2)
    with pytest.raises(ValueError, match=r"images of the sample's shape, \(2, 12, 12\); found None"):
        IdentityMapping()(turn(G, c=False))
    for term in (PatchNCE(), IdentityMapping()):
        with pytest.raises(ValueError, match=f"{type(term).__name__} is a term of G: put it among g_terms"):
            term(turn(G, player="D"))
    with pytest.raises(ValueError, match="weight weighs a penalty and is at least 0"):
        IdentityMapping(-1.0)
