"""`--set KEY=VALUE`: one field of a recipe replaced, anywhere in it."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from torch import nn

from zerosum import Recipe
from zerosum.data import Digits, Ring
from zerosum.game import Uniform
from zerosum.networks import DCGANGenerator, MLPDiscriminator, MLPGenerator
from zerosum.objectives import Hinge, NonSaturating, TopK
from zerosum.recipes import Evaluation, with_setting
from zerosum.recipes.own_networks import OwnGenerator
from zerosum.terms import R1, R2, WeightClip

RECIPE = Recipe(name="plain", generator=MLPGenerator(), discriminator=MLPDiscriminator(), objective=Hinge())


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("batch=32", "batch", 32),
        (" batch = 32 ", "batch", 32),
        ("images=1_000", "images", 1000),
        ("ema=5", "ema", 5.0),
        ("conditional=True", "conditional", True),
        ("precision=bfloat16", "precision", "bfloat16"),
        ("precision='bfloat16'", "precision", "bfloat16"),
        ("name=other", "name", "other"),
        ("name='a=b'", "name", "a=b"),
        ("objective=NonSaturating(real_label=0.9)", "objective", NonSaturating(0.9)),
        ("data=Ring(modes=4)", "data", Ring(modes=4)),
        ("latent=Uniform(10)", "latent", Uniform(10)),
        ("d_terms=(R1(), R2(gamma=3))", "d_terms", (R1(), R2(3.0))),
        ("d_terms=()", "d_terms", ()),
        ("d_after=WeightClip()", "d_after", WeightClip()),
        ("d_after=None", "d_after", None),
        ("generator=DCGANGenerator(size=8)", "generator", DCGANGenerator(size=8)),
        ("generator.hidden=(64,)", "generator.hidden", (64,)),
        ("generator.activation=tanh", "generator.activation", "tanh"),
        ("G_opt.lr=1", "G_opt.lr", 1.0),
        ("G_opt.schedule=Cosine(end=0.1)", "G_opt.schedule.end", 0.1),
    ],
)
def test_a_setting_replaces_one_field_and_no_other(setting, path, value):
    changed = with_setting(RECIPE, setting)
    found = changed
    for name in path.split("."):
        found = getattr(found, name)
    assert found == value
    assert type(found) is type(value)
    top = path.split(".")[0]
    assert {n for n in vars(RECIPE) if getattr(changed, n) != getattr(RECIPE, n)} <= {top}


def test_a_bare_word_is_text_where_the_field_takes_text_and_none_is_none():
    scored = replace(RECIPE, evaluation=Evaluation(metrics=("fid", "kid")))
    assert with_setting(scored, "evaluation.best=fid").evaluation.best == "fid"
    assert with_setting(scored, "evaluation.best=None").evaluation.best is None


def test_settings_add_up_and_leave_the_recipe_as_it_was():
    changed = with_setting(with_setting(RECIPE, "G_opt.lr=0.5"), "G_opt.eps=0.25")
    assert (changed.G_opt.lr, changed.G_opt.eps) == (0.5, 0.25)
    assert RECIPE.G_opt.lr == 0.0002
    assert RECIPE.data == Digits()


@pytest.mark.parametrize(
    ("meant", "value"),
    {
        "objective=hinge": Hinge(),
        "objective=Hinge": Hinge(),
        "OBJECTIVE=hinge()": Hinge(),
        "objective=non-saturating": NonSaturating(),
        "objective=non_saturating(real_label=0.9)": NonSaturating(0.9),
        "objective=topk(hinge, Share=0.25)": TopK(Hinge(), share=0.25),
        "d_terms=R1()": (R1(),),
        "d_terms=(r1(gamma=3))": (R1(3.0),),
        "d_terms=r1": (R1(),),
        "d_terms=r1,R2": (R1(), R2()),
        "d_terms=[R1]": (R1(),),
        "conditional=true": True,
        "conditional=FALSE": False,
        "d_after=none": None,
        "d_after=weight-clip": WeightClip(),
        "batch=1e2": 100,
        "name=my-run": "my-run",
        "name=5": "5",
        "name=none": "none",
        "name=runs/of mine": "runs/of mine",
        "d_opt.LR=0.5": 0.5,
        "generator.hidden=8": (8,),
        "generator.hidden=8, 4": (8, 4),
        "evaluation.metrics=fid": ("fid",),
        "evaluation.metrics=fid,kid": ("fid", "kid"),
        "evaluation.features=random-conv": "random-conv",
        "evaluation.features=classifier:a/b.safetensors": "classifier:a/b.safetensors",
        "evaluation.features=None": None,
    }.items(),
)
def test_a_setting_is_understood_as_people_write_it(meant, value):
    found = with_setting(replace(RECIPE, evaluation=Evaluation()), meant)
    for name in meant.partition("=")[0].replace("OBJECTIVE", "objective").replace("d_opt.LR", "D_opt.lr").split("."):
        found = getattr(found, name)
    assert found == value
    assert type(found) is type(value)


def test_the_users_own_classes_are_understood_alike():
    @dataclass(frozen=True)
    class OwnLoss:
        reads_real: ClassVar[bool] = False

        def d_loss(self, real, fake):
            return fake.mean() - real.mean()

        def g_loss(self, fake, real=None):
            return -fake.mean()

    assert with_setting(RECIPE, "objective=own-loss", {"OwnLoss": OwnLoss}).objective == OwnLoss()


def test_a_network_of_the_users_is_set_by_its_name():
    def made():
        return nn.Linear(4, 2)

    for value, known in (("Mine", {"Mine": nn.Linear}), ("made()", {"made": made}), ("Net", {"net": nn.Linear(4, 2)})):
        found = with_setting(RECIPE, f"generator={value}", known).generator
        assert found.given is next(iter(known.values())) and found == OwnGenerator.wrapped(found.given)
    with pytest.raises(ValueError, match="Mine is no dataclass, so it takes no arguments in recipe text"):
        with_setting(RECIPE, "generator=Mine(3)", {"Mine": nn.Linear})
    with pytest.raises(ValueError, match="Mine is no dataclass"):
        with_setting(RECIPE, "objective=Mine", {"Mine": nn.Linear})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("batch", "a setting is KEY=VALUE, like batch=32; found 'batch'"),
        ("=3", "Recipe has no field ''; there are name, generator"),
        ("batsh=3", "Recipe has no field 'batsh'; did you mean batch?"),
        ("generator.hiden=(8,)", "MLPGenerator has no field 'hiden'; did you mean hidden?"),
        ("G_opt.betas.first=8", r"\(0.5, 0.999\) has no fields, so 'first' cannot be set in it"),
        ("generator.=8", "MLPGenerator has no field ''"),
        ("data.modes=8", "Digits has no field 'modes'; it has none"),
        ("d_after.limit=1.0", "None has no fields, so 'limit' cannot be set in it"),
        ("batch=", "not recipe text"),
        ("batch=32.5", "Recipe.batch takes int; found 32.5"),
        ("batch=many", "Recipe.batch takes int; found many"),
        ("lr=1e-3", "Recipe has no field 'lr'; its parts have: --set G_opt.lr=1e-3 --set D_opt.lr=1e-3"),
        ("hidden=(8,)", r"parts have: --set generator.hidden=\(8,\) --set discriminator.hidden=\(8,\)"),
        ("objective=hinges", "unknown class 'hinges'; did you mean Hinge?"),
        ("data=photos", "Recipe.data takes Source; found photos"),
        ("d_terms=(R3(),)", "unknown class 'R3'"),
        ("precision=half", "precision is auto, float32 or bfloat16; found 'half'"),
        ("d_terms=(WeightClip(),)", r"WeightClip is not a Term: .* found __call__\(network\) \(in Recipe.d_terms\)"),
        ("d_after=R1()", "R1 is not a WeightProjection: "),
        ("objective=R1()", "R1 is not an Objective: "),
        ("data=Hinge()", "Hinge is not a Source: "),
        ("G_opt.lr=0", "lr must be above 0; found 0.0"),
        ("G_opt.betas=(0, 1)", r"betas must be in \[0, 1\); found \(0.0, 1.0\)"),
        ("images=0", "images is a number of images, at least 1; found 0"),
        ("n_generator=0", "n_generator is the number of G updates per step, at least 1; found 0"),
        ("label_dropout=0.1", r"label_dropout must be in \[0, 1\), or 0 if not conditional; found 0\.1"),
        ("n_critic=-1", "n_critic is the number of D updates per step, at least 0; found -1"),
        ("ema=-1", "ema is a half-life in images, at least 0; found -1.0"),
        ("ema_rampup=0.0", r"ema_rampup is a share of the images seen, above 0; found 0\.0"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        with_setting(RECIPE, setting)


@pytest.mark.parametrize("seed", [2**63, -(2**63)])
def test_a_seed_that_torch_does_not_take_is_refused(seed):
    assert replace(RECIPE, seed=2**63 - 1).seed == 2**63 - 1
    with pytest.raises(ValueError, match=rf"seed is an integer of 64 bits, above -2\^63 and below 2\^63; found {seed}"):
        replace(RECIPE, seed=seed)


@pytest.mark.parametrize("idle", [{"d_terms": (R1(),)}, {"d_after": WeightClip()}], ids=str)
def test_what_is_for_moves_of_d_is_refused_where_it_makes_none(idle):
    assert replace(RECIPE, n_critic=0).n_critic == 0
    with pytest.raises(
        ValueError, match="with n_critic=0 D is never updated: leave d_terms and d_after at their defaults"
    ):
        replace(RECIPE, n_critic=0, **idle)


def test_terms_in_a_list_are_a_tuple_and_one_alone_is_refused():
    players = {"generator": MLPGenerator(), "discriminator": MLPDiscriminator(), "objective": Hinge()}
    assert Recipe(name="a", **players, d_terms=[R1()]).d_terms == (R1(),)
    with pytest.raises(ValueError, match=r"d_terms is a tuple of terms, like \(R1\(gamma=1.0\),\); found R1"):
        Recipe(name="a", **players, d_terms=R1())
