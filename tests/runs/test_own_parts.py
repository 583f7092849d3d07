"""A generator is loaded without the parts that only its training needed."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from zerosum import load, train
from zerosum.networks import MLPDiscriminator, MLPGenerator
from zerosum.objectives import TopK
from zerosum.recipes import ring
from zerosum.runs.discriminator import load_discriminator
from zerosum.terms import Every


@dataclass(frozen=True)
class Exponential:
    scale: float = 1.0
    reads_real: ClassVar[bool] = False

    def d_loss(self, real, fake):
        return (-real / self.scale).exp().mean() + (fake / self.scale).exp().mean()

    def g_loss(self, fake, real=None):
        return -fake.mean()


@dataclass(frozen=True)
class Nothing:
    def __call__(self, turn):
        return turn.zero()


@dataclass(frozen=True)
class OwnNetwork:
    inner: MLPGenerator = MLPGenerator(hidden=(8,))

    def build(self, latent, shape, condition):
        return self.inner.build(latent, shape, condition)


def small(**parts):
    players = {"generator": MLPGenerator(hidden=(8,)), "discriminator": MLPDiscriminator(hidden=(8,))}
    sizes = {"batch": 16, "images": 64, "tick": 32, "snapshot": 64}
    return replace(ring(), name="own", **{**players, **sizes, **parts})


def test_own_objective_and_terms_are_not_needed(tmp_path):
    recipe = small(objective=TopK(Exponential(2.0)), d_terms=(Every(2, Nothing()),))
    run = train(recipe, tmp_path / "run", quiet=True)
    known = {"Exponential": Exponential, "Nothing": Nothing}
    for where in (run, run / "generator.safetensors"):
        generator = load(where)
        assert repr(generator.recipe) == repr(recipe), "the text is kept"
        assert load(where, known).recipe == recipe
        assert np.array_equal(generator.sample(4), load(where, known).sample(4))
    with pytest.raises(ValueError, match=r"^unknown class 'Exponential': if it is yours, pass --use FILE.py"):
        load(run).recipe.objective.objective.d_loss(1, 2)
    (run / "generator.safetensors").unlink()
    assert load(run).sample(4).shape == (4, 2), "from a checkpoint, too"
    points = np.zeros((3, 2), np.float32)
    assert np.array_equal(load_discriminator(run)(points), run.discriminator(points)), "nor for the discriminator"


def test_an_own_generator_is_needed(tmp_path):
    run = train(small(generator=OwnNetwork()), tmp_path / "run", quiet=True)
    with pytest.raises(ValueError, match=r"^unknown class .OwnNetwork.: if it is yours, pass --use FILE.py"):
        load(run)
    assert load(run, known={"OwnNetwork": OwnNetwork}).sample(4).shape == (4, 2)


class Bare:
    """An objective that no text can hold."""

    reads_real = False

    def d_loss(self, real, fake):
        return fake.mean() - real.mean()

    def g_loss(self, fake, real=None):
        return -fake.mean()


@dataclass(frozen=True, eq=False)
class Incomparable:
    weight: float = 1.0

    def __call__(self, turn):
        return turn.zero()


@dataclass(frozen=True)
class Hinge(Exponential):
    """A class by the name of one of ours."""


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"objective": Bare()}, "this recipe cannot be written as text.*make your own parts frozen dataclasses"),
        ({"d_terms": (Incomparable(),)}, "d_terms would be parsed back as .*, which is not equal to .*compared by its"),
        ({"objective": Hinge()}, "zerosum has a class Hinge too, which makes recipe text ambiguous: rename"),
    ],
    ids=["no dataclass", "no equality", "a name of ours"],
)
def test_a_recipe_that_could_not_be_read_back_is_refused_before_it_is_trained(tmp_path, parts, message):
    with pytest.raises(ValueError, match=message):
        train(small(**parts), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
