"""A run folder as an object: what it tells, as a path, in a notebook, and what a stranger's folder may not do."""

import json
import os
import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zerosum
from zerosum.data.toys.gaussians import Ring
from zerosum.evaluation.sets import open_set
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.evaluation import Evaluation
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.report.write import write_report
from zerosum.runs.generator import load
from zerosum.runs.lock import locked
from zerosum.runs.log import append_log
from zerosum.runs.run import Run, RunState, is_run
from zerosum.training.train import train

RECIPE = Recipe(
    name="small",
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=Hinge(),
    latent=Normal(3),
    data=Ring(count=256),
    images=512,
    batch=32,
    tick=128,
    snapshot=256,
    evaluation=Evaluation(metrics=("kid",), every=256, n=100),
)


@dataclass(frozen=True)
class Doubled(Hinge):
    """An objective of a user's own."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(RECIPE, tmp_path_factory.mktemp("runs") / "small", quiet=True)


@pytest.fixture
def begun(tmp_path):
    """A run folder with a recipe, and nothing else yet."""
    (tmp_path / "recipe.txt").write_text(pretty(RECIPE) + "\n")
    return Run(tmp_path)


def test_train_returns_the_run(trained):
    assert isinstance(trained, zerosum.Run)
    assert trained.recipe == RECIPE
    assert trained.state == RunState("ended", 512, 512)
    assert [line["images"] for line in trained.log if "D/loss" in line] == [128, 256, 384, 512]
    assert [path.name for path in trained.checkpoints] == ["000000000512", "000000000256"]
    assert [path.name for path in trained.samples] == ["000000000.png", "000000256.png", "000000512.png"]
    assert trained.scores["modes"] >= 0
    assert trained.versions["torch"] == torch.__version__
    assert trained.command == (trained.path / "command.txt").read_text(encoding="utf-8").strip()
    assert trained.report.is_file()


def test_a_run_goes_wherever_a_path_does(trained):
    path = trained.path
    assert Path(trained) == path
    assert f"{trained}" == str(path)
    assert trained / "log.jsonl" == path / "log.jsonl"
    assert trained == Run(str(path)) and {trained: 1}[Run(path)] == 1
    assert trained != path
    assert torch.equal(load(trained).latents(2), trained.generator.latents(2))
    assert is_run(trained) and not is_run(path / "samples")
    assert write_report(trained) == trained.report


def test_curves_are_the_log_by_name(trained):
    images, loss = trained.curves["D/loss"]
    ticks = [line for line in trained.log if "D/loss" in line]
    assert images.tolist() == [line["images"] for line in ticks]
    assert loss.tolist() == [line["D/loss"] for line in ticks]
    assert trained.curves["score/kid"][0].tolist() == [256, 512]


def test_evaluations_are_scores_with_their_errors(trained):
    lines = [line for line in trained.log if "score/kid" in line]
    assert trained.evaluations == [
        {"images": line["images"], "kid": line["score/kid"], "kid_error": line["error/kid"]} for line in lines
    ]
    assert trained.scores["kid"] == trained.evaluations[-1]["kid"]


def test_generators_of_the_end_and_of_the_best_evaluation(trained):
    assert trained.generator.images == 512
    best = min(trained.evaluations, key=lambda one: one["kid"])
    assert trained.best.images in (256, best["images"])
    assert np.array_equal(trained.best.sample(3), load(trained / "best.safetensors").sample(3))


def test_a_run_is_a_generated_set_of_an_evaluation(trained):
    generated = open_set(trained)
    assert generated.name == str(trained)
    assert generated.facts == {"recipe": "small", "trained_images": 512}


def test_own_parts_are_known_to_the_run_that_train_returns(tmp_path):
    recipe = replace(RECIPE, objective=Doubled(), images=64, evaluation=None)
    run = train(recipe, tmp_path / "run", quiet=True)
    assert run.recipe == recipe
    assert Run(run.path, {"Doubled": Doubled}).recipe == recipe


def test_states(begun, trained, tmp_path):
    assert begun.state == RunState("new", 0, 512)
    assert str(begun.state) == "new, 0 of 512 images"
    with locked(begun.path):
        assert begun.state == RunState("under way", 0, 512)
        append_log(begun.path, {"images": 128})
        assert begun.state == RunState("under way", 128, 512)
    assert begun.state.name == "new", "what was not saved is lost"
    (tmp_path / "checkpoints" / "000000000256").mkdir(parents=True)
    assert begun.state == RunState("interrupted", 256, 512)
    (tmp_path / "generator.safetensors").write_bytes(b"")
    assert begun.state.name == "interrupted", "an earlier, shorter run had ended"
    (tmp_path / "checkpoints" / "000000000256").rename(tmp_path / "checkpoints" / "000000000512")
    assert begun.state.name == "ended"
    (tmp_path / "checkpoints" / "000000000512").rmdir()
    assert begun.state == RunState("ended", 512, 512), "its checkpoints were removed, to save room"


def test_asking_for_the_state_holds_no_lock(begun):
    with locked(begun.path):
        pass
    assert begun.state.name == "new"
    with locked(begun.path):
        pass


def test_what_is_not_there_yet_is_empty(begun):
    assert (begun.log, begun.curves, begun.evaluations, begun.scores, begun.versions) == ([], {}, [], {}, {})
    assert (begun.command, begun.checkpoints, begun.samples) == ("", [], [])
    with pytest.raises(ValueError, match="has no best generator: train with --evaluate kid"):
        _ = begun.best


def test_a_folder_without_a_run_is_an_error(tmp_path):
    run = Run(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"nothing is not a run folder: it has no recipe\.txt"):
        _ = run.recipe
    assert repr(run).startswith(f"<Run {run}: {run} is not a run folder")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is not a run folder"):
        _ = Run(tmp_path / "file").recipe


def test_repr(trained):
    assert repr(trained) == f"<Run {trained}: small, ended, 512 of 512 images>"


def test_a_notebook_shows_state_samples_and_losses(trained):
    page = trained._repr_html_()
    assert "small, ended, 512 of 512 images" in page
    assert 'src="data:image/png;base64,' in page and "samples after 512 images" in page
    assert page.count("<polyline") == 2 and "D/loss" in page and "G/loss" in page
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_a_notebook_gets_no_foreign_html(begun):
    text = (begun / "recipe.txt").read_text().replace("'small'", "'<script>x</script>\\x1b'")
    (begun / "recipe.txt").write_text(text)
    (begun / "samples").mkdir()
    (begun / "samples" / "1.png").write_bytes(b"<script>")
    append_log(begun.path, {"images": 1, "D/loss": float("nan"), "G/loss": 1.0, "<script>": 1})
    page = begun._repr_html_()
    assert "<script" not in page and "\x1b" not in page
    assert "&lt;script&gt;" in page and "1.png is not a valid PNG image" in page


def test_a_notebook_shows_why_a_run_cannot_be_shown(begun):
    (begun / "log.jsonl").write_text("rubbish\n{}\n")
    assert "line 1 of" in begun._repr_html_() and "is not JSON" in begun._repr_html_()


def test_a_small_image_that_unpacks_to_a_giant_is_not_opened(begun):
    (begun / "samples").mkdir()
    Image.new("1", (12_000, 6_000)).save(begun / "samples" / "1.png")
    assert "it has 12000 x 6000 pixels" in begun._repr_html_()


READ = {
    "recipe.txt": lambda run: run.recipe,
    "log.jsonl": lambda run: run.log,
    "scores.json": lambda run: run.scores,
    "versions.json": lambda run: run.versions,
    "command.txt": lambda run: run.command,
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_plain_file_is_refused_at_once(begun, name, kind, tmp_path_factory):
    path = begun / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path_factory.mktemp("own") / "secret")
    else:
        path.mkdir()
    guard = threading.Timer(20, lambda: os.close(os.open(path, os.O_RDWR)))  # lets go of whoever waits for the pipe
    guard.start()
    with pytest.raises(ValueError, match=f"{name} is not a regular file"):
        READ[name](begun)
    guard.cancel()


@pytest.mark.parametrize("name", READ)
def test_what_is_far_too_large_or_no_text_is_refused(begun, name):
    with (begun / name).open("wb") as file:
        file.truncate(1 << 29)
    with pytest.raises(ValueError, match=rf"{name} has more than \d+ MB"):
        READ[name](begun)
    (begun / name).write_bytes(2 * b'{"a": "\xff"}\n')  # the last line of a log may be damaged
    with pytest.raises(ValueError, match=r"not UTF-8 text|is not (valid )?JSON"):
        READ[name](begun)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"images": 1, "D/loss": "x"}', r"line 1 of .* should have a number for 'D/loss'; found 'x'"),
        ('{"images": 1, "D/loss": null}', "should have a number"),
        ('{"images": 1, "D/loss": true}', "should have a number"),
        ('{"images": 1, "score/kid": {}}', "should have a number"),
        ('{"images": 1, "rollback": 3, "D/loss": []}', "should have a number"),
        (f'{{"images": 1, "D/loss": {10**400}}}', "should have a number"),
        (f'{{"images": {10**30}}}', "has no count of images"),
        ('{"images": -1}', "has no count of images"),
        ('{"images": true}', "has no count of images"),
    ],
)
def test_a_line_of_a_log_that_is_none(begun, line, message):
    (begun / "log.jsonl").write_text(f"{line}\n")
    for read in (lambda: begun.log, lambda: write_report(begun)):
        with pytest.raises(ValueError, match=message):
            read()


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1], r"scores\.json should be a JSON object, \{\.\.\.\}; found \[1\]"),
        ({"kid": [1]}, r"scores\.json should have a number, a string or a table of numbers for 'kid'; found \[1\]"),
        ({"class_accuracies": {"0": "x"}}, "a table of numbers for 'class_accuracies'"),
        ({"kid": True}, "for 'kid'; found True"),
        ({"kid": 10**400}, "for 'kid'"),
    ],
)
def test_scores_that_are_none(begun, scores, message):
    (begun / "scores.json").write_text(json.dumps(scores))
    with pytest.raises(ValueError, match=message):
        _ = begun.scores
