"""What checkpoints cost: their time as a share of training, at a recipe's own interval.

    python -m benchmarks.speed.checkpoints [--saves 9] [--rounds 48] [--recipes digits,stylegan2] [--json]

Blocks of rounds and saves take turns in one run. A save is all that the loop does for one: the weights are checked, the
log is flushed, tensors are copied, hashed, written and fsynced, and the oldest checkpoint is removed. The picture of
samples that goes with a snapshot is timed by itself. The share is the median save over the median time of the rounds
between two snapshots of the recipe as it stands.
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
    """Time of some work."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(name: str, saves: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Rounds and saves of a recipe by turns; medians."""
    recipe = named(name)
    dataset, device = recipe.data.open(), choose_device("cpu")
    precision = choose_precision(recipe.precision, device, dataset.is_image)
    game = build_game(recipe, dataset, device, precision)
    progress = TrainingProgress(recipe.images, quiet=True)
    loop = Loop(recipe, folder, dataset, game, progress, facts={"rollbacks": 0})
    playing, saving, drawing = [], [], []
    for turn in range(saves + 1):
        block = [seconds(loop.iteration) for _ in range(rounds)]
        loop.tick()
        saved = seconds(loop.save)
        drawn = seconds(lambda: save_samples(folder / "samples" / "x.png", loop.generator, dataset, recipe.seed))
        if turn:  # the first of each warms up
            playing.append(statistics.mean(block))
            saving.append(saved)
            drawing.append(drawn)
    size = sum(path.stat().st_size for path in checkpoints(folder)[0].iterdir())
    per_round = game.images // game.G.updates * recipe.n_generator
    between = statistics.median(playing) * recipe.snapshot / per_round
    return {
        "recipe": name,
        "precision": precision,
        "megabytes": round(size / 1e6, 2),
        "save_milliseconds": round(1e3 * statistics.median(saving), 1),
        "slowest_save_milliseconds": round(1e3 * max(saving), 1),
        "picture_milliseconds": round(1e3 * statistics.median(drawing), 1),
        "snapshot_images": recipe.snapshot,
        "seconds_between": round(between, 2),
        "share_percent": round(100 * statistics.median(saving) / between, 3),
    }


def table(results: list[dict[str, Any]]) -> str:
    """The results as markdown."""
    head = "| recipe | checkpoint | save, median and slowest | picture | from one to the next | share of training |\n"
    rows = "".join(
        f"| `{r['recipe']}`, {r['precision']} | {r['megabytes']} MB | {r['save_milliseconds']} and "
        f"{r['slowest_save_milliseconds']} ms | {r['picture_milliseconds']} ms | {r['snapshot_images']:,} images, "
        f"{r['seconds_between']:,.0f} s | {r['share_percent']:.2f} % |\n"
        for r in results
    )
    return f"{machine()}\n\n{head}|---|---|---|---|---|---|\n{rows}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saves", type=int, default=9)
    parser.add_argument(
        "--rounds", type=int, default=48, help="rounds before each save; a multiple of 16 for lazy terms"
    )
    parser.add_argument("--recipes", default="digits,dcgan,stylegan2")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    told = []
    for each in chosen.recipes.split(","):
        with TemporaryDirectory(dir=".") as scratch:  # on the disk of the repository, not in memory
            told.append(measure(each, chosen.saves, chosen.rounds, Path(scratch)))
    print(json.dumps(told, indent=1) if chosen.json else table(told))
