"""Residual networks by the tables of their papers."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from zerosum.conditions.labels import Labels
from zerosum.networks import ConditionalNorm, DCGANGenerator, Projection, ResNetDiscriminator, ResNetGenerator
from zerosum.networks.layers.attention import SelfAttention
from zerosum.networks.layers.fused import halved
from zerosum.networks.layers.residual import DownBlock, UpBlock


def count(network):
    return sum(p.numel() for p in network.parameters())


def conv(before, after, kernel=3):
    return before * after * kernel**2 + after


def generator_count(dense, widths, image_channels=3, norm=2):
    """Parameters by a table: a dense layer to 4x4, blocks that double the sides, norm, 3x3 to the colours."""
    total = (128 + 1) * 16 * dense
    for before, after in zip([dense, *widths], widths, strict=False):
        total += conv(before, after) + conv(after, after) + conv(before, after, 1) + norm * (before + after)
    return total + 2 * widths[-1] + conv(widths[-1], image_channels)


def discriminator_count(halving, flat, image_channels=3):
    """Parameters by a table: blocks that halve the sides, blocks that do not, pooling, a dense layer to the score."""
    first = halving[0]
    total = conv(image_channels, first) + conv(first, first) + conv(image_channels, first, 1)
    for before, after in pairwise(halving):
        total += conv(before, before) + conv(before, after) + conv(before, after, 1)
    return total + flat * 2 * conv(halving[-1], halving[-1]) + halving[-1] + 1


def test_sizes_are_those_of_the_papers_networks_for_cifar():
    """SNGAN, appendix B.4, table 4: 256 channels in G, 128 in D. WGAN-GP, appendix F: 128 in both."""
    shape = (3, 32, 32)
    sngan, wgan_gp = (ResNetGenerator(size=size).build(128, shape, None) for size in (256, 128))
    assert count(sngan) == generator_count(256, [256] * 3) == 4_276_739
    assert count(wgan_gp) == generator_count(128, [128] * 3) == 1_204_483
    D = ResNetDiscriminator(size=128)
    assert count(D.build(shape, None)) == discriminator_count([128, 128], flat=2) == 1_053_825
    assert count(D.build(shape, Labels(10))) == 1_053_825 + 10 * 128
    conditional = ResNetGenerator(size=256, conditioning=ConditionalNorm()).build(128, shape, Labels(10))
    assert count(conditional) == generator_count(256, [256] * 3, norm=2 * 10)


def test_sizes_are_those_of_the_papers_networks_for_128x128():
    """SNGAN, appendix B.4, table 6, and with attention at 32x32, of 256 channels in G and 128 in D, SAGAN."""
    shape = (3, 128, 128)
    G = ResNetGenerator(size=64, doublings=4).build(128, shape, None)
    assert count(G) == generator_count(1024, [1024, 512, 256, 128, 64])
    D = ResNetDiscriminator(size=64, doublings=4, smallest=4, blocks=1)
    assert count(D.build(shape, None)) == discriminator_count([64, 128, 256, 512, 1024], flat=1)
    attentive = ResNetDiscriminator(size=64, doublings=4, smallest=4, blocks=1, attention=32).build(shape, None)
    assert count(attentive) - count(D.build(shape, None)) == 2 * 128 * 16 + 2 * 128 * 64 + 1
    attentive = ResNetGenerator(size=64, doublings=4, attention=32).build(128, shape, None)
    assert count(attentive) - count(G) == 2 * 256 * 32 + 2 * 256 * 128 + 1


def test_generators_block_is_the_papers():
    block = UpBlock(3, 4, (7, 10), "batch", None)
    h = torch.randn(2, 3, 4, 5)
    raised = interpolate(relu(block.norm1(h)), (7, 10))
    residual = block.conv2(relu(block.norm2(block.conv1(raised))))
    torch.testing.assert_close(block(h), residual + block.shortcut(interpolate(h, (7, 10))))


@pytest.mark.parametrize("halves", [True, False])
def test_discriminators_block_is_the_papers(halves):
    block, h = DownBlock(4, 6, halves, "layer"), torch.randn(2, 4, 8, 6)
    residual = block.conv2(relu(block.norm2(block.conv1(relu(block.norm1(h))))))
    wanted = residual + block.shortcut(h)
    torch.testing.assert_close(block(h), avg_pool2d(wanted, 2) if halves else wanted)
    assert isinstance(DownBlock(4, 4, False, "none").shortcut, nn.Identity)
    assert block.conv1.out_channels == 4


def test_the_first_block_looks_at_the_image_as_it_is():
    block, x = DownBlock(3, 5, True, "layer", first=True), torch.randn(2, 3, 8, 6)
    residual = block.conv2(relu(block.conv1(x)))
    torch.testing.assert_close(block(x), avg_pool2d(residual, 2) + block.shortcut(avg_pool2d(x, 2)))


def test_odd_sides_halve_to_means_of_what_is_there():
    h = torch.arange(15.0).view(1, 1, 3, 5)
    assert halved(h)[0, 0].tolist() == [[3, 5, 6.5], [10.5, 12.5, 14]]


@pytest.mark.parametrize("sides", [(8, 8), (9, 13), (28, 28), (31, 33), (17, 60)], ids=str)
def test_images_of_any_sides_and_channels_are_made_and_scored(sides):
    shape = (2, *sides)
    x = ResNetGenerator(size=4, doublings=1).build(5, shape, None)(torch.randn(2, 5))
    assert x.shape == (2, *shape)
    assert x.dtype == torch.float32
    assert x.abs().max() <= 1
    judgement = ResNetDiscriminator(size=4, doublings=1).build(shape, None)(x)
    assert judgement.score.shape == (2,)
    assert judgement.features.shape == (2, 4 if min(sides) < 17 else 8)


def test_features_are_sums_or_means_over_the_last_map():
    x = torch.randn(2, 1, 16, 16)
    D = ResNetDiscriminator(size=4, norm="none").build((1, 16, 16), None)
    places = relu(D.body(x))
    assert places.shape == (2, 4, 8, 8)
    torch.testing.assert_close(D(x).features, places.sum((2, 3)))
    D.pooling = "mean"
    torch.testing.assert_close(D(x).features, places.mean((2, 3)))
    assert ResNetDiscriminator(pooling="mean").build((1, 16, 16), None).pooling == "mean"


def test_attention_stands_where_it_is_asked_for():
    G = ResNetGenerator(size=4, attention=16).build(5, (1, 32, 48), None)
    D = ResNetDiscriminator(size=4, attention=16).build((1, 32, 48), None)
    sides = {}
    for name, network, argument in (("G", G, torch.randn(1, 5)), ("D", D, torch.randn(1, 1, 32, 48))):
        (layer,) = [m for m in network.modules() if isinstance(m, SelfAttention)]
        layer.register_forward_hook(lambda module, inputs, output, name=name: sides.update({name: output.shape[2:]}))
        network(argument)
    assert sides == {"G": (16, 24), "D": (16, 24)}


def test_weights_begin_by_xaviers_rule():
    G = ResNetGenerator(size=32).build(128, (3, 16, 16), None)
    for layer in (m for m in G.modules() if isinstance(m, nn.Conv2d | nn.Linear)):
        kernel = math.prod(layer.weight.shape[2:])
        gain = math.sqrt(2) if any(layer in (b.conv1, b.conv2) for b in G.blocks) else 1
        inputs, outputs = layer.weight.shape[1], layer.weight.shape[0]
        wanted = gain * math.sqrt(2 / ((inputs + outputs) * kernel))
        assert layer.weight.std().item() == pytest.approx(wanted, rel=0.07)
        assert not layer.bias.any()


def test_the_label_changes_what_is_made_and_how_it_is_scored():
    G = ResNetGenerator(size=4).build(5, (1, 16, 16), Labels(4)).eval()
    D = ResNetDiscriminator(size=4, conditioning=Projection()).build((1, 16, 16), Labels(4)).eval()
    x = G(torch.randn(1, 5).expand(4, 5), torch.arange(4))
    assert all(not torch.allclose(x[i], x[j], atol=1e-5) for i in range(4) for j in range(i))
    assert len(D(x[:1].expand(4, -1, -1, -1), torch.arange(4)).score.detach().unique()) == 4


@pytest.mark.parametrize("make", [DCGANGenerator, ResNetGenerator], ids=["DCGAN", "ResNet"])
def test_conditional_norm_changes_what_is_made(make):
    G = make(size=4, conditioning=ConditionalNorm()).build(5, (1, 16, 16), Labels(3)).eval()
    with torch.no_grad():
        for name, parameter in G.named_parameters():
            if ".offset." in name:
                parameter.add_(torch.randn_like(parameter))
    x = G(torch.randn(1, 5).expand(3, 5), torch.arange(3))
    assert len(x.detach().flatten(1).unique(dim=0)) == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ResNetGenerator(size=0), "size is a number of channels or units, at least 1; found 0"),
        (lambda: ResNetGenerator(doublings=-1), "doublings and attention are at least 0; found -1 and 0"),
        (lambda: ResNetDiscriminator(attention=-1), "doublings and attention are at least 0; found 0 and -1"),
        (lambda: ResNetDiscriminator(smallest=0), "smallest is a side, at least 1, .* found 0 and 2"),
        (lambda: ResNetDiscriminator(blocks=-1), "blocks counts from 0; found 8 and -1"),
        (lambda: ResNetDiscriminator(pooling="max"), "pooling is 'sum' or 'mean'; found 'max'"),
        (
            lambda: ResNetGenerator(attention=12).build(5, (1, 28, 40), None),
            "attention is the smaller side of a map, of which there are 7, 14, 28; found 12",
        ),
        (
            lambda: ResNetDiscriminator(attention=28).build((1, 28, 40), None),
            "attention is the smaller side of a map, of which there are 14, 7; found 28",
        ),
        (lambda: ResNetGenerator().build(5, (2,), None), r"convolutional networks take images \(C, H, W\)"),
        (lambda: ResNetDiscriminator().build((1, 16, 7), None), "of 8x8 and more; found 16x7"),
    ],
)
def test_what_cannot_be_built_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
