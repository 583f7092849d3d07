"""Build the game of a recipe: networks, optimisers, objective, terms and watchers."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch

from zerosum.augment.combined import Chain
from zerosum.augment.history_buffer import HistoryBuffer
from zerosum.conditions.condition import Condition
from zerosum.data.dataset import Dataset
from zerosum.features.identity import REFUSALS
from zerosum.game.buffers import saved_buffers
from zerosum.game.distributed import ranks
from zerosum.game.finite import DeferredCheck
from zerosum.game.game import Game, Watcher
from zerosum.game.micro_batches import whole_batch_reasons
from zerosum.game.player import unwrapped
from zerosum.game.trainable import TrainableGame
from zerosum.game.turn import Augmentation
from zerosum.networks.blind import Blind
from zerosum.protocols import Stateful
from zerosum.recipes.own_networks import OwnGenerator
from zerosum.recipes.players import two_players
from zerosum.recipes.recipe import Recipe
from zerosum.runs.stored_condition import condition_of
from zerosum.terms.auxiliary import AuxiliaryClass, DiscriminativeClass
from zerosum.terms.matching_aware import MatchingAware
from zerosum.training.compiled import CompiledUpdates
from zerosum.training.device import precision_context
from zerosum.training.standing import attach_standing_statistics
from zerosum.training.watchers import RunWatchers

_LABEL_READERS = (AuxiliaryClass, DiscriminativeClass)


def build_game(
    recipe: Recipe,
    dataset: Dataset,
    device: torch.device,
    precision: str,
    watchers: Sequence[Watcher] | None = None,
) -> TrainableGame:
    """Return a new game, with networks initialised from the seed.

    `watchers` are its observers, by default copies of the recipe's.

    Raises `ValueError` where the recipe is conditional and the data has neither labels nor conditions, where a term
    needs another kind of condition, or where a network does not fit the data.
    """
    if recipe.conditional and dataset.condition is None:
        raise ValueError(
            f"{recipe.name} is conditional and {dataset.name} has neither labels nor conditions: "
            f"give conditional data or --set conditional=False"
        )
    if watchers is None:
        watchers = RunWatchers(recipe.watchers).all
    context = precision_context(precision, device)
    build = _two_players if recipe.game is None else recipe.game.build
    game = build(recipe, dataset, device, context, watchers)
    attach_standing_statistics(game, recipe, dataset)
    return game


def _two_players(
    recipe: Recipe,
    dataset: Dataset,
    device: torch.device,
    precision: Callable[[], AbstractContextManager[None]],
    watchers: Sequence[Watcher],
) -> Game:
    """The standard game of a generator and a discriminator."""
    condition = condition_of(recipe, dataset.condition)
    _check_terms(recipe, condition)
    game = two_players(recipe, dataset.shape, condition, device, precision, watchers)
    _check_own_generator(recipe, dataset, game)
    _check_micro_batch(recipe, game)
    if recipe.compile:
        _check_compiled(game)
        game.compiled = CompiledUpdates()
    if device.type == "cuda" and _can_defer(game):
        game.deferred = DeferredCheck(torch.zeros((), device=device))
    return game


def _check_own_generator(recipe: Recipe, dataset: Dataset, game: Game) -> None:
    """Raise `ValueError` where the samples of a user's generator have another shape than those of the data.

    It runs once, on two latents; buffers and random state are unchanged.
    """
    if not isinstance(recipe.generator, OwnGenerator):
        return
    network, condition = game.G.network, condition_of(recipe, dataset.condition)
    where = next((p.device for p in network.parameters()), torch.device("cpu"))
    buffers = saved_buffers(network)
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            c = [] if condition is None else [condition.encode(condition.values(2)).to(where)]
            shape = tuple(network(torch.zeros(2, recipe.latent.size, device=where), *c).shape)
    except REFUSALS:
        return  # the first update raises it again, with the lines of the user's file
    finally:
        for buffer in buffers:
            buffer.restore()
    if shape != (2, *dataset.shape):
        raise ValueError(
            f"{recipe.generator.name} gives samples of shape {shape[1:]}, and those of {dataset.name} have "
            f"{dataset.shape}"
        )


def _check_terms(recipe: Recipe, condition: Condition | None) -> None:
    """Raise `ValueError` where a term, or the augmentation, does not fit the condition of the game."""
    if condition is not None and not isinstance(recipe.discriminator, Blind) and _has_history(recipe.augment):
        raise ValueError(
            "HistoryBuffer shows D past samples, of other conditions than those beside them: leave it out, or give D "
            "no condition (Blind)"
        )
    for term in map(unwrapped, (*recipe.d_terms, *recipe.g_terms)):
        if isinstance(term, MatchingAware) and recipe.label_dropout:
            raise ValueError(
                "MatchingAware trains D on mismatched conditions, and with label_dropout some samples have no "
                "condition to mismatch: leave one of the two out"
            )
        if isinstance(term, AuxiliaryClass) and condition is not None:
            _check_prediction(term, condition)


def _has_history(augment: Augmentation | None) -> bool:
    parts = augment.augmentations if isinstance(augment, Chain) else ()
    return isinstance(augment, HistoryBuffer) or any(map(_has_history, parts))


def _check_prediction(term: AuxiliaryClass, condition: Condition) -> None:
    if condition.prediction is None:
        raise ValueError(
            f"AuxiliaryClass needs a condition that D can predict; found {condition!r}: leave the term out"
        )
    kind = condition.prediction.reading
    if term.kind != kind:
        raise ValueError(
            f"AuxiliaryClass(kind={term.kind!r}) predicts {term.kind}, and the conditions of these data are {kind}: "
            f"write AuxiliaryClass(kind={kind!r}) among both players' terms"
        )


def _check_compiled(game: Game) -> None:
    """Raise `ValueError` where a game cannot be compiled, whatever its terms."""
    if game.opponent is not None:
        raise ValueError(
            f"compile does not support {type(game.opponent).__name__}, which makes updates within an update"
        )
    if game.micro_batch is not None:
        raise ValueError("compile does not support micro_batch: leave one of the two out")
    if ranks() > 1:
        raise ValueError("compile supports one process, and these are several: leave it out")


def _check_micro_batch(recipe: Recipe, game: Game) -> None:
    """Raise `ValueError` where a game cannot be trained in micro-batches."""
    size, own = recipe.micro_batch, recipe.batch // ranks()
    if size is None:
        return
    if own % size:
        raise ValueError(f"micro_batch must divide the batch of each process, {own}; found {size}")
    terms = (*game.D.terms, *game.G.terms)
    parts = (game.objective, *terms, game.augment, game.opponent, game.G.network, game.D.network)
    reasons = [reason for part in parts for reason in whole_batch_reasons(part)]
    readers = [type(term).__name__ for term in map(unwrapped, terms) if isinstance(term, _LABEL_READERS)]
    if recipe.label_dropout and readers:
        reasons.append(f"{readers[0]} takes a mean over the samples of the batch whose label is known")
    if reasons:
        raise ValueError(f"micro_batch splits every batch, and {reasons[0]}: leave one of the two out")


def _can_defer(game: Game) -> bool:
    """Whether the check for NaN/Inf can be deferred: both optimisers can skip steps, and no watcher has state."""
    remembering = any(isinstance(watcher, Stateful) for watcher in game.watchers)
    return game.D.can_skip_steps and game.G.can_skip_steps and not remembering
