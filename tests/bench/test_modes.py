"""Plans, results and resumption of the modes benchmark."""

import json
import sys
from dataclasses import replace

import pytest

from zerosum.bench import modes as subject
from zerosum.bench import parallel_runs
from zerosum.bench.modes import SeededRun, default_games, plan, real_coverage, result_of, run_games
from zerosum.bench.subprocesses import Command
from zerosum.bench.tasks import tasks
from zerosum.networks.mlp import MLPDiscriminator
from zerosum.networks.packed import Packed
from zerosum.recipes.named_recipes import named
from zerosum.terms.gradient_penalties import GradientPenalty
from zerosum.training.train import train

RING = tasks()[0]
TINY = ["images=512", "batch=64", "generator.hidden=(8,)", "discriminator.hidden=(8,)", "discriminator.fourier=0"]


def runs(seeds=1, settings=TINY, games=("minimax",)):
    return plan([RING], [named(name) for name in games], seeds, settings, default=False)[0]


def test_a_plan_goes_seed_by_seed_over_all_tasks_and_games():
    made, notes = plan(tasks()[:2], [named("minimax"), named("wgan-gp")], 2)
    planned = [(run.recipe.seed, run.task.name, run.game) for run in made]
    games = [("ring-8", "ring"), ("ring-8", "minimax"), ("ring-8", "wgan-gp")]
    games += [("grid-25", "grid"), ("grid-25", "minimax"), ("grid-25", "wgan-gp")]
    assert planned == [(seed, task, game) for seed in (0, 1) for task, game in games] and notes == []
    assert made[1].recipe.data == RING.default.data and runs()[0].recipe.images == 512
    assert {"minimax", "non-saturating", "wgan-gp", "r1", "relativistic"} <= set(default_games())


def test_an_unchanged_image_game_is_adapted_to_points():
    game = named("wgan-gp")
    (run,) = plan([RING], [game], 1, default=False)[0]
    assert run.recipe.n_critic == 1 and run.recipe.d_terms == (GradientPenalty(weight=0.1),)
    changed = replace(game, n_critic=3)
    (run,) = plan([RING], [changed], 1, default=False)[0]
    assert run.recipe.n_critic == 3 and run.recipe.d_terms == game.d_terms
    (run,) = plan([tasks()[3]], [game], 1, default=False)[0]
    assert run.recipe.d_terms == game.d_terms


def test_packs_are_of_four_on_the_ring_and_of_two_on_the_grid():
    for task, samples in ((RING, 4), (tasks()[1], 2)):
        (run,) = plan([task], [named("pacgan")], 1, default=False)[0]
        assert run.recipe.discriminator == Packed(MLPDiscriminator(hidden=(128, 128)), samples=samples)


def test_another_recipe_seed_or_count_of_samples_has_another_folder(tmp_path):
    (run,) = runs()
    others = [
        *runs(2)[1:],
        *runs(settings=[*TINY, "batch=32"]),
        *runs(games=["wgan-gp"]),
        replace(run, task=replace(RING, samples=99)),
    ]
    folders = {other.folder(tmp_path) for other in [run, *others]}
    assert len(folders) == 5 and run.folder(tmp_path) == runs()[0].folder(tmp_path)


@pytest.fixture
def here(monkeypatch, forks):
    """Trains runs in this process with a trivial command for each; records the runs."""
    made = []

    def command(run, out, flags=()):
        made.append(run)
        if run.game != "broken":
            train(run.recipe, run.folder(out) / "run", quiet=True)
        code = "import sys; print('zerosum: so it went', file=sys.stderr); sys.exit(1)" if run.game == "broken" else ""
        return Command((sys.executable, "-c", code), run.folder(out) / "command.log")

    monkeypatch.setattr(parallel_runs, "_command", command)
    return made


def quietly(made, out):
    said = []
    results, failures = run_games(made, out, 2, 1, said.append, lambda done, total: said.append((done, total)))
    return results, failures, said


def test_finished_runs_are_kept_and_not_run_again(tmp_path, here):
    results, failures, said = quietly(runs(2), tmp_path)
    assert [(r.task, r.game, r.seed, r.coverage.modes, r.images) for r in results] == [
        ("ring-8", "minimax", 0, 8, 512), ("ring-8", "minimax", 1, 8, 512),
    ]  # fmt: skip
    assert failures == [] and all(r.cpu_seconds > 0 and r.seconds > 0 for r in results)
    assert any("ring-8  minimax  seed 1: " in line for line in said if isinstance(line, str))
    scores = json.loads((runs()[0].folder(tmp_path) / "run" / "scores.json").read_text())
    assert scores == results[0].coverage.as_dict(), "the run and the benchmark count in the same way"
    assert not list((runs()[0].folder(tmp_path) / "run" / "checkpoints").iterdir())
    again, _, said = quietly(runs(3), tmp_path)
    assert again[:2] == results and len(here) == 3
    assert said[0] == f"2 of 3 runs are already finished, in {tmp_path}"


def test_a_failure_is_reported_by_its_last_line_and_run_again(tmp_path, here):
    broken = SeededRun(RING, "broken", runs()[0].recipe)
    results, failures, _ = quietly([broken, *runs()], tmp_path)
    assert failures == ["ring-8  broken  seed 0 failed: zerosum: so it went"]
    assert [r.game for r in results] == ["minimax"] and result_of(broken, tmp_path) is None
    file = broken.folder(tmp_path) / "time.json"
    file.write_text(json.dumps({"seconds": 1000.0, "cpu_seconds": 500.0}))
    quietly([broken, *runs()], tmp_path)
    assert [run.game for run in here] == ["broken", "minimax", "broken"]
    spent = json.loads(file.read_text())
    assert spent["seconds"] > 1000 and spent["cpu_seconds"] > 500, "time adds up over the starts of a run"


def test_real_samples_are_read_once(tmp_path, monkeypatch):
    first = real_coverage(RING, tmp_path)
    assert first.found == 8 and first.high_quality > 0.98
    monkeypatch.setattr(subject, "coverage", None)
    assert real_coverage(RING, tmp_path) == first


def test_refusals():
    with pytest.raises(ValueError, match="seeds, the number of runs of each game, must be at least 1; found 0"):
        plan([RING], [named("minimax")], 0)
    with pytest.raises(ValueError, match="games need different names; found ring, minimax, minimax"):
        plan([RING], [named("minimax"), replace(named("r1"), name="minimax")], 1)
    with pytest.raises(ValueError, match=r"the name of a game must be a valid folder name; found \.\./up"):
        plan([RING], [replace(named("r1"), name="../up")], 1, default=False)
    with pytest.raises(ValueError, match="Recipe has no field 'imgs'"):
        plan([RING], [named("minimax")], 1, ["imgs=3"])
