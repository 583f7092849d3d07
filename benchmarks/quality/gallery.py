"""Every recipe, trained by its own command: a picture of its samples, and what is read from them.

    python -m benchmarks.quality.gallery [NAME ...] [--jobs 2] [--out runs/gallery]

Each recipe is trained by `zerosum train NAME`, one thread a run and two runs side by side. A run that has ended is not
trained again, and one that was interrupted goes on. Then its samples are drawn into `docs/gallery/NAME.png`, and what
is read from them goes into `benchmarks/results/gallery.json`, from which `benchmarks/results/gallery.md` is written: a
row for each recipe that was ever run, so that a part can be run at a time. A recipe whose data are not here is passed
over, and told.
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
from benchmarks.quality.gallery_pictures import picture, save_small
from benchmarks.quality.gallery_readings import reading
from benchmarks.quality.gallery_table import write_table
from zerosum._disk import replace_durably
from zerosum.bench.subprocesses import Command, Ended, run_commands
from zerosum.recipes.named_recipes import catalogue, named
from zerosum.recipes.reader import with_setting
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.checkpoint import prune_checkpoints
from zerosum.runs.run import Run
from zerosum.training.signals import Interrupted

OUT = Path("runs/gallery")
RECORD = RESULTS / "gallery.json"
TABLE = RESULTS / "gallery.md"
PICTURES = ROOT / "docs" / "gallery"


@dataclass(frozen=True)
class Entry:
    """A recipe of the gallery, with the settings of a trial, if it is one.

    Its folder goes by the recipe's text, so that a recipe that has changed is trained anew, and the run of its earlier
    form stays.
    """

    name: str
    recipe: Recipe
    out: Path
    settings: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """What the recipe's text is told by."""
        return mark_of(self.recipe)

    @property
    def folder(self) -> Path:
        """Where the run is kept, with its time and its result."""
        return self.out / self.name / self.mark

    @property
    def command(self) -> Command:
        """The command that trains it, or goes on."""
        words = ["train", self.name, "--out", str(self.folder / "run")]
        words += [word for setting in self.settings for word in ("--set", setting)]
        return Command((sys.executable, "-m", "zerosum", *words), self.folder / "command.log")

    @property
    def time(self) -> dict[str, Any]:
        """Seconds by the clock and of the processor over all its starts, and whether it has `ended`."""
        return time_of(self.folder)

    @property
    def result(self) -> dict[str, Any] | None:
        """What it came to, once it has been read."""
        return _read(self.folder / "result.json")


def mark_of(recipe: Recipe) -> str:
    """Return a short word that another text of a recipe does not have."""
    return hashlib.sha256(pretty(recipe).encode()).hexdigest()[:8]


def plan(names: list[str], settings: tuple[str, ...], out: Path) -> list[Entry]:
    """Return the entries of the recipes named, or of all; raises `ValueError` for a name that there is not."""
    chosen = {name: reduce(with_setting, settings, named(name)) for name in names or catalogue()}
    return [Entry(name, recipe, out, settings) for name, recipe in chosen.items()]


def missing(entry: Entry) -> str:
    """Return why a recipe's data cannot be opened here; empty where they can."""
    try:
        entry.recipe.data.open()
    except (ValueError, OSError) as error:
        return str(error)
    return ""


def play(entries: list[Entry], jobs: int, keep: bool) -> list[str]:
    """Train what has not been trained and read what has not been read; return a sentence for each failure.

    Where results are to be kept, each is drawn and written down as soon as it is there.
    """
    failures: list[str] = []
    todo = []
    for entry in entries:
        if entry.result is not None:
            say(f"{entry.name} is there already, in {entry.folder}")
        elif entry.time["ended"]:
            finish(entry, keep)
        elif reason := missing(entry):
            say(f"{entry.name} is passed over, for its data are not here: {reason}")
        else:
            todo.append(entry)
    try:
        for number, ended in run_commands([entry.command for entry in todo], jobs, threads=1):
            entry = todo[number]
            add_time(entry.folder, ended)
            if ended.code == 0:
                finish(entry, keep)
            elif not ended.stopped:
                said = entry.command.log.read_text(errors="replace").strip().splitlines() or ["nothing"]
                failures.append(f"{entry.name} failed, and said last: {said[-1]}")
                say(failures[-1])
    except Interrupted:
        say("stopped, and what ran was saved; the same command continues")
        raise
    return failures


def time_of(folder: Path) -> dict[str, Any]:
    """Return the seconds by the clock and of the processor of a run over all its starts, and whether it has `ended`."""
    return _read(folder / "time.json") or {"seconds": 0.0, "cpu_seconds": 0.0, "ended": False}


def add_time(folder: Path, ended: Ended) -> None:
    """Add what a start took to the time of its run."""
    before = time_of(folder)
    total = {name: round(before[name] + getattr(ended, name), 3) for name in ("seconds", "cpu_seconds")}
    _write(folder / "time.json", {**total, "ended": ended.code == 0})


def finish(entry: Entry, keep: bool) -> None:
    """Read a trained recipe's samples, write its result, and let go of its checkpoints."""
    generator = Run(entry.folder / "run").generator
    found = reading(generator, entry.folder / "run", entry.out)
    time = {name: entry.time[name] for name in ("seconds", "cpu_seconds")}
    _write(
        entry.folder / "result.json",
        {"mark": entry.mark, "images": generator.images, **time, **found, "machine": machine()},
    )
    if keep:
        save_small(picture(generator), PICTURES / f"{entry.name}.png")
        record([entry])
    prune_checkpoints(entry.folder / "run", keep=0)
    say(f"{entry.name}: {entry.time['cpu_seconds']:.0f} s of processor time")


def record(entries: list[Entry]) -> None:
    """Put results beside those of earlier days, and write the table of all."""
    results = {**(_read(RECORD) or {}), **{entry.name: entry.result for entry in entries if entry.result}}
    _write(RECORD, dict(sorted(results.items())))
    write_table(TABLE, results, {name: mark_of(make()) for name, make in catalogue().items()}, PICTURES)


def say(sentence: str) -> None:
    """Say a sentence to the person watching."""
    print(sentence, file=sys.stderr, flush=True)


def _read(path: Path) -> dict[str, Any] | None:
    return dict(json.loads(path.read_text())) if path.is_file() else None


def _write(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(path, (json.dumps(values, indent=1) + "\n").encode())


def main(arguments: list[str] | None = None) -> int:
    """Run the gallery, or a part of it; exit status 1 where a run failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="recipes, by default all")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, a thread each")
    parser.add_argument("--out", type=Path, default=OUT, help="where runs are kept and continued")
    parser.add_argument("--anew", action="store_true", help="forget the runs of these recipes, and train them again")
    parser.add_argument("--reread", action="store_true", help="read and draw again what has been trained")
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="KEY=VALUE",
        help="a trial with other settings, which is kept in --out alone",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    keep = not chosen.settings
    try:
        entries = plan(chosen.names, tuple(chosen.settings), chosen.out)
        for entry in entries:
            if chosen.anew:
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
