"""Paths on the command line: ~ is expanded in every option, and a path that means nothing is a sentence."""

import numpy as np
import pytest

from zerosum.cli import main


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run a command in an empty folder that is also the home folder, and return its exit status and its messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["zerosum", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().err

    return run


def test_options_of_verbs_and_of_groups_expand_the_home_folder(command, tmp_path):
    np.save(tmp_path / "points.npy", np.zeros((9, 2), np.float32))
    assert command("data", "info", "~/points.npy", "--sheet=~/sheet.png")[0] == 0
    assert command("data", "pack", "~/points.npy", "~/packed")[0] == 0
    settings = ("images=2", "batch=2", "generator.hidden=(4,)", "discriminator.hidden=(4,)", "discriminator.fourier=0")
    options = [word for setting in settings for word in ("--set", setting)]
    assert command("train", "ring", "--data", "~/packed/", "--out=~/run", *options)[0] == 0
    assert command("sample", "~/run", "--out=~/s.npz", "--n", "2")[0] == 0
    there = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert there == {"points.npy", "sheet.png", "packed", "run", "s.npz"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("data", "info", "~no-such-user/x"),
        ("data", "info", "Ring(count=9)", "--sheet=~no-such-user/x"),
        ("data", "pack", "Ring(count=9)", "~no-such-user/x"),
        ("train", "ring", "--out=~no-such-user/x"),
        ("train", "ring", "--from=~no-such-user/x"),
        ("train", "ring", "--data=~no-such-user/x"),
        ("train", "~no-such-user/x"),
        ("train", "~no-such-user/x.py"),
        ("train", "ring", "--use=~no-such-user/x.py"),
        ("sample", "~no-such-user/x"),
        ("report", "~no-such-user/x"),
        ("evaluate", "~no-such-user/x", "~no-such-user/x"),
        ("compare", "~no-such-user/x", "~no-such-user/y"),
    ],
)
def test_a_home_folder_that_does_not_exist_is_a_sentence(command, tmp_path, arguments):
    code, said = command(*arguments)
    assert code == 1 and "begins with a home folder that does not exist, ~no-such-user: write it in full" in said
    assert said.count("\n") == 1 and [*tmp_path.iterdir()] == []


def test_a_missing_folder_with_brackets_is_not_read_as_recipe_text(command):
    assert command("data", "info", "new photos (2)")[1].startswith("zerosum: there is no new photos (2)")
    assert command("evaluate", "new photos (2)", "Ring()")[1].startswith("zerosum: there is no new photos (2)")
    assert command("data", "info", "")[1].startswith("zerosum: a path is empty")


def test_a_deleted_current_folder_is_a_sentence(command, tmp_path):
    tmp_path.rmdir()
    code, said = command("recipes")
    assert code == 1 and said == "zerosum: the current folder no longer exists: change to another one\n"
