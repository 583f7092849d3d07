"""Every named recipe, with its own networks, terms and data, in a small batch."""

from dataclasses import replace

import pytest
import torch

from zerosum.diagnostics.signals.check_ups import CheckUps
from zerosum.diagnostics.signals.names import SIGNAL, SIGNALS
from zerosum.game.diffusion import DenoisingGame
from zerosum.game.player import unwrapped
from zerosum.game.two_games import CycleTerm, TwoGames
from zerosum.recipes.named_recipes import catalogue, named
from zerosum.recipes.translation import Cycle
from zerosum.training.batches import Batches
from zerosum.training.build import build_game


@pytest.mark.parametrize("name", catalogue())
def test_a_step_updates_both_networks(name):
    """Each weight with a gradient changes, each part of either loss is logged by name, and a check-up has signals."""
    recipe = replace(catalogue()[name](), batch=8, pretrain=0.0)
    dataset = recipe.data.open()
    whole = build_game(recipe, dataset, torch.device("cpu"), "float32")
    games = games_of(whole)
    before = {prefix: weights(game) for prefix, game in games.items()}
    log = whole.step(Batches(dataset, 8, recipe.conditional, 0, torch.device("cpu"), 0, recipe.label_dropout))
    assert all(value.isfinite() for value in log.values())
    for prefix, game in games.items():
        own = {key.removeprefix(prefix): value for key, value in log.items() if key.startswith("back_") == bool(prefix)}
        check(recipe, game, before[prefix], own)
    check_ups = CheckUps(recipe, dataset, torch.device("cpu"))
    check_ups.read()
    signals = check_ups.take(whole)
    assert {SIGNAL + "arbiter", SIGNAL + "coverage"} <= signals.keys() <= {SIGNAL + signal for signal in SIGNALS}


def games_of(whole):
    if isinstance(whole, TwoGames):
        return {"": whole.forward, "back_": whole.backward}
    return {"": whole.game if isinstance(whole, DenoisingGame) else whole}


def players_of(game):
    return [player for player in (game.G, game.D) if player.parameters]


def weights(game):
    return {player.name: [p.detach().clone() for p in player.parameters] for player in players_of(game)}


def check(recipe, game, before, log):
    for player in players_of(game):
        changed = [not torch.equal(a, b) for a, b in zip(before[player.name], player.parameters, strict=True)]
        assert any(changed)
        assert changed == [bool(p.grad.any()) for p in player.parameters]
        length = sum(p.grad.double().square().sum() for p in player.parameters).sqrt().item()
        assert log[f"{player.name}/gradient_norm"].item() == pytest.approx(length, rel=1e-4), (
            "the gradient of all of them"
        )
        assert player.updates == (recipe.n_critic if player is game.D else recipe.n_generator)
        parts = [f"{player.name}/{type(unwrapped(term)).__name__}" for term in player.terms]
        logged = [key.split("#")[0] for key in log if key.startswith(f"{player.name}/")]
        assert logged == [f"{player.name}/loss", *parts, f"{player.name}/gradient_norm"]
    cycles = sum(isinstance(term, CycleTerm) for term in game.G.terms)
    assert cycles == isinstance(recipe.game, Cycle)
    assert len(game.D.terms) == len(recipe.d_terms) and len(game.G.terms) == len(recipe.g_terms) + cycles
    assert game.images == 8 * max(recipe.n_critic, 1)


def test_a_discriminator_without_parameters_is_not_changed():
    recipe = replace(named("gmmn"), n_critic=1)
    sentence = "IdentityDiscriminator has no parameters, so D cannot be trained: set n_critic=0"
    with pytest.raises(ValueError, match=sentence):
        build_game(recipe, recipe.data.open(), torch.device("cpu"), "float32")
