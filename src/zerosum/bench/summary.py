"""Results of the modes benchmark over seeds: as numbers and as Markdown."""

__all__ = ["mode_summary", "mode_table"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from zerosum.bench.literature import reported
from zerosum.bench.modes import Result
from zerosum.bench.tasks import Task
from zerosum.metrics.modes import ModeCoverage


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation (None for one value, or if one is not finite) and worst value over seeds."""

    mean: float
    std: float | None
    worst: float


def spread(values: Sequence[float], low_is_worse: bool) -> Spread:
    """Summarise a number over seeds."""
    std = stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else None
    return Spread(fmean(values), std, min(values) if low_is_worse else max(values))


def in_text(found: Mapping[str, Any], form: str) -> str:
    """Format the mean of a spread, with its standard deviation if any, in a format such as `.1%`."""
    mean, std = format(found["mean"], form), found["std"]
    return mean if std is None else f"{mean} ± {format(std, form)}"


def mode_summary(task: Task, results: Sequence[Result], real: ModeCoverage) -> dict[str, Any]:
    """Summarise a task as plain values: its games in the order of the results, real samples, papers."""
    games: dict[str, list[Result]] = {}
    for result in results:
        if result.task == task.name:
            games.setdefault(result.game, []).append(result)
    return {
        "task": task.name,
        "modes": real.modes,
        "samples": task.samples,
        "games": {game: _over_seeds(own) for game, own in games.items()},
        "real": real.as_dict(),
        "reported": [asdict(row) for row in reported(task.name)],
    }


def _over_seeds(results: Sequence[Result]) -> dict[str, Any]:
    covered = [result.coverage for result in results]
    return {
        "seeds": [result.seed for result in results],
        "found": asdict(spread([c.found for c in covered], True)),
        "high_quality": asdict(spread([c.high_quality for c in covered], True)),
        "kl": asdict(spread([c.kl for c in covered], False)),
        "cpu_seconds": asdict(spread([result.cpu_seconds for result in results], False)),
        "every_mode": sum(c.found == c.modes for c in covered),
    }


def mode_table(summary: Mapping[str, Any]) -> str:
    """Markdown table of a task: games over seeds (mean, standard deviation, worst), real samples, and papers."""
    head = ("game", "seeds", "all modes", "modes", "worst", "high quality", "worst", "KL", "worst", "processor s")
    rows = [_row(game, values) for game, values in summary["games"].items()]
    real = summary["real"]
    rows.append(
        (
            "*real samples*",
            "",
            "",
            f"{real['found']}",
            "",
            f"{real['high_quality']:.1%}",
            "",
            f"{real['kl']:.3f}",
            "",
            "",
        )
    )
    for paper in summary["reported"]:
        kl = "" if paper["kl"] is None else f"{paper['kl']:g}"
        rows.append((f"*{paper['method']}* ({paper['source']})", "", "", f"{paper['found']:g}", "", "", "", kl, "", ""))
    lines = [head, ("---",) * len(head), *rows]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"### {summary['task']}: {summary['modes']:,} modes, {summary['samples']:,} samples\n\n{table}\n"


def _row(game: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    found, quality, kl = values["found"], values["high_quality"], values["kl"]
    seeds = len(values["seeds"])
    return (
        game,
        f"{seeds}",
        f"{values['every_mode']} of {seeds}",
        in_text(found, ".1f"),
        f"{found['worst']:g}",
        in_text(quality, ".1%"),
        f"{quality['worst']:.1%}",
        in_text(kl, ".3f"),
        f"{kl['worst']:.3f}",
        f"{values['cpu_seconds']['mean']:.0f}",
    )
