"""The commands of `zerosum bench`, whole."""

import json
import sys

import pytest

from zerosum.cli import main
from zerosum.recipes.named_recipes import named
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import pretty

SMALL = ["--task", "ring-8", "--seeds", "1", "--set", "images=512", "--set", "discriminator.fourier=0"]


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys, forks):
    """`zerosum bench` in a folder, whose processes are forked; what it writes to standard output and error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, code=0):
        monkeypatch.setattr(sys, "argv", ["zerosum", "bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert ended.value.code == code and "Traceback" not in err, f"{arguments} ended with {ended.value}:\n{err}"
        return out, err

    return run


def test_a_benchmark_is_run_reported_and_resumed(bench, tmp_path):
    text = pretty(named("minimax")).replace("name='minimax'", "name='wild'").replace(repr(Adam(lr=1e-3)), "Adam(1e30)")
    (tmp_path / "wild.txt").write_text(text)
    games = ["--recipe", "minimax", "--recipe", "wild.txt"]
    out, err = bench("modes", *SMALL, *games, "--json", code=1)
    output = json.loads(out)
    (task,) = output["tasks"]
    assert task["task"] == "ring-8" and [*task["games"]] == ["minimax"] and task["real"]["found"] == 8
    assert task["games"]["minimax"]["seeds"] == [0] and task["games"]["minimax"]["cpu_seconds"]["mean"] > 0
    (failure,) = output["failures"]
    assert failure.startswith("ring-8  wild  seed 0 failed: zerosum: ") and "no longer a finite number" in failure
    assert "ring-8  minimax  seed 0: " in err and failure in err
    out, err = bench("modes", *SMALL, "--recipe", "minimax")
    assert "1 of 1 runs are already finished, in runs/bench/modes" in err
    assert out.startswith("### ring-8: 8 modes, 2,500 samples\n\n| game | seeds | all modes |")
    assert "| minimax | 1 | " in out and "*real samples*" in out and "arXiv 1712.04086" in out


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
def test_what_a_user_gets_wrong_is_one_sentence(bench, arguments, sentence):
    out, err = bench("modes", "--out", "out", *arguments, code=1)
    assert out == "" and sentence in err


def test_probes_are_run_reported_resumed_and_applied_to_a_run(bench, tmp_path):
    tiny = ["images=128", "generator.size=4", "discriminator.size=4", "data.count=200"]
    words = ["probes", "--task", "mirrored", "--samples", "20", *(word for one in tiny for word in ("--set", one))]
    (task,) = json.loads(bench(*words, "--out", tmp_path, "--json")[0])["tasks"]
    assert task["task"] == "mirrored" and task["real"]["rule"]["kept"] == 1 and [*task["games"]] == ["mirrored"]
    out, err = bench(*words, "--out", tmp_path)
    assert "1 of 1 runs are already finished" in err and "| mirrored | *real samples* |" in out
    (run,) = tmp_path.glob("mirrored/mirrored/00-*/run")
    (kept,) = json.loads(bench("probes", run, "--samples", "20", "--json")[0])["runs"].values()
    assert kept["rule"]["samples"] == 20
    assert kept["rule"]["broken"] == task["games"]["mirrored"]["broken"]["mean"]
    assert f"{run}: " in bench("probes", run, "--samples", "20")[0]
    assert "--samples is at least 1; found 0" in bench("probes", run, "--samples", "0", code=1)[1]


def test_augmentation_is_run_reported_and_resumed(bench, tmp_path, monkeypatch):
    monkeypatch.setattr("zerosum.bench.augmentation.STEPS", 2)
    sizes = ["--set", "generator.size=4", "--set", "discriminator.size=4"]
    words = ["augmentation", "--labels", "2", "--seeds", "1", "--images", "64", *sizes, "--out", tmp_path]
    out, err = bench(*words, "--json")
    found = json.loads(out)
    (row,) = found["labels"]
    assert found["failures"] == [] and found["data"] == "Digits()"
    assert (row["labels"], row["seeds"], row["tested"], row["images"]) == (2, [0], 2_500, 64)
    assert "2 labels a class  seed 0: labels alone " in err and row["cpu_seconds"] > 0
    out, err = bench(*words)
    assert "1 of 1 runs are already finished" in err and "| 2 | 1 | " in out
    assert "With 2 labels a class: one seed has no interval, so nothing is claimed." in out
    assert "hinge is not conditional" in bench("augmentation", "--recipe", "hinge", "--out", tmp_path, code=1)[1]
