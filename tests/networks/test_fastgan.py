"""FastGAN by its paper: who excites whom, what is normalised, what is reconstructed."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, conv2d, silu
from torch.nn.utils.parametrize import is_parametrized

from zerosum.conditions.labels import Labels
from zerosum.networks import FastGANDiscriminator, FastGANGenerator
from zerosum.networks.layers.excitation import GatedUnit, SkipExcitation
from zerosum.networks.layers.spectral import SpectralNorm
from zerosum.objectives import Hinge


def layers(module, *kinds):
    return [layer for layer in module.modules() if isinstance(layer, kinds)]


def count(module):
    return sum(p.numel() for p in module.parameters())


def meta(side, **changes):
    with torch.device("meta"):
        G = FastGANGenerator(size=64).build(256, (3, side, side), None)
        D = FastGANDiscriminator(size=64, **changes).build((3, side, side), None)
    return G, D


def test_excitation_scales_channels_by_what_the_small_map_holds():
    layer = SkipExcitation(3, 5)
    small, large = torch.randn(2, 3, 6, 9), torch.randn(2, 5, 12, 18)
    first, second = layers(layer, nn.Conv2d)
    gate = conv2d(silu(conv2d(adaptive_avg_pool2d(small, 4), first.weight)), second.weight).sigmoid()
    assert gate.shape == (2, 5, 1, 1)
    assert torch.allclose(layer(small, large), gate * large, atol=1e-6)


def test_gated_unit_is_half_times_the_sigmoid_of_the_other_half():
    x = torch.randn(2, 6, 3, 3)
    assert torch.allclose(GatedUnit()(x), x[:, :3] * x[:, 3:].sigmoid())


@pytest.mark.parametrize(
    ("side", "pairs"),
    [
        (8, [(4, 8)]),
        (32, [(4, 32)]),
        (64, [(4, 64)]),
        (256, [(4, 64), (8, 128), (16, 256)]),
        (1024, [(4, 64), (8, 128), (16, 256), (32, 512)]),
    ],
)
def test_maps_excite_those_sixteen_times_as_wide(side, pairs):
    G, _ = meta(side)
    assert [(4 * 2**source, 4 * 2**target) for target, source in G.sources.items()] == pairs


def test_channels_are_those_of_the_paper():
    G, D = meta(1024)
    assert [layer.out_channels for layer in layers(G.ups, nn.Conv2d) if layer.kernel_size == (3, 3)] == [
        *(1024, 1024),  # 8x8, two convolutions; half of the channels are gates
        512,
        *(256, 256),
        256,
        *(128, 128),
        64,
        *(32, 32),
        16,
    ]
    assert len(layers(G, nn.BatchNorm2d)) == 1 + len(layers(G.ups, nn.BatchNorm2d)) == 13
    widths = [down.main[0].out_channels for down in D.downs]
    assert widths == [32, 64, 128, 256, 512]
    assert D.sources == {3: 0, 4: 1, 5: 2}
    assert [layer.out_channels for layer in layers(D.enter, nn.Conv2d)] == [4, 8, 16]
    assert [layer.out_channels for layer in layers(D.small.body, nn.Conv2d)] == [32, 64, 128, 256]


def test_size_follows_from_the_papers_layers_at_256():
    """Published rule: gated 3x3 convolutions to twice the width, a batch norm each, noise in every other doubling."""
    G, _ = meta(256)
    widths = [1024, 512, 256, 128, 128, 64, 32]
    total = 256 * 2 * 1024 * 16 + 2 * 2 * 1024
    for rung in range(1, 7):
        before, after = widths[rung - 1], widths[rung]
        total += before * 2 * after * 9 + 4 * after
        total += after * 2 * after * 9 + 4 * after + 2 if rung % 2 else 0
    for source, target in ((0, 4), (1, 5), (2, 6)):
        total += widths[source] * widths[target] * 16 + widths[target] ** 2
    assert count(G) == total + widths[-1] * 3 * 9
    # The public code has a second output, of the map at 128, with 64 * 3 weights.
    assert count(G) + 64 * 3 == 29_127_846


def test_the_discriminator_with_decoders_has_the_published_size_at_256():
    """The total of hugobb/FastGAN-pytorch, ndf 64: a patch head 1,024 wide, and a decoder of a quarter at 128x128."""
    _, D = meta(256, decoders=True)
    assert count(D) == 11_526_160
    assert [layer.out_channels for layer in layers(D.patches, nn.Conv2d)] == [1024, 1]


def test_where_no_batch_norm_follows_the_generator_is_spectrally_normalised():
    G = FastGANGenerator(size=8).build(5, (3, 64, 64), None)
    normed = layers(G, SpectralNorm)
    assert [norm.layer for norm in normed] == [*layers(G.excitations, nn.Conv2d), *layers(G.show, nn.Conv2d)]
    assert len(normed) == 2 * len(G.sources) + 1 == 3
    for norm in normed:
        norm.layer.weight.data.mul_(7)
        assert np.linalg.norm(norm.weight().detach().double().numpy().reshape(len(norm.layer.weight), -1), 2) == (
            pytest.approx(1, rel=0.05)
        )
    assert len(layers(G, nn.Conv2d, nn.ConvTranspose2d)) == len(normed) + len(layers(G, nn.BatchNorm2d))


def test_maps_double_by_nearest_neighbours_or_bilinearly():
    """In the middle of a ramp of steps of 1: pairs of equal values, or steps of 1/2."""
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    for mode, steps in (("nearest", [1, 0, 1]), ("bilinear", [0.5, 0.5, 0.5])):
        G = FastGANGenerator(size=4, upsampling=mode).build(5, (3, 16, 16), None)
        doubled = [up[0](ramp) for up in G.ups]
        assert [tuple(each.shape[2:]) for each in doubled] == [(8, 8), (16, 16)]
        assert doubled[0][0, 0, 3, 3:7].diff().abs().tolist() == pytest.approx(steps)


def test_another_upsampling_is_refused():
    with pytest.raises(ValueError, match="upsampling is 'nearest' or 'bilinear'; found 'bicubic'"):
        FastGANGenerator(upsampling="bicubic")


@pytest.mark.parametrize("norm", ["virtual", "layer", "spectral"])
def test_a_norm_that_the_papers_discriminator_has_no_place_for_is_refused(norm):
    with pytest.raises(ValueError, match=f"the norm of this discriminator is 'batch' or 'none'; found '{norm}'"):
        FastGANDiscriminator(size=4, norm=norm)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_every_convolution_of_the_discriminator_is_normalised_one_way(norm):
    D = FastGANDiscriminator(size=4, norm=norm).build((3, 64, 64), None)
    convolutions = layers(D, nn.Conv2d)
    spectral = [conv for conv in convolutions if is_parametrized(conv, "weight")]
    assert len(convolutions) == len(spectral) + len(layers(D, nn.BatchNorm2d))
    assert bool(layers(D, nn.BatchNorm2d)) == (norm == "batch")
    assert all(conv.bias is None for conv in convolutions)
    for conv in spectral:
        assert torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.1)


def test_the_scores_are_those_of_the_patches_of_two_maps():
    D = FastGANDiscriminator(size=8).build((1, 64, 64), None).eval()
    x = torch.randn(2, 1, 64, 64)
    large = D.patches.body(D.maps(x)[-1])
    small = D.small.patches.body(D.small.body(x))
    assert large.shape == small.shape == (2, 1, 5, 5)
    wanted = torch.cat([large.flatten(1), small.flatten(1)], dim=1)
    assert torch.allclose(D(x).score, wanted, atol=1e-6)
    assert torch.allclose(D(x).features, D.maps(x)[-1].mean((2, 3)))
    assert all(torch.equal(*pair) for pair in zip(D(x).maps, D.maps(x), strict=True))


def test_the_hinge_is_that_of_each_patch():
    D = FastGANDiscriminator(size=8).build((1, 64, 64), None).double().eval()
    real, fake = torch.randn(2, 3, 1, 64, 64).double()
    with torch.no_grad():
        centre = D(real).score.mean()
        assert D(real).score.std() > 0
        scores = [(D(x).score - centre) / D(real).score.std() for x in (real, fake)]
    loss = Hinge().d_loss(*scores).item()
    x, y = (score.numpy() for score in scores)
    assert x.shape == y.shape == (3, 50)
    assert loss == pytest.approx(np.maximum(0, 1 - x).mean() + np.maximum(0, 1 + y).mean(), rel=1e-12)
    of_means = np.maximum(0, 1 - x.mean(1)).mean() + np.maximum(0, 1 + y.mean(1)).mean()
    assert loss > of_means + 0.1, "the hinge of the mean forgives the patches beyond the margin"


def test_a_label_moves_all_scores_of_an_image_alike():
    D = FastGANDiscriminator(size=8).build((1, 32, 32), Labels(3)).eval()
    x = torch.randn(1, 1, 32, 32)
    moved = D(x, torch.tensor([2])).score - D(x, torch.tensor([0])).score
    weight = D.head.embedding.weight
    wanted = ((weight[2] - weight[0]) * D(x, torch.tensor([0])).features).sum()
    assert torch.allclose(moved, wanted.expand_as(moved), atol=1e-5)
    assert moved.shape[1] > 1


def test_a_small_copy_is_all_that_the_small_branch_sees():
    D = FastGANDiscriminator(size=8).build((1, 32, 32), None).eval()
    x = torch.randn(2, 1, 32, 32)
    copy = adaptive_avg_pool2d(x, 16).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.allclose(D.small(x), D.small(copy), atol=1e-5)


@pytest.mark.parametrize("sides", [(8, 8), (16, 16), (28, 35), (64, 64)], ids=str)
def test_reconstructions_are_of_the_image_of_a_quarter_and_of_the_small_copy(sides):
    D = FastGANDiscriminator(size=4, decoders=True).build((2, *sides), Labels(3)).eval()
    x, c = torch.randn(3, 2, *sides), torch.tensor([0, 2, 1])
    height, width = ((side + 1) // 2 for side in sides)
    corners = [(slice(0, height), slice(0, width)), (slice(0, height), slice(sides[1] - width, None))]
    corners += [(slice(sides[0] - height, None), columns) for _, columns in corners]
    for part, corner in enumerate(corners):
        pairs = D.reconstruct(x, c, part)
        targets = [target for target, _ in pairs]
        assert torch.equal(targets[0], x)
        assert torch.equal(targets[1], x[(..., *corner)])
        if min(sides) >= 16:
            assert torch.equal(targets[2], adaptive_avg_pool2d(x, (height, width)))
        else:
            assert len(targets) == 2
        for target, made in pairs:
            assert made.shape == target.shape
            assert made.abs().max() <= 1


def test_a_quarter_is_rebuilt_from_that_quarter_of_the_map():
    """What lies in one quarter changes the reconstruction of that quarter more than of the others."""
    D = FastGANDiscriminator(size=4, decoders=True).build((1, 32, 32), None).eval()
    x = torch.randn(1, 1, 32, 32)
    other = x.clone()
    other[..., 20:, 20:] += 3
    D.excitations = nn.ModuleDict()
    D.sources = {}
    moved = [(D.reconstruct(x, None, p)[1][1] - D.reconstruct(other, None, p)[1][1]).norm().item() for p in range(4)]
    assert max(moved) == moved[3] > 0


@pytest.mark.parametrize("side", [256, 512])
def test_large_images_are_reconstructed_at_128_and_a_quarter_from_the_full_resolution(side):
    D = FastGANDiscriminator(size=4, decoders=True).build((1, side, side), None).eval()
    x = torch.randn(1, 1, side, side)
    with torch.no_grad():
        pairs = D.reconstruct(x, None, 2)
    assert [tuple(made.shape[2:]) for _, made in pairs] == [(128, 128)] * 3
    means = x[0, 0, side // 2 :, : side // 2].numpy().reshape(128, side // 256, 128, side // 256).mean((1, 3))
    np.testing.assert_allclose(pairs[1][0][0, 0], means, atol=1e-6)


def test_without_decoders_nothing_is_reconstructed():
    D = FastGANDiscriminator(size=4).build((1, 16, 16), None)
    with pytest.raises(ValueError, match="no decoders to reconstruct with: build it with decoders=True"):
        D.reconstruct(torch.randn(2, 1, 16, 16))
