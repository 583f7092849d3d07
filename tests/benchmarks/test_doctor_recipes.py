"""Every recipe under the doctor: what was certain and when, rows that stay, and no repeated work."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from benchmarks.quality import doctor_recipes
from benchmarks.quality.doctor_recipes import Examined, certain, main
from tests.diagnostics.ill_logs import ILL, WELL

from zerosum.bench.subprocesses import Ended
from zerosum.diagnostics.examination import examine
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.recipes.named_recipes import named
from zerosum.runs.run import Run
from zerosum.training.signals import Interrupted
from zerosum.training.train import train

PAGE = """prose
<!-- recipes: written by benchmarks.quality.doctor_recipes -->
| `grid` | 7 | 1 | 0 | | | of an earlier run |
<!-- recipes: as far as here -->
"""


@pytest.fixture
def room(tmp_path, monkeypatch, plotless):
    """A page with a row, and commands that are played in this process; those asked for are returned."""
    asked = []

    def play(commands, jobs, threads):
        for number, command in enumerate(commands):
            words = list(command.arguments)
            asked.append(words)
            command.log.parent.mkdir(parents=True, exist_ok=True)
            if "minimax" in words:
                yield number, Ended(1, 1.0, 1.0, False)
                continue
            small = {"generator": MLPGenerator(hidden=(8,)), "discriminator": MLPDiscriminator(hidden=(8,))}
            train(replace(named(words[4]), images=256, **small), words[-1], quiet=True)
            yield number, Ended(0, 3.0, 2.0, False)

    (tmp_path / "doctor.md").write_text(PAGE)
    monkeypatch.setattr(doctor_recipes, "PAGE", tmp_path / "doctor.md")
    monkeypatch.setattr(doctor_recipes, "run_commands", play)
    monkeypatch.setattr(doctor_recipes, "examined", lambda path: examine(Run(path)))
    return tmp_path, asked


def test_a_symptom_is_told_with_the_images_at_which_it_was_first_certain():
    recipe = replace(named("digits"), images=90_000)
    assert certain(WELL, recipe) == (6, {})
    check_ups, first = certain(ILL, recipe)
    assert check_ups == 9 and 40_000 <= first["mode-collapse"] <= 70_000


def test_a_run_is_as_long_as_so_many_updates_of_the_generator_take_and_no_longer_than_the_recipe(tmp_path):
    recipe = named("wgan")
    assert Examined("wgan", 10, tmp_path).images == 10 * recipe.batch * recipe.n_critic
    assert Examined("wgan", 10**9, tmp_path).images == recipe.images
    assert Examined("drifting", 10, tmp_path).images == 10 * named("drifting").batch, "a game without a discriminator"


def test_rows_of_other_recipes_stay_and_finished_runs_are_not_repeated(room):
    tmp_path, asked = room
    words = ["ring", "--updates", "1", "--out", str(tmp_path / "runs")]
    assert main(words) == 0 and main(words) == 0
    assert len(asked) == 1 and asked[0][3:7] == ["train", "ring", "--images", "256"]
    text = (tmp_path / "doctor.md").read_text()
    assert text.startswith("prose")
    assert "| `grid` | 7 | 1 | 0 | | | of an earlier run |\n| `ring` | 1 | 256 | 0 |  |  | " in text


def test_a_failed_run_is_named_and_has_no_row(room, capsys):
    tmp_path, _ = room
    assert main(["minimax", "ring", "--updates", "1", "--out", str(tmp_path / "runs")]) == 1
    assert "minimax failed; its output is in " in capsys.readouterr().err
    text = (tmp_path / "doctor.md").read_text()
    assert "`ring`" in text and "minimax" not in text


def test_an_interrupted_bench_leaves_the_page_alone(room, monkeypatch, capsys):
    tmp_path, _ = room

    def interrupted(commands, jobs, threads):
        raise Interrupted
        yield

    monkeypatch.setattr(doctor_recipes, "run_commands", interrupted)
    assert main(["ring", "--out", str(tmp_path / "runs")]) == 130
    assert (tmp_path / "doctor.md").read_text() == PAGE and "interrupted" in capsys.readouterr().err


def test_a_recipe_without_its_data_is_skipped_with_the_reason(room, monkeypatch, capsys):
    tmp_path, asked = room
    monkeypatch.setattr(doctor_recipes, "missing", lambda name: f"no data for {name}")
    assert main(["ring", "--out", str(tmp_path / "runs")]) == 0 and asked == []
    assert "ring is skipped, since its data are not available: no data for ring" in capsys.readouterr().err


@pytest.mark.parametrize(("code", "works"), [(0, True), (3, True), (1, False)])
def test_the_doctor_may_find_symptoms_and_may_not_fail(monkeypatch, tmp_path, code, works):
    ended = SimpleNamespace(returncode=code, stdout="Healthy", stderr="no such run")
    monkeypatch.setattr(doctor_recipes.subprocess, "run", lambda *_, **__: ended)
    if works:
        doctor_recipes.examined(tmp_path)
    else:
        with pytest.raises(RuntimeError, match="ended with exit status 1: no such run"):
            doctor_recipes.examined(tmp_path)
