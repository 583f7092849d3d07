"""The step against the same step written the usual way, and what else is said of its speed, paired in one run.

    python -m benchmarks.speed.speed [--pairs 15] [--only dcgan resnet loop r3gan compile memory] [--json]
        [--clock wall] [--threads 1]

Every step is played by a process of its own (`benchmarks.speed.speed_steps`); the processes take turns in blocks of a
second or so, each going first as often as the others, and a ratio is the median over the turns. `usual` is the step as
it is mostly written: float32, contiguous maps, `backward()` through a discriminator that is not frozen, both moves on
the same samples, Adam with its defaults, and residual blocks with nearest neighbours and means as layers of their own.
On a machine with other work, `--threads 1 --clock processor` counts the seconds of the process alone.
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
    """Steps that take turns.

    Attributes:
        game: of which game.
        steps: the first is what the others are compared with.
        rounds: in a block.
        targets: the ratio that each step after the first is meant to reach.
        threads: of each process.
    """

    game: str
    steps: tuple[str, ...]
    rounds: int
    targets: tuple[float | None, ...]
    threads: int = 2


COMPARISONS = {
    "dcgan": (Comparison("dcgan", ("usual", "float32", "best"), 12, (1.05, 1.6)),),
    "resnet": (Comparison("resnet", ("usual", "float32", "best"), 2, (1.25, 2.7)),),
    "loop": tuple(Comparison("digits", ("bare", "best"), 8, (1 / 1.03,), threads) for threads in (2, 1)),
    "r3gan": (Comparison("r3gan", ("separate", "shared"), 4, (1.3,)),),
    "compile": (
        Comparison("digits", ("best", "compiled"), 8, (None,)),
        Comparison("resnet", ("best", "compiled"), 2, (None,)),
    ),
}


@dataclass(frozen=True)
class Row:
    """A step's result.

    Attributes:
        game: of which game.
        step: which step.
        threads: of its process.
        seconds: a round takes, the median over the turns.
        ratio: how often as fast it is as the first step, the median over the turns.
        low: the lowest ratio.
        high: the highest.
        target: the ratio meant.
    """

    game: str
    step: str
    threads: int
    seconds: float
    ratio: float
    low: float
    high: float
    target: float | None


def seconds(one: Player, rounds: int, clock: str) -> float:
    """What a round takes, in a block of so many."""
    return float(one.ask(str(rounds))[clock]) / rounds


def measure(asked: Comparison, pairs: int, clock: str) -> list[Row]:
    """The rows of a comparison, from so many turns."""
    with ExitStack() as stack:
        words = [[sys.executable, "-m", "benchmarks.speed.speed_steps", asked.game, step] for step in asked.steps]
        players = [stack.enter_context(player(command, asked.threads)) for command in words]
        for one in players:
            one.ask(str(max(asked.rounds, 3)))  # the first rounds build what later ones use
        times: list[list[float]] = [[0.0] * len(players) for _ in range(pairs)]
        for turn, row in enumerate(times):
            order = range(len(players)) if turn % 2 else reversed(range(len(players)))
            for place in order:
                row[place] = seconds(players[place], asked.rounds, clock)
    rows = []
    for place, step in enumerate(asked.steps):
        ratios = sorted(row[0] / row[place] for row in times)
        spent = statistics.median(row[place] for row in times)
        target = asked.targets[place - 1] if place else None
        found = (spent, statistics.median(ratios), ratios[0], ratios[-1])
        rows.append(Row(asked.game, step, asked.threads, *(round(value, 4) for value in found), target))
    return rows


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    head = ("game", "step", "threads", "ms a round", "times as fast", "lowest to highest", "target")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in rows:
        spread, target = f"{row.low:.2f} to {row.high:.2f}", "" if row.target is None else f"{row.target:.2f}"
        cells = (row.game, row.step, row.threads, f"{row.seconds * 1e3:.1f}", f"{row.ratio:.3f}", spread, target)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*COMPARISONS, "memory"]
    parser.add_argument("--pairs", type=int, default=15, help="turns that each step has")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    parser.add_argument("--threads", type=int, help="of each process, in place of those of the comparison")
    parser.add_argument("--rounds", type=int, default=2000, help="rounds of the run whose memory is watched")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of tables")
    chosen = parser.parse_args(arguments)
    asked = [one for name in chosen.only for one in COMPARISONS.get(name, ())]
    if chosen.threads is not None:
        asked = list(dict.fromkeys(replace(one, threads=chosen.threads) for one in asked))
    rows = []
    for one in asked:
        rows += measure(one, chosen.pairs, chosen.clock)
        print(f"{one.game}: {', '.join(one.steps)}", file=sys.stderr, flush=True)
    memory = memory_table(chosen.rounds) if "memory" in chosen.only else None
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows], "memory": memory}, indent=1))
        return 0
    parts = [table(rows)] if rows else []
    parts += [] if memory is None else ["\n".join(f"- {name}: {value:.4g}" for name, value in memory.items())]
    print("\n\n".join([*parts, f"{chosen.pairs} turns, {chosen.clock} time. Machine: {machine()}."]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
