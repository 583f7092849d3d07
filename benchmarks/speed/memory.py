"""Memory of the Frechet distance of many images: `zerosum evaluate --metrics fid` in a fresh process.

    python -m benchmarks.speed.memory [--counts 5000 50000] [--dimensions 2048]

The growth is that of the process's peak memory over its value after the same command has scored 1,000 of the images
with 16 features, so libraries are loaded and images read; what remains is moments and their computation. Features are
random Fourier features of small images, since the memory of a network does not depend on the number of images. The
table is written to `benchmarks/results/metrics.md`; with other arguments than the defaults it is only printed.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.machine import machine
from benchmarks.marked import write
from benchmarks.places import RESULTS, ROOT
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import evaluate
from zerosum.features.extractor import Function

TABLE = RESULTS / "metrics.md"
COUNTS, DIMENSIONS = [5_000, 50_000], 2048
SIDE, WARM, NARROW = 8, 1_000, 16
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes of `ru_maxrss`


def projected(dimensions: int) -> Function:
    """An extractor of random Fourier features of the pixels, which are nearly independent."""
    draw = torch.Generator().manual_seed(0)
    weights = torch.randn(SIDE * SIDE * 3, dimensions, generator=draw) / 100

    def features(images: Tensor) -> Tensor:
        return (images.flatten(1).float() @ weights).sin()

    return Function(features, f"{dimensions} Fourier features")


def grown(folder: Path, count: int, dimensions: int) -> dict[str, float]:
    """Score the folder's two archives in this process; return the growth of its peak memory, in megabytes, and FID."""
    sets = [str(folder / f"{name}.npz") for name in ("real", "fake")]
    evaluate(*sets, ("fid",), EvaluationConfig(projected(NARROW), n=WARM, cache=False))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = evaluate(*sets, ("fid",), EvaluationConfig(projected(dimensions), n=count, cache=False))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"megabytes": (after - before) * UNIT / 2**20, "fid": found.values["fid"]}


def measure(counts: list[int], dimensions: int) -> str:
    """Markdown table with a row per count, each measured in a fresh process."""
    head = ("images in each set", "dimensions", "memory grows by MB", "FID")
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    with tempfile.TemporaryDirectory() as folder:
        for seed, name in enumerate(("real", "fake")):
            draw = np.random.default_rng(seed)
            shape = (max(*counts, WARM), SIDE, SIDE, 3)
            np.savez(Path(folder) / f"{name}.npz", images=draw.integers(0, 256, shape, dtype=np.uint8))
        for count in counts:
            words = [sys.executable, "-m", "benchmarks.speed.memory", "--child", folder, str(count), str(dimensions)]
            done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
            if done.returncode:
                raise ValueError(f"scoring {count} images failed: {done.stderr.strip()}")
            found = json.loads(done.stdout)
            lines.append(f"| {count:,} | {dimensions:,} | {found['megabytes']:.0f} | {found['fid']:.4g} |")
    return "\n".join([*lines, "", f"Machine: {machine()}."])


def main(arguments: list[str] | None = None) -> int:
    """Measure and write the table, or run as the measured process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="images in each set")
    parser.add_argument("--dimensions", type=int, default=DIMENSIONS)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.child:
        folder, count, dimensions = chosen.child
        print(json.dumps(grown(Path(folder), int(count), int(dimensions))))
        return 0
    try:
        text = measure(chosen.counts, chosen.dimensions)
    except ValueError as error:
        print(f"memory: {error}", file=sys.stderr)
        return 1
    if [chosen.counts, chosen.dimensions] == [COUNTS, DIMENSIONS]:
        write(TABLE, "memory", "benchmarks.speed.memory", text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
