"""The modes benchmark: mode coverage of methods with the same networks and budget, over seeds."""

__all__ = ["Result", "SeededRun", "default_games", "plan", "real_coverage", "run_games"]

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from zerosum._disk import replace_durably
from zerosum.bench.parallel_runs import run_in_parallel, saved_result
from zerosum.bench.sample_coverage import coverage, protocol
from zerosum.bench.tasks import Task, on_task
from zerosum.metrics.modes import ModeCoverage
from zerosum.recipes.named_recipes import catalogue
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.recipes.settings import with_setting
from zerosum.runs.run import Run

USUAL = (
    *("minimax", "non-saturating", "wgan-gp", "r1", "relativistic"),
    *("pacgan", "unrolled", "minibatch-discrimination"),
)
"""The default methods, as far as the catalogue has them."""


@dataclass(frozen=True)
class SeededRun:
    """One run of a benchmark: a game on a task with a seed."""

    task: Task
    game: str
    recipe: Recipe

    def __str__(self) -> str:
        return f"{self.task.name}  {self.game}  seed {self.recipe.seed}"

    @property
    def facts(self) -> dict[str, Any]:
        """The first fields of its result."""
        return {"task": self.task.name, "game": self.game, "seed": self.recipe.seed}

    def folder(self, out: Path) -> Path:
        """Folder of the run; another recipe or evaluation method has another folder."""
        key = f"{pretty(self.recipe)}\n{self.task.samples} {protocol(self.recipe.data)}"
        mark = hashlib.sha256(key.encode()).hexdigest()[:8]
        return out / self.task.name / self.game / f"{self.recipe.seed:02}-{mark}"


@dataclass(frozen=True)
class Result:
    """The result of a run; seconds are of the whole command, over all its starts."""

    task: str
    game: str
    seed: int
    coverage: ModeCoverage
    images: int
    seconds: float
    cpu_seconds: float


def default_games() -> list[str]:
    """The names of the default games."""
    known = catalogue()
    return [name for name in USUAL if name in known]


def plan(
    tasks: Sequence[Task], games: Sequence[Recipe], seeds: int, settings: Sequence[str] = (), default: bool = True
) -> tuple[list[SeededRun], list[str]]:
    """Plan the runs of a benchmark, seed by seed; also returns notes on parts of games that do not fit the networks.

    Args:
        tasks: the tasks.
        games: recipes of the games (see `on_task`).
        seeds: number of seeds; they are 0, 1, ...
        settings: `KEY=VALUE` for every run, such as `images=20000`.
        default: whether to include the default game of each task.

    Raises:
        ValueError: for no seeds, two games with the same name, or a setting that a recipe does not accept.
    """
    if seeds < 1:
        raise ValueError(f"seeds, the number of runs of each game, must be at least 1; found {seeds}")
    runs, notes = [], []
    for task in tasks:
        asked = [task.adapted(game) for game in games if not default or game != task.default]
        played = [*([task.default] if default else []), *asked]
        names = [game.name for game in played]
        if len(set(names)) < len(names):
            raise ValueError(f"games need different names; found {', '.join(names)}")
        if any(Path(name).name != name for name in names):
            raise ValueError(f"the name of a game must be a valid folder name; found {', '.join(names)}")
        for game in played:
            composed, left = on_task(game, task)
            notes += left
            for setting in settings:
                composed = with_setting(composed, setting)
            runs += [SeededRun(task, game.name, replace(composed, seed=seed)) for seed in range(seeds)]
    return sorted(runs, key=lambda run: run.recipe.seed), notes


def run_games(
    runs: Sequence[SeededRun],
    out: Path,
    jobs: int,
    threads: int,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
    flags: Sequence[str] = (),
) -> tuple[list[Result], list[str]]:
    """Run what has no result yet, in parallel; return all results, and a message for each failure.

    Arguments and errors are those of `run_in_parallel`. Seconds of processor time are those of the whole command.
    """

    def measure(run: SeededRun) -> tuple[dict[str, Any], str]:
        generator = Run(run.folder(out) / "run").generator
        samples = torch.from_numpy(generator.sample(run.task.samples))
        samples = samples.permute(0, 3, 1, 2) if generator.is_image else samples
        found = coverage(samples, run.recipe.data, out)
        words = f"{found.found}/{found.modes} modes, {found.high_quality:.1%} high quality, KL {found.kl:.3f}"
        return {**run.facts, "coverage": found.as_dict(), "images": generator.images}, words

    failures = run_in_parallel(runs, out, jobs, threads, say, progress, measure, flags)
    results = [result_of(run, out) for run in runs]
    return [result for result in results if result is not None], failures


def result_of(run: SeededRun, out: Path) -> Result | None:
    """The result of a finished run, else None."""
    found = saved_result(run, out)
    return None if found is None else Result(**{**found, "coverage": ModeCoverage(**found["coverage"])})


def real_coverage(task: Task, out: Path) -> ModeCoverage:
    """Mode coverage of as many real samples: that of a perfect generator."""
    source = task.default.data
    key = hashlib.sha256(f"{source!r} {task.samples} {protocol(source)}".encode()).hexdigest()[:8]
    file = out / task.name / f"real-{key}.json"
    if not file.is_file():
        found = coverage(source.open().read(torch.arange(task.samples)), source, out)
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(file, json.dumps(found.as_dict(), indent=1).encode())
    return ModeCoverage(**json.loads(file.read_text()))
