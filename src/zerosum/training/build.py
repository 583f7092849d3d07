"""From a recipe, which is a value, to a game, which is played."""

import copy

import torch
from torch import nn

from zerosum.data.dataset import Dataset
from zerosum.game.distributed import same_start
from zerosum.game.draws import derived_seed
from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.game import Game
from zerosum.game.player import Player
from zerosum.networks.conditioning import Labels
from zerosum.recipes.recipe import Recipe
from zerosum.training.device import precision_context


def build_generator(recipe: Recipe, shape: tuple[int, ...], classes: int) -> nn.Module:
    """The recipe's generator for samples of a shape; `classes` counts only where the recipe is conditional."""
    condition = Labels(classes) if recipe.conditional else None
    return recipe.generator.build(recipe.latent.size, shape, condition)


def build_game(recipe: Recipe, dataset: Dataset, device: torch.device, precision: str) -> Game:
    """A game at its start: networks initialised from the seed, nothing moved yet.

    Raises `ValueError` where the recipe is conditional and the data has no labels, or a network cannot take the data.
    """
    if recipe.conditional and dataset.labels is None:
        raise ValueError(f"{recipe.name} is conditional, but {dataset.name} has no labels; use --set conditional=False")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(recipe.seed, "initialisation"))
        generator = build_generator(recipe, dataset.shape, len(dataset.classes))
        discriminator = recipe.discriminator.build(
            dataset.shape, Labels(len(dataset.classes)) if recipe.conditional else None
        )
    for network in (generator, discriminator):
        network.to(device)
        if dataset.is_image:
            network.to(memory_format=torch.channels_last)
        same_start([*network.parameters(), *network.buffers()])
    parameters = [*discriminator.parameters()]
    if recipe.n_critic and not parameters:
        raise ValueError("this discriminator has no parameters, so it cannot move: set n_critic=0")
    # The objective and the terms may hold state (BEGAN's k); the recipe's own stay as they were written.
    objective, g_terms, d_terms = copy.deepcopy((recipe.objective, recipe.g_terms, recipe.d_terms))
    return Game(
        G=Player(
            "G",
            generator,
            recipe.G_opt.build([*generator.parameters()]),
            g_terms,
            rate=recipe.G_opt.schedule,
        ),
        D=Player(
            "D",
            discriminator,
            recipe.D_opt.build(parameters) if parameters else None,
            d_terms,
            after=recipe.d_after,
            rate=recipe.D_opt.schedule,
        ),
        objective=objective,
        latent=recipe.latent,
        ema=ExponentialMovingAverage(generator, recipe.ema),
        n_critic=recipe.n_critic,
        images_total=recipe.images,
        seed=recipe.seed,
        precision=precision_context(precision, device),
    )
