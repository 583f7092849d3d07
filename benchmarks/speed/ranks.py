"""Time of a step on N processes: a model for R3GAN and StyleGAN2, and a measurement with two processes to check it.

    python -m benchmarks.speed.ranks [--repeats 5] [--games digits r3gan] [--no-calculation]

**The calculation.** A step of N processes that share a batch of B samples takes

    B / N * pace  +  2 (N - 1) / N * bytes / bandwidth  +  sums * 2 (N - 1) * latency

- pace: seconds per sample, for the updates of both players. For StyleGAN2 at 256x256 the authors publish 21.6 to 24.2
  ms on a V100 (README of stylegan2-ada-pytorch, `auto`, whose networks are narrower than ours from 64x64 up, so for
  ours communication is a smaller share). For R3GAN at 32x32 no time is published: its pace is StyleGAN2's times the
  ratio of the two on a CPU, in bfloat16, with lazy terms at their share (`benchmarks/results/full_size.md`). Ten times
  this speed represents recent GPUs;
- bytes: the gradients of D and G in float32, each sent once a step by a ring all-reduce of all processes, at the
  bandwidth of its slowest link;
- sums: all collectives of a step, most of a few numbers, each of latency 2 (N - 1) times that of a link.

It does not include data loading, the lower efficiency of smaller batches, waiting for other processes, or overlap.

**The measurement.** Two processes of one thread each on this machine, over gloo, alternating with two independent ones
that train on half the batch each at the same time; medians. `overlapped` sends gradients in buckets of 25 MB during the
backward pass. `by the formula` is the time of the independent processes plus that of the sums, measured alone.
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
_ON_A_CPU = {
    "stylegan2": 3168 + (3634 - 3168) / 16 + 2147 + (3336 - 2147) / 16,
    "r3gan": 685.8 + 285.9,
}  # milliseconds per sample, bfloat16, from benchmarks/results/full_size.md
PACES = {name: 22.9e-3 * ms / _ON_A_CPU["stylegan2"] for name, ms in _ON_A_CPU.items()}
LINKS = {
    "NVLink, 150 GB/s": (150e9, 5e-6),
    "PCIe, 12 GB/s": (12e9, 10e-6),
    "100 Gb/s network": (11e9, 20e-6),
    "10 Gb/s network": (1.1e9, 50e-6),
}
COUNTS = (1, 2, 4, 8, 16, 64)
BATCHES = {"r3gan": 512, "stylegan2": 64}  # of the papers, at these sizes
SUMS = 12  # collectives of a step, at most: gradients, scores and their gradients, log values, stop requests
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
MEASURED = {"digits": 64, "r3gan": 2}  # samples per process


def seconds(count: int, samples: int, pace: float, size: float, link: tuple[float, float], sums: int = SUMS) -> float:
    """Seconds of a step of `count` processes by the formula above; `pace` in seconds per sample, `size` in bytes."""
    bandwidth, latency = link
    return samples / count * pace + 2 * (count - 1) / count * size / bandwidth + sums * 2 * (count - 1) * latency


def calculation() -> str:
    """The table of the calculation, and a comparison with published times."""
    lines = [f"| game | ms per sample | link | {' | '.join(f'N = {n}' for n in COUNTS)} |"]
    lines.append(f"|{' --- |' * (3 + len(COUNTS))}")
    sizes = {}
    for full in (r3gan(), stylegan2()):
        facts = Play(full, "float32", torch.device("cpu")).facts()
        sizes[full.name] = 4.0 * (facts["parameters G"] + facts["parameters D"])
        samples = BATCHES[full.name]
        for pace in (PACES[full.name], PACES[full.name] / 10):
            for link, numbers in LINKS.items():
                steps = [seconds(n, samples, pace, sizes[full.name], numbers) for n in COUNTS]
                cells = [f"{1000 * s:,.0f} ({steps[0] / s / n:.0%})" for n, s in zip(COUNTS, steps, strict=True)]
                lines.append(f"| {full.name}, batch {samples} | {1000 * pace:.2g} | {link} | {' | '.join(cells)} |")
    listed = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sizes.items())
    check = ", ".join(
        f"{1000 * seconds(n, 64, PACES['stylegan2'], sizes['stylegan2'], LINKS['NVLink, 150 GB/s']) / 64:.1f} on {n} "
        f"(published {stated})"
        for n, stated in STATED.items()
    )
    return "\n".join(
        [
            f"Milliseconds per step, and the share of an ideal speed-up. Gradients: {listed}; {SUMS} sums per step.",
            *("", *lines, ""),
            f"StyleGAN2 on V100s, seconds for 1,000 images by the formula, and as published: {check}.",
        ]
    )


def together(players: list[Player], word: str) -> list[dict[str, Any]]:
    """The answers of all processes to a word sent at once."""
    with ThreadPoolExecutor(len(players)) as threads:
        return [*threads.map(lambda one: one.ask(word), players)]


def measurement(name: str, batch: int, repeats: int) -> str:
    """A row of the measured table: two processes of a game, and the prediction of the formula."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:

        def start(count: int) -> list[Player]:
            words = [sys.executable, "-m", "benchmarks.speed.ranks_player", name, str(batch)]
            meeting = str(Path(folder) / f"{count}")
            return [stack.enter_context(player([*words, str(i), str(count), meeting])) for i in range(2)]

        pair, apart = start(2), start(1)
        facts = together(pair, "facts")[0]
        sums, size = facts["sums"], facts["bytes"]
        times: dict[str, list[float]] = {word: [] for word in ("apart", "flat", "overlapped", "bytes", "one")}
        for _ in range(repeats + 1):
            for word, spent in times.items():
                answers = together(apart, "flat") if word == "apart" else together(pair, word)
                spent.append(max(answer["seconds"] for answer in answers))
        found = {word: median(spent[1:]) for word, spent in times.items()}
    predicted = found["apart"] + found["bytes"] + (sums - 2) * found["one"]
    cells = [f"{1000 * found[word]:,.1f}" for word in ("apart", "bytes", "one")]
    rest = [f"{1000 * t:,.1f}" for t in (predicted, found["flat"], found["overlapped"])]
    return f"| {name}, {batch} per process | {size / 1e6:.1f} | {sums} | {' | '.join([*cells, *rest])} |"


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--repeats", type=int, default=5, help="measurements of each kind, after one that is not counted"
    )
    parser.add_argument("--games", nargs="*", choices=MEASURED, default=[*MEASURED], help="games to measure")
    parser.add_argument("--no-calculation", action="store_true", help="only measure")
    chosen = parser.parse_args(arguments)
    if not chosen.no_calculation:
        print(calculation(), "\n", flush=True)
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    for name in chosen.games:
        print(measurement(name, MEASURED[name], chosen.repeats), flush=True)
    print(f"\nMachine: {machine()}; two processes of one thread, gloo, medians of {chosen.repeats} steps.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
