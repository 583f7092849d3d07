"""What a round costs on N processes: a calculation for R3GAN and StyleGAN2, and two processes here to check it by.

    python -m benchmarks.speed.ranks [--rounds 5] [--games digits r3gan] [--no-calculation]

**The calculation.** A round of N processes that share a batch of B samples takes

    B / N * pace  +  2 (N - 1) / N * bytes / bandwidth  +  sums * 2 (N - 1) * latency

- pace: seconds for a sample, both moves. For StyleGAN2 at 256x256 the authors state 21.6 to 24.2 ms on a V100 (README
  of stylegan2-ada-pytorch, `auto`, whose networks are narrower than ours from 64x64 up, so that for ours the exchange
  weighs less than is said here). For R3GAN at 32x32 there is no such statement: its pace is StyleGAN2's times the ratio
  of the two on a processor, in bfloat16, lazy terms at their share (`benchmarks/results/full_size.md`). Ten times as
  fast stands for the GPUs of today;
- bytes: the gradients of D and G in float32, each sent once a round in a ring; of one ring all processes sit on, at the
  bandwidth of its slowest link;
- sums: all collectives of a round, most of them of a few numbers, each taking 2 (N - 1) steps.

It leaves out data, smaller batches that fill a GPU less well, and one process waiting for another. Nothing overlaps.

**The measurement.** Two processes of one thread each on this machine, over gloo, against two that play half the batch
by themselves at the same time, by turns in one run; medians. `overlapped` sends gradients by buckets of 25 MB while the
backward pass goes on. By the formula is what two apart take and the sums as they were measured by themselves.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.machine import machine
from benchmarks.speed.full_size_games import Play, r3gan, stylegan2
from benchmarks.turns import Player, player

STATED = {1: "21.6-24.2", 2: "11.2-11.8", 4: "5.6-5.9", 8: "4.4-5.5"}  # stylegan2-ada-pytorch, 256x256, V100s
_ON_A_PROCESSOR = {
    "stylegan2": 3168 + (3634 - 3168) / 16 + 2147 + (3336 - 2147) / 16,
    "r3gan": 685.8 + 285.9,
}  # milliseconds a sample, bfloat16, of benchmarks/results/full_size.md
PACES = {name: 22.9e-3 * ms / _ON_A_PROCESSOR["stylegan2"] for name, ms in _ON_A_PROCESSOR.items()}
LINKS = {
    "NVLink, 150 GB/s": (150e9, 5e-6),
    "PCIe, 12 GB/s": (12e9, 10e-6),
    "100 Gb/s network": (11e9, 20e-6),
    "10 Gb/s network": (1.1e9, 50e-6),
}
COUNTS = (1, 2, 4, 8, 16, 64)
BATCHES = {"r3gan": 512, "stylegan2": 64}  # of the papers, at these sides
SUMS = 12  # collectives of a round, at most: gradients, scores there and back, readings, the wish to stop
HEAD = (
    "game",
    "MB",
    "sums",
    "apart ms",
    "flat sums ms",
    "one number ms",
    "by the formula ms",
    "flat ms",
    "overlapped ms",
)
MEASURED = {"digits": 64, "r3gan": 2}  # samples of a process


def seconds(count: int, samples: int, pace: float, size: float, link: tuple[float, float], sums: int = SUMS) -> float:
    """A round of `count` processes, by the formula above; `pace` is the seconds for a sample, `size` in bytes."""
    bandwidth, latency = link
    return samples / count * pace + 2 * (count - 1) / count * size / bandwidth + sums * 2 * (count - 1) * latency


def calculation() -> str:
    """The table of the calculation, and what it gives where the authors have measured."""
    lines = [f"| game | ms a sample | link | {' | '.join(f'N = {n}' for n in COUNTS)} |"]
    lines.append(f"|{' --- |' * (3 + len(COUNTS))}")
    sizes = {}
    for full in (r3gan(), stylegan2()):
        facts = Play(full, "float32", torch.device("cpu")).facts()
        sizes[full.name] = 4.0 * (facts["parameters G"] + facts["parameters D"])
        samples = BATCHES[full.name]
        for pace in (PACES[full.name], PACES[full.name] / 10):
            for link, numbers in LINKS.items():
                rounds = [seconds(n, samples, pace, sizes[full.name], numbers) for n in COUNTS]
                cells = [f"{1000 * s:,.0f} ({rounds[0] / s / n:.0%})" for n, s in zip(COUNTS, rounds, strict=True)]
                lines.append(f"| {full.name}, batch {samples} | {1000 * pace:.2g} | {link} | {' | '.join(cells)} |")
    told = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sizes.items())
    check = ", ".join(
        f"{1000 * seconds(n, 64, PACES['stylegan2'], sizes['stylegan2'], LINKS['NVLink, 150 GB/s']) / 64:.1f} on {n} "
        f"(stated {stated})"
        for n, stated in STATED.items()
    )
    return "\n".join(
        [
            f"Milliseconds of a round, and the share of an ideal speed-up. Gradients: {told}; {SUMS} sums a round.",
            *("", *lines, ""),
            f"StyleGAN2 on V100s, seconds for 1,000 images by the formula, beside what its authors state: {check}.",
        ]
    )


def together(players: list[Player], word: str) -> list[dict[str, Any]]:
    """What all of them answer, asked at once."""
    with ThreadPoolExecutor(len(players)) as threads:
        return [*threads.map(lambda one: one.ask(word), players)]


def measurement(name: str, batch: int, rounds: int) -> str:
    """A row of the measured table: two processes of a game, and the formula for them."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:

        def start(count: int) -> list[Player]:
            words = [sys.executable, "-m", "benchmarks.speed.ranks_player", name, str(batch)]
            meeting = str(Path(folder) / f"{count}")
            return [stack.enter_context(player([*words, str(i), str(count), meeting])) for i in range(2)]

        pair, apart = start(2), start(1)
        facts = together(pair, "facts")[0]
        sums, size = facts["sums"], facts["bytes"]
        times: dict[str, list[float]] = {word: [] for word in ("apart", "flat", "overlapped", "bytes", "one")}
        for _ in range(rounds + 1):
            for word, spent in times.items():
                answers = together(apart, "flat") if word == "apart" else together(pair, word)
                spent.append(max(answer["seconds"] for answer in answers))
        found = {word: median(spent[1:]) for word, spent in times.items()}
    predicted = found["apart"] + found["bytes"] + (sums - 2) * found["one"]
    cells = [f"{1000 * found[word]:,.1f}" for word in ("apart", "bytes", "one")]
    rest = [f"{1000 * t:,.1f}" for t in (predicted, found["flat"], found["overlapped"])]
    return f"| {name}, {batch} a process | {size / 1e6:.1f} | {sums} | {' | '.join([*cells, *rest])} |"


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of each kind, after one that is not counted")
    parser.add_argument("--games", nargs="*", choices=MEASURED, default=[*MEASURED], help="to measure here")
    parser.add_argument("--no-calculation", action="store_true", help="measure alone")
    chosen = parser.parse_args(arguments)
    if not chosen.no_calculation:
        print(calculation(), "\n", flush=True)
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    for name in chosen.games:
        print(measurement(name, MEASURED[name], chosen.rounds), flush=True)
    print(f"\nMachine: {machine()}; two processes of one thread, gloo, medians of {chosen.rounds} rounds.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
