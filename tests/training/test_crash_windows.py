"""A death at any moment that touches the disk: what was safe is still there, and the same command ends the run."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.robustness.kills import POINTS
from benchmarks.robustness.sameness import differences

from zerosum import _disk
from zerosum.runs import checkpoint as room
from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.runs.files import LOCK
from zerosum.training import folder
from zerosum.training.train import train

SHORT = replace(POINTS, images=64, tick=32, snapshot=32)


class Killed(BaseException):
    """Stands for a death without a last word."""


class Disk:
    """Counts what is done to the disk, and dies at one of these deeds, the file half written or half removed."""

    def __init__(self, monkeypatch, dies_at=None):
        self.done, self.dies_at = 0, dies_at
        self.safe = 0  # images of the newest checkpoint that was ever whole
        for place, name in ((_disk, "write_durably"), (room.shutil, "rmtree"), (Path, "rename"), (Path, "replace")):
            monkeypatch.setattr(place, name, self.counted(name, getattr(place, name)))
        monkeypatch.setattr(room, "write_durably", _disk.write_durably)

    def counted(self, name, deed):
        def counting(path, *rest, **options):
            self.done += 1
            if self.done == self.dies_at:
                if name == "write_durably":
                    path.write_bytes(rest[0][: len(rest[0]) // 2])
                elif name == "rmtree" and path.is_dir():
                    next(path.iterdir()).unlink()
                raise Killed
            return deed(path, *rest, **options)

        return counting


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The run without a death, and how many deeds it does."""
    with pytest.MonkeyPatch.context() as patched:
        disk = Disk(patched)
        return train(SHORT, tmp_path_factory.mktemp("straight") / "run", quiet=True), disk.done


@pytest.mark.parametrize("some", [6, pytest.param(None, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
def test_a_death_at_every_deed(straight, tmp_path, monkeypatch, some):
    run, deeds = straight
    assert deeds > 40
    for deed in random.Random(0).sample(range(1, deeds + 1), some or deeds):
        broken = tmp_path / str(deed)
        with monkeypatch.context() as patched:
            Disk(patched, deed)
            with pytest.raises(Killed):
                train(SHORT, broken, quiet=True)
        there = [] if not (broken / "checkpoints").is_dir() else sorted((broken / "checkpoints").glob("0*"))
        assert len(there) <= 3
        if there:
            assert newest_checkpoint(broken)[0] == there[-1], "what has a checkpoint's name is whole"
        train(SHORT, broken, quiet=True)
        assert differences(run, broken) == []
        shutil.rmtree(broken)


def test_nothing_of_a_killed_run_is_left_lying_about(straight, tmp_path, monkeypatch):
    """Also where it dies at another count of images than those that the next start will write."""
    run, _ = straight
    broken = train(replace(SHORT, images=32), tmp_path / "broken", quiet=True)
    (broken / "recipe.txt").write_bytes((run / "recipe.txt").read_bytes())
    (broken / "checkpoints" / ".000000000099.tmp").mkdir()
    (broken / "checkpoints" / ".000000000099.tmp" / "G.safetensors").write_bytes(b"half")
    (broken / ".log.jsonl.tmp").write_bytes(b"half")
    (broken / "generator.safetensors").unlink()
    train(SHORT, broken, quiet=True)
    assert {p.name for p in broken.path.rglob(".*")} == {LOCK}


def test_a_checkpoint_that_cannot_be_used_never_outlives_one_that_can(straight, tmp_path, capsys):
    """By its name it is the newest, and would push out good ones, one at each snapshot."""
    broken = shutil.copytree(straight[0], tmp_path / "broken")
    (broken / "generator.safetensors").unlink()
    newest, before = sorted((broken / "checkpoints").iterdir(), reverse=True)
    for path in (newest, before):
        (path / "G.safetensors").unlink()
    with pytest.raises(ValueError, match="no checkpoint that can be used"):
        train(SHORT, broken, quiet=True)
    assert newest.is_dir() and before.is_dir(), "nothing is done to them"
    shutil.copytree(straight[0] / "checkpoints" / before.name, before, dirs_exist_ok=True)
    train(SHORT, broken)
    assert "G.safetensors is missing); looking for an older one" in capsys.readouterr().err
    assert sorted(p.name for p in (broken / "checkpoints").iterdir()) == [
        before.name, newest.name, f"{newest.name}.unusable"
    ]  # fmt: skip
    assert differences(straight[0], broken) == []


def test_an_ended_run_without_its_report_or_generator_writes_them(straight, tmp_path):
    broken = shutil.copytree(straight[0], tmp_path / "broken")
    for name in ("generator.safetensors", "report.html"):
        (broken / name).unlink()
    train(SHORT, broken, quiet=True)
    assert (broken / "report.html").is_file()
    assert differences(straight[0], broken) == []


def test_an_ended_run_whose_checkpoints_were_removed_is_left_alone(straight, tmp_path, capsys):
    broken = shutil.copytree(straight[0], tmp_path / "broken")
    shutil.rmtree(broken / "checkpoints")
    log = (broken / "log.jsonl").read_bytes()
    train(SHORT, broken)
    assert "there is nothing left to do" in capsys.readouterr().err
    assert (broken / "log.jsonl").read_bytes() == log


def test_a_log_that_lost_lines_is_reported(straight, tmp_path, capsys):
    broken = shutil.copytree(straight[0], tmp_path / "broken")
    (broken / "generator.safetensors").unlink()
    lines = (broken / "log.jsonl").read_text().splitlines(keepends=True)
    (broken / "log.jsonl").write_text("".join(lines[:-1]))
    train(SHORT, broken)
    assert f"lacks 1 of the {len(lines)} lines" in capsys.readouterr().err


def test_only_what_a_run_leaves_as_it_begins_is_no_obstacle(tmp_path):
    (tmp_path / LOCK).touch()
    (tmp_path / ".recipe.txt.tmp").write_text("Rec")
    folder.check_folder(tmp_path, SHORT)
    (tmp_path / ".bashrc").touch()
    with pytest.raises(ValueError, match="is not empty and holds no run"):
        folder.check_folder(tmp_path, SHORT)
