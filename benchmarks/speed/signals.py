"""Cost of the signals of a run, as a share of training.

    python -m benchmarks.speed.signals [--recipe digits --recipe ring] [--iterations 32] [--pairs 7]

Blocks of iterations with and without signals alternate in one process: the ratio of a pair is the cost of the watcher.
After each pair one check-up is timed. Their share is the time of a check-up, times their number in the recipe's run,
over the time of its iterations; medians over the pairs.
"""

import argparse
import itertools
import json
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.speed.overhead import pair
from zerosum.diagnostics.signals.check_ups import CheckUps
from zerosum.diagnostics.signals.pace import positions
from zerosum.diagnostics.signals.watcher import ScoreSignals
from zerosum.game.device import choose_device
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import Recipe
from zerosum.training.build import build_game
from zerosum.training.device import choose_precision
from zerosum.training.loop import Loop
from zerosum.training.progress import TrainingProgress


def check_ups_in(recipe: Recipe) -> int:
    """Number of check-ups in a run of the recipe."""
    return sum(1 for _ in itertools.takewhile(lambda position: position <= recipe.images, positions(recipe)))


def measure(name: str, iterations: int, pairs: int, precision: str) -> dict[str, float | str | int]:
    """Alternate blocks with and without signals, each pair with a check-up; return medians."""
    recipe, device = named(name), choose_device("cpu")
    dataset = recipe.data.open()
    precision = choose_precision(precision, device, dataset.is_image)
    with TemporaryDirectory() as folder:
        quiet = TrainingProgress(recipe.images, quiet=True)
        plain, watched = (
            Loop(recipe, Path(folder), dataset, build_game(recipe, dataset, device, precision, watchers), quiet)
            for watchers in ((), (ScoreSignals(),))
        )
        check_ups = CheckUps(recipe, dataset, device)
        check_ups.read()
        for loop in (plain, watched):
            loop.iteration()
        check_ups.take(watched.game)
        times, taken = [], []
        for i in range(pairs):
            times.append(pair(watched.iteration, plain.iteration, iterations, swapped=bool(i % 2)))
            started = time.perf_counter()
            check_ups.take(watched.game)
            taken.append(time.perf_counter() - started)
    iteration = statistics.median(without for _, without in times) / iterations
    per_iteration = recipe.batch * max(recipe.n_critic, 1)
    count = check_ups_in(recipe)
    share = statistics.median(taken) * count / (iteration * recipe.images / per_iteration)
    watcher = statistics.median(on / off for on, off in times) - 1
    return {
        "recipe": name,
        "precision": precision,
        "threads": torch.get_num_threads(),
        "iteration_ms": round(1e3 * iteration, 2),
        "check_up_ms": round(1e3 * statistics.median(taken), 1),
        "check_ups": count,
        "check_ups_percent": round(100 * share, 2),
        "watcher_percent": round(100 * watcher, 2),
        "percent": round(100 * (share + watcher), 2),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", action="append", help="a named recipe; by default digits, ring and dcgan")
    parser.add_argument("--iterations", type=int, default=32, help="iterations in a block; a multiple of 16")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--precision", default="float32")
    chosen = parser.parse_args()
    for name in chosen.recipe or ["digits", "ring", "dcgan"]:
        print(json.dumps(measure(name, chosen.iterations, chosen.pairs, chosen.precision)), flush=True)
