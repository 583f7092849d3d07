"""The U-Net generator: what reaches a sample, under an image, under other conditions and without one."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from zerosum.conditions import Attributes, Image, Labels, Vector
from zerosum.networks import Concatenate, Projection, UNet
from zerosum.networks.layers.spade import Spade
from zerosum.recipes.reader import read

CONDITIONS = {
    "none": (None, None),
    "labels": (Labels(3), torch.tensor([0, 1, 2])),
    "attributes": (Attributes(2), torch.eye(3)[:, :2]),
    "vector": (Vector(2), torch.randn(3, 2, generator=torch.Generator().manual_seed(1))),
    "image": (Image((2, 9, 13)), torch.randn(3, 2, 9, 13, generator=torch.Generator().manual_seed(1)).tanh()),
    "smaller image": (Image((2, 5, 7)), torch.randn(3, 2, 5, 7, generator=torch.Generator().manual_seed(1)).tanh()),
}
NORMS = ["batch", "instance", "layer", "none"]


def call(G, z, c):
    return G(z) if c is None else G(z, c)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", CONDITIONS)
def test_every_parameter_is_reached_under_every_condition(name, norm):
    condition, c = CONDITIONS[name]
    image = isinstance(condition, Image)
    for G in [UNet(4, norm), UNet(4, norm, noise="none", spade=image, residual=image)]:
        module = G.build(5, (2, 9, 13), condition).to(memory_format=torch.channels_last)
        if G.residual:
            torch.nn.init.normal_(module.end.weight)  # which is at first 0
        x = call(module, torch.randn(3, 5), c)
        assert x.shape == (3, 2, 9, 13)
        gradients = torch.autograd.grad((x * torch.randn_like(x)).sum(), [*module.parameters()], allow_unused=True)
        named = zip(module.named_parameters(), gradients, strict=True)
        assert [key for (key, _), g in named if g is None or not g.any() or not g.isfinite().all()] == []
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert call(module, torch.randn(3, 5), c).dtype == torch.float32


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", CONDITIONS)
def test_latent_and_condition_move_the_sample_and_only_what_should(name, norm):
    condition, c = CONDITIONS[name]
    G = UNet(8, norm).build(5, (2, 9, 13), condition).eval()
    z = torch.randn(1, 5).expand(3, 5)
    x = call(G, z, c)
    assert (call(G, -z, c) - x).abs().max() > 1e-4, "z"
    assert x.abs().max() <= 1
    if c is not None:
        assert (x[0] - x[1]).abs().max() > 1e-4, "c"
        with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
            G(z)
    still = UNet(8, norm, noise="none").build(5, (2, 9, 13), condition).eval()
    moved = (call(still, -z, c) - call(still, z, c)).abs().max()
    assert moved == 0 if isinstance(condition, Image) else moved > 1e-4, "z makes the input where there is no image"


@pytest.mark.parametrize("sides", [(9, 9), (17, 40), (33, 28), (64, 10)], ids=str)
def test_an_image_of_any_sides_gives_a_sample_of_the_corresponding_sides(sides):
    G = UNet(4, depth=3).build(5, (3, 32, 32), Image((1, 32, 32)))
    assert G(torch.randn(2, 5), torch.randn(2, 1, *sides)).shape == (2, 3, *sides)
    twice = UNet(4, depth=3).build(5, (3, 32, 48), Image((1, 16, 24)))
    assert twice(torch.randn(2, 5), torch.randn(2, 1, *sides)).shape == (2, 3, 2 * sides[0], 2 * sides[1])


def test_a_smaller_image_enters_by_bilinear_interpolation():
    large, small = (UNet(4, "none").build(5, (1, 16, 20), Image((1, *sides))) for sides in ((16, 20), (8, 10)))
    small.load_state_dict(large.state_dict())
    z, c = torch.randn(2, 5), torch.randn(2, 1, 8, 10)
    assert torch.equal(small(z, c), large(z, interpolate(c, (16, 20), mode="bilinear", align_corners=False)))


def test_the_sides_are_halved_until_one_is_four_or_as_deep_as_is_asked_for():
    assert [len(UNet(2).build(3, (1, n, n), None).down) for n in (8, 9, 28, 64)] == [1, 2, 3, 4]
    assert len(UNet(2, depth=2).build(3, (1, 64, 64), None).down) == 2
    G = UNet(4).build(3, (1, 64, 64), Image((1, 64, 64)))
    assert [block.conv.conv.out_channels for block in G.down] == [4, 8, 16, 32]
    assert [block.conv.out_channels for block in G.up] == [16, 8, 4, 4]


def test_every_skip_is_used():
    G = UNet(4, "none", depth=3).build(3, (1, 32, 32), Image((1, 32, 32))).double()
    z, c = torch.randn(1, 3).double(), torch.randn(1, 1, 32, 32).double()
    whole = G(z, c)
    for up in G.up:
        encoder = slice(up.conv.out_channels, None)
        following = G.up[[*G.up].index(up) + 1].conv if up is not G.up[-1] else G.end
        kept = following.weight.detach().clone()
        weight = following.weight.data if following is G.end else following.weight.data.transpose(0, 1)
        weight[:, encoder] = 0
        assert (G(z, c) - whole).abs().max() > 1e-3
        following.weight.data = kept
    assert torch.equal(G(z, c), whole)
    G.middle.conv.weight.data.zero_()  # then all that comes is by the skips
    by_skips = torch.autograd.functional.jacobian(lambda c: G(z, c)[0, 0, 16, 16], c)[0, 0]
    assert by_skips[16, 16].abs() > 3 * by_skips.abs().mean(), "sharply, from the pixel itself"


def test_spade_is_the_formula():
    layer = Spade(3, "instance", 2, 5).double()
    h, c = torch.randn(2, 3, 4, 6).double(), torch.randn(2, 2, 8, 12).double()

    def convolved(x, conv):
        weight, bias = conv.weight.detach().numpy(), conv.bias.detach().numpy()
        wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        rows, columns = x.shape[2:]
        windows = [wide[:, :, i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
        stacked = np.stack(windows).reshape(3, 3, *x.shape)
        return np.einsum("ijbchw,ocij->bohw", stacked, weight) + bias[:, None, None]

    small = c.numpy().reshape(2, 2, 4, 2, 6, 2).mean((3, 5))
    seen = np.maximum(convolved(small, layer.shared), 0)
    mean, variance = (f(h.numpy(), axis=(2, 3), keepdims=True) for f in (np.mean, np.var))
    normed = (h.numpy() - mean) / np.sqrt(variance + 1e-5)
    expected = (1 + convolved(seen, layer.gamma)) * normed + convolved(seen, layer.beta)
    assert np.allclose(layer(h, c).detach().numpy(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_spade_sets_the_norms_of_the_decoder_alone_and_these_have_no_parameters(norm):
    G = UNet(4, norm, spade=True).build(3, (1, 16, 16), Image((2, 16, 16)))
    assert all(isinstance(block.norm, Spade) and not [*block.norm.norm.parameters()] for block in G.up)
    assert not any(isinstance(block.norm, Spade) for block in G.down)
    c = torch.randn(2, 2, 16, 16)
    with torch.no_grad():
        before = G.eval()(torch.zeros(2, 3), c)
        G.up[-1].norm.beta.bias.add_(1)
        assert (G(torch.zeros(2, 3), c) - before).abs().max() > 1e-4


@pytest.mark.parametrize(("channels", "outputs"), [(3, 3), (4, 3), (1, 3), (1, 1)])
def test_a_residual_sample_begins_as_its_condition(channels, outputs):
    G = UNet(4, residual=True).build(3, (outputs, 9, 16), Image((channels, 9, 16)))
    c = torch.randn(2, channels, 9, 16)
    x = G(torch.randn(2, 3), c)
    assert torch.equal(x, c[:, :outputs].expand_as(x))
    torch.nn.init.constant_(G.end.bias, 0.25)
    assert torch.allclose(G(torch.randn(2, 3), c), c[:, :outputs] + 0.25)


def test_what_it_cannot_do_is_refused():
    for spec in (UNet(spade=True), UNet(residual=True)):
        for condition in (None, Labels(3)):
            with pytest.raises(ValueError, match="UNet with spade or residual needs an image as the condition; found"):
                spec.build(3, (1, 16, 16), condition)
    with pytest.raises(ValueError, match="needs 1 channel or at least 3; found 2: choose residual=False"):
        UNet(residual=True).build(3, (3, 16, 16), Image((2, 16, 16)))
    with pytest.raises(ValueError, match="depth counts halvings of the sides, at least 1; found 0"):
        UNet(depth=0)
    with pytest.raises(ValueError, match="size is a number of channels"):
        UNet(size=0)
    with pytest.raises(ValueError, match="the condition enters this network by Concatenate"):
        UNet(conditioning=Projection())
    with pytest.raises(ValueError, match="8x8 and more; found 7x9"):
        UNet().build(3, (1, 7, 9), None)
    with pytest.raises(ValueError, match="convolutional networks take images"):
        UNet().build(3, (2,), None)
    G = UNet(2).build(3, (1, 64, 64), Image((1, 64, 64)))
    with pytest.raises(ValueError, match="halves the sides of an image 4 times and takes 17x17 and more; found 16"):
        G(torch.zeros(1, 3), torch.zeros(1, 1, 16, 32))
    spec = UNet(8, spade=True, conditioning=Concatenate(4))
    assert read(repr(spec)) == spec


def test_known_pixels_of_a_masked_image_stay_as_they_are():
    G = UNet(size=4, norm="none", residual=True).build(3, (2, 12, 12), Image((3, 12, 12), content="masked"))
    torch.nn.init.normal_(G.end.weight)
    known = torch.rand(5, 1, 12, 12) < 0.5
    c = torch.cat([torch.randn(5, 2, 12, 12), torch.where(known, 1.0, -1.0)], 1)
    x = G(torch.randn(5, 3), c)
    everywhere = known.expand_as(x)
    assert torch.equal(x[everywhere], c[:, :2][everywhere]) and (x != c[:, :2])[~everywhere].all()
