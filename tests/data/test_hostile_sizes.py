"""Sizes that anybody can write: near 10^9, 2^63 and beyond, they are refused before anything is made."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from zerosum.data.conditions import conditions_of
from zerosum.data.resolve import source
from zerosum.data.sources.arrays import Arrays
from zerosum.data.toys.distribution_points import DistributionSamples
from zerosum.data.toys.gaussians import Gaussian1D, GaussianMixture, GaussianMixture1D, Grid, Ring
from zerosum.data.toys.shapes import Checkerboard, Circles, Moons, Spiral, SwissRoll, Uniform1D
from zerosum.data.toys.stacked_digits import StackedDigits
from zerosum.distributions.continuous import ExponentialDistribution
from zerosum.evaluation.sets import open_set
from zerosum.game.unrolled import Unrolled
from zerosum.probes.counting import Counting
from zerosum.probes.solids import Cuboids
from zerosum.probes.structure import Faces, Mirrored
from zerosum.recipes.named_recipes import named
from zerosum.recipes.settings import with_setting

ABSURD = (10**10, 2**62, 2**63 - 1, 10**20)
SETS = (Ring(), Grid(), GaussianMixture(), Gaussian1D(), GaussianMixture1D(), Moons(), Circles(), Spiral(), SwissRoll())
SETS += (Checkerboard(), Uniform1D(), StackedDigits(), DistributionSamples(ExponentialDistribution()))
SETS += (Counting(), Cuboids(), Mirrored(), Faces())


@pytest.mark.parametrize("count", ABSURD)
@pytest.mark.parametrize("drawn", SETS, ids=lambda one: type(one).__name__)
def test_a_set_larger_than_memory_is_not_drawn(drawn, count):
    with pytest.raises(ValueError, match=r"needs a size of at most 8\.6 GB in memory, not"):
        replace(drawn, count=count)


@pytest.mark.parametrize("side", [2**20, 2**62])
@pytest.mark.parametrize("drawn", SETS[-4:], ids=lambda one: type(one).__name__)
def test_images_larger_than_memory_are_not_drawn(drawn, side):
    with pytest.raises(ValueError, match=r"needs a size of at most 8\.6 GB in memory, not"):
        replace(drawn, side=side)


@pytest.mark.parametrize("many", [10**9, 2**62])
def test_modes_are_as_many_as_classes_may_be(many):
    for make, words in (
        (lambda: Ring(modes=many), "Ring needs modes <= 65,536"),
        (lambda: Grid(side=many), "Grid needs side . side <= 65,536"),
        (lambda: GaussianMixture(modes=many), "GaussianMixture needs modes <= 65,536"),
        (lambda: Spiral(arms=many), "Spiral needs arms <= 65,536"),
    ):
        with pytest.raises(ValueError, match=words):
            make()
    with pytest.raises(ValueError, match=r"GaussianMixture needs a size of at most 8\.6 GB"):
        GaussianMixture(dimensions=many)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("batch=1000000000", "batch is at most 1,048,576; found 1000000000"),
        ("batch=9223372036854775807", "batch is at most 1,048,576"),
        ("n_critic=1000000000", "n_critic is at most 10,000; found 1000000000"),
        ("n_generator=1000000000", "n_generator is at most 10,000"),
        ("images=99999999999999999999", "an integer in recipe text is at most 9223372036854775807"),
        ("opponent=Unrolled(1000000000)", r"Unrolled\(k\) looks k updates ahead, at most 1,000; found 1000000000"),
        ("data.count=1000000000", r"Ring needs a size of at most 8\.6 GB in memory, not 16\.0"),
        ("data.modes=1000000000", "Ring needs modes <= 65,536"),
    ],
)
def test_sizes_in_recipe_text(setting, words):
    with pytest.raises(ValueError, match=words):
        with_setting(named("ring"), setting)


@pytest.mark.parametrize("name", ["images", "tick", "snapshot"])
def test_counts_of_twenty_digits_in_python(name):
    with pytest.raises(ValueError, match=f"{name} is at most 9,223,372,036,854,775,807; found 99999999999999999999"):
        replace(named("ring"), **{name: 99_999_999_999_999_999_999})
    assert replace(named("ring"), **{name: 2**63 - 1})
    with pytest.raises(ValueError, match="looks k updates ahead, at most 1,000; found"):
        Unrolled(2**63)


def test_a_table_of_a_million_columns_is_refused_at_once(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    names = [f"c{n}" for n in range(1_000_000)]
    (tmp_path / "conditions.csv").write_text(f"file,{','.join(names)}\na.png{',1' * len(names)}\n")
    with pytest.raises(ValueError, match=r"conditions\.csv has 1,000,000 columns of numbers, more than 16,384: choose"):
        source(str(tmp_path)).open()
    with pytest.raises(
        ValueError, match=r"the conditions of x have 1,000,000 components, more than 16,384: choose some"
    ):
        conditions_of("x", np.zeros((2, 1_000_000)))


def test_an_archive_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path):
    file = tmp_path / "bomb.npz"
    np.savez_compressed(file, images=np.zeros((1_000, 600, 512), np.uint8))
    for read in (lambda: Arrays(str(file)).open(), lambda: open_set(file)):
        with pytest.raises(ValueError, match=r"has 0\.3 MB and unpacks to 0\.3 GB, over 200 times as much: if it"):
            read()
    np.savez_compressed(file, images=np.zeros((100, 60, 50), np.uint8))
    assert Arrays(str(file)).open().count == 100
