"""Several processes train one run by the command that trains it alone: they stop, die and go on together."""

import json
import os
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.forked import python

from zerosum.data.toys.gaussians import Ring
from zerosum.game.game import Game
from zerosum.game.latents import Normal
from zerosum.networks.minibatch import MinibatchStddev
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.log import read_log
from zerosum.terms.gradient_penalties import R1
from zerosum.terms.lecam import LeCam
from zerosum.terms.path_length import PathLength
from zerosum.terms.schedules import Every
from zerosum.training.options import RunOptions
from zerosum.training.train import train

pytestmark = pytest.mark.timeout(600)  # many processes: a busy machine takes its time
SCRIPT = Path(__file__).with_name("ranks_runs.py")
STEADY = Adam(lr=1e-2, eps=0.1)  # where a gradient is nothing but rounding, Adam's usual eps would make a step of it
RECIPE = Recipe(
    name="shared",
    data=Ring(count=100),  # epochs end within batches
    generator=MLPGenerator(hidden=(16,), activation="silu", norm="batch"),
    discriminator=MLPDiscriminator(hidden=(16,), activation="silu", norm="batch", minibatch=MinibatchStddev()),
    objective=NonSaturating(),
    conditional=True,
    latent=Normal(4),
    d_terms=(Every(3, R1(gamma=0.1)), LeCam(decay=0.8)),
    g_terms=(Every(2, PathLength()),),
    G_opt=STEADY,
    D_opt=STEADY,
    batch=24,
    images=1440,
    ema=200.0,
    tick=120,
    snapshot=480,
    evaluation=Evaluation(every=720, n=50),
)
BROKEN = replace(RECIPE, D_opt=Adam(lr=1e30), discriminator=MLPDiscriminator(hidden=(16,)), d_terms=(), evaluation=None)
SPLIT = replace(
    RECIPE,
    generator=MLPGenerator(hidden=(16,), activation="silu"),
    discriminator=MLPDiscriminator(hidden=(16,), activation="silu"),
    d_terms=(Every(3, R1(gamma=0.1)),),
    g_terms=(),
    evaluation=None,
)
LOST = "another process of this run exited or does not respond, so this one stops too; the same command resumes"
CLOCKS = {"seconds", "images_per_second", "wait"}
NOTE = r"^\[[\w.]+\] (/.*)\n"
THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, recipe in (("recipe", RECIPE), ("broken", BROKEN), ("split", replace(SPLIT, micro_batch=4))):
        (folder / f"{name}.txt").write_text(pretty(recipe))
    return folder


@pytest.fixture(scope="module")
def straight(folder):
    """The run of one process."""
    return train(RECIPE, folder / "straight", quiet=True)


@pytest.fixture(scope="module")
def scenes(folder):
    """What became of several processes, in the order of the scenes."""

    def scene(count, out, recipe="recipe", **further):
        words = ["train", str(folder / f"{recipe}.txt"), "--out", str(folder / out)]
        return {"count": count, "words": words, **further}

    halfway = [str(folder / name) for name in ("stopped", "two")]
    played = {
        "stopped": scene(2, "stopped", what="stop", rank=1, rounds=27, copy=halfway),
        "killed": scene(3, "stopped", what="kill", rank=2, rounds=17),
        "continued": scene(3, "stopped"),
        "again": scene(2, "stopped"),
        "broken": scene(2, "griefs", what="break", rank=1, rounds=3),
        "frozen": scene(2, "griefs", what="freeze", rank=1, rounds=3, patience=3),
        "headless": scene(2, "griefs", what="kill", rank=0, rounds=3),
        "infinite": scene(2, "infinite", recipe="broken"),
        "poisoned": scene(
            2, "poisoned", recipe="split", what="poison", rank=1, rounds=27, more=["--on-nonfinite", "rollback"]
        ),
        "pieces": scene(3, "pieces", recipe="split"),
        "unknown": scene(2, "odd", more=["--set", "bach=25"]),
        "odd": scene(2, "odd", recipe="recipe", more=["--set", "batch=25"]),
        "longer": scene(2, "odd", own={"1": ["--images", "2880"]}),
        "other data": scene(2, "odd", own={"1": ["--data", "Ring(count=99)"]}),
        "other objective": scene(2, "odd", own={"1": ["--set", "objective=Hinge()"]}),
    }
    for one in played.values():
        one["words"] += one.pop("more", [])
    file = folder / "scenes.json"
    file.write_text(json.dumps([*played.values()]))
    script = python(SCRIPT, file, timeout=500)
    assert script.returncode == 0, script.stderr
    return {name: scene["found"] for name, scene in zip(played, json.loads(file.read_text()), strict=True)}


def assert_alike(run, straight):
    """The same tensors to 1e-6, samples that check-ups keep to 1e-5, and the same numbers."""
    one, other = (newest_checkpoint(folder)[1] for folder in (run, straight))
    assert one.groups.keys() == other.groups.keys()
    for name, tensors in one.groups.items():
        assert tensors.keys() == other.groups[name].keys()
        within = 1e-5 if name == "signals" else 1e-6
        for key, tensor in tensors.items():
            found = other.groups[name][key]
            torch.testing.assert_close(tensor, found, atol=within, rtol=1e-6, msg=f"{name}.{key}")
    assert {k: v for k, v in one.numbers.items() if k != "seconds"} == {
        k: v for k, v in other.numbers.items() if k != "seconds"
    }


def told(entries):
    return [{key: value for key, value in entry.items() if key not in CLOCKS} for entry in entries]


def words(scene):
    """What was said, by rank, without the notes on files."""
    return [re.sub(NOTE, "", output, flags=re.MULTILINE) for output in scene["said"]]


def written(scene):
    return [re.findall(NOTE, output, flags=re.MULTILINE) for output in scene["said"]]


def test_a_signal_on_one_rank_stops_all_in_the_same_round_saved(scenes, folder):
    assert scenes["stopped"]["ended"] == {"0": 143, "1": 143}
    assert newest_checkpoint(folder / "two")[1].numbers["images"] == 27 * RECIPE.batch
    assert "stopped after 648 images and saved" in words(scenes["stopped"])[0]


def test_a_lost_rank_stops_the_others_with_one_sentence(scenes):
    for name, survivors in (("killed", "01"), ("headless", "1"), ("frozen", "0")):
        scene = scenes[name]
        assert {scene["ended"][rank] for rank in survivors} == {1}, name
        assert "".join(words(scene)).count("zerosum: ") == "".join(words(scene)).count(LOST) == 1, words(scene)
        assert scene["seconds"] < 60, name  # in fact at once, and where it is frozen after the patience
    assert scenes["killed"]["ended"]["2"] == -9


def test_an_error_of_one_rank_ends_all_and_is_reported_once(scenes):
    for name, sentence in (("broken", "this picture is broken"), ("infinite", "is no longer a finite number")):
        assert scenes[name]["ended"] == {"0": 1, "1": 1}
        both = "".join(words(scenes[name]))
        assert both.count("zerosum: ") == both.count(sentence) == 1, both
        assert "Traceback" not in both


def test_an_error_of_the_command_is_reported_once(scenes):
    for name, sentence in (("odd", "25 does not divide by 2 ranks"), ("unknown", "has no field 'bach'")):
        assert scenes[name]["ended"] == {"0": 1, "1": 1}
        assert "".join(words(scenes[name])).count(sentence) == "".join(words(scenes[name])).count("zerosum: ") == 1


def test_processes_that_were_given_different_runs_are_refused(scenes):
    for name, sentence in (
        ("longer", "images is 1,440 in process 0 and 2,880 in process 1: start all with the same command"),
        ("other data", "the processes of a run train one recipe on the same data; data is "),
        ("other objective", "objective is NonSaturating(real_label=1.0) in process 0 and Hinge() in process 1"),
    ):
        both = "".join(words(scenes[name]))
        assert scenes[name]["ended"] == {"0": 1, "1": 1}, both
        assert both.count("zerosum: ") == both.count(sentence) == 1, both


def test_ranks_take_over_from_others_and_end_as_one_process(scenes, folder, straight):
    assert scenes["continued"]["ended"] == {"0": 0, "1": 0, "2": 0}
    assert_alike(folder / "stopped", straight)
    assert_alike(train(RECIPE, folder / "two", quiet=True), straight)
    assert "nothing left to do" in words(scenes["again"])[0]


def test_ranks_play_in_micro_batches_what_one_process_plays_at_once(scenes, folder):
    assert scenes["pieces"]["ended"] == {"0": 0, "1": 0, "2": 0}
    assert_alike(folder / "pieces", train(SPLIT, folder / "whole", quiet=True))


def test_where_one_rank_meets_no_number_all_go_back_together(scenes, folder, monkeypatch):
    assert scenes["poisoned"]["ended"] == {"0": 0, "1": 0}
    output = words(scenes["poisoned"])
    assert output[0].count("is no longer a finite number after 624 images: rolled back to 480 images, at 0.5 of") == 1
    assert output[1] == ""
    for owner, name in ((Game, "step"), (Normal, "draw")):  # put back what is changed below
        monkeypatch.setattr(owner, name, getattr(owner, name))
    runpy.run_path(str(SCRIPT))["poisoned"](27)
    alone = train(SPLIT, folder / "alone", quiet=True, options=RunOptions(on_nonfinite="rollback"))
    assert_alike(folder / "poisoned", alone)
    lines = [[line for line in told(read_log(run)) if "rollback" in line] for run in (folder / "poisoned", alone)]
    assert len(lines[0]) == 1 and lines[0] == lines[1]


def test_the_first_rank_alone_writes_and_speaks(scenes):
    for name in ("stopped", "continued", "again"):
        first, *others = written(scenes[name])
        assert any("checkpoints" in path for path in first) or name == "again"
        assert others == [[]] * len(others)
        assert words(scenes[name])[1:] == [""] * len(others)


def test_torchrun_trains_what_one_process_trains(folder, straight):
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "zerosum", "train"]
    words = [str(folder / "recipe.txt"), "--out", str(folder / "by torchrun"), "--json"]
    done = subprocess.run(
        [sys.executable, *command, *words], env=os.environ | THREAD, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    run = folder / "by torchrun"
    assert json.loads(done.stdout)["run"] == str(run)
    assert "2 processes, each on cpu" in done.stderr
    assert (run / "command.txt").read_text().startswith("torchrun --nnodes 1 --nproc-per-node 2 -m zerosum train ")
    assert_alike(run, straight)
    assert {p.relative_to(run) for p in run.rglob("*")} == {p.relative_to(straight) for p in straight.path.rglob("*")}
    for mine, its in zip(told(read_log(run)), told(read_log(straight)), strict=True):
        assert mine == pytest.approx(its, rel=1e-4, abs=1e-5)
