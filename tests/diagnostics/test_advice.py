"""Advice is ready for the recipe it is given for: its settings parse, build, and train."""

from dataclasses import replace
from functools import cache

import pytest
import torch

from zerosum.diagnostics import Patient, advise
from zerosum.diagnostics.advice import SAFE, all_advice
from zerosum.diagnostics.rules import RULES
from zerosum.networks.blind import Blind
from zerosum.networks.conditioning import Auxiliary, Discriminative
from zerosum.networks.dcgan import DCGANDiscriminator
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.networks.resnet import ResNetGenerator
from zerosum.objectives.logistic import Minimax, NonSaturating
from zerosum.objectives.relativistic import Relativistic
from zerosum.objectives.wasserstein import Wasserstein
from zerosum.recipes.named_recipes import catalogue, named
from zerosum.recipes.optimisers import Adam
from zerosum.runs.stored_condition import condition_of
from zerosum.terms import R1, R2, Every, GradientPenalty, MatchingAware, Scheduled, WeightClip
from zerosum.terms.schedules import Geometric
from zerosum.training.batches import Batches
from zerosum.training.build import build_game

CPU = torch.device("cpu")


@cache
def opened(source):
    return source.open()


def patient_of(recipe):
    data = opened(recipe.data)
    return Patient(recipe, data.shape, condition_of(recipe, data.condition), data.coding is not None)


def changed(name, symptom, **changes):
    """The recipes that advice on a symptom makes of a named recipe."""
    recipe = replace(named(name), **changes)
    return [one.applied(recipe) for one in advise(symptom, patient_of(recipe))]


@pytest.mark.parametrize("name", catalogue())
def test_every_setting_is_one_of_the_recipe_and_changes_it(name):
    recipe = named(name)
    made = all_advice(patient_of(recipe))
    assert len(made) >= (4 if recipe.n_critic else 3)
    for one in made:
        new = one.applied(recipe)
        assert new != recipe and replace(new, data=recipe.data, images=recipe.images, seed=recipe.seed) == new
        assert one.why.endswith(".") and "arXiv" in one.source and 0 < one.images <= recipe.images
        assert not one.safe or {setting.partition("=")[0] for setting in one.settings} <= {*SAFE}


def trained(recipe, name):
    """Take one step in a small batch."""
    small, data = replace(recipe, batch=8, pretrain=0.0), opened(recipe.data)
    game = build_game(small, data, CPU, "float32")
    log = game.step(Batches(data, 8, small.conditional, 0, CPU, 0, small.label_dropout))
    assert all(value.isfinite() for value in log.values()), name


@pytest.mark.parametrize("name", ["minimax", "wgan", "projection", "cyclegan", "gmmn"])
def test_every_change_trains(name):
    for one in all_advice(patient_of(named(name))):
        trained(one.applied(named(name)), one.settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue())
def test_every_change_of_every_recipe_trains(name):
    for one in all_advice(patient_of(named(name))):
        trained(one.applied(named(name)), one.settings)


def test_the_loss_of_minimax_is_replaced_with_its_label():
    first, *_ = changed("minimax", "vanishing-gradients", objective=Minimax(real_label=0.9))
    assert first.objective == NonSaturating(real_label=0.9)


def test_a_penalty_is_added_once_and_batch_norm_removed_with_it():
    first, *_ = changed("dcgan", "mode-collapse")
    assert first.d_terms == (Every(8, R1(1.0)),) and first.discriminator.norm == "none"
    assert first.G_opt.betas == first.D_opt.betas == (0.0, 0.99)
    again, *_ = changed("dcgan", "mode-collapse", d_terms=first.d_terms, discriminator=first.discriminator)
    assert again.d_terms == (Every(8, R1(10.0)),)


def test_a_penalty_within_wrappers_is_strengthened_and_nothing_beside_it():
    terms = (Every(4, Scheduled(Geometric(end=0.1), R1(gamma=3.0))), MatchingAware())
    (stronger,) = (one for one in changed("cgan", "divergence") if one.d_terms != named("cgan").d_terms)
    assert named("cgan").d_terms == terms
    assert stronger.d_terms == (Every(4, Scheduled(Geometric(end=0.1), R1(gamma=30.0))), MatchingAware())
    _, every, _ = changed("cgan", "slack-penalty")
    assert every.d_terms == (Scheduled(Geometric(end=0.1), R1(gamma=3.0)), MatchingAware())


def test_clipping_gives_way_to_a_penalty_or_to_another_limit():
    steadied, penalty, wider = changed("wgan", "saturated-clipping")
    assert steadied.objective == NonSaturating() and steadied.d_terms == (Every(8, R1(1.0)),)
    assert replace(steadied, objective=Wasserstein(), d_terms=penalty.d_terms) == penalty
    assert penalty.d_after is None and penalty.d_terms == (GradientPenalty(10.0),)
    assert penalty.discriminator.norm == "none" and isinstance(penalty.G_opt, Adam)
    assert wider.d_after == WeightClip(0.1)
    *_, tighter = changed("wgan", "saturated-clipping", d_after=WeightClip(1.0))
    assert tighter.d_after == WeightClip(0.1)
    assert changed("r1", "saturated-clipping") == []
    held = changed("wgan", "saturated-clipping", d_terms=(GradientPenalty(1.0),))
    assert all(one.objective == Wasserstein() for one in held), "a critic that keeps its penalty stays one"
    _, kept, *_ = changed("wgan", "saturated-clipping", G_opt=Adam(lr=1e-4, betas=(0.0, 0.9)))
    assert kept.G_opt == Adam(lr=1e-4, betas=(0.0, 0.9)) and kept.D_opt == Adam(lr=5e-4, betas=(0.0, 0.9))


def test_rates_are_brought_to_their_geometric_mean_alike_or_to_a_ratio():
    def rates(G, D, place):
        made = changed("r1", "unbalanced-rates", G_opt=Adam(lr=G), D_opt=Adam(lr=D))[place]
        return made.G_opt.lr, made.D_opt.lr

    for G, D in ((1e-4, 3e-3), (3e-3, 1e-4)):  # whichever was the faster
        assert rates(G, D, 0) == (5.48e-4, 5.48e-4) and rates(G, D, 1) == (3.16e-4, 9.49e-4)
    for G, D in ((1e-3, 3e-2), (0.1, 0.3)):  # above .01
        assert rates(G, D, 0) == (3.46e-3, 3.46e-3) and rates(G, D, 1) == (2e-3, 6e-3)
    assert rates(1e-3, 3e-3, 0) == (1e-3, 7.5e-4), "in proportion already, so the next advice comes first"


def test_a_game_that_lacks_what_steady_ones_have_gets_all_of_it_at_once():
    sick = {
        "objective": Minimax(0.9), "discriminator": MLPDiscriminator(hidden=(8,)), "d_terms": (),
        "G_opt": Adam(lr=0.05, betas=(0.5, 0.999)), "D_opt": Adam(lr=5e-3, betas=(0.0, 0.99)),
    }  # fmt: skip
    for symptom in ("vanishing-gradients", "weak-discriminator", "oscillation", "dead-layers", "unbalanced-rates"):
        first, *_ = changed("r1", symptom, **sick)
        assert first.objective == NonSaturating(0.9) and first.d_terms == (R1(0.1),), symptom
        assert first.discriminator.hidden == first.generator.hidden and first.discriminator != sick["discriminator"]
        assert first.G_opt == first.D_opt == Adam(lr=3.46e-3, betas=(0.0, 0.99))
    (steadied, *rest) = changed("r1", "oscillation", d_terms=())
    assert steadied == replace(named("r1"), d_terms=(R1(0.1),)), "nothing else is unusual"
    assert steadied not in rest, "the same change is given once"
    apart, *_ = changed("r1", "oscillation", d_terms=(), D_opt=Adam(lr=7e-3, betas=(0.0, 0.99)))
    assert apart.G_opt.lr == apart.D_opt.lr == 2.65e-3 and apart.d_terms == (R1(0.1),), "seven times as fast as G"
    paired, *_ = changed("r1", "oscillation", d_terms=(), objective=Relativistic())
    assert paired.d_terms == (R1(0.1), R2(0.1))
    pictures, *_ = changed("relativistic", "oscillation", d_terms=())
    assert pictures.d_terms == (Every(8, R1(1.0)), Every(8, R2(1.0)))
    clipped, *_ = changed("wgan", "unbalanced-rates")
    assert clipped.d_after is None and clipped.D_opt == Adam(lr=5e-4, betas=(0.0, 0.9))


def test_a_d_far_narrower_than_g_becomes_as_wide():
    def wider(*hidden, **changes):
        narrow = MLPDiscriminator(hidden=hidden)
        made = changed("r1", "weak-discriminator", discriminator=narrow, **changes)
        return [one.discriminator.hidden for one in made if one.discriminator != narrow]

    width = named("r1").generator.hidden
    assert wider(max(width) // 4) == [width]
    assert wider(max(width) // 4 + 1) == [(2 * (max(width) // 4 + 1),)], "twice, where it is not as narrow"
    images = {"generator": ResNetGenerator(size=64), "discriminator": DCGANDiscriminator(size=8)}
    sizes = {one.discriminator.size for one in changed("dcgan", "weak-discriminator", **images)}
    assert sizes == {8, 16}, "a G of another family is no measure"


def test_a_smaller_discriminator_is_never_wider():
    def narrower(*hidden):
        discriminator = MLPDiscriminator(hidden=hidden)
        made = changed("r1", "memorised-samples", discriminator=discriminator)
        return [one.discriminator.hidden for one in made if one.discriminator != discriminator]

    assert narrower(64, 6, 2) == [(32, 4, 2)]
    assert narrower(4, 2) == []


def test_what_the_game_does_not_have_is_not_advised():
    free_of_D = patient_of(named("gmmn"))
    assert all("D_opt" not in " ".join(one.settings) for one in all_advice(free_of_D))
    points = all_advice(patient_of(named("r1")))
    assert not [one for one in points if "AdaptiveAugment" in " ".join(one.settings)]
    text = all_advice(patient_of(named("text")))
    assert not [one for one in text if "augment=" in " ".join(one.settings)]


def test_a_d_that_is_not_given_the_condition_is_not_shown_wrong_ones():
    def shown(recipe):
        return "MatchingAware" in " ".join(one.settings[0] for one in advise("ignored-condition", patient_of(recipe)))

    given = replace(named("projection"), objective=NonSaturating())
    assert shown(given)
    assert not shown(replace(given, discriminator=Blind(given.discriminator)))
    for way in (Auxiliary(), Discriminative()):
        assert not shown(replace(given, discriminator=replace(given.discriminator, conditioning=way)))


def test_safe_are_rates_and_penalties_without_a_change_of_networks():
    added = ("d_terms=(R1(gamma=0.1),)", "G_opt.betas=(0.0, 0.99)", "D_opt.betas=(0.0, 0.99)")
    collapsed = {one.settings: one.safe for one in advise("mode-collapse", patient_of(named("non-saturating")))}
    hopping = {one.settings: one.safe for one in advise("mode-hopping", patient_of(named("non-saturating")))}
    assert hopping[added[1:]], "without momentum alone as well"
    assert collapsed[added] and not collapsed[("opponent=Unrolled(k=5)",)]
    penalty, *_ = advise("mode-collapse", patient_of(named("dcgan")))
    assert len(penalty.settings) == 4 and not penalty.safe, "batch norm is removed, so it is another network"


def test_every_symptom_has_advice_but_data_trouble_and_another_is_refused():
    ring = Patient(named("minimax"), (2,))
    without = [symptom for symptom in RULES if not advise(symptom, ring)]
    assert without == ["ignored-condition", "data-trouble"]
    with pytest.raises(ValueError, match=r"a symptom is one of vanishing-gradients, .*; found 'flu'"):
        advise("flu", ring)
