"""The commands of `zerosum bench`, whole."""

import json
import sys

import pytest
from tests.forked import python

from zerosum.cli import main
from zerosum.recipes.named_recipes import named
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import pretty

SMALL = ["--task", "ring-8", "--seeds", "1", "--set", "images=512", "--set", "discriminator.fourier=0"]


def bench(*arguments, cwd, code=0):
    done = python("-W", "error", "-m", "zerosum", "bench", "modes", *arguments, cwd=cwd)
    assert done.returncode == code, f"{done.args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def test_a_benchmark_is_run_reported_and_resumed(tmp_path):
    text = pretty(named("minimax")).replace("name='minimax'", "name='wild'").replace(repr(Adam(lr=1e-3)), "Adam(1e30)")
    (tmp_path / "wild.txt").write_text(text)
    games = ["--recipe", "minimax", "--recipe", "wild.txt"]
    done = bench(*SMALL, *games, "--json", cwd=tmp_path, code=1)
    output = json.loads(done.stdout)
    (task,) = output["tasks"]
    assert task["task"] == "ring-8" and [*task["games"]] == ["minimax"] and task["real"]["found"] == 8
    assert task["games"]["minimax"]["seeds"] == [0] and task["games"]["minimax"]["cpu_seconds"]["mean"] > 0
    (failure,) = output["failures"]
    assert failure.startswith("ring-8  wild  seed 0 failed: zerosum: ") and "no longer a finite number" in failure
    assert "ring-8  minimax  seed 0: " in done.stderr and failure in done.stderr
    done = bench(*SMALL, "--recipe", "minimax", cwd=tmp_path)
    assert "1 of 1 runs are already finished, in runs/bench/modes" in done.stderr
    assert done.stdout.startswith("### ring-8: 8 modes, 2,500 samples\n\n| game | seeds | all modes |")
    assert "| minimax | 1 | " in done.stdout and "*real samples*" in done.stdout and "arXiv 1712.04086" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--task", "ring"], "no task is called 'ring'; there are ring-8, grid-25, mixture-64d, stacked-digits"),
        (["--recipe", "minimacks"], "no recipe is called 'minimacks'; did you mean minimax"),
        (["--seeds", "0"], "seeds, the number of runs of each game"),
        (["--set", "images"], "a setting is KEY=VALUE"),
        (["--jobs", "0", "--set", "images=64"], "jobs and threads must be at least 1"),
    ],
)
def test_what_a_user_gets_wrong_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.setattr(sys, "argv", ["zerosum", "bench", "modes", "--out", str(tmp_path / "out"), *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 1 and out == "" and sentence in err and "Traceback" not in err


def test_probes_are_run_reported_resumed_and_applied_to_a_run(tmp_path, monkeypatch, capsys):
    tiny = ["images=128", "generator.size=4", "discriminator.size=4", "data.count=200"]
    words = ["probes", "--task", "mirrored", "--samples", "20", *(word for one in tiny for word in ("--set", one))]
    monkeypatch.setattr(sys, "argv", ["zerosum", "bench", *words, "--out", str(tmp_path), "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    (task,) = json.loads(capsys.readouterr().out)["tasks"]
    assert task["task"] == "mirrored" and task["real"]["rule"]["kept"] == 1 and [*task["games"]] == ["mirrored"]
    monkeypatch.setattr(sys, "argv", ["zerosum", "bench", *words, "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    out, err = capsys.readouterr()
    assert "1 of 1 runs are already finished" in err and "| mirrored | *real samples* |" in out
    (run,) = tmp_path.glob("mirrored/mirrored/00-*/run")
    monkeypatch.setattr(sys, "argv", ["zerosum", "bench", "probes", str(run), "--samples", "20", "--json"])
    with pytest.raises(SystemExit):
        main()
    (kept,) = json.loads(capsys.readouterr().out)["runs"].values()
    assert kept["rule"]["samples"] == 20
    assert kept["rule"]["broken"] == task["games"]["mirrored"]["broken"]["mean"]
    monkeypatch.setattr(sys, "argv", ["zerosum", "bench", "probes", str(run), "--samples", "20"])
    with pytest.raises(SystemExit):
        main()
    assert f"{run}: " in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["zerosum", "bench", "probes", str(run), "--samples", "0"])
    with pytest.raises(SystemExit):
        main()
    assert "--samples is at least 1; found 0" in capsys.readouterr().err


def test_augmentation_is_run_reported_and_resumed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("zerosum.bench.augmentation.STEPS", 2)
    tiny = [
        "--labels",
        "2",
        "--seeds",
        "1",
        "--images",
        "64",
        "--set",
        "generator.size=4",
        "--set",
        "discriminator.size=4",
    ]
    words = ["augmentation", *tiny, "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["zerosum", "bench", *words, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    printed, err = capsys.readouterr()
    found = json.loads(printed)
    (row,) = found["labels"]
    assert ended.value.code == 0 and found["failures"] == [] and found["data"] == "Digits()"
    assert (row["labels"], row["seeds"], row["tested"], row["images"]) == (2, [0], 2_500, 64)
    assert "2 labels a class  seed 0: labels alone " in err and row["cpu_seconds"] > 0
    monkeypatch.setattr(sys, "argv", ["zerosum", "bench", *words])
    with pytest.raises(SystemExit):
        main()
    out, err = capsys.readouterr()
    assert "1 of 1 runs are already finished" in err and "| 2 | 1 | " in out
    assert "With 2 labels a class: one seed has no interval, so nothing is claimed." in out
    monkeypatch.setattr(sys, "argv", ["zerosum", "bench", "augmentation", "--recipe", "hinge", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert "hinge is not conditional" in capsys.readouterr().err
