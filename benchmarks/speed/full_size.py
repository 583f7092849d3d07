"""What the families of networks cost as large as they were published: time of a move, memory, parameters.

    python -m benchmarks.speed.full_size [NAME ...] [--repeats 3] [--device cpu] [--size 512]

Every number is of the game that a user plays: `Game.update_D` and `Game.update_G` of the family's recipe, with networks
at the size of the paper, on pictures of noise, in channels last. A move is timed without the recipe's terms and with
all of them (a lazy one acts each time here; a run pays it every n-th time), and so is sampling.

A network plays in two processes, in float32 and under bfloat16 autocast, which take turns at each measurement: while
one computes, the other waits. Memory is the high-water mark of a process above its own before it built its game, so
with weights, optimisers and average; on a GPU what torch allocated at most. The tables go into
`benchmarks/results/full_size.md`; of some networks alone, or with --size, which makes all of them small, they are
printed and nothing is written.
"""

import argparse
import json
import sys
from contextlib import ExitStack
from statistics import median
from typing import Any

import torch

from benchmarks.machine import machine
from benchmarks.marked import write
from benchmarks.places import RESULTS
from benchmarks.speed.full_size_games import GAMES, MEASURED, Full, games
from benchmarks.turns import THREADS, player
from zerosum.training.device import has_bfloat16

TABLE = RESULTS / "full_size.md"
FORMATS = ("float32", "bfloat16")
LONG = 15.0  # seconds, in all formats together, after which a measurement is not repeated once more
HEAD = (
    *("network", "batch", "format", "D move ms", "with its terms", "G move ms", "with its terms"),
    *("sampling ms", "peak MB", "parameters G", "D"),
)


def command(name: str, precision: str, device: str, size: int | None) -> list[str]:
    """What plays one game in one number format, one measurement at a time."""
    return [sys.executable, "-m", "benchmarks.speed.full_size_games", name, precision, device, str(size or "")]


def measure(full: Full, device: str, repeats: int, size: int | None) -> list[dict[str, Any]]:
    """Play a network's game in both formats by turns; return a row for each, in milliseconds an image and megabytes.

    The first of each measurement warms up and is not counted. Of the others, `repeats` or fewer where they take long,
    the median is. bfloat16 is left out on a device that only emulates it.
    """
    formats = [f for f in FORMATS if f == "float32" or has_bfloat16(torch.device(device))]
    with ExitStack() as stack:
        players = {f: stack.enter_context(player(command(full.name, f, device, size))) for f in formats}
        rows = {f: {"name": full.name, "words": full.words, "format": f, **p.ask("facts")} for f, p in players.items()}
        for measured in MEASURED:
            if measured not in rows["float32"]["measured"]:
                continue
            times: dict[str, list[float]] = {f: [] for f in formats}
            for turn in range(repeats + 1):
                for f in formats[:: 1 if turn % 2 else -1]:
                    answer = players[f].ask(measured)
                    times[f].append(answer["seconds"])
                    rows[f]["megabytes"] = answer["megabytes"]
                if turn and sum(sum(spent[1:]) for spent in times.values()) > LONG:
                    break
            for f, spent in times.items():
                rows[f][measured] = round(1000 * median(spent[1:]) / rows[f]["batch"], 3)
    return [*rows.values()]


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table, with a line on each network."""
    lines = [f"| {' | '.join(line)} |" for line in (HEAD, ("---",) * len(HEAD), *map(cells, rows))]
    words = {row["name"]: f"- **{row['name']}**: {row['words']}; terms: {row['terms']}." for row in rows}
    return "\n".join([*lines, "", *words.values()])


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a network in a number format."""
    times = (_digits(row[measured]) if measured in row else "" for measured in MEASURED)
    sampling, *updates = times
    counts = (f"{row[f'parameters {side}'] / 1e6:.2f} M" for side in "GD")
    return row["name"], str(row["batch"]), row["format"], *updates, sampling, f"{row['megabytes']:,.0f}", *counts


def _digits(number: float) -> str:
    """Four significant digits, or as many as stand before the point."""
    return f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"


def main(arguments: list[str] | None = None) -> int:
    """Measure, on the processor and on a GPU where there is one, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(GAMES)}; by default all")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each at most, whose median counts")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="by default the processor, and then a GPU if any")
    parser.add_argument("--size", type=int, help="a size for all networks instead of the published: a trial")
    chosen = parser.parse_args(arguments)
    devices = [chosen.device] if chosen.device else ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    try:
        for device in devices:
            rows = []
            for full in games(chosen.names, chosen.size):
                found = measure(full, device, chosen.repeats, chosen.size)
                print(*map(json.dumps, found), sep="\n", file=sys.stderr, flush=True)
                rows += found
            where = machine() if device == "cpu" else f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
            text = f"{table(rows)}\n\nMachine: {where}; {THREADS} threads, medians of up to {chosen.repeats}."
            if chosen.size or chosen.names:
                print(text)
            else:
                write(TABLE, device, "benchmarks.speed.full_size", text)
    except ValueError as error:
        print(f"full_size: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
