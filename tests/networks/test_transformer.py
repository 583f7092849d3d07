"""The transformers of GAT: their layers against plain formulas, their levels, their sizes."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions.labels import Labels
from zerosum.networks import TransformerDiscriminator, TransformerGenerator
from zerosum.networks.layers.tokens import (
    RMSNorm,
    Rotary,
    SwiGLU,
    TokenAttention,
    patch_side,
    patchify,
    position_code,
    unpatchify,
)
from zerosum.networks.transformer import token_width, width_scaled


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("sides", "patch"), [((4, 6), 2), ((5, 9), 2), ((7, 8), 4)])
def test_an_image_is_its_squares_row_by_row(sides, patch):
    x = torch.randn(2, 3, *sides)
    tokens = patchify(x, patch)
    rows, columns = -(-sides[0] // patch), -(-sides[1] // patch)
    assert tokens.shape == (2, rows * columns, 3 * patch**2)
    assert torch.equal(tokens[:, 1].reshape(2, 3, patch, patch), x[:, :, :patch, patch : 2 * patch])
    assert torch.equal(unpatchify(tokens, patch, sides), x)


def test_squares_grow_until_there_are_at_most_256():
    shapes = [(8, 8), (32, 32), (33, 32), (64, 64), (256, 256), (28, 100)]
    assert [patch_side(sides) for sides in shapes] == [2, 2, 4, 4, 16, 4]


def rotated_by_hand(vector, row, column):
    """Pairs (i, i + half) turned by the row's angles in their first half and by the column's in the second."""
    half, quarter = len(vector) // 2, len(vector) // 4
    frequencies = 10_000.0 ** (-np.arange(quarter) / quarter)
    angles = np.concatenate([row * frequencies, column * frequencies])
    turned = (vector[:half] + 1j * vector[half:]) * np.exp(1j * angles)
    return np.concatenate([turned.real, turned.imag])


def test_rotation_turns_pairs_by_the_place_and_leaves_the_class_token():
    rotary, x = Rotary((2, 3), 8, before=1), torch.randn(1, 1, 7, 8)
    places = [(0, 0), *[(row, column) for row in range(2) for column in range(3)]]
    wanted = [rotated_by_hand(v, *place) for v, place in zip(x[0, 0].double().numpy(), places, strict=True)]
    np.testing.assert_allclose(rotary(x)[0, 0].numpy(), wanted, atol=1e-5)
    assert torch.equal(rotary(x)[0, 0, 0], x[0, 0, 0])


def test_products_of_rotated_vectors_depend_on_their_distance_alone():
    rotary = Rotary((5, 5), 16)
    query, key = (torch.randn(16).expand(1, 1, 25, 16) for _ in range(2))
    products = (rotary(query) @ rotary(key).transpose(2, 3))[0, 0]
    assert products[0, 6].item() == pytest.approx(products[7, 13].item(), abs=1e-4)
    assert products[0, 6].item() != pytest.approx(products[0, 7].item(), abs=1e-3)


@pytest.mark.parametrize("twice", [True, False])
def test_attention_is_the_softmax_of_products_of_normalised_queries_and_keys(twice):
    layer = TokenAttention(16, 2, Rotary((2, 3), 8)).double()
    nn.init.normal_(layer.query_norm.gain)
    x = torch.randn(2, 6, 16).double()
    query, key, value = (x @ layer.project.weight.T + layer.project.bias).chunk(3, dim=2)
    wanted = torch.empty(2, 6, 16).double()
    for head in range(2):
        mine = slice(8 * head, 8 * head + 8)
        q, k = (h[..., mine] / (h[..., mine].square().mean(-1, keepdim=True) + 1e-6).sqrt() for h in (query, key))
        q, k = layer.rotary(q * layer.query_norm.gain), layer.rotary(k)
        wanted[..., mine] = (q @ k.transpose(1, 2) / math.sqrt(8)).softmax(-1) @ value[..., mine]
    assert torch.allclose(layer(x, twice), wanted @ layer.out.weight.T + layer.out.bias, atol=1e-8)
    with torch.no_grad():
        assert torch.allclose(layer(x, twice), wanted @ layer.out.weight.T + layer.out.bias, atol=1e-8)


def test_fast_attention_can_be_differentiated_once_and_the_plain_kernel_twice():
    """If the first half fails one day, PyTorch has learnt it and `twice` can go."""
    x = torch.randn(1, 6, 16, requires_grad=True)
    for twice in (False, True):
        layer = TokenAttention(16, 2, Rotary((2, 3), 8))
        (gradient,) = torch.autograd.grad(layer(x, twice).sum(), x, create_graph=True)
        if twice:
            assert torch.autograd.grad(gradient.square().sum(), layer.project.weight)[0].any()
        else:
            with pytest.raises(RuntimeError, match="is not implemented"):
                torch.autograd.grad(gradient.square().sum(), layer.project.weight)


def test_swiglu_and_rms_norm_are_their_formulas():
    layer, x = SwiGLU(6), torch.randn(2, 3, 6)
    assert layer.leave.in_features == 16
    gate, value = (x @ layer.enter.weight.T + layer.enter.bias).chunk(2, dim=2)
    wanted = (gate * gate.sigmoid() * value) @ layer.leave.weight.T + layer.leave.bias
    assert torch.allclose(layer(x), wanted, atol=1e-6)
    norm = RMSNorm(6)
    nn.init.normal_(norm.gain)
    wanted = x / x.square().mean(2, keepdim=True).sqrt() * norm.gain
    assert torch.allclose(norm(x), wanted, atol=1e-4)


def test_positions_are_distinguished():
    code = position_code((8, 8), 16)
    assert code.shape == (64, 16)
    distances = torch.cdist(code, code) + 9 * torch.eye(64)
    assert distances.min() > 0.1


def test_size_12_is_the_papers_gat_b():
    """32x32 latents of four channels in squares of 2, 1,000 classes, z of 64: 12 blocks of width 768 in each player."""
    w, hidden, tokens, patch = 768, 2048, 256, 2 * 2 * 4
    with torch.device("meta"):
        G = TransformerGenerator(size=12).build(64, (4, 32, 32), Labels(1000))
        D = TransformerDiscriminator(size=12, levels=4).build((4, 32, 32), Labels(1000))
    attention = (w * 3 * w + 3 * w) + (w * w + w) + 2 * 64
    mlp = (w * 2 * hidden + 2 * hidden) + (hidden * w + w)
    style = w * 4 * w + 4 * w
    shows = 4 * ((w * w + w) + (w * patch + patch))
    mapping = (128 * w + w) + (w * w + w)
    assert count(G) == 1000 * 64 + mapping + tokens * w + 12 * (attention + mlp + style) + shows
    assert count(D) == (4 * patch * w + w) + w + 12 * (attention + mlp + 4 * w) + w + (w + 1) + 1000 * w
    assert [round(n / 1e6) for n in (count(G), count(D))] == [117, 86]


def test_the_width_follows_from_the_size_and_the_learning_rate_from_the_width():
    assert [token_width(size) for size in (4, 6, 8, 9, 12, 24)] == [64, 192, 256, 432, 768, 1536]
    assert width_scaled(0.0002, 12) == pytest.approx(0.0002)
    assert width_scaled(0.0002, 24) == pytest.approx(0.0001)
    assert width_scaled(0.0002, 4) == pytest.approx(0.0024)


def test_levels_add_up_to_the_image():
    G = TransformerGenerator(size=6, embedding=3).build(5, (2, 9, 12), Labels(3))
    z, c = torch.randn(3, 5), torch.tensor([0, 2, 1])
    levels = G.levels(z, c)
    assert [tuple(x.shape) for x in levels] == [(3, 2, 9, 12)] * 4
    assert torch.equal(levels[-1], G(z, c))
    assert G.depths == [1, 3, 4, 6]
    nn.init.zeros_(G.shows[3].linear.weight)
    changed = G.levels(z, c)
    assert torch.equal(changed[3], changed[2]), "a level that shows nothing adds nothing"
    assert all(torch.equal(a, b) for a, b in zip(changed[:3], levels[:3], strict=True))
    assert not torch.allclose(levels[1], levels[0])


def test_z_and_label_are_normalised_each_before_they_are_mapped():
    G = TransformerGenerator(size=4, embedding=3).build(5, (1, 8, 8), Labels(3))
    z, c = torch.randn(2, 5), torch.tensor([0, 2])
    assert torch.allclose(G(9 * z, c), G(z, c), atol=1e-4)
    G.join.embedding.weight.data *= 9
    assert torch.allclose(G(9 * z, c), G(z, c), atol=1e-4)
    assert not torch.allclose(G(z.flip(0), c), G(z, c), atol=1e-3)


def test_the_mapping_is_stored_large_and_acts_small():
    G = TransformerGenerator(size=4).build(60, (1, 8, 8), None)
    layer = G.mapping[0]
    assert layer.weight.std().item() == pytest.approx(100 * math.sqrt(2 / (60 + 64)), rel=0.05)
    x = torch.randn(3, 60)
    assert torch.allclose(layer(x), 0.01 * (x @ layer.weight.T + layer.bias), atol=1e-4)


@pytest.mark.parametrize("levels", [1, 4])
def test_levels_are_scored_together_and_a_single_image_as_so_many_of_itself(levels):
    D = TransformerDiscriminator(size=4, levels=levels).build((2, 8, 8), None)
    x = torch.randn(3, 2, 8, 8)
    assert torch.equal(D(x).score, D(x.repeat(1, levels, 1, 1)).score)
    if levels == 4:
        other = torch.cat([torch.randn(3, 6, 8, 8), x], dim=1)
        assert not torch.allclose(D(other).score, D(x).score)


def test_branches_of_the_discriminator_begin_small_and_the_class_token_is_scored():
    D = TransformerDiscriminator(size=4).build((1, 8, 8), None)
    block, h = D.blocks[0], torch.randn(2, 17, 64)
    near = h + 0.1 * block.attention(block.norm(h), twice=True)
    assert torch.allclose(block(h), near + 0.1 * block.mlp(block.norm_2(near)), atol=1e-6)
    x = torch.randn(2, 1, 8, 8)
    tokens = D.embed(patchify(x, 2)) + D.places
    h = D.blocks(torch.cat([D.token.expand(2, 1, -1), tokens], dim=1))
    assert torch.allclose(D(x).features, D.norm(h[:, 0]), atol=1e-6)


def test_a_discriminator_of_no_images_is_refused():
    with pytest.raises(ValueError, match="levels counts the images that D scores together, at least 1; found 0"):
        TransformerDiscriminator(levels=0)


def test_fewer_tokens_are_larger_squares():
    generator = TransformerGenerator(4, tokens=64).build(8, (1, 28, 28), None)
    discriminator = TransformerDiscriminator(4, tokens=64).build((1, 28, 28), None)
    assert (generator.patch, discriminator.patch) == (4, 4)
    assert discriminator(generator(torch.zeros(2, 8))).score.shape == (2,)


@pytest.mark.parametrize("spec", [TransformerGenerator, TransformerDiscriminator])
def test_an_image_of_too_few_tokens_is_refused(spec):
    with pytest.raises(ValueError, match="tokens counts the squares of an image, at least 4; found 3"):
        spec(tokens=3)
