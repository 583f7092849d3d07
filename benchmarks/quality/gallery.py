"""Train every recipe by its own command, and evaluate its samples.

    python -m benchmarks.quality.gallery [NAME ...] [--jobs 2] [--out runs/gallery]

Each recipe is trained by `zerosum train NAME`, with one thread, two runs in parallel. Finished runs are not trained
again, and interrupted ones are resumed. An image of samples is written to `docs/gallery/NAME.png`, and their scores to
`benchmarks/results/gallery.json`, from which `benchmarks/results/gallery.md` is written: a row for each recipe that was
ever run, so the gallery can be updated in parts. Recipes whose data are not available are skipped with a message.
"""

import argparse
import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.places import RESULTS, ROOT
from benchmarks.quality.gallery_images import sample_image, save_small
from benchmarks.quality.gallery_readings import reading
from benchmarks.quality.gallery_table import write_table
from zerosum._disk import replace_durably
from zerosum.bench.subprocesses import Command, Ended, run_commands
from zerosum.recipes.named_recipes import catalogue, named
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.recipes.settings import with_setting
from zerosum.runs.checkpoint import prune_checkpoints
from zerosum.runs.run import Run
from zerosum.training.signals import Interrupted, Terminated

OUT = Path("runs/gallery")
RECORD = RESULTS / "gallery.json"
TABLE = RESULTS / "gallery.md"
IMAGES = ROOT / "docs" / "gallery"


@dataclass(frozen=True)
class Entry:
    """A recipe of the gallery, with the settings of a trial, if it is one.

    Its folder depends on the recipe's text: a changed recipe is trained again, and the earlier run is kept.
    """

    name: str
    recipe: Recipe
    out: Path
    settings: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """Identifies the recipe's text."""
        return mark_of(self.recipe)

    @property
    def folder(self) -> Path:
        """Folder of the run, its time and its result."""
        return self.out / self.name / self.mark

    @property
    def command(self) -> Command:
        """The command that trains or resumes it."""
        words = ["train", self.name, "--out", str(self.folder / "run")]
        words += [word for setting in self.settings for word in ("--set", setting)]
        return Command((sys.executable, "-m", "zerosum", *words), self.folder / "command.log")

    @property
    def time(self) -> dict[str, Any]:
        """Wall-clock and processor seconds over all its starts, and whether it has `ended`."""
        return time_of(self.folder)

    @property
    def result(self) -> dict[str, Any] | None:
        """Its scores; None before they are computed."""
        return _read(self.folder / "result.json")


def mark_of(recipe: Recipe) -> str:
    """Return a short hash of a recipe's text."""
    return hashlib.sha256(pretty(recipe).encode()).hexdigest()[:8]


def plan(names: list[str], settings: tuple[str, ...], out: Path) -> list[Entry]:
    """Return the entries of the named recipes, or of all; raises `ValueError` for an unknown name."""
    chosen = {name: reduce(with_setting, settings, named(name)) for name in names or catalogue()}
    return [Entry(name, recipe, out, settings) for name, recipe in chosen.items()]


def missing(entry: Entry) -> str:
    """Return why a recipe's data cannot be opened; empty if they can."""
    try:
        entry.recipe.data.open()
    except (ValueError, OSError) as error:
        return str(error)
    return ""


def play(entries: list[Entry], jobs: int, keep: bool) -> list[str]:
    """Train unfinished runs and evaluate those without result; return a message for each failure.

    With `keep`, images and the record are updated after each run.
    """
    failures: list[str] = []
    todo = []
    for entry in entries:
        if entry.result is not None:
            say(f"{entry.name} is already finished, in {entry.folder}")
        elif entry.time["ended"]:
            finish(entry, keep)
        elif reason := missing(entry):
            say(f"{entry.name} is skipped, since its data are not available: {reason}")
        else:
            todo.append(entry)
    try:
        for number, ended in run_commands([entry.command for entry in todo], jobs, threads=1):
            entry = todo[number]
            add_time(entry.folder, ended)
            if ended.code == 0:
                finish(entry, keep)
            elif not ended.stopped:
                output = entry.command.log.read_text(errors="replace").strip().splitlines() or ["no output"]
                failures.append(f"{entry.name} failed: {output[-1]}")
                say(failures[-1])
    except (Interrupted, Terminated):
        say("interrupted; runs are saved, and the same command resumes them")
        raise
    return failures


def time_of(folder: Path) -> dict[str, Any]:
    """Return wall-clock and processor seconds of a run over all its starts, and whether it has `ended`."""
    return _read(folder / "time.json") or {"seconds": 0.0, "cpu_seconds": 0.0, "ended": False}


def add_time(folder: Path, ended: Ended) -> None:
    """Add the time of a start to that of its run."""
    before = time_of(folder)
    total = {name: round(before[name] + getattr(ended, name), 3) for name in ("seconds", "cpu_seconds")}
    _write(folder / "time.json", {**total, "ended": ended.code == 0})


def finish(entry: Entry, keep: bool) -> None:
    """Evaluate a finished run, write its result, and delete its checkpoints."""
    generator = Run(entry.folder / "run").generator
    found = reading(generator, entry.folder / "run", entry.out)
    time = {name: entry.time[name] for name in ("seconds", "cpu_seconds")}
    _write(
        entry.folder / "result.json",
        {"mark": entry.mark, "images": generator.images, **time, **found, "machine": machine()},
    )
    if keep:
        save_small(sample_image(generator), IMAGES / f"{entry.name}.png")
        record([entry])
    prune_checkpoints(entry.folder / "run", keep=0)
    say(f"{entry.name}: {entry.time['cpu_seconds']:.0f} s of processor time")


def record(entries: list[Entry]) -> None:
    """Add results to the record, and write the table of all."""
    results = {**(_read(RECORD) or {}), **{entry.name: entry.result for entry in entries if entry.result}}
    _write(RECORD, dict(sorted(results.items())))
    write_table(TABLE, results, {name: mark_of(make()) for name, make in catalogue().items()}, IMAGES)


def say(message: str) -> None:
    """Print a message to standard error."""
    print(message, file=sys.stderr, flush=True)


def _read(path: Path) -> dict[str, Any] | None:
    return dict(json.loads(path.read_text())) if path.is_file() else None


def _write(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(path, (json.dumps(values, indent=1) + "\n").encode())


def main(arguments: list[str] | None = None) -> int:
    """Run the gallery, or a part of it; exit status 1 if a run failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="recipes, by default all")
    parser.add_argument("--jobs", type=int, default=2, help="parallel runs, one thread each")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the runs")
    parser.add_argument("--fresh", action="store_true", help="delete the runs of these recipes, and train them again")
    parser.add_argument("--reread", action="store_true", help="evaluate finished runs again")
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="KEY=VALUE",
        help="other settings, for a trial that is not recorded",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    keep = not chosen.settings
    try:
        entries = plan(chosen.names, tuple(chosen.settings), chosen.out)
        for entry in entries:
            if chosen.fresh:
                shutil.rmtree(entry.folder, ignore_errors=True)
            if chosen.reread:
                (entry.folder / "result.json").unlink(missing_ok=True)
        failures = play(entries, chosen.jobs, keep)
    except ValueError as error:
        say(f"gallery: {error}")
        return 2
    if keep:
        record(entries)
    else:
        print(json.dumps({entry.name: entry.result for entry in entries}, indent=1))
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
