"""Terms on pairs of a generated sample and the real one of its condition, against NumPy in float64."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from zerosum import read
from zerosum.augment import DiffAugment
from zerosum.features.perceptual_distance import PerceptualDistance
from zerosum.features.random_conv import RandomConv
from zerosum.game import Draws, Judgement, SeesWholeBatch
from zerosum.networks import FastGANDiscriminator
from zerosum.protocols import Stateful
from zerosum.terms import L1, Charbonnier, DiscriminatorFeatures, GradientDifference, Perceptual

TERMS = [
    L1(0.7), Charbonnier(0.7, 0.2), GradientDifference(0.7), GradientDifference(0.7, 2.0),
    Perceptual("random-conv", 0.7), DiscriminatorFeatures(0.7),
]  # fmt: skip
OF_IMAGES = [term for term in TERMS if isinstance(term, GradientDifference | Perceptual)]


def samples(seed, *shape):
    return np.random.default_rng(seed).normal(0, 0.5, shape)


def showing(*layers):
    """A discriminator whose maps are these functions of x."""
    return lambda x, *c: Judgement(x.flatten(1).sum(1), maps=tuple(layer(x) for layer in layers))


def build(build_turn, shape, D=None):
    return build_turn("G", D, x=samples(0, *shape), x_fake=samples(1, *shape))


@pytest.mark.parametrize("shape", [(6, 4), (3, 2, 5, 7)])
def test_l1_and_charbonnier_are_means_over_the_elements(build_turn, shape):
    x, y = samples(0, *shape), samples(1, *shape)
    turn = build(build_turn, shape)
    assert L1(0.7)(turn).item() == pytest.approx(0.7 * np.abs(x - y).mean(), rel=1e-12)
    wanted = 0.7 * np.sqrt((x - y) ** 2 + 0.2**2).mean()
    assert Charbonnier(0.7, 0.2)(turn).item() == pytest.approx(wanted, rel=1e-12)


def test_charbonnier_is_smooth_where_samples_agree_and_l1_elsewhere(build_turn):
    x = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    turn = replace(build(build_turn, (2, 3)), x=x.detach(), x_fake=x)
    value = Charbonnier(2.0, 0.01)(turn)
    assert value.item() == pytest.approx(0.02) and torch.autograd.grad(value, x)[0].abs().max() == 0
    far = replace(turn, x_fake=x + 5)
    assert Charbonnier(1.0, 1e-3)(far).item() == pytest.approx(L1(1.0)(far).item(), rel=1e-6)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_gradient_difference_is_equation_6_as_means(build_turn, power):
    x, y = samples(0, 2, 3, 5, 4), samples(1, 2, 3, 5, 4)
    down, right = [], []
    for n, c, i, j in np.ndindex(*x.shape):
        if i:
            down.append(abs(abs(x[n, c, i, j] - x[n, c, i - 1, j]) - abs(y[n, c, i, j] - y[n, c, i - 1, j])) ** power)
        if j:
            right.append(abs(abs(x[n, c, i, j - 1] - x[n, c, i, j]) - abs(y[n, c, i, j - 1] - y[n, c, i, j])) ** power)
    wanted = 0.7 * (np.mean(down) + np.mean(right))
    found = GradientDifference(0.7, power)(build(build_turn, (2, 3, 5, 4)))
    assert found.item() == pytest.approx(wanted, rel=1e-12)


def test_the_gradient_difference_sees_edges_alone(build_turn):
    x = samples(0, 2, 1, 6, 6)
    for same in (x + 3, -x):
        assert GradientDifference()(build_turn("G", x=x, x_fake=same)).item() == pytest.approx(0, abs=1e-12)
    assert GradientDifference()(build_turn("G", x=x, x_fake=0.5 * x)).item() > 1


@pytest.mark.parametrize("channels", [1, 3])
def test_the_perceptual_term_is_the_mean_distance(build_turn, channels):
    turn = build(build_turn, (3, channels, 12, 9))
    wanted = PerceptualDistance(RandomConv(seed=2))(turn.x, turn.x_fake).mean()
    assert Perceptual("random-conv:2", 0.7)(turn).item() == pytest.approx(0.7 * wanted.item(), rel=1e-6)


def test_other_channels_count_as_grey_images(build_turn):
    turn = build(build_turn, (3, 4, 12, 9))
    alone = [replace(turn, x=turn.x[:, c : c + 1], x_fake=turn.x_fake[:, c : c + 1]) for c in range(4)]
    term = Perceptual("random-conv")
    assert term(turn).item() == pytest.approx(np.mean([term(each).item() for each in alone]), rel=1e-6)


def test_the_network_is_built_once_and_is_no_part_of_the_value(build_turn, monkeypatch):
    counts, turn = [], build(build_turn, (2, 3, 12, 12))
    original = RandomConv.module
    monkeypatch.setattr(RandomConv, "module", lambda self: (counts.append(1), original(self))[1])
    term, other = Perceptual("random-conv"), Perceptual("random-conv")
    assert not counts
    assert term(turn) == term(turn) and len(counts) == 1
    assert term == other and hash(term) == hash(other) and repr(term) == repr(other)
    assert read(repr(term)) == term and not isinstance(term, Stateful)
    twin = copy.deepcopy(term)
    assert twin(turn) == term(turn) and len(counts) == 1 and twin.built is not term.built
    assert [*term.built[0].parameters()] == [] and term.built[0].state_dict() == {}


def test_the_network_follows_the_samples_to_their_device(build_turn):
    term, turn = Perceptual("random-conv"), build(build_turn, (1, 3, 8, 8))
    term(turn)
    elsewhere = replace(turn, x=turn.x.to("meta"), x_fake=turn.x_fake.to("meta"))
    assert term(elsewhere).device.type == "meta"


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 6, 5)])
def test_matching_of_maps_is_the_sum_over_layers_of_mean_differences(build_turn, shape):
    x, y = samples(0, *shape), samples(1, *shape)
    turn = build(build_turn, shape, showing(lambda x: x**3, lambda x: 2 * x[:, :1]))
    wanted = 0.7 * (np.abs(x**3 - y**3).mean() + np.abs(2 * x[:, :1] - 2 * y[:, :1]).mean())
    assert DiscriminatorFeatures(0.7)(turn).item() == pytest.approx(wanted, rel=1e-12)


def test_maps_of_the_real_samples_are_targets_and_those_of_the_generated_ones_learn(build_turn):
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    turn = build_turn("G", showing(lambda x: scale * x), x=samples(0, 3, 2), x_fake=-samples(0, 3, 2))
    (gradient,) = torch.autograd.grad(DiscriminatorFeatures(1.0)(turn), scale)
    assert gradient.item() == pytest.approx(np.abs(samples(0, 3, 2)).mean())  # with both it would be twice as large


def test_real_and_generated_samples_are_augmented_alike(build_turn):
    x = samples(0, 3, 2, 8, 8)
    turn = build_turn("G", showing(lambda x: x), x=x, x_fake=x)
    turn.augment, turn.draws = DiffAugment(), Draws(0, 7)
    assert DiscriminatorFeatures()(turn).item() == 0
    assert not torch.equal(turn.real.maps[0], turn.fake.maps[0])


def test_maps_of_a_discriminator_of_ours(build_turn):
    torch.manual_seed(0)
    D = FastGANDiscriminator(size=4, norm="none").build((3, 32, 32), None).double().eval()
    turn = build(build_turn, (2, 3, 32, 32), D)
    maps = [*zip(D.maps(turn.x), D.maps(turn.x_fake), strict=True)]
    wanted = sum((one - other).abs().mean().item() for one, other in maps)
    assert len(maps) > 2 and DiscriminatorFeatures(1.0)(turn).item() == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_gradients_reach_g_and_equal_samples_cost_least(build_turn, term):
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(3, 2 * 8 * 8), nn.Unflatten(1, (2, 8, 8))).double()
    turn = build_turn("G", showing(lambda x: x.tanh()), G, x=samples(0, 4, 2, 8, 8), z=samples(1, 4, 3))
    value = term(turn)
    assert all(gradient.abs().max() > 1e-6 for gradient in torch.autograd.grad(value, [*G.parameters()]))
    same = build_turn("G", showing(lambda x: x.tanh()), x=samples(0, 4, 2, 8, 8), x_fake=samples(0, 4, 2, 8, 8))
    least = 0.7 * term.epsilon if isinstance(term, Charbonnier) else 0
    assert term(same).item() == pytest.approx(least, abs=1e-12) and value.item() > 2 * least + 0.01


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_they_are_means_over_the_samples_so_that_batches_can_be_split(build_turn, term):
    turn = build(build_turn, (4, 3, 8, 8), showing(lambda x: x.tanh()))
    halves = [replace(turn, x=turn.x[rows], x_fake=turn.x_fake[rows]) for rows in (slice(2), slice(2, 4))]
    assert term(turn).item() == pytest.approx(np.mean([term(half).item() for half in halves]), rel=1e-6)
    assert not isinstance(term, SeesWholeBatch)


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_they_keep_their_digits_under_autocast(build_turn, term):
    turn = build(build_turn, (4, 3, 16, 16), showing(lambda x: x.bfloat16()))
    turn = replace(turn, x=turn.x.float(), x_fake=turn.x_fake.float())
    plain = term(replace(turn)).item()
    with torch.autocast("cpu", torch.bfloat16):
        found = term(replace(turn))
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(plain, rel=0.05 if isinstance(term, Perceptual) else 1e-5)


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_among_the_terms_of_d_they_are_refused(build_turn, term):
    turn = build_turn("D", showing(lambda x: x), x=samples(0, 2, 3, 8, 8), x_fake=samples(1, 2, 3, 8, 8))
    with pytest.raises(ValueError, match=f"{type(term).__name__} is a term of G: put it among g_terms, not d_terms"):
        term(turn)


@pytest.mark.parametrize("term", OF_IMAGES, ids=repr)
def test_points_are_refused_where_images_are_needed(build_turn, term):
    with pytest.raises(ValueError, match=rf"{type(term).__name__} takes images \(B, C, H, W\); found samples \(6, 4\)"):
        term(build(build_turn, (6, 4)))


def test_without_maps_it_is_refused(build_turn):
    with pytest.raises(ValueError, match="DiscriminatorFeatures needs a discriminator that returns maps"):
        DiscriminatorFeatures()(build(build_turn, (3, 2), lambda x: x.sum(1)))


@pytest.mark.parametrize("kind", [L1, Charbonnier, GradientDifference, Perceptual, DiscriminatorFeatures])
def test_weights_below_zero_are_refused(kind):
    with pytest.raises(ValueError, match=r"weight weighs a penalty and is at least 0; found -1.0"):
        kind(weight=-1.0)


def test_other_refusals():
    with pytest.raises(ValueError, match=r"epsilon is the width of the smooth part, above 0; found 0"):
        Charbonnier(epsilon=0)
    with pytest.raises(ValueError, match=r"power is that of differences, at least 1; found 0.5"):
        GradientDifference(power=0.5)
    for name in ("pixels", "os.path:join", "nothing", ""):
        with pytest.raises(
            ValueError, match=rf"features names an extractor that is a network, one of .*; found '{name}"
        ):
            Perceptual(name)
    assert Perceptual("vgg16:weights.pth") and Perceptual("lite0-bfloat16") and Perceptual("alexnet").features
