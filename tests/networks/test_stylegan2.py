"""StyleGAN2 by the formulas of its paper, each against a slow plain twin."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, leaky_relu

from zerosum.conditions.labels import Labels
from zerosum.networks import Concatenate, StyleGAN2Discriminator, StyleGAN2Generator
from zerosum.networks.layers.equalised import EqualConv2d, EqualLinear
from zerosum.networks.layers.modulated import ModulatedConv2d
from zerosum.networks.layers.noise import NoiseInjection
from zerosum.networks.layers.resample import taps


def count(module):
    return sum(p.numel() for p in module.parameters())


def counts(size, side, latent=512):
    with torch.device("meta"):
        G = StyleGAN2Generator(size=size).build(latent, (3, side, side), None)
        D = StyleGAN2Discriminator(size=size).build((3, side, side), None)
    return count(G), count(D)


def test_size_is_that_of_the_published_networks():
    """The totals that the public code prints for configuration F at 1024x1024, and the same layers left out at 256."""
    assert counts(512, 1024) == (30_370_060, 29_012_513)
    # Public lines of the layers at 512 and 1024: two convolutions and what they show; four convolutions of a D block.
    above = (139_457 + 69_761 + 33_027) + (51_297 + 25_665 + 16_515)
    below = (128 + 2_048 + 9_248 + 18_496) + (8_192 + 36_928 + 73_856) - (3 + 1) * 128
    assert counts(512, 256) == (30_370_060 - above, 29_012_513 - below)


def test_depth_of_the_mapping_follows_from_the_size():
    depths = [len(StyleGAN2Generator(size=size).build(5, (1, 8, 8), None).mapping.layers) for size in (4, 255, 256)]
    assert depths == [2, 2, 8]
    assert len(StyleGAN2Generator(size=256, depth=3).build(5, (1, 8, 8), None).mapping.layers) == 3


def smoothed_by_hand(x, weight, side):
    """One sample's map with zeros between its places, convolved, then low-pass filtered: for sides that double."""
    spread = torch.zeros(x.shape[0], 2 * x.shape[1], 2 * x.shape[2], dtype=x.dtype)
    spread[:, ::2, ::2] = x
    line = 2 * torch.tensor(taps(side), dtype=x.dtype)
    low_pass = torch.outer(line, line).expand(len(weight), 1, 4, 4)
    full = conv2d(nn.functional.pad(spread, (2, 1, 2, 1))[None], weight.flip(2, 3))
    return conv2d(nn.functional.pad(full, (1, 1, 1, 1)), low_pass, groups=len(weight))[0]


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("large", [None, (8, 12)], ids=["kept", "doubled"])
def test_the_modulated_convolution_is_one_convolution_a_sample(demodulate, large):
    layer = ModulatedConv2d(3, 5, 3, 4, demodulate, large).double()
    nn.init.normal_(layer.affine.bias)
    x, w = torch.randn(2, 3, 4, 6).double(), torch.randn(2, 4).double()
    for i in range(2):
        style = layer.affine.weight @ w[i] / math.sqrt(4) + layer.affine.bias
        weight = style[None, :, None, None] * layer.weight / math.sqrt(3 * 9)  # equation 1
        if demodulate:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()  # equation 3
        kept = conv2d(x[i : i + 1], weight, padding=1)[0]
        wanted = kept if large is None else smoothed_by_hand(x[i], weight, large[0])
        assert torch.allclose(layer(x, w)[i], wanted, atol=1e-10)


def test_doubling_meets_odd_sides_and_has_no_favourite_direction():
    """A mirrored kernel on a mirrored map gives the mirrored image, so nothing is shifted."""
    layer = ModulatedConv2d(2, 3, 3, 4, large=(7, 9))
    x, w = torch.randn(1, 2, 4, 5), torch.randn(1, 4)
    image = layer(x, w)
    assert image.shape == (1, 3, 7, 9)
    layer.weight.data = layer.weight.data.flip(2, 3)
    assert torch.allclose(layer(x.flip(2, 3), w), image.flip(2, 3), atol=1e-5)


def test_demodulation_gives_unit_variance_whatever_the_style():
    layer = ModulatedConv2d(64, 32, 3, 8)
    x, w = torch.randn(8, 64, 16, 16), 5 * torch.randn(8, 8)
    plain = ModulatedConv2d(64, 32, 3, 8, demodulate=False)
    plain.load_state_dict(layer.state_dict())
    inner = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    assert layer(x, w)[inner].std((1, 2, 3)).detach().numpy() == pytest.approx(np.ones(8), rel=0.05)
    assert plain(x, w)[inner].std((1, 2, 3)).max() > 2


def test_equalised_layers_draw_unit_weights_and_scale_them_in_use():
    line = EqualLinear(300, 200, bias=3.0, rate=0.01)
    assert line.weight.std().item() == pytest.approx(100, rel=0.02)
    x = torch.randn(4, 300)
    assert torch.allclose(line(x), x @ line.weight.T * 0.01 / math.sqrt(300) + 3, atol=1e-4)
    assert line(torch.randn(4_000, 300)).std().item() == pytest.approx(1, rel=0.05)
    conv = EqualConv2d(20, 30, 3)
    assert conv.weight.std().item() == pytest.approx(1, rel=0.03)
    maps = torch.randn(2, 20, 6, 6)
    assert torch.allclose(conv(maps), conv2d(maps, conv.weight / math.sqrt(180), padding=1), atol=1e-5)


def test_a_learning_rate_multiplier_slows_adam_down_by_as_much():
    steps = []
    for rate in (1.0, 0.01):
        layer = EqualLinear(50, 1, rate=rate)
        x = torch.randn(20, 50)
        before = layer(x).detach()
        optimiser = torch.optim.Adam(layer.parameters(), lr=0.001)
        layer(x).sum().backward()
        optimiser.step()
        steps.append((layer(x) - before).abs().mean().item())
    assert steps[1] == pytest.approx(steps[0] / 100, rel=0.5)


def test_mapping_normalises_z_and_label_each_to_a_mean_square_of_1():
    G = StyleGAN2Generator(size=4).build(5, (1, 8, 8), Labels(3))
    z, c = torch.randn(2, 5), torch.tensor([0, 2])
    embedded = G.mapping.embedding(c)
    parts = [v / v.square().mean(1, keepdim=True).sqrt() for v in (z, embedded)]
    w = torch.cat(parts, dim=1)
    for layer in G.mapping.layers:
        w = leaky_relu(w @ layer.weight.T * layer.gain + layer.bias * 0.01, 0.2) * math.sqrt(2)
    assert torch.allclose(G.mapping(z, c), w, atol=1e-5)
    assert torch.allclose(G.mapping(7 * z, c), G.mapping(z, c), atol=1e-5)


def test_noise_is_nothing_at_first_its_own_in_training_and_constant_in_evaluation():
    layer, x = NoiseInjection((4, 5)), torch.randn(3, 2, 4, 5)
    assert torch.equal(layer(x), x)
    layer.strength.data.fill_(0.5)
    noise = layer(x) - x
    assert torch.allclose(noise[:, 0], noise[:, 1], atol=1e-6), "alike in all channels"
    assert not torch.allclose(noise[0], noise[1]), "of its own for each sample"
    assert noise.std().item() == pytest.approx(0.5, rel=0.3)
    layer.eval()
    assert torch.allclose(layer(x) - x, 0.5 * layer.constant.expand(3, 2, 4, 5), atol=1e-6)


def made(**changes):
    G = StyleGAN2Generator(size=8, **changes).build(5, (1, 16, 16), None)
    for name, p in G.named_parameters():
        if name.endswith("strength"):
            p.data.fill_(0.3)
    return G


def test_training_draws_from_the_global_generator_alone_and_evaluation_from_none():
    G, z = made(), torch.randn(4, 5)
    images = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        images.append(G(z))
    assert torch.equal(images[0], images[1])
    assert not torch.allclose(images[0], images[2])
    G.eval()
    state = torch.get_rng_state()
    assert torch.equal(G(z), G(z))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_w_of_every_layer_and_one_for_all_give_the_same():
    G = made().eval()
    w = G.mapping(torch.randn(3, 5))
    assert G.synthesis.count == 6, "two a size, at 4, 8 and 16"
    every = w[:, None].expand(-1, 6, -1).clone()
    assert torch.equal(G.synthesis(w), G.synthesis(every))
    for layer in range(6):
        changed = every.clone()
        changed[:, layer] += 1
        assert not torch.allclose(G.synthesis(changed), G.synthesis(w)), "every layer has a w of its own"


def test_style_mixing_takes_another_w_from_a_random_layer_on():
    G, z = made(mixing=1.0), torch.randn(200, 5)
    w = G.mapping(z)
    ws = G._mix(w, z, None)
    own = (ws == w[:, None]).all(2)
    assert own[:, 0].all(), "the first layer keeps its own"
    assert not own[:, -1].any(), "the last has another's"
    assert (own.int().diff(dim=1) <= 0).all(), "and there is one change between"
    assert {int(n) for n in own.sum(1)} == {1, 2, 3, 4, 5}
    torch.manual_seed(3)
    last = G._mix(w, z, None)[:, -1]
    torch.manual_seed(3)
    assert torch.equal(last, G.mapping(torch.randn_like(z))), "of a new z from the global generator"
    G.mixing = 0.0
    assert (G._mix(w, z, None) == w[:, None]).all()
    G.mixing = 0.5
    assert (G._mix(w, z, None) == w[:, None]).all(2).all(1).float().mean().item() == pytest.approx(0.5, abs=0.1)


def test_truncation_draws_w_to_its_average_in_evaluation_only():
    G, z = made(truncation=0.25), torch.randn(4, 5)
    G.w_average.normal_()
    average = G.w_average.clone()
    G.eval()
    w = G.mapping(z)
    assert torch.allclose(G(z), G.synthesis(average + 0.25 * (w - average)), atol=1e-5)
    assert torch.equal(G.w_average, average)
    G.truncation = 1.0
    assert torch.allclose(G(z), G.synthesis(w), atol=1e-5)
    G.truncation = 0.0
    assert torch.allclose(G(z)[0], G(z)[1], atol=1e-6)


def test_the_average_of_w_forgets_by_samples_whatever_the_batch():
    z, begun, averages = torch.randn(1, 5), made().state_dict(), []
    for batches in ([512], [128] * 4):
        G = made()
        G.load_state_dict(begun)
        for batch in batches:
            G(z.expand(batch, -1))
        averages.append(G.w_average)
        assert torch.allclose(G.w_average, (1 - 0.5 ** (512 / 11_000)) * G.mapping(z)[0], rtol=1e-3)
    assert torch.allclose(*averages, rtol=1e-3)
    assert "w_average" in G.state_dict()
    assert not G.w_average.requires_grad


def test_a_residual_block_is_the_papers_formula():
    D = StyleGAN2Discriminator(size=8).build((1, 16, 16), None)
    block = D.body[1]
    x = torch.randn(2, 8, 16, 16)
    h = leaky_relu(conv2d(x, block.first.weight / math.sqrt(72), padding=1), 0.2) * math.sqrt(2)
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    low_pass = torch.outer(line, line).expand(8, 1, 4, 4)
    blurred = conv2d(h, low_pass, padding=2, groups=8)
    h = leaky_relu(conv2d(blurred, block.second.weight / math.sqrt(72), stride=2), 0.2) * math.sqrt(2)
    skip = conv2d(conv2d(x, low_pass, stride=2, padding=1, groups=8), block.skip.weight / math.sqrt(8))
    assert torch.allclose(block(x), (h + skip) / math.sqrt(2), atol=1e-5)


def test_the_label_is_projected_on_the_score_through_a_mapping_of_its_own():
    D = StyleGAN2Discriminator(size=8).build((1, 8, 8), Labels(3))
    x, c = torch.randn(2, 1, 8, 8), torch.tensor([1, 2])
    judgement = D(x, c)
    wanted = (D.head.linear(judgement.features) * D.head.mapping(None, c)).sum(1) / math.sqrt(8)
    assert torch.allclose(judgement.score, wanted, atol=1e-6)
    plain = StyleGAN2Discriminator(size=8, conditioning=Concatenate(3)).build((1, 8, 8), Labels(3))
    assert plain.head.mapping is None


@pytest.mark.parametrize("field", ["mixing", "truncation"])
def test_shares_lie_between_0_and_1(field):
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=rf"{field} is a share in \[0, 1\]; found {share}"):
            StyleGAN2Generator(**{field: share})


def test_channels_halve_after_the_sizes_of_full_width():
    convs = StyleGAN2Generator(size=32, full=1).build(5, (1, 32, 32), None).synthesis.convs
    assert [conv.conv.weight.shape[0] for conv in convs] == [32, 16, 16, 8, 8, 4, 4]
    blocks = StyleGAN2Discriminator(size=32, full=2).build((1, 32, 32), None).body[1:4]
    assert [block.second.weight.shape[:2] for block in blocks] == [(16, 8), (32, 16), (32, 32)]


@pytest.mark.parametrize("spec", [StyleGAN2Generator, StyleGAN2Discriminator])
def test_no_size_of_full_width_is_refused(spec):
    with pytest.raises(ValueError, match="full counts the sizes of full width, at least 1; found 0"):
        spec(full=0)
