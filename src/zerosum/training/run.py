"""The loop: rounds of the game, and from time to time a log line, a picture and a checkpoint."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from zerosum.data.dataset import Dataset
from zerosum.data.resolve import source
from zerosum.game.distributed import rank
from zerosum.game.draws import derived_seed
from zerosum.game.game import Game
from zerosum.recipes.catalogue import named
from zerosum.recipes.recipe import Recipe
from zerosum.report.write import write_report
from zerosum.runs.checkpoint import checkpoint_path, prune_checkpoints, replace_durably, save_checkpoint
from zerosum.runs.load import TrainedGenerator, generator_bytes
from zerosum.runs.log import Means, append_log, truncate_log
from zerosum.training.batches import Batches
from zerosum.training.build import build_game
from zerosum.training.device import choose_device, choose_precision
from zerosum.training.folder import open_run, storable, write_circumstances
from zerosum.training.pictures import save_samples
from zerosum.training.progress import TrainingProgress
from zerosum.training.scores import write_scores
from zerosum.training.signals import Interrupted, StopRequest
from zerosum.training.state import capture, restore

KEPT = 2  # checkpoints on disk: the newest, and the one before it should the newest be damaged


def train(
    recipe: Recipe | str,
    out: str | Path | None = None,
    *,
    data: Any = None,
    device: str = "auto",
    quiet: bool = False,
) -> Path:
    """Train a recipe into a run folder, or continue the run that the folder holds, and return the folder.

    The same call on a folder that holds an unfinished run continues it exactly where its newest checkpoint was taken,
    bit for bit as if it had never stopped. SIGINT and SIGTERM finish the round, save, and raise `Interrupted`.

    Args:
        recipe: a recipe, or the name of one.
        out: the run folder; `runs/NAME` by default.
        data: other data than the recipe's: a source, a path, an array or a torch dataset.
        device: `auto`, `cpu`, `cuda` or `mps`.
        quiet: show no progress.

    Raises:
        ValueError: for what cannot be trained, in one sentence.
        NonFiniteError: at the first loss or gradient that is not a number; the last checkpoint stays.
    """
    recipe = named(recipe) if isinstance(recipe, str) else recipe
    if data is not None:
        recipe = replace(recipe, data=source(data))
    dataset = recipe.data.open()
    where = choose_device(device)
    precision = choose_precision(recipe.precision, where, dataset.is_image)
    game = build_game(recipe, dataset, where, precision)
    run = Path(out) if out is not None else Path("runs") / recipe.name
    start = open_run(run, storable(recipe, dataset))
    if start.checkpoint is not None:
        restore(game, start.checkpoint)
    truncate_log(run, game.images)
    with TrainingProgress(recipe.images, game.images, quiet) as progress:
        for sentence in (*dataset.notes, *start.sayings):
            progress.say(sentence)
        players = f"G {_millions(game.G.parameters)}, D {_millions(game.D.parameters)} parameters"
        progress.say(
            f"{recipe.name}: {len(dataset):,} samples of {dataset.name}, {players}, "
            f"{where.type} in {precision} on {torch.get_num_threads()} threads, into {run}"
        )
        if game.images >= recipe.images:
            progress.say("this run has ended; there is nothing left to do")
            return run
        write_circumstances(run, where, precision)
        _Loop(recipe, run, dataset, game, progress, start.checkpoint.numbers if start.checkpoint else {}).play()
    return run


def _millions(parameters: list[torch.nn.Parameter]) -> str:
    return f"{sum(p.numel() for p in parameters) / 1e6:.2f} M"


@dataclass(eq=False)
class _Loop:
    recipe: Recipe
    run: Path
    dataset: Dataset
    game: Game
    progress: TrainingProgress
    numbers: Mapping[str, Any]

    def play(self) -> None:
        recipe, game = self.recipe, self.game
        device = next(game.G.network.parameters()).device
        position = self.numbers.get("position", 0)
        self.batches = Batches(self.dataset, recipe.batch, recipe.conditional, recipe.seed, device, position)
        self.means, self.waited = Means(), 0.0
        self.seconds_before, self.started = self.numbers.get("seconds", 0.0), time.perf_counter()
        self.last_tick = (self.seconds_before, game.images)
        with StopRequest() as stop:
            if not game.images:
                self.snapshot()
            while game.images < recipe.images and not stop.number:
                before = game.images
                # Layers that draw by themselves (dropout) take the global generator: tie it to the position as well.
                torch.manual_seed(derived_seed(recipe.seed, "layers", self.batches.position, rank()))
                self.means.add(game.step(self))
                self.progress.advance(game.images)
                if self.crossed(before, recipe.tick):
                    self.tick()
                if self.crossed(before, recipe.snapshot) and game.images < recipe.images:
                    self.snapshot()
            if game.images < recipe.images:
                self.snapshot()
                self.progress.say(f"stopped after {game.images:,} images and saved; the same command continues")
                raise Interrupted(128 + stop.number)
        self.finish()

    def __iter__(self) -> "_Loop":
        return self

    def __next__(self) -> Any:
        asked = time.perf_counter()
        batch = next(self.batches)
        self.waited += time.perf_counter() - asked
        return batch

    def crossed(self, before: int, interval: int) -> bool:
        return before // interval != self.game.images // interval or self.game.images >= self.recipe.images

    def seconds(self) -> float:
        return float(self.seconds_before) + time.perf_counter() - self.started

    def generator(self) -> TrainedGenerator:
        recipe = storable(self.recipe, self.dataset)
        classes = self.dataset.classes if recipe.conditional else ()
        return TrainedGenerator(recipe, self.game.ema.module, self.dataset.shape, classes, self.game.images)

    def tick(self) -> None:
        means = self.means.take()
        if not means:
            return
        now, images = self.seconds(), self.game.images
        spent = max(now - self.last_tick[0], 1e-9)
        rate = (images - self.last_tick[1]) / spent
        entry = {
            "images": images,
            "rounds": self.game.G.moves,
            "seconds": round(now, 3),
            "images_per_second": round(rate, 1),
            "wait": round(self.waited / spent, 4),
            **means,
        }
        append_log(self.run, entry)
        self.progress.tick(images, rate, means)
        self.last_tick, self.waited = (now, images), 0.0

    def snapshot(self) -> None:
        """A log line, a picture and a checkpoint, in this order: the checkpoint vouches for the other two."""
        self.tick()
        generator = self.generator()
        save_samples(self.run / "samples" / f"{self.game.images:09d}.png", generator, self.dataset, self.recipe.seed)
        numbers = {
            "position": self.batches.position,
            "seconds": self.seconds(),
            "shape": generator.shape,
            "classes": generator.classes,
        }
        save_checkpoint(checkpoint_path(self.run, self.game.images), capture(self.game, numbers))
        prune_checkpoints(self.run, KEPT)

    def finish(self) -> None:
        generator = self.generator()
        replace_durably(self.run / "generator.safetensors", generator_bytes(generator))
        write_scores(self.run, generator, self.recipe.data)
        self.snapshot()
        self.progress.say(f"wrote {write_report(self.run, generator, self.dataset)}")
