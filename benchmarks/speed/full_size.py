"""The cost of published networks at full size: time of an update, memory, parameters.

    python -m benchmarks.speed.full_size [NAME ...] [--repeats 3] [--device cpu] [--size 512]

`Game.update_D` and `Game.update_G` of a recipe are timed with networks of the size in the paper, on images of noise, in
channels last: without the recipe's terms, and with all of them (a lazy term acts in every update here, and in every
n-th of a run). Sampling is timed too.

Each network runs in two processes, in float32 and with bfloat16 autocast, which measure alternately. Memory is the peak
of the process minus its memory before the game was built, so it includes weights, optimisers and moving average; on a
GPU it is the peak allocated by torch. The tables are written to `benchmarks/results/full_size.md`; for some of the
networks, or with --size, which makes all of them small, they are only printed.
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
LONG = 15.0  # seconds in all formats together after which a measurement is not repeated
HEAD = (
    *("network", "batch", "format", "D update ms", "with its terms", "G update ms", "with its terms"),
    *("sampling ms", "peak MB", "parameters G", "D"),
)


def command(name: str, precision: str, device: str, size: int | None) -> list[str]:
    """The command of the process of a network in a number format."""
    return [sys.executable, "-m", "benchmarks.speed.full_size_games", name, precision, device, str(size or "")]


def measure(full: Full, device: str, repeats: int, size: int | None) -> list[dict[str, Any]]:
    """Measure a network in both formats alternately; return a row for each, in milliseconds per image and megabytes.

    The first measurement of each kind is not counted; the result is the median of the others, `repeats` or fewer if
    they take long. bfloat16 is left out on a device that only emulates it.
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
    """Return the rows as a Markdown table, with a line for each network."""
    lines = [f"| {' | '.join(line)} |" for line in (HEAD, ("---",) * len(HEAD), *map(cells, rows))]
    words = {row["name"]: f"- **{row['name']}**: {row['words']}; terms: {row['terms']}." for row in rows}
    return "\n".join([*lines, "", *words.values()])


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a network in a number format."""
    times = (_digits(row[measured]) if measured in row else "" for measured in MEASURED)
    sampling, *updates = times
    counts = (f"{row[f'parameters {player}'] / 1e6:.2f} M" for player in "GD")
    return row["name"], str(row["batch"]), row["format"], *updates, sampling, f"{row['megabytes']:,.0f}", *counts


def _digits(number: float) -> str:
    """Format with four significant digits, or all digits before the point."""
    return f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"


def main(arguments: list[str] | None = None) -> int:
    """Measure on the CPU and, if available, on a GPU, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(GAMES)}; by default all")
    parser.add_argument(
        "--repeats", type=int, default=3, help="maximum number of measurements of each, of which the median is taken"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="by default the CPU, and then a GPU if available")
    parser.add_argument("--size", type=int, help="size of all networks instead of the published one, for a trial")
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
