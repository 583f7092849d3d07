"""Pretraining: G alone, by its terms, and then the game."""

import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import zerosum
from zerosum.data import Ring
from zerosum.game.pretraining import PretrainedGame
from zerosum.recipes import ring
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import generator_network
from zerosum.terms import Every, WeightDecay
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.options import RunOptions
from zerosum.training.train import train

killed_run = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "training" / "killed_run.py")))
RECIPE = replace(
    ring(), data=Ring(count=200), batch=20, images=400, tick=40, snapshot=80, pretrain=0.5, ema=0.0,
    g_terms=(WeightDecay(0.1),), d_terms=(), precision="float32", G_opt=Adam(lr=1e-3), D_opt=Adam(lr=1e-3),
)  # fmt: skip


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return Path(train(RECIPE, tmp_path_factory.mktemp("straight") / "run", quiet=True))


def test_at_first_only_terms_of_g_count(straight):
    log = zerosum.Run(straight).log
    first = [line for line in log if line["images"] <= 200]
    later = [line for line in log if line["images"] > 240]
    assert first and all("D/loss" not in line and "G/loss" not in line for line in first)
    assert first[-1]["G/WeightDecay"] < first[0]["G/WeightDecay"]
    assert later and all({"D/loss", "G/loss", "G/WeightDecay"} <= line.keys() for line in later)


def test_while_no_term_acts_the_gradient_is_zero():
    dataset, cpu = Ring(count=200).open(), torch.device("cpu")
    game = build_game(replace(RECIPE, g_terms=(Every(2, WeightDecay(0.1)),)), dataset, cpu, "float32")
    batches = Batches(dataset, 20, False, 0, cpu)
    norms = [game.step(batches)["G/gradient_norm"].item() for _ in range(4)]
    assert norms[0] > 0 and norms[2] > 0 and norms[1] == norms[3] == 0


def test_the_pretrained_generator_is_kept(straight):
    pretrained, last = (zerosum.load(straight, generator=name) for name in ("pretrained", "generator"))
    assert (straight / "pretrained.safetensors").is_file()
    before, after = (torch.cat([p.flatten() for p in one.module.parameters()]) for one in (pretrained, last))
    assert before.norm() != after.norm() and before.shape == after.shape
    alone = train(replace(RECIPE, images=200, pretrain=0.995), straight.parent / "alone", quiet=True)
    weights = torch.cat([p.flatten() for p in alone.generator.module.parameters()])
    torch.testing.assert_close(before, weights, rtol=0, atol=0)


def test_the_first_step_of_the_game_is_that_of_a_game_from_these_weights():
    dataset = Ring(count=200).open()
    cpu = torch.device("cpu")
    both = build_game(RECIPE, dataset, cpu, "float32")
    assert isinstance(both, PretrainedGame)
    D = {name: p.clone() for name, p in both.D.network.named_parameters()}
    batches = Batches(dataset, 20, False, 0, cpu)
    while both.is_pretraining:
        both.step(batches)
    assert both.images == 200 and all(torch.equal(p, D[name]) for name, p in both.D.network.named_parameters())
    plain = build_game(replace(RECIPE, pretrain=0.0), dataset, cpu, "float32")
    plain.load_state_dict({name: group for name, group in both.state_dict().items() if name != "pretrained"})
    position = batches.position
    one = both.step(Batches(dataset, 20, False, 0, cpu, position))
    other = plain.step(Batches(dataset, 20, False, 0, cpu, position))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("update", [6, 14], ids=["before", "after"])
def test_a_killed_run_continues_to_the_same_bits(tmp_path, straight, update):
    killed_run.assert_resumes_to_the_same_bits(__file__, straight, tmp_path / "run", update)


def test_a_run_starts_from_the_weights_of_another(tmp_path, straight):
    plain = train(replace(RECIPE, pretrain=0.0, images=40), tmp_path / "plain", quiet=True)
    run = train(replace(RECIPE, images=40), tmp_path / "run", quiet=True, options=RunOptions(start_from=plain.path))
    assert run.recipe.pretrain == 0.5


def test_what_cannot_be_pretrained_is_refused():
    with pytest.raises(ValueError, match=r"pretrain is a share of the run, in \[0, 1\); found 1.0"):
        replace(RECIPE, pretrain=1.0)
    with pytest.raises(ValueError, match="pretrain trains G by its terms alone: give g_terms, and leave out compile"):
        replace(RECIPE, g_terms=())
    with pytest.raises(ValueError, match="has one generator, called 'generator'; found 'pretrained'"):
        generator_network(replace(RECIPE, pretrain=0.0), "pretrained", (2,), None)
