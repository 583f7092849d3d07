"""The generator of CycleGAN: its layers, its border, its maps."""

import pytest
import torch

from zerosum.conditions import Image, Labels
from zerosum.networks import Translator
from zerosum.recipes.reader import read


def built(blocks=2, size=4, sides=(16, 20)):
    return Translator(size, blocks).build(5, (3, *sides), Image((1, *sides)))


@pytest.mark.parametrize("sides", [(8, 8), (9, 14), (11, 8), (31, 18)], ids=str)
def test_an_image_of_any_sides_is_translated_and_every_parameter_reached(sides):
    G = built()
    x = G(torch.randn(2, 5), torch.randn(2, 1, *sides))
    assert x.shape == (2, 3, *sides) and x.abs().max() <= 1
    gradients = torch.autograd.grad((x * torch.randn_like(x)).sum(), [*G.parameters()])
    assert all(g.isfinite().all() and g.any() for g in gradients)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert G(torch.randn(2, 5), torch.randn(2, 1, *sides)).dtype == torch.float32


def test_the_layers_are_those_of_the_paper():
    G = built(blocks=9, size=64)
    assert len(G.stages) == 12
    # c7s1-64, d128, d256, nine R256, u128, u64, c7s1-3, with scale and offset for each norm
    expected = 49 * 64 + 9 * 64 * 128 + 9 * 128 * 256 + 9 * 2 * 9 * 256**2 + 9 * 256 * 128 + 9 * 128 * 64
    norms = 2 * (64 + 128 + 256 + 9 * 2 * 256 + 128 + 64)
    assert sum(p.numel() for p in G.parameters()) == expected + norms + 49 * 64 * 3 + 3


def test_the_border_is_reflected():
    """So a constant image becomes a constant one, but for the halvings, whose border is zero."""
    G = built(blocks=1).double()
    c = torch.full((1, 1, 16, 16), 0.7).double()
    first, block = G.stages[0][:2], G.stages[3]
    assert (first(c).amax((2, 3)) - first(c).amin((2, 3))).abs().max() < 1e-12
    h = torch.ones(1, 16, 4, 4).double()
    assert (block(h).amax((2, 3)) - block(h).amin((2, 3))).abs().max() < 1e-12


def test_the_latent_is_not_used_and_the_condition_is():
    G = built()
    z, c = torch.randn(2, 5), torch.randn(2, 1, 16, 20)
    assert torch.equal(G(z, c), G(-z, c))
    assert (G(z, -c) - G(z, c)).abs().max() > 1e-3
    with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
        G(z)


def test_encode_returns_the_maps_of_the_stages_asked_for_in_the_order_asked_for():
    G, x = built(blocks=2), torch.randn(2, 1, 9, 14)
    shapes = [(1, 9, 14), (4, 9, 14), (8, 5, 7), (16, 3, 4), (16, 3, 4), (16, 3, 4)]
    maps = G.encode(x, range(6))
    assert [tuple(m.shape[1:]) for m in maps] == shapes
    assert maps[0] is x
    h = x
    for stage, found in zip(G.stages, maps[1:], strict=True):
        h = stage(h)
        assert torch.equal(found, h)
    for found, layer in zip(G.encode(x, (4, 0, 2)), (4, 0, 2), strict=True):
        assert torch.equal(found, maps[layer])
    assert G.encode(x, ()) == []
    calls = []
    for stage in G.stages:
        stage.register_forward_hook(lambda *_: calls.append(1))
    G.encode(x, (2,))
    assert len(calls) == 2, "only what is asked for is computed"
    for layers in ((6,), (-1, 2)):
        with pytest.raises(ValueError, match=r"layers of this network are 0 to 5; found \("):
            G.encode(x, layers)


def test_it_computes_in_float64():
    G, c = built().double(), torch.randn(2, 1, 16, 20)
    assert G(torch.randn(2, 5), c).dtype == torch.float64
    x = c.double().requires_grad_()
    (own,) = torch.autograd.grad(G(torch.zeros(2, 5), x).sum(), x)
    way = torch.randn_like(x)
    with torch.no_grad():
        there, back = (G(torch.zeros(2, 5), x + e * way).sum() for e in (1e-7, -1e-7))
    assert (own * way).sum().item() == pytest.approx((there - back).item() / 2e-7, rel=1e-5)


def test_what_it_cannot_do_is_refused():
    for condition in (None, Labels(3)):
        with pytest.raises(ValueError, match="Translator needs an image as the condition; found"):
            Translator().build(5, (3, 16, 16), condition)
    with pytest.raises(ValueError, match="of the sample's height and width, 16x16; found 8x16: choose UNet"):
        Translator().build(5, (3, 16, 16), Image((3, 8, 16)))
    with pytest.raises(ValueError, match="convolutional networks take images"):
        Translator().build(5, (2,), Image((1, 8, 8)))
    with pytest.raises(ValueError, match="Translator takes images of 8x8 and more; found 7x16"):
        Translator().build(5, (3, 7, 16), Image((3, 7, 16)))
    with pytest.raises(ValueError, match="Translator takes images of 8x8 and more; found 16x7"):
        built()(torch.zeros(1, 5), torch.zeros(1, 1, 16, 7))
    with pytest.raises(ValueError, match="blocks counts residual blocks, at least 0; found -1"):
        Translator(blocks=-1)
    with pytest.raises(ValueError, match="size is a number of channels"):
        Translator(size=0)
    assert read("Translator(size=8, blocks=6)") == Translator(8, 6)
