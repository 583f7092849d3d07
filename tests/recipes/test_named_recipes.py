"""Every named recipe, with its own networks, terms and data, in a small batch."""

from dataclasses import replace

import pytest
import torch

from zerosum.recipes.named_recipes import catalogue
from zerosum.training.batches import Batches
from zerosum.training.build import build_game


@pytest.mark.parametrize("name", catalogue())
def test_it_plays_a_round_in_which_both_players_move(name):
    recipe = replace(catalogue()[name](), batch=8)
    dataset = recipe.data.open()
    game = build_game(recipe, dataset, torch.device("cpu"), "float32")
    before = {player.name: [p.clone() for p in player.parameters] for player in (game.G, game.D)}
    log = game.step(Batches(dataset, 8, recipe.conditional, 0, torch.device("cpu")))
    assert all(value.isfinite() for value in log.values())
    for player in (game.G, game.D):
        moved = [not torch.equal(a, b) for a, b in zip(before[player.name], player.parameters, strict=True)]
        assert any(moved) or not moved
    assert game.images == 8 * max(recipe.n_critic, 1)
