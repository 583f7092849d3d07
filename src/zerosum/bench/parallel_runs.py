"""Runs that are played side by side, each in a folder of its own, and continued by the same command."""

__all__ = ()

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from zerosum._disk import replace_durably
from zerosum.bench.subprocesses import Command, Ended, run_side_by_side
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.files import RECIPE
from zerosum.runs.run import Run
from zerosum.training.signals import Interrupted

RESULT = "result.json"
"""The file in a run's folder that says that it has been played to its end, and what came out."""
_BETWEEN_LOOKS = 2.0  # seconds


class Played(Protocol):
    """A run of a bench; its `str` names it to a person."""

    @property
    def recipe(self) -> Recipe:
        """What is played."""
        ...

    def folder(self, out: Path) -> Path:
        """Where it is kept in the folder of all runs."""
        ...


P = TypeVar("P", bound=Played)


def play_runs(
    runs: Sequence[P],
    out: Path,
    jobs: int,
    threads: int,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
    finish: Callable[[P, dict[str, float]], str],
    flags: Sequence[str] = (),
) -> list[str]:
    """Play what has not been played yet, side by side, and return a sentence for each failure.

    Each is a run by the command line; one that was stopped is continued, and one that has a result is not played again.

    Args:
        runs: what is to be played.
        out: the folder of all runs.
        jobs: runs side by side.
        threads: threads of each.
        say: takes a sentence for a person, such as one for each run that ends.
        progress: takes the images seen and those to be seen, from time to time.
        finish: reads what a run came to, given its seconds over all its starts, by the clock and of
            processor time; writes its `RESULT`, and returns what there is to say of it.
        flags: further words of each command, as `--use FILE.py`.

    Raises:
        Interrupted: after SIGINT or SIGTERM, once the runs under way are saved.
    """
    todo = [run for run in runs if not (run.folder(out) / RESULT).is_file()]
    if len(todo) < len(runs):
        say(f"{len(runs) - len(todo)} of {len(runs)} runs are there already, in {out}")
    commands = [_command(run, out, flags) for run in todo]
    failures: list[str] = []
    looked = -_BETWEEN_LOOKS

    def look() -> None:
        nonlocal looked
        if time.monotonic() - looked >= _BETWEEN_LOOKS:
            looked = time.monotonic()
            progress(sum(_images(run, out) for run in todo), sum(run.recipe.images for run in todo))

    try:
        for number, ended in run_side_by_side(commands, jobs, threads, look):
            run = todo[number]
            spent = _add_time(run.folder(out), ended)
            if ended.code == 0:
                say(finish(run, spent))
            elif not ended.stopped:
                failures.append(f"{run} failed: {_last_line(commands[number].log)}")
                say(failures[-1])
    except Interrupted:
        say("stopped, and what ran was saved; the same command continues")
        raise
    return failures


def _command(run: Played, out: Path, flags: Sequence[str]) -> Command:
    folder = run.folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    replace_durably(folder / RECIPE, (pretty(run.recipe) + "\n").encode())
    words = ("train", str(folder / RECIPE), "--out", str(folder / "run"), *flags)
    return Command((sys.executable, "-m", "zerosum", *words), folder / "command.log")


def _add_time(folder: Path, ended: Ended) -> dict[str, float]:
    """Add up the time that a run took over all its starts."""
    file = folder / "time.json"
    before = json.loads(file.read_text()) if file.is_file() else {"seconds": 0.0, "cpu_seconds": 0.0}
    total = {name: round(before[name] + getattr(ended, name), 3) for name in ("seconds", "cpu_seconds")}
    replace_durably(file, json.dumps(total).encode())
    return total


def _images(run: Played, out: Path) -> int:
    log = Run(run.folder(out) / "run").log
    return min(log[-1]["images"], run.recipe.images) if log else 0


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
