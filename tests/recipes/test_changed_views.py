"""Every augmentation, and unrolled opponents with every objective."""

import inspect
from dataclasses import is_dataclass, replace

import pytest
import torch

from zerosum._rooms import public
from zerosum.augment import Flip, InstanceNoise, Noise
from zerosum.data.dataset import in_memory
from zerosum.game.latents import Normal
from zerosum.game.turn import Augmentation, Transformation
from zerosum.game.unrolled import Unrolled
from zerosum.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe
from zerosum.terms.gradient_penalties import R1
from zerosum.training.batches import Batches
from zerosum.training.build import build_game

BATCH, STEPS = 4, 2
# For fields without a default.
EXAMPLES = {
    Transformation: Noise(0.1), "Objective": NonSaturating(), tuple[Transformation, ...]: (Noise(0.1),), float: 1.0,
    tuple[Augmentation, ...]: (InstanceNoise(0.1), InstanceNoise(0.2)),
}  # fmt: skip
BASE = Recipe(
    name="views",
    generator=DCGANGenerator(4),
    discriminator=DCGANDiscriminator(4),
    objective=NonSaturating(),
    latent=Normal(5),
    batch=BATCH,
)


def examples(room, method, *parameters):
    """One of each dataclass of a room that has a method of these parameters."""
    for kind in public(f"zerosum.{room}").values():
        is_part = inspect.isclass(kind) and is_dataclass(kind) and inspect.isfunction(getattr(kind, method, None))
        if is_part and tuple(inspect.signature(getattr(kind, method)).parameters)[1:] == parameters:
            needed = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
            by_name = {p.name: EXAMPLES.get(p.annotation, EXAMPLES.get(p.annotation.__name__)) for p in needed}
            yield kind(**by_name)


AUGMENTATIONS = [*examples("augment", "__call__", "x", "role", "turn")]
OBJECTIVES = [*examples("objectives", "d_loss", "real", "fake")]


def play(recipe):
    """Run two steps with finite losses; return the game, and the parameters without gradient."""
    images = torch.randint(256, (12, 2, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    made = in_memory("tiny", images)
    game = build_game(recipe, made, torch.device("cpu"), "float32")
    batches = Batches(made, BATCH, recipe.conditional, seed=0, device=torch.device("cpu"))
    unreached = {(player.name, key) for player in (game.D, game.G) for key, _ in player.network.named_parameters()}
    for _ in range(STEPS):
        log = game.step(batches)
        assert all(value.isfinite() for value in log.values())
        players = (game.D, game.G)
        unreached -= {(p.name, key) for p in players for key, w in p.network.named_parameters() if w.grad.any()}
    return game, unreached


def is_shift_invariant(objective):
    """Return whether a constant added to all scores leaves D's loss unchanged; then D's last bias has no gradient.

    True for objectives of score differences, and for hinges while every score is within the margin.
    """
    shift = torch.zeros((), requires_grad=True)
    real, fake = torch.linspace(-0.4, 0.3, 8), torch.linspace(-0.2, 0.5, 8)
    loss = objective.d_loss(real + shift, fake + shift)
    return abs(torch.autograd.grad(loss, shift)[0].item()) < 1e-6


@pytest.mark.parametrize("augment", [*AUGMENTATIONS, None], ids=lambda a: type(a).__name__)
@pytest.mark.parametrize("opponent", [None, Unrolled(2)], ids=lambda a: type(a).__name__)
def test_augmentations_work_with_and_without_unrolling(augment, opponent):
    """Every augmentation, with and without unrolling, with a penalty and several updates of G."""
    recipe = replace(BASE, augment=augment, opponent=opponent, d_terms=(R1(),), n_generator=2, n_critic=2)
    game, unreached = play(recipe)
    assert (game.D.updates, game.G.updates, game.images) == (2 * STEPS, 2 * STEPS, 2 * STEPS * BATCH)
    assert unreached == set()


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda o: type(o).__name__)
def test_unrolling_works_with_every_objective(objective):
    _, unreached = play(replace(BASE, objective=objective, opponent=Unrolled(2)))
    assert unreached <= ({("D", "head.linear.bias")} if is_shift_invariant(objective) else set())


def test_what_is_known_to_be_there_is_found():
    assert {"InstanceNoise", "Chain", "AdaptiveAugment", "AdaptivePseudo"} <= {type(a).__name__ for a in AUGMENTATIONS}
    assert {"Minimax", "MMD", "BoundaryEquilibrium", "TopK"} <= {type(o).__name__ for o in OBJECTIVES}
    assert Flip not in map(type, AUGMENTATIONS)
