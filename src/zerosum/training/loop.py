"""The loop: rounds of the game, and from time to time a log line, a picture and a checkpoint."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zerosum.data.dataset import Dataset
from zerosum.game.distributed import rank
from zerosum.game.draws import derived_seed
from zerosum.game.game import Game
from zerosum.game.pieces import Batch
from zerosum.recipes.recipe import Recipe
from zerosum.report.write import write_report
from zerosum.runs.checkpoint import checkpoint_path, prune_checkpoints, replace_durably, save_checkpoint
from zerosum.runs.generator import TrainedGenerator, column_facts, generator_bytes
from zerosum.runs.log import Means, append_log
from zerosum.training.batches import Batches
from zerosum.training.device import seed_layers
from zerosum.training.evaluating import RunScores, last_scores
from zerosum.training.folder import storable
from zerosum.training.pictures import save_samples
from zerosum.training.progress import TrainingProgress
from zerosum.training.scores import write_scores
from zerosum.training.signals import Interrupted, StopRequest
from zerosum.training.state import capture

KEPT = 2  # checkpoints on disk: the newest, and the one before it should the newest be damaged


class Timed(Iterator[Batch]):
    """Batches, and the seconds spent waiting for them."""

    def __init__(self, batches: Batches) -> None:
        self.batches, self.waited = batches, 0.0

    def __next__(self) -> Batch:
        asked = time.perf_counter()
        batch = next(self.batches)
        self.waited += time.perf_counter() - asked
        return batch


@dataclass(eq=False)
class Loop:
    """A run under way.

    Attributes:
        recipe: what is trained.
        run: the folder it is trained into.
        dataset: the opened data.
        game: the game, at its start or restored.
        progress: what tells the person watching.
        numbers: the numbers of the checkpoint that it continues from; empty at a start.
        scores: what scores it from time to time; None for nothing.
    """

    recipe: Recipe
    run: Path
    dataset: Dataset
    game: Game
    progress: TrainingProgress
    numbers: Mapping[str, Any] = field(default_factory=dict)
    scores: RunScores | None = None

    def __post_init__(self) -> None:
        recipe, self.device = self.recipe, next(self.game.G.network.parameters()).device
        position = self.numbers.get("position", 0)
        data = (self.dataset, recipe.batch, recipe.conditional, recipe.seed, self.device)
        self.batches = Timed(Batches(*data, position, recipe.label_dropout))
        self.means = Means()
        self.started = time.perf_counter() - self.numbers.get("seconds", 0.0)
        self.last_tick = (self.seconds, self.game.images)

    def play(self) -> None:
        """Play to the end; raises `Interrupted` after a SIGINT or SIGTERM, once the run is saved."""
        recipe, game = self.recipe, self.game
        with StopRequest() as stop:
            if not game.images:
                self.snapshot()
            while game.images < recipe.images and not stop.number:
                before = game.images
                self.round()
                if before // recipe.tick != game.images // recipe.tick:
                    self.tick()
                if self.scores is not None and self.scores.due(before, game.images) and game.images < recipe.images:
                    self.evaluate(self.scores)
                if before // recipe.snapshot != game.images // recipe.snapshot and game.images < recipe.images:
                    self.snapshot()
            if game.images < recipe.images:
                self.snapshot()
                self.progress.say(f"stopped after {game.images:,} images and saved; the same command continues")
                raise Interrupted(128 + stop.number)
        self.finish()

    def round(self) -> None:
        """One round of the game."""
        # Layers that draw by themselves (dropout) take the global generator: tie it to the position as well.
        seed_layers(derived_seed(self.recipe.seed, "layers", self.batches.batches.position, rank()), self.device)
        self.means.add(self.game.step(self.batches))
        self.progress.advance(self.game.images)

    @property
    def seconds(self) -> float:
        """Seconds spent on the run, over all its starts."""
        return float(time.perf_counter() - self.started)

    @property
    def clock(self) -> dict[str, int | float]:
        """Where the run stands: what begins a line of its log."""
        return {"images": self.game.images, "rounds": self.game.G.moves, "seconds": round(self.seconds, 3)}

    @property
    def generator(self) -> TrainedGenerator:
        """The generator as it stands: its running average."""
        recipe = storable(self.recipe, self.dataset)
        data, game = self.dataset, self.game
        classes = data.classes if recipe.conditional else ()
        columns = data.conditions.columns if recipe.conditional and data.conditions is not None else None
        module = game.ema.module
        return TrainedGenerator(recipe, module, data.shape, classes, game.images, columns, data.coding)

    def tick(self) -> None:
        """A log line of the means since the last, if there was any round since; raises `NonFiniteError`."""
        self.game.check_finite()
        means = self.means.take()
        if not means:
            return
        now, images = self.seconds, self.game.images
        spent = max(now - self.last_tick[0], 1e-9)
        rate = (images - self.last_tick[1]) / spent
        speed = {"images_per_second": round(rate, 1), "wait": round(self.batches.waited / spent, 4)}
        append_log(self.run, {**self.clock, **speed, **means})
        self.progress.tick(images, rate, means)
        self.last_tick, self.batches.waited = (now, images), 0.0

    def evaluate(self, scores: RunScores) -> None:
        """A log line of scores. The time that they take does not count in the speed of the game."""
        began = self.seconds
        scores.take(self.generator, self.clock, self.progress.say)
        self.last_tick = (self.last_tick[0] + self.seconds - began, self.last_tick[1])

    def snapshot(self) -> None:
        """A log line, a picture and a checkpoint, in this order: the checkpoint vouches for the other two."""
        self.tick()
        generator, images = self.generator, self.game.images
        save_samples(self.run / "samples" / f"{images:09d}.png", generator, self.dataset, self.recipe.seed)
        numbers: dict[str, Any] = {
            "position": self.batches.batches.position,
            "seconds": self.seconds,
            "shape": generator.shape,
            "classes": generator.classes,
            **column_facts(generator.columns),
        }
        further = {}
        if generator.coding is not None:
            numbers["coding"], further["coding"] = generator.coding.facts, generator.coding.state_dict()
        save_checkpoint(checkpoint_path(self.run, images), capture(self.game, numbers, further))
        prune_checkpoints(self.run, KEPT)

    def finish(self) -> None:
        """What a finished run holds beside its snapshots: the generator's file, scores, the report."""
        generator = self.generator
        replace_durably(self.run / "generator.safetensors", generator_bytes(generator))
        if self.scores is not None and not self.scores.done(self.game.images):
            self.evaluate(self.scores)
        for sentence in write_scores(self.run, generator, self.dataset, self.recipe.data, last_scores(self.run)):
            self.progress.say(sentence)
        self.snapshot()
        self.progress.say(f"wrote {write_report(self.run, generator, self.dataset)}")
