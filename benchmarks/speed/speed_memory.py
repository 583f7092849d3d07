"""Memory of a run of `digits`, and whether it grows: resident memory of a fresh process during training.

python -m benchmarks.speed.speed_memory [--iterations 2000]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.places import ROOT

READINGS = 50
WARM = 0.2  # share of the iterations after which allocations are complete


def resident() -> float:
    """Resident memory of this process in megabytes, on Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def slope(places: list[float], values: list[float]) -> float:
    """Slope of the least-squares line through values at places."""
    x, y = (torch.tensor(one, dtype=torch.float64) for one in (places, values))
    x = x - x.mean()
    return float((x * (y - y.mean())).sum() / x.square().sum())


def watched(iterations: int) -> dict[str, float]:
    """Train in this process: peak memory and growth per 1,000 iterations after the start, in megabytes."""
    from zerosum.recipes.named_recipes import named
    from zerosum.training.build import build_game
    from zerosum.training.device import choose_precision, keep_memory
    from zerosum.training.loop import Loop
    from zerosum.training.progress import TrainingProgress

    keep_memory()
    recipe, device = named("digits"), torch.device("cpu")
    dataset = recipe.data.open()
    game = build_game(recipe, dataset, device, choose_precision("auto", device, True))
    every, places, values = max(iterations // READINGS, 1), [], []
    with TemporaryDirectory() as folder:
        loop = Loop(recipe, Path(folder), dataset, game, TrainingProgress(recipe.images, quiet=True))
        for done in range(1, iterations + 1):
            loop.iteration()
            if done % every == 0:
                loop.tick()
                if done >= WARM * iterations:
                    places.append(done / 1000)
                    values.append(resident())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
    return {
        "peak in MB": peak,
        "growth in MB over 1,000 iterations": slope(places, values),
        "iterations": float(iterations),
    }


def memory_table(iterations: int) -> dict[str, float]:
    """The same for a fresh process."""
    words = [sys.executable, "-m", "benchmarks.speed.speed_memory", "--iterations", str(iterations)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=2000)
    print(json.dumps(watched(parser.parse_args().iterations)))
