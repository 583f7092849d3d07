"""Compiled moves are the moves they were, or are refused in a sentence.

Most are played here by torch's backend that runs the written list as it is: what the compiler itself adds is rounding.
"""

from dataclasses import replace

import pytest
import torch

from zerosum.augment import AdaptiveAugment, DiffAugment, HistoryBuffer, InstanceNoise
from zerosum.data.dataset import in_memory
from zerosum.game import Normal, Unrolled
from zerosum.networks import (
    DCGANDiscriminator,
    DCGANGenerator,
    FastGANDiscriminator,
    MLPDiscriminator,
    MLPGenerator,
    ResNetDiscriminator,
)
from zerosum.objectives import BoundaryEquilibrium, Hinge, NonSaturating, Relativistic, TopK
from zerosum.recipes.recipe import Recipe
from zerosum.terms import (
    R1,
    R2,
    Cosine,
    DiscriminatorFeatures,
    Every,
    FiniteDifferenceR1,
    FiniteDifferenceR2,
    GradientPenalty,
    LatentConsistency,
    LeCam,
    PathLength,
    Perceptual,
    Reconstruction,
    Scheduled,
    WeightDecay,
)
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.compiled import CompiledUpdates
from zerosum.training.state import capture

DEVICE = torch.device("cpu")
DRAW = torch.Generator().manual_seed(0)
LABELS = torch.randint(3, (64,), generator=DRAW)
POINTS = in_memory("points", torch.randn(64, 2, generator=DRAW), LABELS, ("a", "b", "c"))
PIXELS = torch.randint(0, 256, (64, 1, 8, 8), generator=DRAW, dtype=torch.uint8)
IMAGES = in_memory("images", PIXELS, LABELS, ("a", "b", "c"))


# What torch's compiler says of torch's own code.
BY_COMPILER = pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")


def recipe(**changes):
    defaults = {
        "name": "compiled",
        "generator": MLPGenerator(hidden=(8,), activation="tanh"),
        "discriminator": MLPDiscriminator(hidden=(8,), activation="tanh"),
        "objective": NonSaturating(),
        "latent": Normal(3),
        "batch": 6,
        "images": 60,
        "compile": True,
    }
    return Recipe(**(defaults | changes))


def images(**changes):
    networks = {"generator": DCGANGenerator(size=4), "discriminator": DCGANDiscriminator(size=4, norm="none")}
    return recipe(**(networks | changes))


def built(recipe, dataset, backend="aot_eager", precision="float32"):
    game = build_game(recipe, dataset, DEVICE, precision)
    if game.compiled is not None:
        game.compiled = CompiledUpdates(backend)
    return game, Batches(dataset, recipe.batch, recipe.conditional, 0, DEVICE)


def assert_equal_compiled(recipe, dataset=POINTS, rounds=3, backend="aot_eager", **tolerance):
    tolerance = tolerance or {"atol": 2e-6, "rtol": 1e-5}
    found = []
    for compile_ in (False, True):
        game, batches = built(replace(recipe, compile=compile_), dataset, backend)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            logs = [game.step(batches) for _ in range(rounds)]
        gradients = [p.grad for player in (game.D, game.G) for p in player.parameters]
        found.append((logs, gradients, capture(game, {}).groups))
    (logs, gradients, groups), (compiled_logs, compiled_gradients, compiled_groups) = found
    for log, compiled in zip(logs, compiled_logs, strict=True):
        assert [*log] == [*compiled]
        for name, value in log.items():
            torch.testing.assert_close(compiled[name], value, msg=name, check_dtype=False, **tolerance)
    for one, other in zip(gradients, compiled_gradients, strict=True):
        torch.testing.assert_close(other, one, **tolerance)
    for group, tensors in groups.items():
        for name, value in tensors.items():
            torch.testing.assert_close(compiled_groups[group][name], value, msg=f"{group} {name}", **tolerance)
    return game


GAMES = {
    "alone": recipe(),
    "R1 and R2": recipe(objective=Relativistic(), d_terms=(R1(), R2())),
    "differences": recipe(d_terms=(FiniteDifferenceR1(shrink=2), Every(2, FiniteDifferenceR2(shrink=3)))),
    "random points": recipe(d_terms=(GradientPenalty(), LatentConsistency()), g_terms=(LatentConsistency(),)),
    "conditional": recipe(conditional=True, d_terms=(R1(),), n_critic=2),
    "memory": recipe(objective=BoundaryEquilibrium(rate=0.2), d_terms=(R1(),)),
    "dropout": recipe(discriminator=MLPDiscriminator(hidden=(8,), activation="tanh", dropout=0.5)),
}
LAZY = recipe(d_terms=(Every(2, Scheduled(Cosine(), R1())), WeightDecay(), Every(3, R1())))
IMAGE_GAMES = {
    "batch norm, labels, R1": images(conditional=True, d_terms=(Every(2, R1()),)),
    "spectral norm": images(objective=Hinge(), discriminator=ResNetDiscriminator(size=4, smallest=4, blocks=0)),
    "pairs": images(
        discriminator=FastGANDiscriminator(size=4, norm="none"),
        g_terms=(Perceptual("random-conv"), DiscriminatorFeatures()),
    ),
    "augmented": images(augment=DiffAugment(), d_terms=(R1(),)),
}


@pytest.mark.parametrize("game", GAMES)
def test_compiled_or_not_the_game_is_the_same(game):
    assert_equal_compiled(GAMES[game])


@pytest.mark.parametrize("game", IMAGE_GAMES)
def test_compiled_or_not_the_game_on_images_is_the_same(game):
    assert_equal_compiled(IMAGE_GAMES[game], IMAGES)


@pytest.mark.slow
@BY_COMPILER
@pytest.mark.parametrize("game", ["batch norm, labels, R1", "spectral norm"])
def test_so_it_is_by_torchs_own_compiler(game):
    assert_equal_compiled(IMAGE_GAMES[game], IMAGES, 3, "inductor", atol=1e-4, rtol=1e-3)


@pytest.mark.slow
@BY_COMPILER
def test_layers_draw_what_they_would_without_being_compiled():
    assert_equal_compiled(GAMES["dropout"], POINTS, 3, "inductor", atol=1e-4, rtol=1e-3)


def test_each_set_of_lazy_terms_that_acts_at_once_is_one_graph():
    game = assert_equal_compiled(LAZY, rounds=7)
    assert len(game.compiled.graphs) == 4 + 1  # D with both lazy terms, either, and none; G


REFUSED = {
    "LeCam, which reads a tensor as a Python number": recipe(d_terms=(LeCam(),)),
    "PathLength, which reads a tensor as a Python number": recipe(g_terms=(Every(2, PathLength()),)),
    "TopK, which reads a tensor as a Python number": recipe(objective=TopK(Hinge())),
    "AdaptiveAugment, which reads a tensor as a Python number": images(augment=AdaptiveAugment()),
    "HistoryBuffer, which draws for 'history' from a stream of its own": recipe(augment=HistoryBuffer()),
    "InstanceNoise, which reads the clock by itself": recipe(augment=InstanceNoise()),
    "this D, which reads a tensor as a Python number": images(
        generator=DCGANGenerator(size=4, norm="layer"), discriminator=DCGANDiscriminator(size=4, norm="virtual")
    ),
    "Unrolled, which makes updates within an update": recipe(opponent=Unrolled(1)),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_compiled_is_refused_by_name(reason):
    dataset = IMAGES if isinstance(REFUSED[reason].generator, DCGANGenerator) else POINTS
    with pytest.raises(ValueError, match=f"^compile does not support {reason}"):
        game, batches = built(REFUSED[reason], dataset)
        game.step(batches)


class Moving(torch.nn.Linear):
    """A critic that assigns its buffer again in every pass."""

    def __init__(self):
        super().__init__(2, 1)
        self.register_buffer("mean", torch.zeros(2))

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return super().forward(x - self.mean)


def test_a_buffer_that_is_assigned_again_is_refused():
    game, batches = built(recipe(discriminator=Moving), POINTS)
    with pytest.raises(
        ValueError, match=r"^compile does not support a buffer that is assigned again: write self\.mean"
    ):
        game.step(batches)


class DrawsByItself:
    def __call__(self, turn):
        return torch.rand((), generator=turn.draws.stream("mine"))


def test_a_term_that_draws_in_a_way_of_its_own_is_refused():
    assert Reconstruction().weight == 1
    game, batches = built(recipe(), POINTS)
    game.D.terms = (DrawsByItself(),)
    with pytest.raises(
        ValueError, match="does not support DrawsByItself, which draws for 'mine' from a stream of its own"
    ):
        game.step(batches)


def test_micro_batches_and_several_processes_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="compile does not support micro_batch"):
        built(recipe(micro_batch=2), POINTS)
    monkeypatch.setattr("zerosum.training.build.ranks", lambda: 2)
    with pytest.raises(ValueError, match="compile supports one process, and these are several"):
        built(recipe(), POINTS)
