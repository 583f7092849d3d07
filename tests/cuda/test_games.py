"""Games on a GPU: the numbers of the CPU, nothing on the wrong device, and no wait of the host within a step."""

import contextlib
from dataclasses import replace

import pytest
import torch

from zerosum.augment import AdaptiveAugment, DiffAugment, Filter
from zerosum.data.dataset import in_memory
from zerosum.game import Draws, Game, NonFiniteError, Normal
from zerosum.networks import (
    DCGANDiscriminator,
    DCGANGenerator,
    R3GANDiscriminator,
    R3GANGenerator,
    ResNetDiscriminator,
    StyleGAN2Discriminator,
    StyleGAN2Generator,
)
from zerosum.objectives import Hinge, NonSaturating, Relativistic
from zerosum.recipes.named_recipes import catalogue
from zerosum.recipes.recipe import Recipe
from zerosum.terms import R1, R2, Every, FiniteDifferenceR1, FiniteDifferenceR2, GradientPenalty
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.state import capture, restore

CPU = torch.device("cpu")
DRAW = torch.Generator().manual_seed(0)
PIXELS = torch.randint(0, 256, (32, 3, 8, 8), generator=DRAW, dtype=torch.uint8)
IMAGES = in_memory("images", PIXELS, torch.randint(3, (32,), generator=DRAW), ("a", "b", "c"))


def recipe(**changes):
    defaults = {
        "name": "on a device",
        "generator": DCGANGenerator(size=4),
        "discriminator": DCGANDiscriminator(size=4, norm="none"),
        "objective": NonSaturating(),
        "latent": Normal(3),
        "batch": 4,
        "images": 64,
    }
    return Recipe(**(defaults | changes))


R3GAN = {"generator": R3GANGenerator(size=4), "discriminator": R3GANDiscriminator(size=4), "objective": Relativistic()}
STYLEGAN2 = {"generator": StyleGAN2Generator(size=4), "discriminator": StyleGAN2Discriminator(size=4)}
GAMES = {
    "r3gan, R1 and R2": recipe(**R3GAN, d_terms=(R1(), R2())),
    "stylegan2, R1": recipe(**STYLEGAN2, d_terms=(R1(),)),
    "labels, batch norm": recipe(conditional=True, d_terms=(GradientPenalty(),)),
    "spectral norm, differences": recipe(
        objective=Hinge(),
        discriminator=ResNetDiscriminator(size=4, smallest=4, blocks=0),
        d_terms=(FiniteDifferenceR1(), FiniteDifferenceR2()),
    ),
    "DiffAugment": recipe(augment=DiffAugment(), d_terms=(R1(),)),
}


def built(made, device, dataset=IMAGES):
    """The game of a recipe, with its batches."""
    game = build_game(made, dataset, device, "float32")
    batches = Batches(dataset, made.batch, made.conditional, made.seed, device, 0, made.label_dropout)
    return game, batches


def seeded(game, batches):
    """A step in which layers with random numbers of their own draw the same at every call."""
    torch.manual_seed(0)
    return game.step(batches)


def at_cpu(tensors):
    return {name: tensor.cpu() for name, tensor in tensors.items()}


@pytest.mark.parametrize("name", GAMES)
def test_steps_have_the_values_of_the_cpu_and_do_not_wait_for_the_device(place, name):
    """The values of the first update of D, from which both start equal; random numbers are the same on each device."""
    game, batches = built(GAMES[name], place.device)
    reference, own = built(GAMES[name], CPU)
    assert game.deferred is not None and reference.deferred is None
    log, expected = seeded(game, batches), seeded(reference, own)
    assert [*log] == [*expected]
    noisy = not place.is_simulated and "stylegan2" in name  # its noise is drawn on the device
    for key in log:
        if key.startswith("D") and not noisy:
            torch.testing.assert_close(log[key].cpu(), expected[key], rtol=1e-3, atol=1e-4, msg=key)
    with place.without_waiting():
        game.step(batches)
    game.check_finite()
    assert {p.device for p in game.ema.module.parameters()} == {place.device}


def test_a_part_that_reads_the_device_is_noticed(place):
    """A part with a state on the CPU, as that of ADA, waits for the device: what the tests above would see."""
    game, batches = built(recipe(augment=AdaptiveAugment()), place.device)
    game.step(batches)
    with pytest.raises((AssertionError, RuntimeError), match=r"wait|synchronizing"), place.without_waiting():
        game.step(batches)


def test_filters_of_an_augmentation_do_not_wait(place):
    """ADA reads scores, and so waits; its transformations do not."""
    x, draws = torch.zeros(2, 3, 8, 8, device=place.device), Draws(0, 0, device=place.device)
    with place.without_waiting():
        assert Filter()(x, draws, "filter").device == place.device


class Spoilt:
    """A term that is NaN from the second update on."""

    def __call__(self, turn):
        return turn.fake.score.mean() * (float("nan") if turn.clock.updates else 0.0)


def test_an_update_that_is_not_finite_changes_nothing_and_is_reported(place):
    game, batches = built(recipe(), place.device)
    game.D.terms = (Spoilt(),)
    game.step(batches)
    before = at_cpu(game.D.network.state_dict()), at_cpu(game.ema.module.state_dict())
    with place.without_waiting():
        game.update_D(next(batches))
    with pytest.raises(NonFiniteError, match=r"^D/Spoilt is no longer a finite number$"):
        game.check_finite()
    for kept, network in zip(before, (game.D.network, game.ema.module), strict=True):
        torch.testing.assert_close(at_cpu(network.state_dict()), kept, rtol=0, atol=0)


def test_a_checkpoint_continues_the_game_on_either_device(place):
    made = recipe(conditional=True, d_terms=(Every(2, R1()),))
    game, batches = built(made, place.device)
    game.step(batches)
    saved = capture(game, {})
    assert {tensor.device for group in saved.groups.values() for tensor in group.values()} <= {CPU, place.device}
    saved = replace(saved, groups={name: at_cpu(group) for name, group in saved.groups.items()})
    expected = game.step(batches)
    for device in (place.device, CPU):
        other, _ = built(made, device)
        restore(other, saved)
        log = other.step(Batches(IMAGES, made.batch, True, 0, device, 2 * made.batch))
        for key in expected:
            torch.testing.assert_close(log[key].cpu(), expected[key].cpu(), rtol=1e-3, atol=1e-4, msg=key)


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue())
def test_a_recipe_waits_only_where_a_part_has_a_state(place, name):
    """Where the check for NaN and Inf cannot be deferred, a step waits for it anyway."""
    made = replace(catalogue()[name](), batch=8, pretrain=0.0)
    game, batches = built(made, place.device, made.data.open())
    game.step(batches)
    deferred = isinstance(game, Game) and game.deferred is not None
    with place.without_waiting() if deferred else contextlib.nullcontext():
        log = game.step(batches)
    assert all(bool(value.isfinite()) for value in log.values())
