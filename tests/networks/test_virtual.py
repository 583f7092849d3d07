"""Virtual batch norm: statistics of a reference batch and of each sample by itself."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions.components import Attributes, Vector
from zerosum.conditions.labels import Labels
from zerosum.data.dataset import in_memory
from zerosum.game import ExponentialMovingAverage, Judgement, Normal
from zerosum.networks import (
    AutoEncoderDiscriminator,
    Concatenate,
    DCGANDiscriminator,
    DCGANGenerator,
    MinibatchDiscrimination,
    MinibatchStddev,
    ResNetDiscriminator,
    ResNetGenerator,
)
from zerosum.networks.layers.virtual import REFERENCE, VirtualBatchNorm, refer_to_samples
from zerosum.objectives import NonSaturating
from zerosum.recipes import Recipe
from zerosum.training.batches import Batches
from zerosum.training.build import build_game

SHAPE = (2, 9, 8)
DISCRIMINATORS = {
    "DCGAN": DCGANDiscriminator(size=4, norm="virtual"),
    "ResNet": ResNetDiscriminator(size=4, norm="virtual"),
    "autoencoder": AutoEncoderDiscriminator(size=4, code=3, norm="virtual"),
}
GENERATORS = {"DCGAN": DCGANGenerator(size=4, norm="virtual"), "ResNet": ResNetGenerator(size=4, norm="virtual")}


def test_each_sample_is_normed_by_the_reference_and_itself():
    norm = VirtualBatchNorm(3, rows=4)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([2.0, 1.0, 0.5]))
        norm.bias.copy_(torch.tensor([0.0, 1.0, -1.0]))
    h = 5 + 3 * torch.randn(6, 3, 4, 2)
    x = h.double().numpy()
    wanted = np.empty_like(x)
    for i in range(6):
        pool = x[:4] if i < 4 else x[[0, 1, 2, 3, i]]
        mean, variance = pool.mean((0, 2, 3)), pool.var((0, 2, 3))
        normed = (x[i] - mean[:, None, None]) / np.sqrt(variance + 1e-5)[:, None, None]
        wanted[i] = normed * np.array([2.0, 1.0, 0.5])[:, None, None] + np.array([0.0, 1.0, -1.0])[:, None, None]
    np.testing.assert_allclose(norm(h).detach(), wanted, rtol=1e-4, atol=1e-5)


def test_the_variance_keeps_its_digits_far_from_zero():
    norm, h = VirtualBatchNorm(1, rows=4), torch.randn(6, 1, 4, 4)
    torch.testing.assert_close(norm(h + 1000), norm(h), rtol=1e-2, atol=1e-2)


def scored(network, x):
    verdict = network(x)
    return verdict if isinstance(verdict, torch.Tensor) else verdict.score


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize(("kind", "specs"), [(k, s) for s in (GENERATORS, DISCRIMINATORS) for k in s])
def test_what_becomes_of_a_sample_does_not_depend_on_the_others(kind, specs, training):
    network = specs[kind].build(*((5, SHAPE, None) if specs is GENERATORS else (SHAPE, None)))
    x = torch.randn(6, 5) if specs is GENERATORS else torch.randn(6, *SHAPE)
    scored(network, torch.randn_like(x))  # a discriminator takes its reference from it
    network.train(training)
    together = scored(network, x)
    apart = torch.cat([scored(network, sample) for sample in x.split(1)])
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-5)
    assert len(together) == 6


def test_with_batch_norm_it_does():
    G = DCGANGenerator(size=4).build(5, SHAPE, None)
    z = torch.randn(6, 5)
    assert not torch.allclose(G(z)[:3], G(z[:3]), atol=1e-3)


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_the_first_batch_in_training_becomes_the_reference_and_is_saved(kind):
    D = DISCRIMINATORS[kind].build(SHAPE, None)
    with pytest.raises(ValueError, match="has no reference batch yet: it is the first one met in training"):
        D.eval()(torch.randn(2, *SHAPE))
    D.train()
    first = torch.randn(5, *SHAPE)
    D(first)
    D(torch.randn(5, *SHAPE))
    assert torch.equal(D.x, first[torch.arange(REFERENCE) % 5]), "too few samples are repeated"
    other = DISCRIMINATORS[kind].build(SHAPE, None)
    other.load_state_dict(D.state_dict())
    x = torch.randn(3, *SHAPE)
    for _ in range(2):
        assert torch.equal(other(x).score, D(x).score)
    assert torch.equal(other.x, D.x)


def test_a_large_first_batch_gives_its_first_samples():
    D = DISCRIMINATORS["DCGAN"].build(SHAPE, None)
    first = torch.randn(REFERENCE + 9, *SHAPE)
    D(first)
    assert torch.equal(D.x, first[:REFERENCE])


def test_in_a_game_the_reference_is_of_real_samples_with_their_labels():
    random = torch.Generator().manual_seed(0)
    images = torch.randint(256, (12, 1, 8, 8), dtype=torch.uint8, generator=random)
    made = in_memory("tiny", images, torch.arange(12) % 3, ("a", "b", "c"))
    recipe = Recipe(
        name="virtual",
        generator=GENERATORS["DCGAN"],
        discriminator=DCGANDiscriminator(size=4, norm="virtual", conditioning=Concatenate(2)),
        objective=NonSaturating(),
        conditional=True,
        latent=Normal(3),
        batch=4,
    )
    game = build_game(recipe, made, torch.device("cpu"), "float32")
    first, *_ = batches = [next(Batches(made, 4, True, 0, torch.device("cpu"), position)) for position in (0, 4)]
    game.step(iter(batches))
    rows = torch.arange(REFERENCE) % 4
    assert torch.equal(game.D.network.x, first.x[rows])
    assert torch.equal(game.D.network.c, first.c[rows])
    assert torch.equal(game.ema.module.x, game.G.network.x), "the generator's reference stays as it was drawn"


@pytest.mark.parametrize("condition", [Labels(3), Attributes(4), Vector(4)], ids=repr)
def test_a_conditional_generators_reference_has_conditions_of_all_kinds(condition):
    G = GENERATORS["DCGAN"].build(5, SHAPE, condition)
    assert G.x.shape == (REFERENCE, 5)
    assert len(G.c) == REFERENCE
    if isinstance(condition, Labels):
        assert set(G.c.tolist()) == {0, 1, 2}
    else:
        assert G.c.shape == (REFERENCE, 4)
    if isinstance(condition, Attributes):
        assert set(G.c.unique().tolist()) == {0, 1}
    c = torch.arange(2) if isinstance(condition, Labels) else torch.ones(2, 4, dtype=torch.bool)
    assert G(torch.randn(2, 5), c).shape == (2, *SHAPE)
    with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
        G(torch.randn(2, 5))


@pytest.mark.parametrize("minibatch", [MinibatchDiscrimination(3, 2), MinibatchStddev()], ids=repr)
def test_a_comparison_of_samples_leaves_the_reference_out(minibatch):
    D = DCGANDiscriminator(size=4, norm="virtual", minibatch=minibatch, auxiliary=3).build(SHAPE, None)
    D(torch.randn(5, *SHAPE))
    seen = []
    D.network.minibatch.layer.register_forward_hook(lambda module, arguments, output: seen.append(len(output)))
    judgement = D(torch.randn(4, *SHAPE))
    assert seen == [REFERENCE, 4]
    assert [len(part) for part in (judgement.score, judgement.features, judgement.logits)] == [4, 4, 4]


class WithMaps(nn.Module):
    """A discriminator that returns x as its maps."""

    def forward(self, x):
        return Judgement(x.flatten(1).sum(1), maps=(x, 2 * x[:, :1]))


def test_maps_are_those_of_the_samples_alone():
    D, x = refer_to_samples(WithMaps(), SHAPE, None), torch.randn(3, *SHAPE)
    judgement = D(x)
    assert torch.equal(judgement.score, x.flatten(1).sum(1)) and len(judgement.maps) == 2
    assert torch.equal(judgement.maps[0], x) and torch.equal(judgement.maps[1], 2 * x[:, :1])


def test_a_running_average_keeps_the_reference():
    G = GENERATORS["DCGAN"].build(5, SHAPE, Labels(3))
    average = ExponentialMovingAverage(G, half_life=100.0)
    for seen in range(1, 5):
        average.update(1, seen)
    assert torch.equal(average.module.x, G.x)
    assert torch.equal(average.module.c, G.c)
