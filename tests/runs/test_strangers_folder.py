"""A run folder that a stranger made: nothing outside it is written, removed or shown, whatever is planted in it."""

import os
import shutil
from dataclasses import replace

import pytest

from zerosum._disk import open_own, temporary
from zerosum.cli.sample import sample
from zerosum.data.sources.packing import pack
from zerosum.data.toys.gaussians import Ring
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.recipe import Recipe
from zerosum.report.write import write_report
from zerosum.runs.lock import locked
from zerosum.runs.log import read_log
from zerosum.runs.run import Run
from zerosum.training.train import train

POINTS = Recipe(
    name="points",
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=Hinge(),
    latent=Normal(3),
    data=Ring(count=64),
    batch=16,
    images=64,
    tick=32,
    snapshot=32,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(POINTS, tmp_path_factory.mktemp("runs") / "points", quiet=True).path


@pytest.fixture
def run(trained, tmp_path):
    """A copy of a run, whose own files are not linked to the original."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def own(tmp_path):
    """What the reader keeps elsewhere."""
    folder = tmp_path / "own"
    folder.mkdir()
    for name in ("thesis.txt", ".half.tmp", "000000000000", "000000999.png"):
        (folder / name).write_text("of the reader")
    yield folder
    assert {path.name: path.read_text() for path in folder.iterdir()} == dict.fromkeys(
        ("thesis.txt", ".half.tmp", "000000000000", "000000999.png"), "of the reader"
    )


def test_a_link_planted_for_a_temporary_file_is_not_followed(run, own):
    for name in (".report.html.tmp", temporary(run / "report.html").name):
        (run / name).symlink_to(own / "thesis.txt")
    write_report(run)
    assert not (run / "report.html").is_symlink() and "zerosum report" in (run / "report.html").read_text()
    assert not temporary(run / "report.html").is_symlink()


@pytest.mark.parametrize("name", ["samples.png", "report.html"])
def test_an_output_of_usual_name_that_is_a_link_is_refused(run, own, name):
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(own / "thesis.txt")
    write = {"samples.png": lambda: sample(run, n=2), "report.html": lambda: write_report(run)}[name]
    with pytest.raises(ValueError, match=f"{name} is a link or not a regular file, and is not written: remove it"):
        write()


@pytest.mark.parametrize("name", ["samples", "checkpoints"])
def test_a_linked_folder_is_neither_swept_nor_pruned_nor_read(run, own, name):
    (run / name).rename(run.parent / "before")
    (run / name).symlink_to(own)
    with pytest.raises(ValueError, match=f"{name} is a link, and links in a run folder are not followed: remove it"):
        train(POINTS, run, quiet=True)
    with pytest.raises(ValueError, match=f"{name} is a link, and links in a run folder are not followed: remove it"):
        getattr(Run(run), name)


@pytest.mark.parametrize("name", ["log.jsonl", "command.txt", "versions.json", "generator.safetensors", ".lock"])
def test_a_linked_file_is_refused_before_anything_is_written(run, own, name):
    (run / name).unlink()
    (run / name).symlink_to(own / "thesis.txt")
    before = {path.name: path.lstat().st_mtime_ns for path in run.iterdir()}
    with pytest.raises(ValueError, match=f"{name} is a link, and links in a run folder are not followed: remove it"):
        train(POINTS, run, quiet=True)
    assert {path.name: path.lstat().st_mtime_ns for path in run.iterdir()} == before


def test_a_link_of_the_readers_that_a_run_never_writes_is_left_alone(run, own):
    (run / "thesis.txt").symlink_to(own / "thesis.txt")
    assert train(POINTS, run, quiet=True).state.name == "ended"


def test_a_hard_linked_lock_is_not_emptied(run, own):
    (run / ".lock").unlink()
    os.link(own / "thesis.txt", run / ".lock")
    with pytest.raises(ValueError, match=r"\.lock is a link or not a regular file, and is not written"), locked(run):
        raise AssertionError("locked")


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_linked_journal_of_a_packed_set_is_not_emptied(tmp_path, own, link):
    (tmp_path / "packed").mkdir()
    link(own / "thesis.txt", tmp_path / "packed" / "packing.jsonl")
    with pytest.raises(ValueError, match=r"packing\.jsonl is a link or not a regular file, and is not written"):
        pack(Ring(count=10), tmp_path / "packed")


def test_a_link_planted_for_a_file_of_a_packed_set_is_not_followed(tmp_path, own):
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "packing.jsonl").touch()
    temporary(tmp_path / "packed" / "samples-00000.bin").symlink_to(own / "thesis.txt")
    assert pack(Ring(count=10), tmp_path / "packed").count == 10


def test_a_pipe_is_not_waited_for(run):
    for name in ("log.jsonl", "recipe.txt", "command.txt", ".lock", "scores.json", "samples/000000000.png"):
        (run / name).unlink(missing_ok=True)
        os.mkfifo(run / name)
    with pytest.raises(ValueError, match=r"recipe\.txt is not a regular file"):
        train(POINTS, run, quiet=True)
    with pytest.raises(ValueError, match=r"recipe\.txt is not a regular file"):
        write_report(run)
    with pytest.raises(ValueError, match=r"\.lock is a link or not a regular file"), locked(run):
        raise AssertionError("locked")
    with pytest.raises(ValueError, match=r"log\.jsonl is not a regular file"):
        read_log(run)
    with pytest.raises(OSError, match="No such device or address"):
        open_own(run / "log.jsonl")


def test_a_pipe_for_a_sample_is_a_sentence_in_the_report(run):
    (run / "samples" / "000000064.png").unlink()
    os.mkfifo(run / "samples" / "000000064.png")
    assert "000000064.png is not a regular file" in write_report(run).read_text()


@pytest.mark.parametrize("name", ["../run", "/tmp/x", "a/b", "..", ".", "", "a\0b", "\x1b[2J", "x" * 300])
def test_a_recipes_name_leads_nowhere(tmp_path, monkeypatch, name):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ValueError, match=r"cannot be that of a folder in runs/: name one with --out") as caught:
        train(replace(POINTS, name=name), quiet=True)
    assert str(caught.value).isprintable()
    assert [path.name for path in tmp_path.rglob("*")] == ["here"]
