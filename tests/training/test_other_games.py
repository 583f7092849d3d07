"""The loop trains, resumes, shares out and samples a game whose networks it does not know: one of four, from a test."""

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from benchmarks.robustness.sameness import differences
from tests.forked import Forked, python, ranks
from tests.training.coupled_game import KNOWN, RECIPE, Coupled, CoupledGame, Scores, Updates
from typer.testing import CliRunner

from zerosum.cli import app
from zerosum.game.finite import NonFiniteError
from zerosum.recipes.reader import read_recipe
from zerosum.recipes.recipe import pretty
from zerosum.report.write import write_report
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.generator import load
from zerosum.runs.log import read_log
from zerosum.terms.gradient_penalties import R1
from zerosum.training.build import build_game
from zerosum.training.options import RunOptions
from zerosum.training.state import check_generators, check_weights
from zerosum.training.train import train

SCRIPT = Path(__file__).with_name("coupled_game.py")


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run that nothing interrupts, and the watcher that it was given."""
    watcher = Updates()
    run = train(
        RECIPE, tmp_path_factory.mktemp("straight") / "run", quiet=True, options=RunOptions(watchers=(watcher,))
    )
    return run, watcher


def groups(run):
    return newest_checkpoint(run)[1].groups


def test_all_that_it_is_made_of_is_kept_and_logged(straight):
    run, watcher = straight
    names = {"G_A", "G_B", "D_A", "D_B"}
    optimisers = {f"{name}_opt" for name in names}
    others = {"generator", "turned", "counts", "means", "signals", "watcher_0", "watcher_Updates"}
    assert groups(run).keys() - {"means"} == (names | optimisers | others) - {"means"}
    assert watcher.counts == dict.fromkeys(sorted(names), 40)
    last = read_log(run)[-1]
    assert (last["images"], last["steps"]) == (960, 40)
    assert {"G_A/tie", "D_B/loss", "G_B/mean score"} <= last.keys()


def test_killed_and_continued_it_is_the_straight_run_bit_for_bit(straight, tmp_path):
    run = tmp_path / "killed"
    with Forked([sys.executable, str(SCRIPT), str(run)]) as process:
        began = time.monotonic()
        while not (run / "checkpoints" / "000000000480").exists():
            assert process.poll() is None and time.monotonic() - began < 300
            time.sleep(0.001)
        process.kill()
    assert not (run / "generator.safetensors").exists()
    early = load(run, KNOWN, generator="turned")  # before the end, from the newest checkpoint
    assert early.images >= 480 and early.name == "turned"
    assert python(SCRIPT, run).returncode == 0
    assert differences(straight[0], run) == []
    assert (run / "turned.safetensors").read_bytes() == (straight[0] / "turned.safetensors").read_bytes()


def test_two_processes_train_what_one_trains(straight, tmp_path):
    run = tmp_path / "two"
    assert ranks(2, SCRIPT, run, 480) == [0, 0]
    # One process goes on from what two have left, as after a kill.
    (run / "generator.safetensors").unlink()
    text = (run / "recipe.txt").read_text()
    (run / "recipe.txt").write_text(text.replace("images=480", "images=960"))
    assert python(SCRIPT, run).returncode == 0
    one, other = groups(straight[0]), groups(run)
    assert one.keys() == other.keys()
    for name, tensors in one.items():
        for key, tensor in tensors.items():
            torch.testing.assert_close(other[name][key], tensor, atol=1e-5, rtol=1e-5, msg=f"{name}.{key}")


def test_each_generator_is_sampled_by_its_name_or_file(straight):
    run = straight[0]
    first, turned = load(run, KNOWN), load(run, KNOWN, generator="turned")
    assert (first.name, turned.name) == ("generator", "turned")
    assert (load(run / "turned.safetensors", KNOWN).sample(9) == turned.sample(9)).all()
    for one in (first, turned):
        weights = groups(run)[one.name]
        assert all(torch.equal(tensor, weights[name]) for name, tensor in one.module.state_dict().items())
    assert (first.sample(9) != turned.sample(9)).any()
    with pytest.raises(ValueError, match="Coupled has the generators generator and turned; found 'third'"):
        build = load(run, KNOWN).recipe.game.generator
        build("third", RECIPE, (2,), None)
    with pytest.raises(ValueError, match="the game of plain has one generator, called 'generator'; found 'turned'"):
        from zerosum.runs.generator import build_generator

        build_generator(replace(RECIPE, name="plain", game=None), (2,), name="turned")


def test_the_command_line_samples_another_generator(straight, tmp_path):
    run = straight[0]
    command = ["sample", str(run), "--n", "9", "--use", str(SCRIPT)]
    for name in ("generator", "turned"):
        out = tmp_path / f"{name}.npz"
        done = CliRunner().invoke(app, [*command, "--generator", name, "--out", str(out)])
        assert done.exit_code == 0, done.output
        assert (np.load(out)["points"] == load(run, KNOWN, generator=name).sample(9)).all()
    message = "--best keeps the generator called 'generator'; found --generator turned: leave one of the two out"
    with pytest.raises(ValueError, match=message):
        CliRunner().invoke(app, [*command, "--best", "--generator", "turned"], catch_exceptions=False)


def test_its_report_shows_it(straight):
    run = straight[0]
    (run / "report.html").unlink()
    page = write_report(run, load(run, KNOWN)).read_text()
    assert "Real and generated" in page and "G_A/tie" in page and "Coupled(weight=0.1)" in page


def test_another_run_starts_from_its_weights(straight, tmp_path):
    recipe = replace(RECIPE, images=24, tick=24, snapshot=24, G_opt=replace(RECIPE.G_opt, lr=1e-30))
    run = train(recipe, tmp_path / "run", quiet=True, options=RunOptions(start_from=straight[0]))
    for name in ("G_A", "G_B"):
        one, other = (groups(at)[name] for at in (straight[0], run))
        assert all(torch.equal(one[key], other[key]) for key in one if "weight" in key), name


def test_a_weight_that_broke_is_named(straight):
    game = build_game(RECIPE, RECIPE.data.open(), torch.device("cpu"), "float32")
    check_weights(game)
    with torch.no_grad():
        weight = next(game.networks["G_B"].parameters()).detach().view(-1)
        weight[0] = torch.nan  # one of many, in one of several tensors
    assert weight[1:].isfinite().all() and len([*game.networks["G_B"].parameters()]) > 1
    with pytest.raises(NonFiniteError, match="a weight of G_B is no longer a finite number"):
        check_weights(game)


def test_it_is_a_part_of_the_recipes_text():
    assert read_recipe(pretty(RECIPE), KNOWN) == RECIPE
    assert "game=" not in pretty(replace(RECIPE, game=None))
    assert replace(RECIPE, game=None).game is None


def test_what_it_does_not_use_is_refused_and_not_ignored():
    with pytest.raises(ValueError, match=r"Coupled does not use d_terms: leave it at \(\)"):
        replace(RECIPE, d_terms=(R1(),))
    with pytest.raises(ValueError, match="Coupled does not use micro_batch: leave it at None"):
        replace(RECIPE, micro_batch=12)


@dataclass(frozen=True)
class Odd(Coupled):
    """One whose game breaks a rule."""

    rule: str = "main"
    reads: ClassVar[tuple[str, ...]] = Coupled.reads

    def build(self, recipe, dataset, device, precision, watchers):
        game = CoupledGame(recipe, dataset, device, precision, watchers, self.weight)
        if self.rule == "main":
            game.averages = {"first": game.averages["generator"]}
        elif self.rule == "word":
            game.averages["../x"] = game.averages["turned"]
        elif self.rule == "group":
            state = game.state_dict
            game.state_dict = lambda: {name: group for name, group in state().items() if name != "turned"}
        else:
            state = game.state_dict
            game.state_dict = lambda: {**state(), "means": {"a": torch.zeros(())}}
        return game


RULES = {
    "main": "generators of CoupledGame are named by identifiers, one of them 'generator' and none best or classifier; ",
    "word": r"found generator, turned, \.\./x",
    "group": r"CoupledGame\.state_dict\(\) lacks a group with the weights of turned",
    "taken": r"CoupledGame\.state_dict\(\) has a group 'means', a name that the run uses",
}


@pytest.mark.parametrize("rule", RULES)
def test_a_game_that_breaks_the_protocol_is_refused_before_it_is_trained(rule, tmp_path):
    with pytest.raises(ValueError, match=RULES[rule]):
        train(replace(RECIPE, game=Odd(rule=rule)), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_the_usual_game_keeps_the_protocol_too():
    game = build_game(replace(RECIPE, game=None), RECIPE.data.open(), torch.device("cpu"), "float32", (Scores(),))
    check_generators(game)
    assert [*game.networks] == ["G", "D"] and [*game.generators] == ["generator"] and game.steps == 0
