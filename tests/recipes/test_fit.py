"""A recipe holds plain values of the annotated types, however it was written; what does not fit is refused at once."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from zerosum import Recipe, read
from zerosum.applications import ApplyOptions
from zerosum.augment import DiffAugment
from zerosum.data import Images, Ring
from zerosum.evaluation import EvaluationConfig
from zerosum.game import Normal
from zerosum.game.random import derived_seed
from zerosum.latent import DirectionOptions, InvertOptions, TuneOptions
from zerosum.networks import MLPDiscriminator, MLPGenerator
from zerosum.objectives import MMD, Drifting, GaussianKernel, Hinge
from zerosum.recipes import Adam, ring
from zerosum.recipes.recipe import pretty
from zerosum.terms import R1, Every
from zerosum.training.options import RunOptions

PLAYERS = {"generator": MLPGenerator(), "discriminator": MLPDiscriminator()}


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"images": 1e3}, {"images": 1000}),
        ({"seed": np.int64(3)}, {"seed": 3}),
        ({"ema": 5}, {"ema": 5.0}),
        ({"conditional": np.bool_(False)}, {"conditional": False}),
        ({"name": np.str_("a")}, {"name": "a"}),
        ({"G_opt": Adam(lr=np.logspace(-4, -3, 2)[0])}, {"G_opt": Adam(lr=float(np.logspace(-4, -3, 2)[0]))}),
        ({"G_opt": Adam(betas=[0.0, 0.99])}, {"G_opt": Adam(betas=(0.0, 0.99))}),
        ({"G_opt": Adam(betas=(0, 0.99))}, {"G_opt": Adam(betas=(0.0, 0.99))}),
        ({"d_terms": [R1(gamma=np.float32(1))]}, {"d_terms": (R1(gamma=1.0),)}),
        ({"d_terms": (Every(4.0, R1(2)),)}, {"d_terms": (Every(4, R1(2.0)),)}),
        ({"objective": MMD(GaussianKernel([1.0, 2.0]))}, {"objective": MMD(GaussianKernel((1.0, 2.0)))}),
        ({"D_opt": Adam(betas=np.array([0.5, 0.99]))}, {"D_opt": Adam(betas=(0.5, 0.99))}),
        ({"objective": MMD(GaussianKernel(np.array([1.0, 2.0])))}, {"objective": MMD(GaussianKernel((1.0, 2.0)))}),
        ({"objective": Drifting(np.array([0.1, 0.5]))}, {"objective": Drifting((0.1, 0.5))}),
        ({"latent": Normal(np.int32(8))}, {"latent": Normal(8)}),
        ({"data": Ring(modes=8.0)}, {"data": Ring(modes=8)}),
    ],
    ids=str,
)
def test_what_is_exactly_a_plain_value_becomes_it(given, plain):
    found, wanted = replace(ring(), **given), replace(ring(), **plain)
    assert repr(found) == repr(wanted)
    assert found == wanted == read(repr(found))


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (
            RunOptions(keep=np.int64(3), minutes=np.float32(2), signals=np.bool_(False)),
            RunOptions(3, minutes=2.0, signals=False),
        ),
        (RunOptions(start_from=np.str_("a")), RunOptions(start_from="a")),
        (EvaluationConfig(n=np.int64(9), seed=np.int64(1), batch=8.0), EvaluationConfig(n=9, seed=1, batch=8)),
        (InvertOptions(steps=8.0, seed=np.int64(1)), InvertOptions(steps=8, seed=1)),
        (DirectionOptions(n=20.0, wanted=["a"]), DirectionOptions(n=20, wanted=("a",))),
        (TuneOptions(updates=np.int32(5), rate=np.float64(1e-3)), TuneOptions(updates=5, rate=1e-3)),
        (ApplyOptions(seed=np.int64(3)), ApplyOptions(seed=3)),
    ],
    ids=lambda options: type(options).__name__,
)
def test_options_hold_plain_values_as_well(given, plain):
    """The log, checkpoints and scores hold some of them, as JSON."""
    assert repr(given) == repr(plain)


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        (RunOptions, {"keep": 2.5}, r"^RunOptions.keep takes int \| None; found 2.5$"),
        (RunOptions, {"minutes": "20"}, r"RunOptions.minutes takes float \| None; found '20'"),
        (RunOptions, {"signals": "no"}, "RunOptions.signals takes bool; found 'no'"),
        (RunOptions, {"start_from": 3}, "RunOptions.start_from takes .*; found 3"),
        (InvertOptions, {"steps": "8"}, "InvertOptions.steps takes int; found '8'"),
        (EvaluationConfig, {"batch": 8.5}, "EvaluationConfig.batch takes int; found 8.5"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_refused(options, given, message):
    with pytest.raises(ValueError, match=message):
        options(**given)


def test_a_path_is_text():
    assert replace(ring(), data=Images(Path("photos"))).data == Images("photos")


def test_parts_that_are_plain_already_stay_the_same_objects():
    """State hangs on some, as BEGAN's balance: nothing is made again without need."""
    recipe = ring()
    again = replace(recipe, seed=np.int64(7))
    kept = [f.name for f in fields(recipe) if f.name != "seed"]
    assert all(getattr(again, name) is getattr(recipe, name) for name in kept)


def test_numpy_seeds_draw_what_plain_ones_draw():
    assert derived_seed(np.int64(3), "sample", 0) == derived_seed(3, "sample", 0)
    assert derived_seed(True) != derived_seed(1), "as it always was"


def test_zero_as_the_papers_write_it_is_a_momentum():
    parameter = torch.nn.Parameter(torch.zeros(1))
    assert Adam(betas=(0, 0.99)).build([parameter]).defaults["betas"] == (0.0, 0.99)


@dataclass(frozen=True)
class Mine:
    """An objective whose method takes other parameters."""

    reads_real: ClassVar[bool] = False

    def d_loss(self, r, f):
        return f.mean() - r.mean()

    def g_loss(self, fake, real=None):
        return -fake.mean()


@dataclass(frozen=True)
class Wider:
    """An objective whose methods take more, with defaults; its annotations are those of a type checker."""

    reads_real: ClassVar[bool] = False
    scale: "Nowhere" = 1.0  # noqa: F821

    def d_loss(self, real, fake, margin=1.0):
        return fake.mean() - real.mean()

    def g_loss(self, fake, real=None):
        return -fake.mean()


@dataclass(frozen=True)
class Scaled:
    """A term whose field has an annotation that recipe text knows nothing of."""

    sizes: list[int]

    def __call__(self, turn):
        return turn.zero()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"objective": Mine()},
            r"^Mine is not an Objective: d_loss\(real, fake\) and g_loss\(fake, real=None\) are required, "
            r"found d_loss\(r, f\) \(in Recipe.objective\)$",
        ),
        ({"objective": R1()}, r"R1 is not an Objective: .* are required, found no reads_real or d_loss or g_loss"),
        ({"objective": Hinge}, r"Hinge is a class: give Hinge\(...\) \(in Recipe.objective\)"),
        ({"objective": "hinge"}, "Recipe.objective takes Objective; found 'hinge'"),
        ({"d_terms": (R1(), Hinge())}, r"Hinge is not a Term: __call__\(turn\) is required, found no __call__"),
        ({"d_terms": (Every(2, Hinge()),)}, r"Hinge is not a Term: .* \(in Every.term\)"),
        ({"augment": R1()}, "R1 is not an Augmentation: .*"),
        ({"augment": DiffAugment}, r"DiffAugment is a class: give DiffAugment\(...\)"),
        ({"batch": "32"}, "Recipe.batch takes int; found '32'"),
        ({"batch": 32.5}, "Recipe.batch takes int; found 32.5"),
        ({"batch": True}, "Recipe.batch takes int; found True"),
        ({"images": 1e300}, r"Recipe.images takes int; found 1e\+300"),
        ({"ema": 2**53 + 1}, "Recipe.ema takes float; found 9007199254740993"),
        ({"ema": np.longdouble("0.1")}, "Recipe.ema takes float; found"),
        ({"name": b"a"}, "Recipe.name takes str; found b'a'"),
        ({"data": "photos"}, "Recipe.data takes Source; found 'photos'"),
        ({"G_opt": Adam(betas=(0.5,))}, r"Adam.betas takes tuple\[float, float\]; found \(0.5,\)"),
        ({"d_terms": (Scaled((1,)),)}, r"Scaled.sizes takes list\[int\]; found \(1,\)"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_as_the_recipe_is_made(given, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{"name": "a", "objective": Hinge(), **PLAYERS, **given})


def test_annotations_of_ones_own_are_met_as_far_as_they_say_something():
    assert replace(ring(), objective=Wider("any")).objective.scale == "any"
    assert replace(ring(), d_terms=(Scaled([1]),)).d_terms[0].sizes == [1]


def test_a_class_within_a_function_has_its_own_name_in_recipe_text():
    @dataclass(frozen=True)
    class Inner(Mine):
        scale: tuple[float, ...] = (1.0,)

    assert pretty((Inner(),)) == "(Inner(scale=(1.0,)),)"
    assert read(pretty(Inner()), {"Inner": Inner}) == Inner()
