"""A size that somebody mistyped, or meant badly, is a sentence, before the machine's memory is gone."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from zerosum.game.latents import Normal
from zerosum.networks.dcgan import DCGANGenerator
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.networks.sizes import built
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.recipe import Recipe
from zerosum.runs.generator import build_generator

TINY = Recipe(
    name="tiny",
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=Hinge(),
    latent=Normal(3),
)


def sized(generator, latent=3):
    return replace(TINY, generator=generator, latent=Normal(latent))


@pytest.mark.parametrize(
    ("recipe", "shape"),
    [
        (sized(MLPGenerator(hidden=(10**12,))), (2,)),
        (sized(MLPGenerator(hidden=(10**9, 10**9))), (2,)),
        (sized(MLPGenerator(hidden=(2**62, 2**62))), (2,)),
        (sized(MLPGenerator(hidden=(60_000,) * 99)), (2,)),
        (sized(DCGANGenerator(size=10**7)), (1, 28, 28)),
        (sized(MLPGenerator(hidden=(8,)), latent=10**13), (2,)),
    ],
    ids=["one", "two", "overflow", "many", "images", "latent"],
)
def test_networks_of_terabytes_are_refused_at_once(recipe, shape):
    with pytest.raises(ValueError, match=r"too many for this machine|larger than the memory of this machine"):
        build_generator(recipe, shape)


def infinite():
    while True:
        nn.Linear(1, 1)


def test_layers_without_end_are_refused():
    with pytest.raises(ValueError, match=r"or 20,000 tensors, too many for this machine"):
        built(infinite)


def test_what_fits_is_built_and_the_bound_holds_only_meanwhile():
    with pytest.raises(ValueError, match=r"more than 0\.0 GB of weights"):
        built(lambda: nn.Linear(100, 100), bytes_at_most=1_000)
    assert built(lambda: nn.Linear(10, 10), bytes_at_most=1_000).weight.device.type == "cpu"
    nn.Linear(100, 100)


def test_what_cannot_be_built_without_filling_it_is_counted_as_it_is_built():
    def measured(width):
        layer = nn.Linear(width, width)
        float(layer.weight.sum())  # a tensor of the meta device has no numbers
        return layer

    assert isinstance(built(lambda: measured(10)), nn.Linear)
    with pytest.raises(ValueError, match=r"more than 0\.0 GB of weights"):
        built(lambda: measured(100), bytes_at_most=1_000)


def test_the_first_building_takes_no_random_numbers():
    torch.manual_seed(3)
    one = nn.Linear(4, 4).weight
    torch.manual_seed(3)
    assert torch.equal(built(lambda: nn.Linear(4, 4)).weight, one)


def test_other_errors_of_building_are_raised_as_they_are():
    def fails():
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        built(fails)
