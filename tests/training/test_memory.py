"""What terms and objectives remember goes through checkpoints, wrapped or not, bit for bit."""

import inspect
from dataclasses import is_dataclass

import pytest
import torch

from zerosum._rooms import public
from zerosum.data.dataset import in_memory
from zerosum.game.latents import Normal
from zerosum.game.player import unwrapped
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.energy import BoundaryEquilibrium
from zerosum.objectives.logistic import NonSaturating
from zerosum.objectives.top_k import TopK
from zerosum.protocols import Stateful
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import load_checkpoint, save_checkpoint
from zerosum.terms.lecam import LeCam
from zerosum.terms.path_length import PathLength
from zerosum.terms.schedules import Every, Ramp, Scheduled
from zerosum.terms.weights import HistoricalAveraging
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.state import capture, restore

SIDES = {LeCam: "D", PathLength: "G", HistoricalAveraging: "DG"}
WRAPPINGS = {
    "bare": lambda term: term,
    "lazy": lambda term: Every(2, term),
    "lazy and scheduled": lambda term: Every(2, Scheduled(Ramp(stop=0.5), term)),
}
DATA = in_memory("tiny", torch.randn(40, 2, generator=torch.Generator().manual_seed(0)), None, ())
DEVICE = torch.device("cpu")


def test_every_term_that_remembers_is_tried_here():
    kinds = [k for k in public("zerosum.terms").values() if inspect.isclass(k) and is_dataclass(k)]
    assert {kind for kind in kinds if issubclass(kind, Stateful)} == set(SIDES)


def game(kind=None, wrap=None, objective=None):
    """A game with a term of a kind among the terms of each player that it is for."""
    terms = {side: () if kind is None or side not in SIDES[kind] else (wrap(kind()),) for side in "DG"}
    recipe = Recipe(
        name="memory",
        generator=MLPGenerator(hidden=(8,)),
        discriminator=MLPDiscriminator(hidden=(8,)),
        objective=objective or NonSaturating(),
        latent=Normal(3),
        d_terms=terms["D"],
        g_terms=terms["G"],
        batch=4,
        images=40,
    )
    return build_game(recipe, DATA, DEVICE, "float32")


def play(game, rounds, position=0):
    batches = Batches(DATA, 4, False, seed=0, device=DEVICE, position=position)
    for _ in range(rounds):
        game.step(batches)
    return batches.position


def carried(game, tmp_path):
    """The game's checkpoint, to the disk and back."""
    save_checkpoint(tmp_path / "checkpoint", capture(game, {}))
    return load_checkpoint(tmp_path / "checkpoint")


def assert_equal(one, other):
    one, other = (capture(game, {}).groups for game in (one, other))
    assert one.keys() == other.keys()
    for group, tensors in one.items():
        assert tensors.keys() == other[group].keys()
        assert all(torch.equal(tensor, other[group][name]) for name, tensor in tensors.items()), group


@pytest.mark.parametrize("rounds", [0, 1, 3])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("kind", SIDES)
def test_a_restored_term_goes_on_as_if_never_stopped(kind, wrapping, rounds, tmp_path):
    straight, resumed = (game(kind, WRAPPINGS[wrapping]) for _ in range(2))
    position = play(straight, rounds)
    checkpoint = carried(straight, tmp_path)
    play(straight, 3, position)
    restore(resumed, checkpoint)
    play(resumed, 3, position)
    assert_equal(straight, resumed)


def terms(game):
    return [unwrapped(term) for player in (game.D, game.G) for term in player.terms]


@pytest.mark.parametrize("kind", SIDES)
def test_a_term_that_forgot_would_be_seen(kind, tmp_path):
    straight, forgetful = (game(kind, WRAPPINGS["bare"]) for _ in range(2))
    position = play(straight, 3)
    restore(forgetful, carried(straight, tmp_path))
    for term in terms(forgetful):
        term.load_state_dict(kind().state_dict())
    play(straight, 3, position)
    play(forgetful, 3, position)
    with pytest.raises(AssertionError):
        assert_equal(straight, forgetful)


def test_a_ranking_objective_is_restored_with_the_one_inside(tmp_path):
    straight, resumed = (game(objective=TopK(BoundaryEquilibrium(rate=0.1), share=0.25)) for _ in range(2))
    position = play(straight, 3)
    restore(resumed, carried(straight, tmp_path))
    assert resumed.objective.progress == straight.objective.progress > 0
    assert resumed.objective.objective.balance == straight.objective.objective.balance
    play(straight, 3, position)
    play(resumed, 3, position)
    assert_equal(straight, resumed)
