"""Signals to the command, whatever it is at: the status is the signal's, and what was learned is saved."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from benchmarks.robustness.kills import POINTS
from benchmarks.robustness.sameness import differences

from zerosum.recipes.recipe import pretty
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("forks", "reportless")
SHORT = replace(POINTS, images=96, tick=32, snapshot=32)
# Patches the command so that it says where it is and waits there for the signal of the test, once or twice.
PAUSE = """
import signal, sys, time
import {module} as room
from zerosum.cli import main
original = room.{owner}{name}
def paused(*arguments, **options):
    if len(seen) == {after}:
        print("here", flush=True)
        time.sleep({seconds})
    seen.append(1)
    return original(*arguments, **options)
seen = []
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it runs in the background
room.{owner}{name} = paused
main()
"""
PLACES = {
    "set-up": ("zerosum.training.session", "", "build_game", 0),
    "round": ("zerosum.game.game", "Game.", "step", 3),
    "evaluation": ("zerosum.training.evaluations", "Evaluator.", "score", 1),  # after the trial before the first image
    "report": ("zerosum.training.loop", "", "write_report", 0),
    "save after a stop": ("zerosum.training.loop", "", "save_checkpoint", 1),
}


def command(tmp_path, place, evaluate=(), seconds=1):
    """The command that waits at a place, as words."""
    module, owner, name, after = PLACES[place]
    (tmp_path / "recipe.txt").write_text(pretty(SHORT))
    code = PAUSE.format(module=module, owner=owner, name=name, after=after, seconds=seconds)
    return [
        sys.executable,
        "-c",
        code,
        "train",
        str(tmp_path / "recipe.txt"),
        "--out",
        str(tmp_path / "run"),
        *evaluate,
    ]


def signalled(tmp_path, place, *numbers, evaluate=(), seconds=1):
    """Send signals to the command at a place, the second once it has said that it heard the first; status and talk."""
    words, pipe = command(tmp_path, place, evaluate, seconds), subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline() == "here\n", process.stderr.read()
        output = ""
        for nth, number in enumerate(numbers, 1):
            os.kill(process.pid, number)
            while nth < len(numbers) and "a second signal stops at once" not in output:
                output += process.stderr.readline()
        output += process.communicate(timeout=200)[1]
    assert "Traceback" not in output
    return process.returncode, output


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return train(SHORT, tmp_path_factory.mktemp("straight") / "run", quiet=True)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_within_a_round_the_first_ends_it_saved(straight, tmp_path, number, status):
    code, output = signalled(tmp_path, "round", number)
    assert code == status
    assert "stopping after this iteration; a second signal stops at once, without saving" in output
    assert "stopped after 64 images and saved; the same command resumes the run" in output
    assert newest_checkpoint(tmp_path / "run")[1].numbers["images"] == 64
    train(SHORT, tmp_path / "run", quiet=True)
    assert differences(straight, tmp_path / "run") == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_a_second_one_ends_at_once(straight, tmp_path, number, status):
    """The status of a death by SIGTERM is 143 to a shell, and -15 to Python."""
    code, output = signalled(tmp_path, "round", number, number, seconds=100)
    assert code == status and "the same command resumes" not in output
    assert newest_checkpoint(tmp_path / "run")[1].numbers["images"] == 32
    train(SHORT, tmp_path / "run", quiet=True)
    assert differences(straight, tmp_path / "run") == []


def test_in_set_up_it_ends_at_once_and_leaves_nothing(tmp_path):
    code, output = signalled(tmp_path, "set-up", signal.SIGTERM, seconds=100)
    assert code == 143 and "stopped before training started" in output
    assert not (tmp_path / "run").exists()


def test_in_the_report_it_ends_at_once_and_the_same_command_writes_it(straight, tmp_path):
    code, output = signalled(tmp_path, "report", signal.SIGINT, seconds=100)
    assert code == 130 and "the run is saved; the same command completes it" in output
    assert newest_checkpoint(tmp_path / "run")[1].numbers["images"] == 96
    assert not (tmp_path / "run" / "report.html").exists()
    train(SHORT, tmp_path / "run", quiet=True)
    assert (tmp_path / "run" / "report.html").is_file() and differences(straight, tmp_path / "run") == []


def test_in_an_evaluation_the_scores_are_finished_first(tmp_path):
    evaluate = ["--evaluate", "fid,kid", "--set", "evaluation.n=50", "--set", "evaluation.every=32"]
    code, output = signalled(tmp_path, "evaluation", signal.SIGTERM, evaluate=evaluate)
    assert code == 143 and "after 32 images fid" in output
    assert newest_checkpoint(tmp_path / "run")[1].numbers == {
        **newest_checkpoint(tmp_path / "run")[1].numbers, "images": 32, "log_lines": 2,
    }  # fmt: skip


@pytest.mark.parametrize("stderr", ["a pipe without a reader", "closed"])
def test_talk_that_nobody_hears_ends_nothing(straight, tmp_path, stderr):
    """As `2>&1 | tee log`, whose `tee` dies of the same Ctrl-C, and as `2>&-`."""
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh"] * (stderr == "closed")
    words, pipe = [*closed, *command(tmp_path, "round")], subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline() == "here\n"
        process.stderr.close()
        os.kill(process.pid, signal.SIGINT)
        process.stdout.read()
    assert process.returncode == 130
    assert newest_checkpoint(tmp_path / "run")[1].numbers["images"] == 64
    json.loads((tmp_path / "run" / ".lock").read_text())  # and not what was meant for standard error
    train(SHORT, tmp_path / "run", quiet=True)
    assert differences(straight, tmp_path / "run") == []
