"""Self-attention against numpy."""

import numpy as np
import pytest
import torch

from zerosum.networks.layers.attention import SelfAttention


def opened(channels):
    """A layer whose gate is open."""
    layer = SelfAttention(channels)
    torch.nn.init.constant_(layer.gamma, 0.7)
    return layer


def pooled(maps):
    """Maxima of two by two places, of those that are there."""
    B, C, H, W = maps.shape
    out = np.empty((B, C, -(-H // 2), -(-W // 2)))
    for i, j in np.ndindex(*out.shape[2:]):
        out[:, :, i, j] = maps[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max((2, 3))
    return out.reshape(B, C, -1)


@pytest.mark.parametrize("sides", [(4, 4), (5, 3), (1, 1)], ids=str)
def test_each_place_sees_the_mean_of_all_places_by_likeness(sides):
    layer, x = opened(16), torch.randn(2, 16, *sides)
    f, g, h, back = (m.weight.detach().double().numpy()[:, :, 0, 0] for m in (layer.f, layer.g, layer.h, layer.back))
    assert (len(f), len(g), len(h), len(back)) == (2, 2, 8, 16)
    maps = x.double().numpy()
    asked = np.einsum("kc,bchw->bkhw", f, maps).reshape(2, 2, -1)
    keys, values = (pooled(np.einsum("kc,bchw->bkhw", w, maps)) for w in (g, h))
    likeness = np.exp(np.einsum("bkn,bkm->bnm", asked, keys))
    weights = likeness / likeness.sum(2, keepdims=True)
    seen = np.einsum("ck,bkm,bnm->bcn", back, values, weights).reshape(maps.shape)
    np.testing.assert_allclose(layer(x).detach(), maps + 0.7 * seen, rtol=1e-4, atol=1e-5)


def test_at_first_it_changes_nothing_and_its_gate_learns():
    layer, x = SelfAttention(8), torch.randn(2, 8, 4, 4)
    assert torch.equal(layer(x), x)
    layer(x).square().sum().backward()
    assert layer.gamma.grad != 0


def test_every_place_reaches_every_other():
    layer, x = opened(8), torch.randn(1, 8, 6, 6, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x)[0, :, 0, 0].sum(), x, create_graph=True)
    reached = gradient.abs().sum(1)[0] > 0
    assert reached[1::2, 1::2].any() and reached[4:, 4:].any()
    (again,) = torch.autograd.grad(gradient.square().sum(), layer.f.weight)
    assert again.any()


def test_narrow_maps_keep_a_channel_each():
    layer = SelfAttention(1)
    assert (layer.f.out_channels, layer.h.out_channels) == (1, 1)
