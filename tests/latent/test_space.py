"""Spaces: each gives the generator's own samples at its own points, with gradients."""

import pytest
import torch
from torch import nn

from zerosum.conditions import Attributes, Image, Labels, Text, Vector
from zerosum.game import InfoGANLatent, Normal, Uniform
from zerosum.latent import LatentModel, Prior, space_of
from zerosum.networks import Concatenate, ConditionalNorm, DCGANGenerator, StyleGAN2Generator

SHAPE = (1, 8, 8)


def model_of(spec, condition=None, latent=None):
    latent = latent or Normal(5)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = spec.build(latent.size, SHAPE, condition).eval().requires_grad_(False)
        for p in G.parameters():  # untrained biases are 0, and batch norms the identity
            p.add_(0.1 * torch.randn_like(p))
    return LatentModel(G, latent, condition)


DCGAN, STYLE = DCGANGenerator(4, conditioning=Concatenate(3)), StyleGAN2Generator(4)
CASES = [
    ("z", DCGAN, None),
    ("z", DCGAN, Labels(3)),
    ("z", STYLE, Vector(2)),
    ("w", STYLE, None),
    ("w", STYLE, Labels(3)),
    ("layers", STYLE, Labels(3)),
    ("condition", DCGAN, Labels(3)),
    ("condition", DCGANGenerator(4, conditioning=ConditionalNorm()), Labels(3, nullable=True)),
    ("condition", STYLE, Labels(3)),
    ("condition", DCGAN, Attributes(2)),
    ("condition", DCGAN, Vector(2)),
]


@pytest.mark.parametrize(("name", "spec", "condition"), CASES)
def test_a_point_of_a_sample_is_the_sample_and_has_gradients(name, spec, condition):
    model = model_of(spec, condition)
    space, inputs = space_of(model, name), model.inputs(6, seed=3)
    points = space.at(inputs).detach().requires_grad_()
    found = space.images(points, inputs)
    wanted = model.outputs(*inputs)
    assert found.shape == (6, *SHAPE) and torch.allclose(found, wanted, atol=1e-5)
    (gradient,) = torch.autograd.grad(found.square().sum(), points)
    assert gradient.isfinite().all() and gradient.flatten(1).any(1).all()
    assert not space.images(points.detach(), inputs).requires_grad


def test_w_is_used_where_it_is_and_z_elsewhere():
    assert space_of(model_of(STYLE)).name == "w" and space_of(model_of(DCGAN)).name == "z"


def test_w_is_truncated_as_the_generator_truncates_it():
    model = model_of(STYLE)
    model.call.w_average.fill_(0.3)
    model.call.truncation = 0.5
    inputs = model.inputs(4)
    for name in ("w", "layers"):
        space = space_of(model, name)
        assert torch.allclose(space.images(space.at(inputs), inputs), model.outputs(*inputs), atol=1e-5)


def test_between_two_classes_is_the_mean_of_their_embeddings():
    model = model_of(DCGAN, Labels(3))
    space, inputs = space_of(model, "condition"), model.inputs(2)
    embedding = model.call.join.embedding
    with torch.no_grad():
        mixed = space.images(torch.tensor([[0.5, 0.5, 0.0]] * 2), inputs)
        embedding.weight[2] = (embedding.weight[0] + embedding.weight[1]) / 2
        assert torch.allclose(mixed, model.outputs(inputs.z, torch.tensor([2, 2])), atol=1e-6)
    assert not embedding._forward_hooks


@pytest.mark.parametrize("latent", [Normal(6), Uniform(6), InfoGANLatent(Normal(3), (2,), 1)], ids=repr)
def test_points_of_the_prior_have_a_radius_of_about_1(latent):
    space = space_of(LatentModel(lambda z: z, latent))
    prior = space.prior()
    radius = prior.radius(space.draw(1000, seed=7))
    assert float(radius.square().mean()) == pytest.approx(1, abs=0.05)
    assert float((radius > prior.far).double().mean()) < 0.01
    assert bool((prior.radius(prior.mean + 3 * (space.draw(5) - prior.mean)) > radius.min()).all())


def test_a_radius_counts_standard_deviations():
    prior = Prior(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]), 2.0)
    assert prior.radius(torch.tensor([[4.0, 2.0], [1.0, 12.0]])).tolist() == pytest.approx([(9 / 2) ** 0.5, 0.5**0.5])


def test_points_are_drawn_back_to_a_radius_and_those_within_stay():
    prior = Prior(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]), 2.0)
    points = torch.tensor([[4.0, 12.0], [1.0, 12.0]])
    found = prior.within(points, torch.tensor([1.0, 5.0]))
    assert prior.radius(found).tolist() == pytest.approx([1, 0.5**0.5])
    assert torch.equal(found[1], points[1])
    assert float((found[0, 0] - 1) / (found[0, 1] - 2)) == pytest.approx(3 / 10)


def test_a_plain_function_is_a_generator():
    def call(z):
        return z[:, :1, None, None].expand(-1, 1, 4, 4).tanh()

    model = LatentModel(call, Normal(2))
    space = space_of(model)
    inputs = model.inputs(600, seed=1)
    assert torch.equal(space.images(inputs.z, inputs), call(inputs.z)) and model.weights == ""
    assert torch.equal(model.inputs(3, seed=1).z, inputs.z[:3])
    with pytest.raises(ValueError, match="has no mapping network, which the spaces w and layers need: use space z"):
        space_of(model, "w")


class OneStyle(nn.Module):
    """A mapping and a synthesis network without layers."""

    def mapping(self, z, c=None):
        return z + 1

    def synthesis(self, w):
        return w[:, :, None, None].expand(-1, -1, 4, 4)


def test_what_a_generator_does_not_have_is_one_sentence():
    with pytest.raises(ValueError, match="a space is one of z, w, layers, condition; found 'v'"):
        space_of(model_of(DCGAN), "v")
    with pytest.raises(ValueError, match="synthesis network takes one w for all layers: use space w"):
        space_of(LatentModel(OneStyle(), Normal(2)), "layers")
    with pytest.raises(
        ValueError, match="the space condition is one of labels, attributes, vectors or images; found none"
    ):
        space_of(model_of(DCGAN), "condition")
    with pytest.raises(ValueError, match="vectors or images; found Text"):
        space_of(LatentModel(nn.Identity(), Normal(2), Text()), "condition")
    with pytest.raises(ValueError, match="this generator has no embedding of its labels"):
        space = space_of(LatentModel(nn.Identity(), Normal(2), Labels(3)), "condition")
        space.images(torch.eye(3), space.model.inputs(3))
    with pytest.raises(ValueError, match="this generator is unconditional: omit the class or condition"):
        model_of(DCGAN).inputs(3, wanted=[1, 2, 0])
    with pytest.raises(ValueError, match=r"only generators of images can be steered; this one makes samples \(2,\)"):
        space_of(LatentModel(lambda z: z, Normal(2))).images(torch.zeros(1, 2), LatentModel(abs, Normal(2)).inputs(1))
    with pytest.raises(ValueError, match="points of w are no inputs of the generator: combine directions of one"):
        space_of(model_of(STYLE), "w").moved(torch.zeros(1, 4), model_of(STYLE).inputs(1))
    with pytest.raises(ValueError, match="this generator is conditional: give inputs with a condition c"):
        space_of(model_of(DCGAN, Labels(3)), "condition").at(model_of(DCGAN).inputs(2))


def test_the_hash_of_weights_is_that_of_their_values():
    one, other = model_of(DCGAN), model_of(DCGAN)
    assert one.weights == other.weights and len(one.weights) == 64
    next(other.call.parameters())[0] += 1e-3
    assert one.weights != other.weights


def test_an_image_is_a_condition_to_move_in():
    assert space_of(LatentModel(nn.Identity(), Normal(2), Image((1, 8, 8))), "condition").name == "condition"
