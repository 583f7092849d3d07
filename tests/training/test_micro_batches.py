"""A move in micro-batches is the move of the whole batch, whatever is played; what cannot be split says so."""

import inspect
import itertools
from dataclasses import is_dataclass, replace

import pytest
import torch

from zerosum._rooms import public
from zerosum.augment import AdaptiveAugment, AdaptivePseudo, Chain, DiffAugment, HistoryBuffer, InstanceNoise, Noise
from zerosum.data.dataset import in_memory
from zerosum.game import Clock, Draws, InfoGANLatent, Judgement, Normal, Turn, Unrolled
from zerosum.game.micro_batches import SeesWholeBatch, concatenated
from zerosum.networks import (
    Aided,
    Auxiliary,
    DCGANDiscriminator,
    DCGANGenerator,
    Discriminative,
    MinibatchStddev,
    MLPDiscriminator,
    MLPGenerator,
    Packed,
    ResNetDiscriminator,
    StyleGAN2Generator,
)
from zerosum.objectives import MMD, BoundaryEquilibrium, Hinge, NonSaturating, RelativisticAverage, TopK
from zerosum.recipes.recipe import Recipe
from zerosum.terms import (
    R1,
    R2,
    AuxiliaryClass,
    Consistency,
    DiscriminativeClass,
    Every,
    GradientPenalty,
    LatentConsistency,
    LeCam,
    LevelGuidance,
    MutualInformation,
    PathLength,
    Reconstruction,
    VisionAided,
)
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.state import capture

DEVICE = torch.device("cpu")
DRAW = torch.Generator().manual_seed(0)
POINTS = in_memory(
    "points", torch.randn(64, 2, generator=DRAW), torch.randint(3, (64,), generator=DRAW), ("a", "b", "c")
)
IMAGES = in_memory("images", torch.randint(0, 256, (64, 1, 8, 8), generator=DRAW, dtype=torch.uint8), None, ())
LATENT = InfoGANLatent(Normal(2), (2,), 1)
CODE = MutualInformation(LATENT.categories, LATENT.continuous)
# Terms with fields that have no default or that have to fit, and the player that each is for where it is not D.
MADE = {Every: Every(2, R1()), MutualInformation: CODE, AuxiliaryClass: AuxiliaryClass(others=CODE.outputs)}
GENERATORS_OWN = {"FeatureMatching", "PullingAway", "ModeSeeking", "PathLength", "BestOf"}
PER_SAMPLE = {"L1", "Charbonnier"}
BOTH = {"AuxiliaryClass", "MutualInformation", "LatentConsistency", "WeightDecay"}
# What needs networks that cannot be split, or is nothing by itself.
ELSEWHERE = {
    *("DiscriminatorFeatures", "GradientDifference", "Perceptual", "Reconstruction"),
    *("LevelGuidance", "Scheduled", "Consistency", "DiscriminativeClass"),
    *("PatchNCE", "IdentityMapping", "KnownPatches", "MaximumLikelihood", "VisionAided"),
}


def kinds(room, *parameters):
    method = "d_loss" if room == "objectives" else "__call__"
    for kind in public(f"zerosum.{room}").values():
        own = getattr(kind, method, None)
        if (
            is_dataclass(kind)
            and inspect.isfunction(own)
            and tuple(inspect.signature(own).parameters)[1:] == parameters
        ):
            yield kind


OBJECTIVES = [k(Hinge()) if k is TopK else k() for k in kinds("objectives", "real", "fake")]
TERMS = [MADE[k] if k in MADE else k() for k in kinds("terms", "turn") if k.__name__ not in ELSEWHERE]


def whole(part):
    return isinstance(part, SeesWholeBatch) and bool(part.whole_batch)


def named(part):
    return type(part).__name__


def recipe(**changes):
    defaults = {
        "name": "pieces",
        "generator": MLPGenerator(hidden=(8, 8), activation="tanh"),
        "discriminator": MLPDiscriminator(
            hidden=(8, 8), activation="tanh", conditioning=Auxiliary(), auxiliary=CODE.outputs
        ),
        "objective": NonSaturating(),
        "conditional": True,
        "latent": LATENT,
        "batch": 12,
        "images": 120,
    }
    return Recipe(**(defaults | changes))


def with_images(**changes):
    defaults = {
        "conditional": False,
        "generator": DCGANGenerator(size=4, norm="layer"),
        "discriminator": DCGANDiscriminator(size=4, norm="layer"),
    }
    return recipe(**(defaults | changes))


def played(recipe, dataset, rounds):
    game = build_game(recipe, dataset, DEVICE, "float32")
    batches = Batches(dataset, recipe.batch, recipe.conditional, 0, DEVICE, 0, recipe.label_dropout)
    log = [game.step(batches) for _ in range(rounds)][-1]
    return capture(game, {}).groups, log


BY_SIDE = MLPDiscriminator(hidden=(8, 8), activation="tanh", conditioning=Discriminative())
AIDED = Aided(*[MLPDiscriminator(hidden=(8, 8), activation="tanh")] * 2)


def assert_equal_in_micro_batches(recipe, dataset=POINTS, size=4, rounds=3):
    (one, log), (other, log_of_micro_batches) = (
        played(replace(recipe, micro_batch=pieces), dataset, rounds) for pieces in (None, size)
    )
    assert log.keys() == log_of_micro_batches.keys()
    for name, value in log.items():
        torch.testing.assert_close(log_of_micro_batches[name], value, atol=1e-5, rtol=1e-5, msg=name)
    for group in one:
        for name, value in one[group].items():
            if "_opt" not in group:
                torch.testing.assert_close(other[group][name], value, atol=2e-6, rtol=1e-6, msg=f"{group} {name}")


@pytest.mark.parametrize("objective", [o for o in OBJECTIVES if not whole(o)], ids=named)
def test_every_objective_that_is_a_mean_over_samples(objective):
    assert_equal_in_micro_batches(recipe(objective=objective))


@pytest.mark.parametrize("term", [t for t in TERMS if not whole(t)], ids=named)
def test_every_term_that_is_a_mean_over_samples(term):
    name = type(term).__name__
    d_terms = () if name in GENERATORS_OWN | PER_SAMPLE else (term,)
    g_terms = (term,) if name in GENERATORS_OWN | PER_SAMPLE | BOTH else ()
    assert_equal_in_micro_batches(recipe(d_terms=d_terms, g_terms=g_terms))


@pytest.mark.parametrize(("D", "term"), [(BY_SIDE, DiscriminativeClass()), (AIDED, VisionAided())], ids=named)
def test_what_needs_a_discriminator_of_its_own_is_a_mean_over_samples(D, term):
    assert_equal_in_micro_batches(recipe(discriminator=D, d_terms=(term,), g_terms=(term,)))


def test_the_micro_batches_of_a_turn_join_in_all_outputs_of_d():
    """Observers see the batch whole: every field of the judgement but maps, in the order of the samples."""
    whole_x = torch.randn(6, 4, generator=DRAW)

    def classifier(x):
        return Judgement(x[:, 0], x[:, 1:], x[:, :2], x.view(-1, 2, 2), x[:, :3], (x.view(-1, 1, 2, 2),))

    rows = whole_x.split(2)
    turns = [Turn("D", classifier, classifier, x, x, x, None, Clock(), Draws(0, 0)) for x in rows]
    for turn in turns:
        assert len(turn.real.score) == 2
    wanted = classifier(whole_x)
    parts = dict(vars(concatenated(turns, Draws(0, 0)).real))
    assert parts.pop("maps") == ()
    for name, part in parts.items():
        torch.testing.assert_close(part, getattr(wanted, name))


@pytest.mark.parametrize("part", [p for p in [*OBJECTIVES, *TERMS] if whole(p)], ids=named)
def test_all_that_sees_a_batch_whole_refuses(part):
    terms = {"g_terms": (part,)} if type(part).__name__ in GENERATORS_OWN else {"d_terms": (part,)}
    changes = {"objective": part} if part in OBJECTIVES else terms
    with pytest.raises(ValueError, match=f"^micro_batch splits every batch, and {type(part).__name__} "):
        build_game(recipe(micro_batch=4, **changes), POINTS, DEVICE, "float32")


def test_what_is_split_and_what_is_not_is_known_of_all():
    refused = {type(part).__name__ for part in [*OBJECTIVES, *TERMS] if whole(part)}
    own = {"MMD", "Drifting", "RelativisticAverage", "Softmax", "TopK", "Contrastive", "Dragan", "MatchingAware"}
    assert refused == {*own, "MaxGradientPenalty", *GENERATORS_OWN}


@pytest.mark.parametrize(
    "augment",
    [
        AdaptiveAugment(pipeline="bgc", target=-0.9, images=40, every=1),
        Chain((AdaptivePseudo(target=-0.9, images=40, every=1), DiffAugment(), InstanceNoise(0.1))),
        HistoryBuffer(size=20),
    ],
)
def test_augmentation_takes_the_rows_of_the_batch(augment):
    terms = (Every(2, R1()), R2(), Consistency(Noise(0.1), 1.0, 1.0), GradientPenalty())
    assert_equal_in_micro_batches(with_images(augment=augment, d_terms=terms), IMAGES)


def test_spectral_norm_moves_on_as_for_one_batch():
    discriminator = ResNetDiscriminator(size=4, norm="spectral", smallest=4, blocks=0)
    assert_equal_in_micro_batches(with_images(discriminator=discriminator), IMAGES)


def test_label_dropout_several_moves_and_memories():
    d_terms = (LeCam(), LatentConsistency(), GradientPenalty())
    discriminator = MLPDiscriminator(hidden=(8,), activation="tanh")
    changes = {"label_dropout": 0.3, "n_critic": 2, "n_generator": 2, "discriminator": discriminator}
    objective = BoundaryEquilibrium(rate=0.1)
    assert_equal_in_micro_batches(
        recipe(d_terms=d_terms, g_terms=(LatentConsistency(),), objective=objective, **changes)
    )


def test_packs_that_stay_whole():
    packed = Packed(MLPDiscriminator(hidden=(8,), activation="tanh"), samples=2)
    assert_equal_in_micro_batches(recipe(discriminator=packed))
    with pytest.raises(ValueError, match="packs of 2 samples need a batch that divides by it; found 3"):
        played(recipe(discriminator=packed, micro_batch=3), POINTS, 1)


REFUSED = {
    "batch norm takes its mean": with_images(generator=DCGANGenerator(size=4)),
    "virtual batch norm takes its reference": with_images(discriminator=DCGANDiscriminator(size=4, norm="virtual")),
    "a layer of D compares": with_images(
        discriminator=DCGANDiscriminator(size=4, norm="none", minibatch=MinibatchStddev(2))
    ),
    "StyleGAN2's generator keeps": with_images(generator=StyleGAN2Generator(size=4)),
    "MMD compares every": recipe(objective=NonSaturating(), g_terms=(LevelGuidance(objective=MMD()),)),
    "RelativisticAverage compares": recipe(objective=RelativisticAverage()),
    "PathLength compares": recipe(g_terms=(Every(2, PathLength()),)),
    "Unrolled updates D": recipe(opponent=Unrolled(1)),
    "AuxiliaryClass takes a mean over the samples": recipe(label_dropout=0.1, d_terms=(AuxiliaryClass(),)),
    "DiscriminativeClass takes a mean over the samples": recipe(
        label_dropout=0.1, d_terms=(Every(2, DiscriminativeClass()),), discriminator=BY_SIDE
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_compares_within_a_batch_is_refused(reason):
    refused = REFUSED[reason]
    dataset = POINTS if refused.conditional else IMAGES
    with pytest.raises(ValueError, match=f"^micro_batch splits every batch, and {reason}.*: leave one of the two out$"):
        build_game(replace(refused, micro_batch=4), dataset, DEVICE, "float32")


def test_attributes_that_may_be_unknown_are_refused_and_numbers_are_not():
    assert whole(AuxiliaryClass(kind="attributes"))
    assert not whole(AuxiliaryClass(kind="numbers"))
    assert not whole(Reconstruction())


@pytest.mark.parametrize("size", [0, -4, 5])
def test_micro_batches_divide_the_batch(size):
    with pytest.raises(ValueError, match=rf"^micro_batch must divide the batch size, 12; found {size}$"):
        recipe(micro_batch=size)


def test_micro_batches_divide_the_samples_of_each_process(monkeypatch):
    monkeypatch.setattr("zerosum.training.build.ranks", lambda: 3)
    with pytest.raises(ValueError, match="micro_batch must divide the batch of each process, 4"):
        build_game(recipe(micro_batch=6), POINTS, DEVICE, "float32")


def test_a_batch_that_does_not_divide_is_refused():
    batch = next(Batches(POINTS, 12, False, 0, DEVICE))
    assert [len(piece.x) for piece in batch.micro_batches(3)] == [3] * 4
    with pytest.raises(ValueError, match="a batch of 12 samples does not divide into micro-batches of 5"):
        batch.micro_batches(5)


def test_micro_batches_draw_the_rows_of_the_whole():
    game = build_game(recipe(micro_batch=4), POINTS, DEVICE, "float32")
    batch = next(Batches(POINTS, 12, True, 0, DEVICE))
    (whole_batch,) = batch.micro_batches(None)
    rows = [game.turn_D(piece) for piece in batch.micro_batches(4)]
    assert torch.equal(torch.cat([turn.z for turn in rows]), game.turn_D(whole_batch).z)
    drawn = [turn.draws.uniform("x", (4, 2)) for turn in rows]
    assert torch.equal(torch.cat(drawn), game.draws(whole_batch).uniform("x", (12, 2)))
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(drawn, 2))


def test_micro_batches_of_a_process_are_rows_of_its_rows(monkeypatch):
    game = build_game(recipe(micro_batch=2), POINTS, DEVICE, "float32")
    batch = next(Batches(POINTS, 6, True, 0, DEVICE))
    everyones = game.draws(batch).uniform("x", (12, 2))
    monkeypatch.setattr("zerosum.game.game.ranks", lambda: 2)
    for rank in (0, 1):
        monkeypatch.setattr("zerosum.game.game.rank", lambda rank=rank: rank)
        rows = [game.draws(piece).uniform("x", (2, 2)) for piece in batch.micro_batches(2)]
        assert torch.equal(torch.cat(rows), everyones[6 * rank : 6 * rank + 6])
