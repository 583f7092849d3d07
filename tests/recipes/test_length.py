"""Which recipes train the same way in a longer run: those in which nothing follows the share that is done."""

from dataclasses import dataclass, replace

import pytest

from zerosum import Recipe
from zerosum.augment import FixedAugment, InstanceNoise, Line
from zerosum.networks import MLPDiscriminator, MLPGenerator
from zerosum.objectives import Hinge, TopK
from zerosum.recipes import Adam
from zerosum.recipes.length import follows_length
from zerosum.recipes.named_recipes import named
from zerosum.terms import R1, Constant, Cosine, Every, Ramp, Scheduled

PLAIN = Recipe(name="plain", generator=MLPGenerator(), discriminator=MLPDiscriminator(), objective=Hinge())


@dataclass(frozen=True)
class Fading:
    """A term of the user's that reads the progress itself."""

    def __call__(self, turn):
        return (1 - turn.clock.progress) * turn.fake.score.mean()


@dataclass(frozen=True)
class Steady:
    def __call__(self, turn):
        return turn.clock.images * turn.zero()


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, None),
        ({"G_opt": Adam(schedule=Cosine())}, "G_opt.schedule"),
        ({"D_opt": Adam(schedule=Ramp(0.0, 0.1))}, "D_opt.schedule"),
        ({"D_opt": Adam(schedule=Cosine(end=1.0))}, None),
        ({"d_terms": (R1(), Every(2, Scheduled(Cosine(), R1())))}, "d_terms[1].term.schedule"),
        ({"d_terms": (Scheduled(Constant(), R1()),)}, None),
        ({"objective": TopK(Hinge())}, "objective"),
        ({"augment": InstanceNoise()}, "augment.schedule"),
        ({"augment": InstanceNoise(schedule=Line(0.5, 0.5))}, None),
        ({"augment": FixedAugment()}, None),
        ({"g_terms": (Fading(),)}, "g_terms[0]"),
        ({"g_terms": (Steady(),)}, None),
    ],
    ids=str,
)
def test_the_part_that_follows_the_length_is_named(changes, place):
    assert follows_length(replace(PLAIN, **changes)) == place


@pytest.mark.parametrize(("name", "place"), [("digits", "G_opt.schedule"), ("dcgan", None), ("minimax", None)])
def test_of_named_recipes(name, place):
    assert follows_length(named(name)) == place
