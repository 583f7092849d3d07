"""DCGAN by the rules of its paper, for images of any height and width."""

import math

import pytest
import torch
from torch import nn

from zerosum.conditions.labels import Labels
from zerosum.game import Judgement
from zerosum.networks import Concatenate, DCGANDiscriminator, DCGANGenerator, Projection

SIDES = [(8, 8), (9, 13), (16, 16), (17, 16), (28, 28), (31, 31), (32, 20), (45, 64), (28, 100), (64, 64), (255, 256)]


def layers(module, *kinds):
    return [layer for layer in module.modules() if isinstance(layer, kinds)]


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("sides", SIDES, ids=str)
def test_images_of_any_sides_and_channels_are_made_and_scored(sides, channels):
    shape = (channels, *sides)
    G = DCGANGenerator(size=2).build(5, shape, None)
    D = DCGANDiscriminator(size=2).build(shape, None)
    x = G(torch.randn(2, 5))
    assert x.shape == (2, *shape)
    assert x.dtype == torch.float32
    assert x.abs().max() <= 1
    judgement = D(x)
    assert judgement.score.shape == (2,)
    assert judgement.features.shape[0] == 2
    assert judgement.features.dim() == 2


@pytest.mark.parametrize("condition", [None, Labels(3)])
def test_a_discriminator_of_several_scores_gives_each_sample_so_many(condition):
    x, c = torch.randn(4, 2, 8, 8), () if condition is None else (torch.tensor([0, 1, 2, 0]),)
    judgement = DCGANDiscriminator(4, scores=3).build((2, 8, 8), condition)(x, *c)
    assert judgement.score.shape == (4, 3)
    assert judgement.score.detach().std(1).min() > 1e-4, "and they are not copies of one"


@pytest.mark.parametrize("sides", [(28, 28), (64, 64), (33, 70)])
def test_generator_keeps_the_papers_rules(sides):
    G = DCGANGenerator(size=4).build(5, (3, *sides), None)
    convolutions, norms = layers(G, nn.ConvTranspose2d), layers(G, nn.BatchNorm2d)
    assert layers(G, nn.Linear, nn.MaxPool2d, nn.AvgPool2d, nn.Upsample, nn.Conv2d) == []
    assert all(layer.stride == (2, 2) for layer in convolutions[1:])
    assert [norm.num_features for norm in norms] == [layer.out_channels for layer in convolutions[:-1]]
    assert len(layers(G, nn.ReLU)) == len(norms)
    last = [layer for layer in G.modules() if not [*layer.children()]][-1]
    assert last is convolutions[-1], "nothing but tanh follows the last convolution"
    assert last.out_channels == 3


@pytest.mark.parametrize("sides", [(28, 28), (64, 64), (33, 70)])
def test_discriminator_keeps_the_papers_rules(sides):
    D = DCGANDiscriminator(size=4).build((3, *sides), None)
    convolutions, norms = layers(D, nn.Conv2d), layers(D, nn.BatchNorm2d)
    assert layers(D, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d) == []
    assert all(layer.stride == (2, 2) for layer in convolutions)
    assert [norm.num_features for norm in norms] == [layer.out_channels for layer in convolutions[1:]]
    assert {layer.negative_slope for layer in layers(D, nn.LeakyReLU)} == {0.2}
    assert len(layers(D, nn.LeakyReLU)) == len(convolutions)
    (score,) = layers(D, nn.Linear)
    assert score.out_features == 1, "the only dense layer is the score itself"


def test_size_is_that_of_the_classic_64x64_networks():
    """Counts of the well-known bias-free networks at size 64 and 100 latents, and where ours have a bias more.

    Theirs: 3,576,704 in G and 2,765,568 in D. We keep biases where no norm follows: three for the colours of G's last
    layer, 64 in D's first layer and one for the score.
    """
    G = DCGANGenerator(size=64).build(100, (3, 64, 64), None)
    D = DCGANDiscriminator(size=64).build((3, 64, 64), None)
    assert sum(p.numel() for p in G.parameters()) == 3_576_704 + 3
    assert sum(p.numel() for p in D.parameters()) == 2_765_568 + 64 + 1


def test_channels_double_with_every_halving_up_to_eight_times():
    D = DCGANDiscriminator(size=2).build((1, 256, 256), None)
    assert [layer.out_channels for layer in layers(D, nn.Conv2d)] == [2, 4, 8, 16, 16, 16]
    G = DCGANGenerator(size=2).build(5, (1, 256, 256), None)
    assert [layer.out_channels for layer in layers(G, nn.ConvTranspose2d)] == [16, 16, 16, 8, 4, 2, 1]


def test_weights_begin_as_the_paper_says():
    G, D = DCGANGenerator().build(100, (3, 64, 64), None), DCGANDiscriminator().build((3, 64, 64), None)
    for network in (G, D):
        for layer in layers(network, nn.Conv2d, nn.ConvTranspose2d, nn.Linear):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
            assert layer.bias is None or not layer.bias.any()
        for norm in layers(network, nn.BatchNorm2d):
            assert norm.weight.mean().item() == pytest.approx(1, abs=0.01)
            assert norm.weight.std().item() == pytest.approx(0.02, rel=0.4)


def test_without_norm_the_weights_keep_the_signals_size_instead():
    D = DCGANDiscriminator(norm="none").build((3, 64, 64), None)
    assert layers(D, nn.BatchNorm2d) == []
    for layer in layers(D, nn.Conv2d)[1:]:
        inputs = layer.in_channels * math.prod(layer.kernel_size)
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / (1 + 0.2**2) / inputs), rel=0.01)
    assert all(layer.bias is not None for layer in layers(D, nn.Conv2d))
    assert layers(DCGANGenerator(norm="none").build(5, (3, 16, 16), None), nn.BatchNorm2d) == []


@pytest.mark.parametrize("conditioning", [Concatenate(3), Projection()], ids=repr)
def test_the_label_changes_what_is_made_and_how_it_is_scored(conditioning):
    G = DCGANGenerator(size=4, conditioning=Concatenate(3)).build(5, (1, 16, 16), Labels(4)).eval()
    D = DCGANDiscriminator(size=4, conditioning=conditioning).build((1, 16, 16), Labels(4)).eval()
    z = torch.randn(1, 5).expand(4, 5)
    x = G(z, torch.arange(4))
    assert all(not torch.allclose(x[i], x[j], atol=1e-4) for i in range(4) for j in range(i))
    score = D(x[:1].expand(4, -1, -1, -1), torch.arange(4)).score
    assert len(score.detach().unique()) == 4
    for network, argument in ((G, z), (D, x)):
        with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
            network(argument)


def test_half_precision_serves_and_images_come_out_whole():
    G = DCGANGenerator(size=4).build(5, (1, 16, 16), Labels(4))
    D = DCGANDiscriminator(size=4).build((1, 16, 16), Labels(4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = G(torch.randn(2, 5), torch.arange(2))
        score = Judgement.of(D(x, torch.arange(2))).score
    assert x.dtype == score.dtype == torch.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: DCGANGenerator().build(5, (2,), None),
            r"convolutional networks take images \(C, H, W\); these data have shape \(2,\)",
        ),
        (lambda: DCGANDiscriminator().build((2,), None), r"convolutional networks take images \(C, H, W\)"),
        (
            lambda: DCGANGenerator().build(5, (1, 7, 16), None),
            "convolutional networks here take images of 8x8 and more; found 7x16",
        ),
        (lambda: DCGANDiscriminator().build((1, 16, 7), None), "of 8x8 and more; found 16x7"),
        (lambda: DCGANGenerator(size=0), "size is a number of channels or units, at least 1; found 0"),
        (lambda: DCGANDiscriminator(size=-1), "size is a number of channels or units, at least 1; found -1"),
        (
            lambda: DCGANGenerator(norm="group").build(5, (1, 16, 16), None),
            "no norm is called 'group'; there are batch, layer, instance, virtual, spectral, spectral_batch, none",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(("side", "inputs"), [(8, [3 + 5]), (28, [3, 4, 8 + 5]), (64, [3, 4, 8, 16 + 5])])
def test_the_label_joins_the_map_that_the_last_convolution_of_d_takes(side, inputs):
    D = DCGANDiscriminator(size=4, conditioning=Concatenate(5)).build((3, side, side), Labels(2))
    assert [conv.in_channels for conv in layers(D, nn.Conv2d)] == inputs
