"""Speed of a training step compared with conventional implementations, measured alternately in one run.

    python -m benchmarks.speed.speed [--pairs 15] [--only dcgan resnet loop r3gan differences compile memory] [--json]
        [--clock wall] [--threads 1]

Every step runs in its own process (`benchmarks.speed.speed_steps`); the processes alternate in blocks of about a
second, each going first equally often, and a ratio is the median over the turns. `usual` is a conventional
implementation: float32, contiguous tensors, `backward()` through a discriminator that is not frozen, both updates on
the same samples, Adam without fusion, and residual blocks with resampling as separate layers. On a machine with other
load, use `--threads 1 --clock processor`, which counts the processor time of the process.
"""

import argparse
import json
import statistics
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace

from benchmarks.machine import machine
from benchmarks.speed.speed_memory import memory_table
from benchmarks.turns import Player, player


@dataclass(frozen=True)
class Comparison:
    """Steps to compare.

    Attributes:
        game: name of the game.
        steps: names of the steps; the others are compared with the first.
        iterations: number in a block.
        targets: the target ratio of each step after the first.
        threads: threads of each process.
    """

    game: str
    steps: tuple[str, ...]
    iterations: int
    targets: tuple[float | None, ...]
    threads: int = 2


COMPARISONS = {
    "dcgan": (Comparison("dcgan", ("usual", "float32", "best"), 12, (1.05, 1.6)),),
    "resnet": (Comparison("resnet", ("usual", "float32", "best"), 2, (1.25, 2.7)),),
    "loop": tuple(Comparison("digits", ("bare", "best"), 8, (1 / 1.03,), threads) for threads in (2, 1)),
    "r3gan": (Comparison("r3gan", ("separate", "shared"), 4, (1.3,)),),
    "differences": tuple(
        Comparison(game, ("without", "shared", "differences"), 4, (None, None)) for game in ("r3gan", "hinge")
    ),
    "compile": (
        Comparison("digits", ("best", "compiled"), 8, (None,)),
        Comparison("resnet", ("best", "compiled"), 2, (None,)),
    ),
}


@dataclass(frozen=True)
class Row:
    """A step's result.

    Attributes:
        game: name of the game.
        step: name of the step.
        threads: threads of its process.
        seconds: time of an iteration, median over the turns.
        ratio: speed relative to the first step, median over the turns.
        low: the lowest ratio.
        high: the highest ratio.
        target: the target ratio.
    """

    game: str
    step: str
    threads: int
    seconds: float
    ratio: float
    low: float
    high: float
    target: float | None


def seconds(one: Player, iterations: int, clock: str) -> float:
    """Seconds per iteration in a block."""
    return float(one.ask(str(iterations))[clock]) / iterations


def measure(comparison: Comparison, pairs: int, clock: str) -> list[Row]:
    """The rows of a comparison, from `pairs` turns."""
    with ExitStack() as stack:
        words = [
            [sys.executable, "-m", "benchmarks.speed.speed_steps", comparison.game, step] for step in comparison.steps
        ]
        players = [stack.enter_context(player(command, comparison.threads)) for command in words]
        for one in players:
            one.ask(str(max(comparison.iterations, 3)))  # the first iterations allocate and compile
        times: list[list[float]] = [[0.0] * len(players) for _ in range(pairs)]
        for turn, row in enumerate(times):
            order = range(len(players)) if turn % 2 else reversed(range(len(players)))
            for place in order:
                row[place] = seconds(players[place], comparison.iterations, clock)
    rows = []
    for place, step in enumerate(comparison.steps):
        ratios = sorted(row[0] / row[place] for row in times)
        spent = statistics.median(row[place] for row in times)
        target = comparison.targets[place - 1] if place else None
        found = (spent, statistics.median(ratios), ratios[0], ratios[-1])
        rows.append(Row(comparison.game, step, comparison.threads, *(round(value, 4) for value in found), target))
    return rows


def table(rows: list[Row]) -> str:
    """Markdown table of the rows."""
    head = ("game", "step", "threads", "ms per iteration", "times as fast", "lowest to highest", "target")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in rows:
        spread, target = f"{row.low:.2f} to {row.high:.2f}", "" if row.target is None else f"{row.target:.2f}"
        cells = (row.game, row.step, row.threads, f"{row.seconds * 1e3:.1f}", f"{row.ratio:.3f}", spread, target)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure the chosen comparisons and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*COMPARISONS, "memory"]
    parser.add_argument("--pairs", type=int, default=15, help="turns of each step")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    parser.add_argument("--threads", type=int, help="threads of each process, instead of those of the comparison")
    parser.add_argument("--iterations", type=int, default=2000, help="iterations of the run whose memory is measured")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    chosen = parser.parse_args(arguments)
    comparisons = [one for name in chosen.only for one in COMPARISONS.get(name, ())]
    if chosen.threads is not None:
        comparisons = list(dict.fromkeys(replace(one, threads=chosen.threads) for one in comparisons))
    rows = []
    for one in comparisons:
        rows += measure(one, chosen.pairs, chosen.clock)
        print(f"{one.game}: {', '.join(one.steps)}", file=sys.stderr, flush=True)
    memory = memory_table(chosen.iterations) if "memory" in chosen.only else None
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows], "memory": memory}, indent=1))
        return 0
    parts = [table(rows)] if rows else []
    parts += [] if memory is None else ["\n".join(f"- {name}: {value:.4g}" for name, value in memory.items())]
    print("\n\n".join([*parts, f"{chosen.pairs} turns, {chosen.clock} time. Machine: {machine()}."]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
