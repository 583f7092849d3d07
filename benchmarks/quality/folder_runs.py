"""Runs of named recipes on a folder of images, each by its own command, with their processor time."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality.gallery import add_time, time_of
from zerosum.bench.subprocesses import Command, run_commands
from zerosum.training.signals import Interrupted, Terminated


@dataclass(frozen=True)
class FolderRun:
    """The run of a recipe on a folder of images.

    Attributes:
        name: of the recipe.
        images: the folder of images.
        out: folder of all runs.
        settings: further arguments of `zerosum train`.
    """

    name: str
    images: Path
    out: Path
    settings: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Folder of the run and its time."""
        return self.out / self.name

    @property
    def words(self) -> list[str]:
        """The arguments of `zerosum`."""
        return ["train", self.name, "--data", str(self.images), *self.settings]

    @property
    def command(self) -> Command:
        """The command that trains or resumes it."""
        words = (sys.executable, "-m", "zerosum", *self.words, "--out", str(self.folder / "run"))
        return Command(words, self.folder / "command.log")

    @property
    def ended(self) -> bool:
        """Whether its training is finished."""
        return bool(time_of(self.folder)["ended"])

    def shown(self, folder: str) -> str:
        """The command as typed in a shell, for a folder of another name."""
        words = [f"'{word}'" if "(" in word else word for word in self.words]
        return " ".join(["zerosum", *(folder if word == str(self.images) else word for word in words)])


def train(runs: Sequence[FolderRun], jobs: int) -> list[str] | None:
    """Train or resume the unfinished runs; return the names of those that failed, or None where interrupted."""
    todo = [run for run in runs if not run.ended]
    failed: list[str] = []
    try:
        for number, ended in run_commands([run.command for run in todo], jobs, threads=1):
            add_time(todo[number].folder, ended)
            if ended.code and not ended.stopped:
                failed.append(todo[number].name)
                print(f"{failed[-1]} failed; its output is in {todo[number].command.log}", file=sys.stderr)
    except (Interrupted, Terminated):
        print("interrupted; runs are saved, and the same command resumes them", file=sys.stderr)
        return None
    return failed


def kept_rows(page: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the rows of a page, by recipe."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return {name: line for name in names for line in lines if line.startswith(f"| `{name}` |")}
