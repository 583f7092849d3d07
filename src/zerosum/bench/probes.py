"""The probes benchmark: how often samples violate constraints that all data satisfy."""

__all__ = ["ProbeResult", "ProbeScores", "probe_summary", "probe_table", "probe_tasks", "rule_kept", "run_probes"]

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum.bench.modes import SeededRun
from zerosum.bench.parallel_runs import run_in_parallel, saved_result
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
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.run import Run

STARTS = 1_024  # views to search for the nearest one
_BLOCK = 512


@dataclass(frozen=True)
class ProbeScores:
    """Scores of samples of a probe data set.

    Attributes:
        rule: how often they satisfy the constraint.
        variety: sum of the pixel variances relative to that of real samples: 1 for samples as diverse as real ones, 0
            if all are the same image, which may satisfy the constraint.
    """

    rule: RuleKept
    variety: float


@dataclass(frozen=True)
class ProbeResult:
    """The result of a run; seconds are of the whole command, over all its starts."""

    task: str
    game: str
    seed: int
    kept: ProbeScores
    images: int
    seconds: float
    cpu_seconds: float


def probe_tasks() -> tuple[Task, ...]:
    """Three objects, conditional counting, mirrored halves, faces, and solids, with the same networks and budget.

    The default game is the paired relativistic one on a small DCGAN.
    """
    sources: dict[str, Source] = {
        "three-objects": Counting(numbers=(3,)),
        "objects-asked": Counting(),
        "mirrored": Mirrored(),
        "faces": Faces(),
        "solids": Cuboids(),
    }
    default = replace(relativistic(), latent=Normal(64), images=250_000)
    return tuple(
        Task(
            name,
            replace(default, name=name, data=source, conditional=name == "objects-asked"),
            default.generator,
            DCGANDiscriminator(size=32),
        )
        for name, source in sources.items()
    )


def _constrained(source: Source) -> Counting | Mirrored | Faces | Cuboids:
    """Return the source if it has a constraint; raises `ValueError` otherwise."""
    if not isinstance(source, Counting | Mirrored | Faces | Cuboids):
        raise ValueError(f"only Counting, Mirrored, Faces and Cuboids have constraints to check; found {source!r}")
    return source


def rule_kept(samples: Tensor, labels: Tensor | None, source: Source) -> Verdict:
    """Check which images satisfy the constraint of a probe data set.

    Args:
        samples: uint8 `(N, C, H, W)`, of the size of the data.
        labels: class labels, int64 `(N,)`, for conditional generators.
        source: the data: `Counting`, `Mirrored`, `Faces` or `Cuboids`.

    Raises:
        ValueError: for data without a constraint, or samples of another shape.
    """
    source = _constrained(source)
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


def read_generator(generator: TrainedGenerator, samples: int) -> ProbeScores:
    """Evaluate samples of a trained generator, of all classes equally often if it is conditional.

    Raises `ValueError` if it was trained on data without a constraint.
    """
    source, labels = generator.recipe.data, generator.labels(samples)
    real, _ = _real(source, samples)
    x = torch.from_numpy(generator.sample(samples)).permute(0, 3, 1, 2)
    verdict = rule_kept(x, None if labels is None else torch.from_numpy(labels), source)
    return ProbeScores(verdict.summary(), float(_variance(x) / _variance(real)))


def read_real(source: Source, samples: int) -> ProbeScores:
    """Evaluate as many real samples outside the training set: the scores of a perfect generator."""
    x, labels = _real(source, samples)
    return ProbeScores(rule_kept(x, labels, source).summary(), 1.0)


def run_probes(
    runs: Sequence[SeededRun],
    out: Path,
    jobs: int,
    threads: int,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
    flags: Sequence[str] = (),
) -> tuple[list[ProbeResult], list[str]]:
    """Run what has no result yet, in parallel; return all results, and a message for each failure.

    Arguments and errors are those of `run_in_parallel`.
    """

    def measure(run: SeededRun) -> tuple[dict[str, Any], str]:
        generator = Run(run.folder(out) / "run").generator
        kept = read_generator(generator, run.task.samples)
        return {**run.facts, "kept": asdict(kept), "images": generator.images}, in_words(kept)

    failures = run_in_parallel(runs, out, jobs, threads, say, progress, measure, flags)
    results = [_result_of(run, out) for run in runs]
    return [result for result in results if result is not None], failures


def probe_summary(task: Task, results: Sequence[ProbeResult]) -> dict[str, Any]:
    """Summarise a task as plain values: its games in the order of the results, and real samples."""
    games: dict[str, list[ProbeResult]] = {}
    for result in results:
        if result.task == task.name:
            games.setdefault(result.game, []).append(result)
    return {
        "task": task.name,
        "data": repr(task.default.data),
        "samples": task.samples,
        "games": {game: _over_seeds(own) for game, own in games.items()},
        "real": asdict(read_real(task.default.data, task.samples)),
    }


def probe_table(summary: Sequence[dict[str, Any]]) -> str:
    """Markdown table of tasks: games over seeds by mean and worst, and real samples."""
    head = ("task", "game", "seeds", "satisfied", "violated", "worst", "unreadable", "variety", "processor s")
    rows = [row for one in summary for row in _rows(one)]
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for game, own in summary["games"].items():
        broken = own["broken"]
        rows.append(
            (
                *(summary["task"], game, f"{len(own['seeds'])}", f"{own['kept']['mean']:.1%}"),
                *(in_text(broken, ".1%"), f"{broken['worst']:.1%}"),
                *(f"{own['unreadable']['mean']:.1%}", f"{own['variety']['mean']:.2f}"),
                f"{own['cpu_seconds']['mean']:.0f}",
            )
        )
    rule = summary["real"]["rule"]
    real = (f"{rule['kept']:.1%}", f"{rule['broken']:.1%}", "", f"{rule['unreadable']:.1%}", "1", "")
    return [*rows, (summary["task"], "*real samples*", "", *real)]


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


def in_words(kept: ProbeScores) -> str:
    """Scores in one line."""
    rule = kept.rule
    return (
        f"{rule.kept:.1%} of {rule.samples:,} satisfy the constraint, {rule.broken:.1%} ± {rule.error:.1%} violate it, "
        f"{rule.unreadable:.1%} are unreadable; variety {kept.variety:.2f}"
    )


def _result_of(run: SeededRun, out: Path) -> ProbeResult | None:
    found = saved_result(run, out)
    if found is None:
        return None
    kept = ProbeScores(RuleKept(**found["kept"]["rule"]), found["kept"]["variety"])
    return ProbeResult(**{**found, "kept": kept})


def _real(source: Source, samples: int) -> tuple[Tensor, Tensor | None]:
    """Real samples uint8 `(N, C, H, W)` outside the training set, and their labels."""
    source = _constrained(source)
    data = replace(source, count=samples, seed=source.seed + 1).open()
    return data.read(torch.arange(samples)), data.labels


def _variance(x: Tensor) -> Tensor:
    return x.double().var(0, correction=0).sum()
