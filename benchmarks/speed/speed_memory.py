"""How much memory a run of `digits` takes, and whether it grows: resident memory read while a process of its own plays.

python -m benchmarks.speed.speed_memory [--rounds 2000]
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
WARM = 0.2  # share of the rounds after which everything that a round uses has been built


def resident() -> float:
    """Megabytes of this process that are in memory now, on Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def slope(places: list[float], values: list[float]) -> float:
    """That of the straight line through values at places, by least squares."""
    x, y = (torch.tensor(one, dtype=torch.float64) for one in (places, values))
    x = x - x.mean()
    return float((x * (y - y.mean())).sum() / x.square().sum())


def watched(rounds: int) -> dict[str, float]:
    """Play in this process: its peak in megabytes, and by how many it grows in 1,000 rounds once it is warm."""
    from zerosum.recipes.named_recipes import named
    from zerosum.training.build import build_game
    from zerosum.training.device import choose_precision, keep_memory
    from zerosum.training.loop import Loop
    from zerosum.training.progress import TrainingProgress

    keep_memory()
    recipe, device = named("digits"), torch.device("cpu")
    dataset = recipe.data.open()
    game = build_game(recipe, dataset, device, choose_precision("auto", device, True))
    every, places, values = max(rounds // READINGS, 1), [], []
    with TemporaryDirectory() as folder:
        loop = Loop(recipe, Path(folder), dataset, game, TrainingProgress(recipe.images, quiet=True))
        for done in range(1, rounds + 1):
            loop.iteration()
            if done % every == 0:
                loop.tick()
                if done >= WARM * rounds:
                    places.append(done / 1000)
                    values.append(resident())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
    return {"peak in MB": peak, "growth in MB over 1,000 rounds": slope(places, values), "rounds": float(rounds)}


def memory_table(rounds: int) -> dict[str, float]:
    """The same of a fresh process."""
    words = [sys.executable, "-m", "benchmarks.speed.speed_memory", "--rounds", str(rounds)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2000)
    print(json.dumps(watched(parser.parse_args().rounds)))
