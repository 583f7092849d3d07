"""Data given in Python to a recipe that derives its conditions: the run keeps how, and is continued with them."""

from dataclasses import replace

import numpy as np
import pytest

import zerosum
from zerosum.data import Edges
from zerosum.data.sources.in_memory import InMemory
from zerosum.networks import PatchDiscriminator, UNet
from zerosum.recipes import Adam, sketch

pytestmark = pytest.mark.usefixtures("plotless")
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 12, 12, 3), dtype=np.uint8)


def test_a_run_on_an_array_goes_on_with_it(tmp_path):
    networks = {"generator": UNet(size=4, norm="none"), "discriminator": PatchDiscriminator(size=4, layers=1)}
    recipe = replace(sketch(), **networks, batch=8, images=32, snapshot=32, tick=16, G_opt=Adam(), D_opt=Adam())
    run = zerosum.train(recipe, tmp_path / "run", data=IMAGES, quiet=True)
    assert run.recipe.data == Edges(InMemory("array")), "the derivation is in the text, the array is not"
    assert run.generator.apply(IMAGES[0]).shape == (12, 12, 3)
    with pytest.raises(ValueError, match=r"this run's data \(array\) was given in Python: pass it again"):
        zerosum.train(run, images=64, quiet=True)
    assert zerosum.train(run, data=IMAGES, images=64, quiet=True).log[-1]["images"] == 64
