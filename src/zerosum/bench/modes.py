"""The modes bench: which modes games find, each on the same networks and budget, over seeds."""

__all__ = ["Cell", "Result", "plan", "play", "real_coverage", "usual_games"]

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from zerosum._disk import replace_durably
from zerosum.bench.parallel_runs import RESULT, play_runs
from zerosum.bench.sample_coverage import coverage, protocol
from zerosum.bench.tasks import Task, on_task
from zerosum.metrics.modes import ModeCoverage
from zerosum.recipes.named_recipes import catalogue
from zerosum.recipes.reader import with_setting
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.checkpoint import prune_checkpoints
from zerosum.runs.run import Run

USUAL = (
    *("minimax", "non-saturating", "wgan-gp", "r1", "relativistic"),
    *("pacgan", "unrolled", "minibatch-discrimination"),
)
"""The games that are compared unless others are named, as far as the catalogue has them."""


@dataclass(frozen=True)
class Cell:
    """One run of the bench: a game on a board from a seed."""

    task: Task
    game: str
    recipe: Recipe

    def __str__(self) -> str:
        return f"{self.task.name}  {self.game}  seed {self.recipe.seed}"

    def folder(self, out: Path) -> Path:
        """Where it is kept: another recipe or another way to read samples has another folder."""
        key = f"{pretty(self.recipe)}\n{self.task.samples} {protocol(self.recipe.data)}"
        mark = hashlib.sha256(key.encode()).hexdigest()[:8]
        return out / self.task.name / self.game / f"{self.recipe.seed:02}-{mark}"


@dataclass(frozen=True)
class Result:
    """What a cell came to; seconds are of the whole command, over all its starts."""

    task: str
    game: str
    seed: int
    coverage: ModeCoverage
    images: int
    seconds: float
    cpu_seconds: float


def usual_games() -> list[str]:
    """The names of the games that are compared by default."""
    known = catalogue()
    return [name for name in USUAL if name in known]


def plan(
    tasks: Sequence[Task], games: Sequence[Recipe], seeds: int, settings: Sequence[str] = (), own: bool = True
) -> tuple[list[Cell], list[str]]:
    """The cells of a bench, seed by seed, and what is to be said of how the games fit the boards.

    Args:
        boards: the sets.
        games: recipes, of which the games are played (see `on_task`).
        seeds: how many; they are 0, 1, ...
        settings: `KEY=VALUE` that every run takes, as `images=20000`.
        own: whether each board's own game is played as well.

    Raises:
        ValueError: for no seed, two games of one name, or a setting that a recipe cannot take.
    """
    if seeds < 1:
        raise ValueError(f"seeds counts runs of each game, at least 1; found {seeds}")
    cells, notes = [], []
    for task in tasks:
        asked = [task.own_form(game) for game in games if not own or game != task.own]
        played = [*([task.own] if own else []), *asked]
        names = [game.name for game in played]
        if len(set(names)) < len(names):
            raise ValueError(f"games are told apart by name; found {', '.join(names)}")
        if any(Path(name).name != name for name in names):
            raise ValueError(f"a game's name is to name a folder; found {', '.join(names)}")
        for game in played:
            composed, left = on_task(game, task)
            notes += left
            for setting in settings:
                composed = with_setting(composed, setting)
            cells += [Cell(task, game.name, replace(composed, seed=seed)) for seed in range(seeds)]
    return sorted(cells, key=lambda cell: cell.recipe.seed), notes


def play(
    cells: Sequence[Cell],
    out: Path,
    jobs: int,
    threads: int,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
    flags: Sequence[str] = (),
) -> tuple[list[Result], list[str]]:
    """Play what has not been played yet, side by side, and return all results, and a sentence for each failure.

    As `play_runs`, which see. Seconds of processor time are those of the whole command.
    """
    shown = (jobs, threads, say, progress)
    failures = play_runs(cells, out, *shown, lambda cell, spent: _told(_finish(cell, out, spent)), flags)
    results = [result_of(cell, out) for cell in cells]
    return [result for result in results if result is not None], failures


def result_of(cell: Cell, out: Path) -> Result | None:
    """The result of a cell that has been played to its end, else None."""
    file = cell.folder(out) / RESULT
    if not file.is_file():
        return None
    facts = json.loads(file.read_text())
    return Result(**{**facts, "coverage": ModeCoverage(**facts["coverage"])})


def real_coverage(task: Task, out: Path) -> ModeCoverage:
    """What the same reading finds in as many real samples: what a perfect generator would come to."""
    source = task.own.data
    key = hashlib.sha256(f"{source!r} {task.samples} {protocol(source)}".encode()).hexdigest()[:8]
    file = out / task.name / f"real-{key}.json"
    if not file.is_file():
        found = coverage(source.open().read(torch.arange(task.samples)), source, out)
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(file, json.dumps(found.as_dict(), indent=1).encode())
    return ModeCoverage(**json.loads(file.read_text()))


def _finish(cell: Cell, out: Path, spent: dict[str, float]) -> Result:
    """Read the run's samples, write the result, and let go of the checkpoints, which nobody continues."""
    folder = cell.folder(out)
    generator = Run(folder / "run").generator
    samples = torch.from_numpy(generator.sample(cell.task.samples))
    samples = samples.permute(0, 3, 1, 2) if generator.is_image else samples
    found = coverage(samples, cell.recipe.data, out)
    result = Result(cell.task.name, cell.game, cell.recipe.seed, found, generator.images, **spent)
    replace_durably(folder / RESULT, json.dumps(asdict(result), indent=1).encode())
    prune_checkpoints(folder / "run", keep=0)
    return result


def _told(result: Result) -> str:
    c = result.coverage
    return (
        f"{result.task}  {result.game}  seed {result.seed}: {c.found}/{c.modes} modes, {c.high_quality:.1%} high "
        f"quality, KL {c.kl:.3f}, {result.cpu_seconds:.0f} s of processor time"
    )
