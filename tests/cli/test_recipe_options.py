"""The options that change a recipe, a dry run, and what the shell completes."""

import json
import re
import sys

import pytest
import typer.testing

from zerosum._text import duration
from zerosum.cli import app, main
from zerosum.cli._recipe import RecipeOptions, chosen, completed, recipe_names
from zerosum.data import Images
from zerosum.recipes import Evaluation
from zerosum.recipes.named_recipes import catalogue, named
from zerosum.recipes.reader import read_recipe
from zerosum.training.dry_run import estimate

SMALL = ["--batch", "8", "--set", "generator.hidden=8", "--set", "discriminator.hidden=8"]


def test_what_everyone_sets_has_an_option(tmp_path):
    (tmp_path / "photos").mkdir()
    options = RecipeOptions(data=str(tmp_path / "photos"), batch=8, lr=1e-3, size=32, images=64, seed=3)
    recipe, folder = chosen("dcgan", options)
    assert folder is None
    assert recipe.data == Images(str(tmp_path / "photos"), size=32)
    assert (recipe.batch, recipe.G_opt.lr, recipe.D_opt.lr, recipe.images, recipe.seed) == (8, 1e-3, 1e-3, 64, 3)
    assert recipe.G_opt.betas == named("dcgan").G_opt.betas


def test_settings_come_after_the_options():
    assert chosen("dcgan", RecipeOptions(batch=8, settings=["batch=4"]))[0].batch == 4


def test_features_are_those_of_the_evaluation():
    recipe, _ = chosen("digits", RecipeOptions(evaluate="fid, kid", features="random-conv"))
    assert recipe.evaluation == Evaluation(("fid", "kid"), features="random-conv")


@pytest.mark.parametrize("name", ["Digits", "DIGITS", "digits"])
def test_names_of_recipes_have_no_capitals(name):
    assert chosen(name)[0] == named("digits")


def test_a_dry_run_prints_the_recipe_with_all_settings_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for words in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["zerosum", "train", "minimax", "--dry-run", *SMALL, *words])
        monkeypatch.setattr("zerosum.training.pace.SECONDS", 0.01)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        out, err = capsys.readouterr()
        if words:
            found = json.loads(out)
            out = found["recipe"]
            assert found["seconds"] == pytest.approx(found["images"] / found["images_per_second"])
            assert found["images"] == 1_800_000 and 1e7 < found["memory"] < 1e11 and found["iterations"] >= 1
        else:
            assert re.search(r"about .* for 1,800,000 images, at [\d,]+ images/s, with \d+\.\d\d GB of memory", err)
        assert read_recipe(out).batch == 8
    assert not [*tmp_path.iterdir()]


def test_a_dry_run_has_the_length_that_takes_so_many_minutes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zerosum.training.pace.SECONDS", 0.01)
    words = ["--dry-run", "--json", "--minutes", "10"]
    monkeypatch.setattr(sys, "argv", ["zerosum", "train", "minimax", *SMALL, *words])
    with pytest.raises(SystemExit):
        main()
    found = json.loads(capsys.readouterr().out)
    assert read_recipe(found["recipe"]).images == found["images"] and found["images"] % 8 == 0
    assert 540 < found["seconds"] <= 570  # of 600, less a twentieth and what measuring took
    for length in (["--images", "8"], ["--set", "images=8"]):
        monkeypatch.setattr(sys, "argv", ["zerosum", "train", "minimax", *SMALL, *words, *length])
        with pytest.raises(SystemExit):
            main()
        assert "--images and --minutes both set the length of a run: give one of them" in capsys.readouterr().err


def test_a_dry_run_is_of_one_process(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="a dry run estimates one process: start it without torchrun"):
        estimate(named("minimax"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3.14, "3.1 s"), (59, "59 s"), (161, "2 min 41 s"), (7260, "2 h 01 min"), (200_000, "2 days 7 h")],
)
def test_durations_have_two_units(seconds, words):
    assert duration(seconds) == words


def test_the_shell_completes_recipes_and_run_folders(tmp_path, monkeypatch):
    assert {*recipe_names()} == {*catalogue()}
    monkeypatch.chdir(tmp_path)
    for name in ("digits", "digits-2", "other"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "recipe.txt").touch()
    (tmp_path / "runs" / "nothing").mkdir()
    assert completed("dig") == ["digits"]
    assert completed("runs/dig") == ["runs/digits", "runs/digits-2"]
    assert completed("runs/") == ["runs/digits", "runs/digits-2", "runs/other"]
    assert completed("nowhere/") == []


def test_completion_can_be_installed_and_answers_the_shell():
    assert "--install-completion" in typer.testing.CliRunner().invoke(app, ["--help"]).stdout
    asked = {"_ZEROSUM_COMPLETE": "complete_bash", "COMP_WORDS": "zerosum train wgan", "COMP_CWORD": "2"}
    done = typer.testing.CliRunner().invoke(app, [], env=asked, prog_name="zerosum")
    assert done.stdout.split() == ["wgan", "wgan-gp"]
