"""Tiles equal the whole where their overlap covers what a pixel sees, and else change places without seams."""

import pytest
import torch
from torch import nn

from zerosum.conditions import Image
from zerosum.networks import SuperResolution, Translator, UNet, tiled


def stirred(module):
    """The module in float64, with every parameter off its beginning."""
    module = module.double().eval()
    for p in module.parameters():
        p.data.add_(torch.randn_like(p), alpha=0.1)
    return module


class Largest(nn.Module):
    """The largest number of places that a module was given, and what it returned."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.sides = inner, []

    def forward(self, z, c):
        self.sides.append(tuple(c.shape[2:]))
        return self.inner(z, c)


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("sides", [(40, 61), (24, 40), (20, 50)], ids=str)
def test_tiles_of_a_convolutional_network_are_exact(sides, factor):
    G = stirred(SuperResolution(4, 1, noise=True).build(5, (1, 8 * factor, 8 * factor), Image((1, 8, 8))))
    z, c = torch.randn(2, 5).double(), torch.randn(2, 1, *sides).double()
    whole, watched = G(z, c), Largest(G)
    # Five convolutions at the small sides (a pixel each) and one at the large: not more than seven pixels.
    x = tiled(watched, z, c, tile=24, overlap=21)
    assert x.dtype == torch.float64 and x.shape == (2, 1, factor * sides[0], factor * sides[1])
    assert (x - whole).abs().max() < 1e-9 * whole.abs().max()
    assert len(watched.sides) > 1
    assert {*watched.sides} == {(min(24, sides[0]), min(24, sides[1]))}, "all tiles are of the same sides"
    assert (tiled(G, z, c, tile=24, overlap=3) - whole).abs().max() > 1e-6, "too small an overlap"


def test_a_network_that_halves_is_exact_where_tiles_stand_on_its_grid():
    G = stirred(UNet(4, "batch", depth=1).build(5, (1, 32, 32), Image((1, 32, 32))))
    z, c = torch.randn(1, 5).double(), torch.randn(1, 1, 64, 48).double()
    whole = G(z, c)
    assert (tiled(G, z, c, tile=40, overlap=30) - whole).abs().max() < 1e-9


def test_tiles_change_places_linearly_between_the_thirds():
    class Numbered(nn.Module):
        """The number of the call, everywhere."""

        calls = -1

        def forward(self, z, c):
            self.calls += 1
            return torch.full_like(c, self.calls)

    x = tiled(Numbered(), torch.zeros(1, 1), torch.zeros(1, 1, 20, 28, dtype=torch.float64), tile=20, overlap=12)[0, 0]
    expected = torch.tensor([0.0] * 12 + [0.125, 0.375, 0.625, 0.875] + [1.0] * 12, dtype=torch.float64)
    assert torch.allclose(x, expected.expand(20, 28), atol=1e-12)
    hard = tiled(Numbered(), torch.zeros(1, 1), torch.zeros(1, 1, 20, 40), tile=20, overlap=0)[0, 0]
    assert torch.equal(hard[0], torch.tensor([0.0] * 20 + [1.0] * 20))


def test_one_tile_is_the_whole_for_any_network():
    G = stirred(Translator(4, 1).build(5, (1, 16, 16), Image((1, 16, 16))))
    z, c = torch.randn(1, 5).double(), torch.randn(1, 1, 20, 30).double()
    assert torch.equal(tiled(G, z, c, tile=30, overlap=10), G(z, c))
    assert tiled(G, z, c, tile=16, overlap=12).shape == (1, 1, 20, 30)


def test_gradients_pass_through_tiles():
    G = stirred(SuperResolution(4, 1).build(5, (1, 16, 16), Image((1, 8, 8))))
    z, c = torch.randn(1, 5).double(), torch.randn(1, 1, 30, 20).double()
    found = [torch.autograd.grad(x.square().mean(), [*G.parameters()]) for x in (G(z, c), tiled(G, z, c, 24, 21))]
    assert all(torch.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(*found, strict=True))


def test_what_it_cannot_do_is_refused():
    G = SuperResolution(4, 1).build(5, (1, 16, 16), Image((1, 8, 8)))
    z, c = torch.zeros(1, 5), torch.zeros(1, 1, 20, 20)
    for tile, overlap in ((8, 8), (8, -1), (0, 0)):
        with pytest.raises(ValueError, match=rf"at least 0 and below the tile's side of {tile}; found {overlap}"):
            tiled(G, z, c, tile, overlap)
    with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
        tiled(G, z, None, 8, 2)
    half = UNet(2).build(5, (1, 24, 24), Image((1, 16, 16)))
    with pytest.raises(ValueError, match=r"enlarges images by a whole factor; found \(24, 24\) of 16x16"):
        tiled(half, z, c, 16, 4)
