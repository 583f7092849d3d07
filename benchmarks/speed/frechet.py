"""Time of the Frechet distance compared with the methods of other tools, and how much the values differ.

    make peers                                   # SciPy for the slowest of them, once
    python -m benchmarks.speed.frechet [--dimensions 2048] [--samples 10000] [--few 1000] [--repeats 5]

The methods alternate in one run, on the same moments: ours; the eigenvalues of the product of the covariances
(torch-fidelity); SciPy's square root of that product (pytorch-fid, clean-fid), in its own process. Then, with fewer
samples than dimensions, from features: ours among samples against ours over dimensions, both including the moments. The
table is written to `benchmarks/results/metrics.md`; with other arguments than the defaults it is only printed.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.machine import machine
from benchmarks.marked import write
from benchmarks.places import RESULTS, ROOT
from benchmarks.speed.inception import PYTHON
from benchmarks.turns import THREADS, player
from zerosum.metrics.frechet import frechet_distance, frechet_distance_from_moments
from zerosum.metrics.moments import Moments, moments_of

TABLE = RESULTS / "metrics.md"
PROGRAM = ROOT / "benchmarks" / "peers" / "peer_sqrtm.py"
DIMENSIONS, SAMPLES, FEW, REPEATS = 2048, 10_000, 1_000, 5
OURS, PRODUCT, SQRTM = "ours (Cholesky, eigvalsh)", "eigenvalues of the product", "scipy.linalg.sqrtm"
AMONG, OVER = "ours, among samples", "ours, over dimensions"


class Timed(NamedTuple):
    """One measurement."""

    seconds: float
    value: float


Way = Callable[[], Timed]


def features(samples: int, dimensions: int, seed: int) -> Tensor:
    """ReLU features like those of networks, whose spectrum falls with the inverse of the rank, float32 `(N, d)`."""
    draw = torch.Generator().manual_seed(seed)
    turn = torch.randn(dimensions, dimensions, generator=torch.Generator().manual_seed(7)) / dimensions**0.5
    scale = torch.arange(1, dimensions + 1).float().rsqrt() * dimensions**0.5 / 8
    mixed = (torch.randn(samples, dimensions, generator=draw) * scale) @ turn
    return (mixed + 0.05 * torch.randn(samples, dimensions, generator=draw) + 0.02 * seed).relu()


def timed(compute: Callable[[], float]) -> Way:
    """A way that times a computation in this process."""

    def way() -> Timed:
        begun = time.perf_counter()
        value = compute()
        return Timed(time.perf_counter() - begun, value)

    return way


def by_product(real: Moments, fake: Moments) -> float:
    """The distance by the eigenvalues of the product of the covariances, as torch-fidelity 0.4 computes it."""
    first, second = real.covariance, fake.covariance
    root = torch.linalg.eigvals(first @ second).sqrt().real.sum()
    return float((real.mean - fake.mean).square().sum() + first.trace() + second.trace() - 2 * root)


@contextmanager
def by_root(real: Moments, fake: Moments) -> Iterator[Way]:
    """SciPy's way, in a process of the peers' Python; raises `ValueError` if that is missing or fails."""
    if not PYTHON.exists():
        raise ValueError(f"there is no {PYTHON}: run `make peers` first")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "moments.npz"
        sets = (("real", real), ("fake", fake))
        arrays = {f"{name}_mean": found.mean.numpy() for name, found in sets}
        arrays |= {f"{name}_covariance": found.covariance.numpy() for name, found in sets}
        np.savez(path, **arrays)
        with player([str(PYTHON), str(PROGRAM), str(path)]) as scipy:

            def way() -> Timed:
                answer = scipy.ask("go")
                return Timed(answer["seconds"], answer["value"])

            yield way


def by_turns(ways: dict[str, Way], repeats: int) -> dict[str, list[Timed]]:
    """Measure each way `repeats` times, alternately, after one that is not counted; the order is reversed each time."""
    found: dict[str, list[Timed]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name in [*ways][:: 1 if turn % 2 else -1]:
            measured = ways[name]()
            if turn:
                found[name].append(measured)
    return found


def rows(words: str, found: dict[str, list[Timed]], first: str) -> list[str]:
    """Rows of the table: median times, and median ratios to the first way within a turn."""
    lines = []
    for name, measured in found.items():
        ratios = [one.seconds / base.seconds for one, base in zip(measured, found[first], strict=True)]
        apart = abs(measured[0].value / found[first][0].value - 1)
        times = f"{median(one.seconds for one in measured):.3g} | {median(ratios):.3g}"
        lines.append(f"| {words} | {name} | {times} | {measured[0].value:.9g} | {apart:.1e} |")
    return lines


def measure(dimensions: int, samples: int, few: int, repeats: int) -> str:
    """Measure everything; return a Markdown table."""
    torch.set_num_threads(THREADS)
    sets = [features(samples, dimensions, seed) for seed in (0, 1)]
    real, fake = (moments_of(one) for one in sets)
    with by_root(real, fake) as root:
        ways = {
            OURS: timed(lambda: frechet_distance_from_moments(real, fake)),
            PRODUCT: timed(lambda: by_product(real, fake)),
            SQRTM: root,
        }
        many = by_turns(ways, repeats)
    less = [one[:few] for one in sets]
    ways = {
        AMONG: timed(lambda: frechet_distance(*less)),
        OVER: timed(lambda: frechet_distance_from_moments(*map(moments_of, less))),
    }
    scarce = by_turns(ways, repeats)
    head = ("samples, dimensions", "way", "s", "times ours", "distance", "relative difference")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += rows(f"{samples:,}, {dimensions:,}", many, OURS) + rows(f"{few:,}, {dimensions:,}", scarce, AMONG)
    return "\n".join([*lines, "", f"Machine: {machine()}; {THREADS} threads, medians of {repeats}."])


def main(arguments: list[str] | None = None) -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dimensions", type=int, default=DIMENSIONS)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--few", type=int, default=FEW, help="samples of the second part, fewer than dimensions")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    chosen = vars(parser.parse_args(arguments))
    try:
        text = measure(**chosen)
    except ValueError as error:
        print(f"frechet: {error}", file=sys.stderr)
        return 1
    if [*chosen.values()] == [DIMENSIONS, SAMPLES, FEW, REPEATS]:
        write(TABLE, "frechet", "benchmarks.speed.frechet", text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
