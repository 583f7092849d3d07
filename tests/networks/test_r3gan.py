"""R3GAN by the rules of its paper."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import leaky_relu

from zerosum.conditions.components import Vector
from zerosum.conditions.labels import Labels
from zerosum.networks import Concatenate, R3GANDiscriminator, R3GANGenerator


def layers(module, *kinds):
    return [layer for layer in module.modules() if isinstance(layer, kinds)]


def blocks(module):
    return [layer for layer in module.modules() if type(layer).__name__ == "_Block"]


def count(module):
    return sum(p.numel() for p in module.parameters())


def block_size(width):
    """Two 1x1 convolutions, a 3x3 one in groups of 16, and the biases of two activations."""
    return 2 * width * 2 * width + 2 * width * 16 * 9 + 2 * 2 * width


@pytest.mark.parametrize(
    ("side", "widths"), [(32, [768] * 4), (64, [768] * 4 + [384]), (256, [768] * 4 + [384, 192, 96])]
)
def test_size_is_that_of_the_published_networks(side, widths):
    """The public CIFAR-10, FFHQ-64 and FFHQ-256 configurations: two blocks a stage and no biases but in activations.

    Ours has one number more in D, the bias of the score.
    """
    with torch.device("meta"):
        G = R3GANGenerator(size=768).build(64, (3, side, side), None)
        D = R3GANDiscriminator(size=768).build((3, side, side), None)
    body = sum(2 * block_size(w) for w in widths)
    body += sum(a * b for a, b in pairwise(widths) if a != b)
    ends = 3 * widths[-1] + 768 * 16
    assert count(G) == body + ends + 64 * 768
    assert count(D) == body + ends + 768 + 1
    if side == 32:
        assert (count(G), count(D)) == (20_732_160, 20_683_777)
    groups = {conv.in_channels // conv.groups for conv in layers(G, nn.Conv2d) if conv.kernel_size == (3, 3)}
    assert groups == {16}


@pytest.mark.parametrize(
    ("settings", "side", "classes", "sizes"),
    [
        ({"size": 32}, 32, 10, (112_864, 109_472)),
        ({"size": 1536, "full": 5, "group": 32}, 64, 1000, (103_570_432, 107_205_120)),
    ],
    ids=["size 32", "ImageNet-64"],
)
def test_size_is_that_of_the_published_conditional_networks(settings, side, classes, sizes):
    with torch.device("meta"):
        G = R3GANGenerator(**settings).build(64, (3, side, side), Labels(classes))
        D = R3GANDiscriminator(**settings).build((3, side, side), Labels(classes))
    assert (count(G), count(D)) == sizes
    grouped = {conv.groups for conv in layers(G, nn.Conv2d) if conv.kernel_size == (3, 3)}
    assert grouped == {4 if side == 32 else 96}


@pytest.mark.parametrize(("full", "widths"), [(1, [32, 16, 8, 4, 4]), (2, [32, 32, 16, 8, 4]), (9, [32] * 5)])
def test_channels_halve_above_the_stages_of_full_width(full, widths):
    G = R3GANGenerator(size=32, full=full).build(5, (3, 64, 64), None)
    D = R3GANDiscriminator(size=32, full=full).build((3, 64, 64), None)
    for module, wanted in ((G, widths), (D, widths[::-1])):
        assert [block.branch[0].in_channels for block in blocks(module)[::2]] == wanted
    assert D(G(torch.randn(2, 5))).score.shape == (2,)


@pytest.mark.parametrize("spec", [R3GANGenerator, R3GANDiscriminator])
def test_widths_and_groups_of_nothing_are_refused(spec):
    with pytest.raises(ValueError, match="full counts the sizes of full width, at least 1; found 0"):
        spec(full=0)
    with pytest.raises(ValueError, match="group is a number of channels, at least 1; found 0"):
        spec(group=0)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_a_label_is_one_part_in_classes_and_one_of_the_variance_that_enters_g(classes):
    torch.manual_seed(0)
    G = R3GANGenerator(size=8, embedding=1000).build(1000, (1, 8, 8), Labels(classes)).double()
    z, c = torch.randn(500, 1000).double(), torch.randint(classes, (500,))
    with torch.no_grad():
        of_z, of_label = G.join(z, c).square().mean(0).view(2, 1000).mean(1).tolist()
    assert of_label / (of_z + of_label) == pytest.approx(1 / (classes + 1), rel=0.05)


def test_of_other_conditions_all_components_are_there_and_they_weigh_as_much_as_z():
    G = R3GANGenerator(size=8).build(64, (1, 8, 8), Vector(20)).double()
    joined = G.join(torch.randn(20_000, 64).double(), torch.randn(20_000, 20).double())
    assert joined[:, 64:].square().mean().item() == pytest.approx(1, rel=0.1)


def test_a_conditional_score_is_the_projection_alone():
    D = R3GANDiscriminator(size=8).build((1, 8, 8), Labels(3)).double()
    x, c = torch.randn(5, 1, 8, 8).double(), torch.tensor([0, 2, 1, 1, 0])
    judgement = D(x, c)
    h, W, E = (t.detach().numpy() for t in (judgement.features, D.head.linear.weight, D.head.embedding.weight))
    assert W.shape == (8, 8)
    wanted = [E[label] @ W @ row for label, row in zip(c.tolist(), h, strict=True)]
    np.testing.assert_allclose(judgement.score.detach(), wanted, rtol=1e-12)


def test_first_scores_spread_as_published():
    """Of features of unit size: 1 / sqrt(classes), and with a linear score beside it would be sqrt(2)."""
    torch.manual_seed(0)
    spread = []
    for _ in range(25):
        head = R3GANDiscriminator(size=64).build((1, 8, 8), Labels(10)).head.double()
        h, c = torch.randn(500, 64).double(), torch.randint(10, (500,))
        spread.append(head(h, c).square().mean().item())
    assert np.sqrt(np.mean(spread)) == pytest.approx(10**-0.5, rel=0.05)


def test_with_the_label_among_the_planes_the_score_is_linear():
    D = R3GANDiscriminator(size=8, conditioning=Concatenate(2)).build((1, 8, 8), Labels(3))
    assert D.head.embedding is None
    assert D(torch.randn(2, 1, 8, 8), torch.tensor([0, 1])).score.shape == (2,)


def test_a_block_is_the_identity_at_first_and_the_formula_later():
    block = blocks(R3GANGenerator(size=16).build(5, (1, 8, 8), None))[0]
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(block(x), x)
    first, act, second, act2, third = block.branch
    nn.init.normal_(third.weight)
    nn.init.normal_(act.bias)
    h = leaky_relu(nn.functional.conv2d(x, first.weight) + act.bias.view(1, -1, 1, 1), 0.2)
    h = leaky_relu(nn.functional.conv2d(h, second.weight, padding=1, groups=2) + act2.bias.view(1, -1, 1, 1), 0.2)
    assert torch.allclose(block(x), x + nn.functional.conv2d(h, third.weight), atol=1e-5)


@pytest.mark.parametrize("network", ["G", "D"])
def test_weights_begin_by_hes_rule_damped_with_the_number_of_blocks(network):
    spec = R3GANGenerator(size=64) if network == "G" else R3GANDiscriminator(size=64)
    module = spec.build(64, (3, 32, 32), None) if network == "G" else spec.build((3, 32, 32), None)
    assert len(blocks(module)) == 8
    assert not layers(module, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
    gain = math.sqrt(2 / 1.04) * 8 ** (-1 / 4)
    for block in blocks(module):
        for conv in (block.branch[0], block.branch[2]):
            assert conv.weight.std().item() == pytest.approx(gain / math.sqrt(conv.weight[0].numel()), rel=0.05)
        assert not block.branch[4].weight.any()
        assert not block.branch[1].bias.any()
    assert all(conv.bias is None for conv in layers(module, nn.Conv2d))


def test_signals_begin_of_unit_size():
    z = torch.randn(256, 64)
    G = R3GANGenerator(size=64).build(64, (3, 16, 16), None)
    assert G(z)[..., 4:-4, 4:-4].std().item() == pytest.approx(1, rel=0.5)
    D = R3GANDiscriminator(size=64).build((3, 16, 16), None)
    assert 0.1 < D(torch.randn(256, 3, 16, 16)).score.std().item() < 3


def test_the_generator_begins_with_a_map_scaled_by_a_linear_function_of_z():
    G = R3GANGenerator(size=8, embedding=2).build(5, (1, 9, 20), Labels(3))
    assert G.basis.basis.shape == (8, 3, 5)
    z, c = torch.randn(2, 5), torch.tensor([0, 2])
    scale = torch.cat([z, G.join.embedding.weight[c]], dim=1) @ G.basis.linear.weight.T
    assert torch.allclose(G.basis(G.join(z, c)), scale[:, :, None, None] * G.basis.basis, atol=1e-6)


def test_the_discriminator_ends_with_one_filter_a_channel_as_large_as_the_map():
    D = R3GANDiscriminator(size=8).build((1, 9, 20), None)
    basis = layers(D, nn.Conv2d)[-1]
    assert basis.groups == basis.out_channels == 8
    assert basis.weight.shape[2:] == (3, 5)
    assert D(torch.randn(2, 1, 9, 20)).features.shape == (2, 8)


def test_the_output_is_linear():
    G = R3GANGenerator(size=8).build(5, (1, 8, 8), None)
    z = torch.randn(2, 5)
    assert torch.allclose(G(100 * z), 100 * G(z), rtol=1e-4)
