"""The probes bench: how often games break rules that their data keep without exception."""

__all__ = ["Kept", "ProbeResult", "play_probes", "probe_summary", "probe_table", "probe_tasks", "rule_kept"]

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum._disk import replace_durably
from zerosum.bench.modes import Cell
from zerosum.bench.parallel_runs import RESULT, play_runs
from zerosum.bench.summary import in_text, spread
from zerosum.bench.tasks import Task
from zerosum.data.dataset import Source
from zerosum.game.latents import Normal
from zerosum.networks.dcgan import DCGANDiscriminator
from zerosum.probes.counting import Counting
from zerosum.probes.rules import RuleKept, Verdict, exactly, mirrored, one_of_each, one_view
from zerosum.probes.solids import Cuboids
from zerosum.probes.structure import Faces, Mirrored
from zerosum.recipes.library.classics import relativistic
from zerosum.runs.checkpoint import prune_checkpoints
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.run import Run

STARTS = 1_024  # views from which the nearest one is searched
_BLOCK = 512


@dataclass(frozen=True)
class Kept:
    """What samples of a probe set came to.

    Attributes:
        rule: how often they keep it.
        variety: sum of the variances of all pixels over that of real samples: 1 where samples differ as much as real
            ones do, 0 where all are one picture, which may well keep the rule.
    """

    rule: RuleKept
    variety: float


@dataclass(frozen=True)
class ProbeResult:
    """What a run came to; seconds are of the whole command, over all its starts."""

    task: str
    game: str
    seed: int
    kept: Kept
    images: int
    seconds: float
    cpu_seconds: float


def probe_tasks() -> tuple[Task, ...]:
    """Three objects, as many as asked for, mirrored halves, faces, and solids; each with the same networks and budget.

    The own game of each is the paired relativistic one on a small DCGAN.
    """
    sources: dict[str, Source] = {
        "three-objects": Counting(numbers=(3,)),
        "objects-asked": Counting(),
        "mirrored": Mirrored(),
        "faces": Faces(),
        "solids": Cuboids(),
    }
    own = replace(relativistic(), latent=Normal(64), images=250_000)
    return tuple(
        Task(
            name,
            replace(own, name=name, data=source, conditional=name == "objects-asked"),
            own.generator,
            DCGANDiscriminator(size=32),
        )
        for name, source in sources.items()
    )


def _ruled(source: Source) -> Counting | Mirrored | Faces | Cuboids:
    """A set that has a rule; raises `ValueError` for any other."""
    if not isinstance(source, Counting | Mirrored | Faces | Cuboids):
        raise ValueError(f"rules are read of Counting, Mirrored, Faces and Cuboids; {source!r} is none of them")
    return source


def rule_kept(samples: Tensor, labels: Tensor | None, source: Source) -> Verdict:
    """Read whether pictures keep the rule of the set that they are to be like.

    Args:
        samples: uint8 `(N, C, H, W)`, of the set's side.
        labels: the classes asked for, int64 `(N,)`, where the set has some and the game is played by them.
        source: the set: `Counting`, `Mirrored`, `Faces` or `Cuboids`.

    Raises:
        ValueError: for a set without a rule, or samples of another shape than its own.
    """
    source = _ruled(source)
    shape = (1 if isinstance(source, Cuboids) else 3, source.side, source.side)
    if tuple(samples.shape[1:]) != shape:
        raise ValueError(f"samples of {source!r} have the shape {shape}; found {tuple(samples.shape[1:])}")
    views = Cuboids(side=source.side, count=STARTS, seed=source.seed + 1).views()
    found = []
    for rows in torch.split(torch.arange(len(samples)), _BLOCK):
        x = samples[rows]
        if isinstance(source, Counting):
            wanted = source.numbers if labels is None else torch.tensor(source.numbers)[labels[rows]]
            found.append(exactly(x, wanted, source.areas()))
        elif isinstance(source, Cuboids):
            found.append(one_view(x, source.draw, views))
        else:
            found.append(mirrored(x) if isinstance(source, Mirrored) else one_of_each(x))
    return Verdict(torch.cat([one.readable for one in found]), torch.cat([one.right for one in found]))


def read_generator(generator: TrainedGenerator, samples: int) -> Kept:
    """What a trained generator's samples come to, as they come, or evenly of all classes where it is asked for one.

    Raises `ValueError` where it was trained on a set without a rule.
    """
    source, labels = generator.recipe.data, generator.labels(samples)
    real, _ = _real(source, samples)
    x = torch.from_numpy(generator.sample(samples)).permute(0, 3, 1, 2)
    verdict = rule_kept(x, None if labels is None else torch.from_numpy(labels), source)
    return Kept(verdict.summary(), float(_variance(x) / _variance(real)))


def read_real(source: Source, samples: int) -> Kept:
    """What as many real samples come to that are in no training set: what a perfect generator would."""
    x, labels = _real(source, samples)
    return Kept(rule_kept(x, labels, source).summary(), 1.0)


def play_probes(
    cells: Sequence[Cell],
    out: Path,
    jobs: int,
    threads: int,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
    flags: Sequence[str] = (),
) -> tuple[list[ProbeResult], list[str]]:
    """Play what has not been played yet, side by side, and return all results, and a sentence for each failure.

    Arguments and errors are those of `play_runs`.
    """
    failures = play_runs(cells, out, jobs, threads, say, progress, lambda cell, spent: _finish(cell, out, spent), flags)
    results = [_result_of(cell, out) for cell in cells]
    return [result for result in results if result is not None], failures


def probe_summary(task: Task, results: Sequence[ProbeResult]) -> dict[str, Any]:
    """All there is to tell of a board, as plain values: its games in the order of the results, and real samples."""
    games: dict[str, list[ProbeResult]] = {}
    for result in results:
        if result.task == task.name:
            games.setdefault(result.game, []).append(result)
    return {
        "task": task.name,
        "data": repr(task.own.data),
        "samples": task.samples,
        "games": {game: _over_seeds(own) for game, own in games.items()},
        "real": asdict(read_real(task.own.data, task.samples)),
    }


def probe_table(told: Sequence[dict[str, Any]]) -> str:
    """Boards as one table: of each the games over seeds, by mean and worst, and real samples."""
    head = ("set", "game", "seeds", "keep the rule", "break it", "worst", "unreadable", "variety", "processor s")
    rows = [row for one in told for row in _rows(one)]
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _rows(told: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for game, own in told["games"].items():
        broken = own["broken"]
        rows.append(
            (
                *(told["task"], game, f"{len(own['seeds'])}", f"{own['kept']['mean']:.1%}"),
                *(in_text(broken, ".1%"), f"{broken['worst']:.1%}"),
                *(f"{own['unreadable']['mean']:.1%}", f"{own['variety']['mean']:.2f}"),
                f"{own['cpu_seconds']['mean']:.0f}",
            )
        )
    rule = told["real"]["rule"]
    real = (f"{rule['kept']:.1%}", f"{rule['broken']:.1%}", "", f"{rule['unreadable']:.1%}", "1", "")
    return [*rows, (told["task"], "*real samples*", "", *real)]


def _over_seeds(results: Sequence[ProbeResult]) -> dict[str, Any]:
    rules = [result.kept.rule for result in results]
    return {
        "seeds": [result.seed for result in results],
        "kept": asdict(spread([rule.kept for rule in rules], True)),
        "broken": asdict(spread([rule.broken for rule in rules], False)),
        "unreadable": asdict(spread([rule.unreadable for rule in rules], False)),
        "variety": asdict(spread([result.kept.variety for result in results], True)),
        "cpu_seconds": asdict(spread([result.cpu_seconds for result in results], False)),
    }


def _finish(cell: Cell, out: Path, spent: dict[str, float]) -> str:
    """Read the run's samples, write the result, and let go of the checkpoints, which nobody continues."""
    folder = cell.folder(out)
    generator = Run(folder / "run").generator
    kept = read_generator(generator, cell.task.samples)
    result = ProbeResult(cell.task.name, cell.game, cell.recipe.seed, kept, generator.images, **spent)
    replace_durably(folder / RESULT, json.dumps(asdict(result), indent=1).encode())
    prune_checkpoints(folder / "run", keep=0)
    return f"{cell}: {in_words(kept)}, {result.cpu_seconds:.0f} s of processor time"


def in_words(kept: Kept) -> str:
    """What samples came to, in a line."""
    rule = kept.rule
    return (
        f"{rule.kept:.1%} of {rule.samples:,} keep the rule, {rule.broken:.1%} ± {rule.error:.1%} break it, "
        f"{rule.unreadable:.1%} cannot be read; variety {kept.variety:.2f}"
    )


def _result_of(cell: Cell, out: Path) -> ProbeResult | None:
    file = cell.folder(out) / RESULT
    if not file.is_file():
        return None
    facts = json.loads(file.read_text())
    kept = Kept(RuleKept(**facts["kept"]["rule"]), facts["kept"]["variety"])
    return ProbeResult(**{**facts, "kept": kept})


def _real(source: Source, samples: int) -> tuple[Tensor, Tensor | None]:
    """Real samples uint8 `(N, C, H, W)` that the set itself does not have, and their labels."""
    source = _ruled(source)
    data = replace(source, count=samples, seed=source.seed + 1).open()
    return data.read(torch.arange(samples)), data.labels


def _variance(x: Tensor) -> Tensor:
    return x.double().var(0, correction=0).sum()
