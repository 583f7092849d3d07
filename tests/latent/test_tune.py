"""Pivotal tuning: the images, the other samples, and what stops it."""

import copy
from dataclasses import replace

import pytest
import torch

from zerosum.conditions import Labels
from zerosum.game import Normal
from zerosum.latent import InvertOptions, LatentModel, TuneOptions, invert, space_of, tune
from zerosum.latent.direction import named_direction
from zerosum.latent.inversion import distance
from zerosum.networks import Concatenate, DCGANGenerator, StyleGAN2Generator

SHAPE = (1, 8, 8)


def inversion_of(spec, condition=None, n=2):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = spec.build(5, SHAPE, condition).eval().requires_grad_(False)
    model = LatentModel(G, Normal(5), condition)
    images = torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1)) - 0.5
    options = InvertOptions(steps=4, pool=20, encoder=0, features="")
    return invert(space_of(model), images, None if condition is None else [1] * n, options)


@pytest.fixture(scope="module")
def inversion():
    return inversion_of(DCGANGenerator(4, conditioning=Concatenate(3)), Labels(3))


def change_of(found):
    """The mean change of samples that tuning has not seen."""
    model, inputs = found.space.model, found.space.model.inputs(60, 77)
    with torch.no_grad():
        return float(distance(model.outputs(*inputs), found.tuned.outputs(*inputs)).mean())


def test_images_are_made_exactly_and_the_generator_stays(inversion):
    before = copy.deepcopy(inversion.space.model.call.state_dict())
    found = tune(inversion, TuneOptions(100, 1e-2, error=0.02, change=1.0))
    assert bool((found.errors < 0.45 * inversion.errors).all())
    assert torch.equal(found.points, inversion.points) and inversion.tuned is None
    after = found.space.model.call.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert found.space.model.weights != found.tuned.weights
    assert not any(p.requires_grad for p in found.tuned.call.parameters())


def test_the_locality_term_keeps_other_samples(inversion):
    options = TuneOptions(30, 5e-3, error=0, change=1.0)
    free = change_of(tune(inversion, replace(options, locality=0.0)))
    kept = change_of(tune(inversion, replace(options, locality=10.0)))
    assert kept < 0.5 * free


def test_it_stops_at_the_error_and_before_the_change(inversion):
    said = []
    found = tune(inversion, TuneOptions(60, 5e-3, error=0.1, change=1.0), said.append)
    assert 0.05 < float(found.errors.mean()) <= 0.1
    stopped = tune(inversion, TuneOptions(40, 5e-3, error=0, change=0.03, locality=0), said.append)
    assert 0.001 < change_of(stopped) < 0.04
    nothing = tune(inversion, TuneOptions(10, change=0.0), said.append)
    assert nothing.tuned.weights == inversion.space.model.weights
    assert "since the error is small: error 0." in said[0] and said[0].startswith("tuning ended after ")
    assert ", of which those after 0 are undone, since they changed other samples too much: error" in said[2]


def test_edits_move_the_points_of_the_tuned_generator(inversion):
    found = tune(inversion, TuneOptions(updates=10, change=1.0))
    direction = named_direction("a", torch.ones(5), found.space, "")
    with torch.no_grad():
        moved, prior = found.points + 2, found.space.prior()
        radius = ((torch.stack([found.points, moved]) - prior.mean) / prior.std).square().mean(2).sqrt()
        share = (radius[0].clamp(min=1) / radius[1]).clamp(max=1)[:, None]
        wanted = found.tuned.outputs(prior.mean + share * (moved - prior.mean), found.inputs.c)
    assert torch.allclose(found.edited(2 * direction), wanted, atol=1e-6)


def test_styles_are_tuned():
    inversion = inversion_of(StyleGAN2Generator(4))
    found = tune(inversion, TuneOptions(30, 1e-2, change=1.0))
    assert bool((found.errors < 0.9 * inversion.errors).all())
    mapping = [found.space.model.call.mapping, found.tuned.call.mapping]
    assert all(torch.equal(a, b) for a, b in zip(*(m.state_dict().values() for m in mapping), strict=True))


def test_what_cannot_be_tuned_is_one_sentence(inversion):
    plain = LatentModel(lambda z: z.view(-1, 1, 1, 5) / 9, Normal(5))
    found = invert(space_of(plain), torch.rand(1, 1, 1, 5), options=InvertOptions(encoder=0, features="", pool=9))
    with pytest.raises(ValueError, match="tuning changes the weights of a network, and this generator is a plain func"):
        tune(found)
    with pytest.raises(ValueError, match="tuning has updates and batch of 1 or more, a rate above 0, and locality"):
        TuneOptions(rate=0)
    with pytest.raises(ValueError, match="locality, error and change of 0 or more"):
        TuneOptions(change=float("nan"))
