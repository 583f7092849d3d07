"""Constraints checked on real, corrupted and generated samples; results of the probes benchmark."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from tests.forked import forking

from zerosum.bench.modes import plan
from zerosum.bench.probes import (
    ProbeResult,
    ProbeScores,
    in_words,
    probe_summary,
    probe_table,
    probe_tasks,
    read_generator,
    read_real,
    rule_kept,
    run_probes,
)
from zerosum.bench.sample_coverage import protocol
from zerosum.bench.tasks import on_task
from zerosum.data.sources.digits import Digits
from zerosum.probes.counting import Counting
from zerosum.probes.rules import RuleKept
from zerosum.probes.solids import Cuboids
from zerosum.probes.structure import Faces, Mirrored
from zerosum.recipes.named_recipes import named
from zerosum.runs.generator import load
from zerosum.training.train import train

TASKS = {task.name: replace(task, samples=60) for task in probe_tasks()}
TINY = ["images=128", "batch=64", "generator.size=4", "discriminator.size=4", "data.count=200", "precision='float32'"]


def test_real_samples_satisfy_every_constraint_and_are_not_training_data():
    assert [*TASKS] == ["three-objects", "objects-asked", "mirrored", "faces", "solids"]
    for task in TASKS.values():
        kept = read_real(task.default.data, 60)
        assert kept.rule.kept == 1 and kept.rule.samples == 60 and kept.variety == 1


def test_blocks_do_not_change_the_result(monkeypatch):
    x = Mirrored(count=40).open().read(torch.arange(40))
    x[7, :, :, :16] = 0
    whole = rule_kept(x, None, Mirrored())
    monkeypatch.setattr("zerosum.bench.probes._BLOCK", 9)
    assert torch.equal(rule_kept(x, None, Mirrored()).right, whole.right) and whole.right.sum() == 39


def test_conditional_counts_are_checked_for_each_sample():
    source = Counting(numbers=(5, 2), count=50)
    data = source.open()
    x = data.read(torch.arange(50))
    assert rule_kept(x, data.labels, source).right.all() and rule_kept(x, None, source).right.all()
    assert not rule_kept(x, 1 - data.labels, source).right.any()
    assert not rule_kept(x, None, Counting(numbers=(1, 3))).right.any()


def test_a_game_is_conditional_if_the_task_is():
    recipe, left = on_task(named("wgan-gp"), TASKS["objects-asked"])
    assert recipe.conditional and recipe.data == Counting() and left == []
    assert not on_task(named("digits"), TASKS["solids"])[0].conditional
    assert protocol(Cuboids()) == protocol(Counting()) == "rules-1"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Tiny runs of two tasks with their default games, by the command line."""
    out = tmp_path_factory.mktemp("probes")
    runs, notes = plan([TASKS["objects-asked"], TASKS["solids"]], [], 1, TINY)
    said = []
    with forking():
        results, failures = run_probes(runs, out, 2, 1, said.append, lambda done, total: None)
    assert failures == notes == []
    return out, runs, results, said


def test_results_are_saved_and_reported(runs):
    out, runs, results, said = runs
    assert [(r.task, r.game, r.seed, r.images) for r in results] == [
        ("objects-asked", "objects-asked", 0, 128), ("solids", "solids", 0, 128),
    ]  # fmt: skip
    for run, result in zip(runs, results, strict=True):
        rule = result.kept.rule
        assert rule.samples == 60 and rule.kept + rule.broken + rule.unreadable == pytest.approx(1)
        assert rule.kept < 0.1 and result.cpu_seconds > 0, "too short to learn to count"
        generator = load(run.folder(out) / "run")
        assert read_generator(generator, 60) == result.kept
        assert any(line.startswith(f"{run}: {in_words(result.kept)}, ") for line in said)
    said.clear()
    again, _ = run_probes(runs, out, 2, 1, said.append, lambda done, total: None)
    assert again == results and said == [f"2 of 2 runs are already finished, in {out}"]


def test_repeating_one_image_has_no_variety(runs):
    out, runs, _, _ = runs
    generator = load(runs[1].folder(out) / "run")
    real = Cuboids().open().read(torch.arange(1))[0].float() / 127.5 - 1

    class Same(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.image = torch.nn.Parameter(real)

        def forward(self, z, c=None):
            return self.image.expand(len(z), -1, -1, -1)

    kept = read_generator(replace(generator, module=Same()), 20)
    assert kept.rule.kept == 1 and kept.variety == pytest.approx(0, abs=1e-9)


def test_tasks_are_summarised_as_numbers_and_as_a_table():
    def result(seed, kept, broken):
        rule = RuleKept(60, kept, broken, 1 - kept - broken, 0.01)
        return ProbeResult("faces", "faces", seed, ProbeScores(rule, 0.8 + seed / 10), 1000, 9.0, 30.0)

    summary = probe_summary(TASKS["faces"], [result(0, 0.5, 0.25), result(1, 0.25, 0.5)])
    assert json.loads(json.dumps(summary)) == summary
    own = summary["games"]["faces"]
    assert own["seeds"] == [0, 1] and own["kept"]["worst"] == 0.25 and own["broken"]["worst"] == 0.5
    assert own["unreadable"]["mean"] == 0.25 and own["variety"]["worst"] == 0.8
    assert summary["real"] == asdict(read_real(Faces(), 60)) and summary["data"] == repr(Faces())
    lines = probe_table([summary]).splitlines()
    assert lines[2] == "| faces | faces | 2 | 37.5% | 37.5% ± 17.7% | 50.0% | 25.0% | 0.85 | 30 |"
    assert lines[3] == "| faces | *real samples* |  | 100.0% | 0.0% |  | 0.0% | 1 |  |"
    assert len({line.count("|") for line in lines}) == 1


def test_a_run_on_other_data_has_no_constraint(tmp_path):
    x = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    with pytest.raises(
        ValueError, match=r"only Counting, Mirrored, Faces and Cuboids have constraints to check; found Digits\(\)"
    ):
        rule_kept(x, None, Digits())
    with pytest.raises(ValueError, match=r"samples of Faces\(.+\) have the shape \(3, 64, 64\); found \(3, 32, 32\)"):
        rule_kept(x, None, Faces(side=64))
    recipe = replace(named("minimax"), images=128, batch=64)
    generator = load(train(recipe, tmp_path / "ring", quiet=True))
    with pytest.raises(ValueError, match="Faces and Cuboids have constraints to check; found Ring"):
        read_generator(generator, 10)
