"""The networks and players of a recipe, as a game of two."""

__all__ = ()

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

import torch
from torch import nn

from zerosum.conditions.condition import Condition
from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.game import Game, Watcher
from zerosum.game.player import Adjusts, Player, Term
from zerosum.game.pretraining import PretrainedGame
from zerosum.game.random import derived_seed
from zerosum.game.trainable import MAIN
from zerosum.networks.placement import place
from zerosum.networks.sizes import built
from zerosum.recipes.optimisers import OptimiserSpec
from zerosum.recipes.own_networks import discriminator_spec
from zerosum.recipes.recipe import Recipe, generator_network


def two_players(
    recipe: Recipe,
    shape: tuple[int, ...],
    condition: Condition | None,
    device: torch.device,
    precision: Callable[[], AbstractContextManager[None]],
    watchers: Sequence[Watcher],
    purpose: str = "initialisation",
) -> Game:
    """A new game of a generator and a discriminator of samples of a shape, under such a condition.

    `precision` returns the context of networks and losses; `purpose` is that of the random numbers of the weights, so
    that several games of a recipe begin from different weights. Raises `ValueError` for networks that do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(recipe.seed, purpose))
        generator = built(lambda: generator_network(recipe, MAIN, shape, condition))
        discriminator = built(lambda: discriminator_spec(recipe.discriminator).build(shape, condition))
    for network in (generator, discriminator):
        place(network, device, len(shape) == 3)
    # Objective, terms and augmentation may have state (BEGAN's k): copies keep the recipe unchanged.
    objective, augment = copy.deepcopy((recipe.objective, recipe.augment))
    g_terms, d_terms = copy.deepcopy((recipe.g_terms, recipe.d_terms))
    D = _player("D", discriminator, recipe.D_opt, d_terms)
    D.after = recipe.d_after
    if recipe.n_critic and not D.parameters:
        name = type(recipe.discriminator).__name__
        raise ValueError(f"{name} has no parameters, so D cannot be trained: set n_critic=0")
    kind = Game if not recipe.pretrain else partial(PretrainedGame, pretrain=round(recipe.pretrain * recipe.images))
    return kind(
        G=_player("G", generator, recipe.G_opt, g_terms),
        D=D,
        objective=objective,
        latent=recipe.latent,
        ema=ExponentialMovingAverage(generator, recipe.ema, recipe.ema_rampup),
        n_critic=recipe.n_critic,
        n_generator=recipe.n_generator,
        opponent=recipe.opponent,
        augment=augment,
        watchers=tuple(watchers),
        images_total=recipe.images,
        seed=recipe.seed,
        precision=precision,
        micro_batch=recipe.micro_batch,
    )


def _player(name: str, network: nn.Module, optimiser: OptimiserSpec, terms: tuple[Term, ...]) -> Player:
    parameters = [p for p in network.parameters() if p.requires_grad]
    built_optimiser = optimiser.build(parameters) if parameters else None
    adjust = optimiser.adjust if isinstance(optimiser, Adjusts) else None
    return Player(name, network, built_optimiser, terms, rate=optimiser.schedule, adjust=adjust)
