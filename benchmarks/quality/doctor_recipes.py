"""What the doctor says of every recipe, early in its run.

    python -m benchmarks.quality.doctor_recipes [NAME ...] [--updates 600] [--jobs 2] [--out runs/doctor-recipes]

Each recipe is trained by `zerosum train NAME --images N`, with one thread, for a number of updates of G after which
every symptom may be certain, and examined by `zerosum doctor`. The rows say which symptoms would have been certain
after any of its check-ups, and which at the end, in a run of the recipe's full length that began like this one; beside
them stands what its full run reaches in the gallery. Finished runs are kept, interrupted ones resumed. The table is
written to `benchmarks/results/doctor.md`, where rows of other recipes are kept; recipes whose data are not available
are skipped with a message.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zerosum
from benchmarks import marked
from benchmarks.machine import machine
from benchmarks.places import RESULTS
from benchmarks.quality.folder_runs import kept_rows
from benchmarks.quality.gallery import RECORD, add_time, time_of
from zerosum.bench.subprocesses import Command, run_commands
from zerosum.cli.doctor import ILL
from zerosum.diagnostics.diagnose import diagnose
from zerosum.diagnostics.history import history
from zerosum.recipes.named_recipes import catalogue, named
from zerosum.recipes.recipe import Recipe
from zerosum.training.signals import Interrupted, Terminated

OUT = Path("runs/doctor-recipes")
PAGE = RESULTS / "doctor.md"
HEAD = (
    "| recipe | updates of G | images | check-ups | certain at some time | certain at the end | full run |\n"
    + "| --- " * 7
    + "|"
)


@dataclass(frozen=True)
class Examined:
    """The run of a recipe for a number of updates of G."""

    name: str
    updates: int
    out: Path

    @property
    def folder(self) -> Path:
        """Folder of the run and its time."""
        return self.out / self.name / str(self.updates)

    @property
    def images(self) -> int:
        """Length of the run."""
        recipe = named(self.name)
        return min(recipe.images, self.updates * recipe.batch * max(1, recipe.n_critic))

    @property
    def command(self) -> Command:
        """The command that trains or resumes it."""
        words = ("train", self.name, "--images", str(self.images), "--out", str(self.folder / "run"))
        return Command((sys.executable, "-m", "zerosum", *words), self.folder / "command.log")

    @property
    def ended(self) -> bool:
        """Whether its training is finished."""
        return bool(time_of(self.folder)["ended"])


def missing(name: str) -> str:
    """Why the data of a recipe cannot be opened; empty if they can."""
    try:
        named(name).data.open()
    except (ValueError, OSError) as error:
        return str(error)
    return ""


def examined(run: Path) -> None:
    """Run `zerosum doctor RUN`; raises `RuntimeError` unless it ends as it should."""
    words = (sys.executable, "-m", "zerosum", "doctor", str(run))
    ended = subprocess.run(words, capture_output=True, text=True)
    if ended.returncode not in (0, ILL) or not ended.stdout:
        raise RuntimeError(f"`zerosum doctor {run}` ended with exit status {ended.returncode}: {ended.stderr}")


def certain(log: Sequence[Mapping[str, Any]], recipe: Recipe) -> tuple[int, dict[str, int]]:
    """The number of check-ups, and the images at which each symptom was first certain after one."""
    found: dict[str, int] = {}
    diagnoses = history(log, recipe)
    for diagnosis in diagnoses:
        for symptom in diagnosis.certain:
            found.setdefault(symptom.name, diagnosis.images)
    return len(diagnoses), found


def row(one: Examined, reached: str) -> str:
    """The row of a finished run."""
    run = zerosum.Run(one.folder / "run")
    examined(run.path)
    check_ups, first = certain(run.log, named(one.name))
    last = ", ".join(symptom.name for symptom in diagnose(run.log, named(one.name)).certain)
    at_some_time = ", ".join(f"{name} ({images:,})" for name, images in first.items())
    return f"| `{one.name}` | {one.updates:,} | {one.images:,} | {check_ups} | {at_some_time} | {last} | {reached} |"


def reached(name: str) -> str:
    """What the full run of a recipe reaches in the gallery, in words; empty where it has no score there."""
    result = json.loads(RECORD.read_text()).get(name, {})
    if result.get("kind") == "digits":
        return f"{result['confident']:.0%} confident, {result['present']} digits"
    if "found" in result:
        return f"{result['found']:,} modes of {result['modes']:,}"
    return ""


def train(runs: Sequence[Examined], jobs: int) -> list[str]:
    """Train or resume the unfinished runs, and return the names of those that failed."""
    todo, failed = [run for run in runs if not run.ended], []
    for number, ended in run_commands([run.command for run in todo], jobs, threads=1):
        add_time(todo[number].folder, ended)
        print(f"{todo[number].name}: {ended.cpu_seconds:.0f} s", file=sys.stderr, flush=True)
        if ended.code and not ended.stopped:
            failed.append(todo[number].name)
            print(f"{failed[-1]} failed; its output is in {todo[number].command.log}", file=sys.stderr)
    return failed


def page(runs: Sequence[Examined], kept: Mapping[str, str]) -> str:
    """The table: rows of finished runs, and those that were there before."""
    rows = {**kept, **{run.name: row(run, reached(run.name)) for run in runs if run.ended}}
    return "\n".join([HEAD, *(rows[name] for name in sorted(rows))]) + f"\n\nOn {machine()}."


def main(arguments: list[str] | None = None) -> int:
    """Train unfinished runs and write the page; exit status 1 if a run failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="recipes, by default all")
    parser.add_argument("--updates", type=int, default=600, help="updates of G")
    parser.add_argument("--jobs", type=int, default=2, help="parallel runs, one thread each")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the runs")
    chosen = parser.parse_args(arguments)
    runs = []
    for name in chosen.names or catalogue():
        if reason := missing(name):
            print(f"{name} is skipped, since its data are not available: {reason}", file=sys.stderr)
        else:
            runs.append(Examined(name, chosen.updates, chosen.out))
    try:
        failed = train(runs, chosen.jobs)
    except (Interrupted, Terminated):
        print("interrupted; runs are saved, and the same command resumes them", file=sys.stderr)
        return 130
    marked.write(PAGE, "recipes", "benchmarks.quality.doctor_recipes", page(runs, kept_rows(PAGE, catalogue())))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
