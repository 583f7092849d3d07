"""Runs of named recipes on a folder of images, each by its own command, with their processor time."""

import argparse
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import marked
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


def folder_parser(about: str | None, games: Collection[str], out: Path) -> argparse.ArgumentParser:
    """Return the parser of a benchmark of recipes on a folder, with its default folder of runs."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, metavar="FOLDER")
    parser.add_argument("--games", nargs="+", choices=games, default=[*games])
    parser.add_argument("--jobs", type=int, default=2, help="parallel runs, one thread each")
    parser.add_argument("--out", type=Path, default=out, help="folder of the runs")
    return parser


def train_and_write(
    name: str,
    path: Path,
    runs: Sequence[FolderRun],
    chosen: argparse.Namespace,
    page: Callable[[dict[str, str]], str],
) -> int:
    """Train unfinished runs and write the page of a benchmark; exit status 1 if a run failed.

    Args:
        name: of the benchmark and its module.
        path: its page.
        runs: of all recipes.
        chosen: parsed arguments: the recipes to train, and the number of parallel runs.
        page: returns what is written, from the rows by recipe that are kept as they are.
    """
    failed = train([run for run in runs if run.name in chosen.games], chosen.jobs)
    if failed is None:
        return 1
    rows = kept_rows(path, [run.name for run in runs])
    kept = {recipe: row for recipe, row in rows.items() if recipe not in chosen.games}
    missing = [run.name for run in runs if not run.ended and run.name not in kept]
    if missing:
        print(f"the page is written when all runs are finished; missing: {', '.join(missing)}", file=sys.stderr)
    else:
        marked.write(path, name, f"benchmarks.quality.{name}", page(kept))
    return 1 if failed else 0
