"""Training runs in parallel processes, each in its own folder; the same command resumes them."""

__all__ = ()

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from zerosum._disk import replace_durably
from zerosum.bench.subprocesses import Command, Ended, run_commands
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.checkpoint import prune_checkpoints
from zerosum.runs.files import RECIPE
from zerosum.runs.run import Run
from zerosum.training.signals import Interrupted, Terminated

RESULT = "result.json"  # in the folder of a finished run
_INTERVAL = 2.0  # seconds


class Runnable(Protocol):
    """A run of a benchmark; its `str` is its name in messages."""

    @property
    def recipe(self) -> Recipe:
        """What is trained."""
        ...

    def folder(self, out: Path) -> Path:
        """Its folder in the folder of all runs."""
        ...


P = TypeVar("P", bound=Runnable)


def run_in_parallel(
    runs: Sequence[P],
    out: Path,
    jobs: int,
    threads: int,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
    measure: Callable[[P], tuple[Mapping[str, Any], str]],
    flags: Sequence[str] = (),
) -> list[str]:
    """Train runs without a result in parallel, and return a message for each failure.

    Each is trained by the command line; interrupted runs are resumed, and runs with a result are skipped. The result of
    a finished run is saved with its wall-clock and processor seconds over all its starts, and its checkpoints are
    deleted.

    Args:
        runs: the runs.
        out: the folder of all runs.
        jobs: number of parallel runs.
        threads: threads per run.
        say: called with messages, such as one for each finished run.
        progress: called from time to time with the number of images done and in total.
        measure: evaluates a finished run; returns its result as plain values by name, and in words.
        flags: further arguments of each command, such as `--use FILE.py`.

    Raises:
        Interrupted, Terminated: after SIGINT, and SIGTERM or SIGHUP, once the active runs are saved.
    """
    todo = [run for run in runs if saved_result(run, out) is None]
    if len(todo) < len(runs):
        say(f"{len(runs) - len(todo)} of {len(runs)} runs are already finished, in {out}")
    commands = [_command(run, out, flags) for run in todo]
    failures: list[str] = []
    updated = -_INTERVAL

    def look() -> None:
        nonlocal updated
        if time.monotonic() - updated >= _INTERVAL:
            updated = time.monotonic()
            progress(sum(_images(run, out) for run in todo), sum(run.recipe.images for run in todo))

    try:
        for number, ended in run_commands(commands, jobs, threads, look):
            run = todo[number]
            spent = _add_time(run.folder(out), ended)
            if ended.code == 0:
                say(_save_result(run, out, *measure(run), spent))
            elif not ended.stopped:
                failures.append(f"{run} failed: {_last_line(commands[number].log)}")
                say(failures[-1])
    except (Interrupted, Terminated):
        say("interrupted; runs are saved, and the same command resumes them")
        raise
    return failures


def saved_result(run: Runnable, out: Path) -> dict[str, Any] | None:
    """The result of a finished run as plain values, with `seconds` and `cpu_seconds`; None before its end."""
    file = run.folder(out) / RESULT
    return dict(json.loads(file.read_text())) if file.is_file() else None


def _save_result(run: Runnable, out: Path, found: Mapping[str, Any], words: str, spent: Mapping[str, float]) -> str:
    """Write the result, delete the checkpoints, and return a message."""
    folder = run.folder(out)
    replace_durably(folder / RESULT, json.dumps({**found, **spent}, indent=1).encode())
    prune_checkpoints(folder / "run", keep=0)
    return f"{run}: {words}, {spent['cpu_seconds']:.0f} s of processor time"


def _command(run: Runnable, out: Path, flags: Sequence[str]) -> Command:
    folder = run.folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    replace_durably(folder / RECIPE, (pretty(run.recipe) + "\n").encode())
    words = ("train", str(folder / RECIPE), "--out", str(folder / "run"), *flags)
    return Command((sys.executable, "-m", "zerosum", *words), folder / "command.log")


def _add_time(folder: Path, ended: Ended) -> dict[str, float]:
    """Add up the time of a run over all its starts."""
    file = folder / "time.json"
    before = json.loads(file.read_text()) if file.is_file() else {"seconds": 0.0, "cpu_seconds": 0.0}
    total = {name: round(before[name] + getattr(ended, name), 3) for name in ("seconds", "cpu_seconds")}
    replace_durably(file, json.dumps(total).encode())
    return total


def _images(run: Runnable, out: Path) -> int:
    log = Run(run.folder(out) / "run").log
    return min(log[-1]["images"], run.recipe.images) if log else 0


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"
