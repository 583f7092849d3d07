"""The cost of checkpoints: their time as a share of training, at a recipe's own interval.

    python -m benchmarks.speed.checkpoints [--saves 9] [--iterations 48] [--recipes digits,stylegan2] [--json]

Blocks of iterations and saves alternate in one run. A save includes checking the weights, flushing the log, copying,
hashing, writing and fsyncing tensors, and deleting the oldest checkpoint. The sample image of a snapshot is timed
separately. The share is the median time of a save relative to the median time of the iterations between two snapshots
of the recipe.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import machine
from zerosum.game.device import choose_device
from zerosum.recipes.named_recipes import named
from zerosum.runs.checkpoint import checkpoints
from zerosum.training.build import build_game
from zerosum.training.device import choose_precision
from zerosum.training.loop import Loop
from zerosum.training.progress import TrainingProgress
from zerosum.training.sample_images import save_samples


def seconds(work: Callable[[], None]) -> float:
    """Seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(name: str, saves: int, iterations: int, folder: Path) -> dict[str, Any]:
    """Alternate iterations and saves of a recipe; return medians."""
    recipe = named(name)
    dataset, device = recipe.data.open(), choose_device("cpu")
    precision = choose_precision(recipe.precision, device, dataset.is_image)
    game = build_game(recipe, dataset, device, precision)
    progress = TrainingProgress(recipe.images, quiet=True)
    loop = Loop(recipe, folder, dataset, game, progress, facts={"rollbacks": 0})
    training, saving, drawing = [], [], []
    for turn in range(saves + 1):
        block = [seconds(loop.iteration) for _ in range(iterations)]
        loop.tick()
        saved = seconds(loop.save)
        drawn = seconds(lambda: save_samples(folder / "samples" / "x.png", loop.generator, dataset, recipe.seed))
        if turn:  # the first of each warms up
            training.append(statistics.mean(block))
            saving.append(saved)
            drawing.append(drawn)
    size = sum(path.stat().st_size for path in checkpoints(folder)[0].iterdir())
    per_iteration = game.images // game.G.updates * recipe.n_generator
    between = statistics.median(training) * recipe.snapshot / per_iteration
    return {
        "recipe": name,
        "precision": precision,
        "megabytes": round(size / 1e6, 2),
        "save_milliseconds": round(1e3 * statistics.median(saving), 1),
        "slowest_save_milliseconds": round(1e3 * max(saving), 1),
        "image_milliseconds": round(1e3 * statistics.median(drawing), 1),
        "snapshot_images": recipe.snapshot,
        "seconds_between": round(between, 2),
        "share_percent": round(100 * statistics.median(saving) / between, 3),
    }


def table(results: list[dict[str, Any]]) -> str:
    """Markdown table of the results."""
    head = "| recipe | checkpoint | save, median and slowest | image | interval | share of training |\n"
    rows = "".join(
        f"| `{r['recipe']}`, {r['precision']} | {r['megabytes']} MB | {r['save_milliseconds']} and "
        f"{r['slowest_save_milliseconds']} ms | {r['image_milliseconds']} ms | {r['snapshot_images']:,} images, "
        f"{r['seconds_between']:,.0f} s | {r['share_percent']:.2f} % |\n"
        for r in results
    )
    return f"{machine()}\n\n{head}|---|---|---|---|---|---|\n{rows}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saves", type=int, default=9)
    parser.add_argument(
        "--iterations", type=int, default=48, help="iterations before each save; a multiple of 16 for lazy terms"
    )
    parser.add_argument("--recipes", default="digits,dcgan,stylegan2")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    results = []
    for each in chosen.recipes.split(","):
        with TemporaryDirectory(dir=".") as scratch:  # on the disk of the repository, not in memory
            results.append(measure(each, chosen.saves, chosen.iterations, Path(scratch)))
    print(json.dumps(results, indent=1) if chosen.json else table(results))
