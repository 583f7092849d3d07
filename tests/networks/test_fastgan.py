"""FastGAN by its paper: who excites whom, what is normalised, what is reconstructed."""

import pytest
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, conv2d, silu
from torch.nn.utils.parametrize import is_parametrized

from zerosum.conditions.labels import Labels
from zerosum.networks import FastGANDiscriminator, FastGANGenerator
from zerosum.networks.layers.excitation import GatedUnit, SkipExcitation


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


def test_the_score_is_the_mean_over_the_patches_of_two_maps():
    D = FastGANDiscriminator(size=8).build((1, 64, 64), None).eval()
    x = torch.randn(2, 1, 64, 64)
    large = D.patches.body(D.maps(x)[-1])
    small = D.small.patches.body(D.small.body(x))
    assert large.shape == small.shape == (2, 1, 5, 5)
    wanted = torch.cat([large.flatten(1), small.flatten(1)], dim=1).mean(1)
    assert torch.allclose(D(x).score, wanted, atol=1e-6)
    assert torch.allclose(D(x).features, D.maps(x)[-1].mean((2, 3)))


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


def test_large_images_are_reconstructed_at_128():
    D = FastGANDiscriminator(size=4, decoders=True).build((1, 256, 256), None).eval()
    with torch.no_grad():
        shapes = [tuple(made.shape[2:]) for _, made in D.reconstruct(torch.randn(1, 1, 256, 256))]
    assert shapes == [(128, 128), (64, 64), (128, 128)]


def test_without_decoders_nothing_is_reconstructed():
    D = FastGANDiscriminator(size=4).build((1, 16, 16), None)
    with pytest.raises(ValueError, match="no decoders to reconstruct with: build it with decoders=True"):
        D.reconstruct(torch.randn(2, 1, 16, 16))
