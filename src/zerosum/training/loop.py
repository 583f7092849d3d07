"""The training loop: iterations of the game, log lines, sample images, evaluations and checkpoints."""

__all__ = ()

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from zerosum._disk import replace_durably
from zerosum.data.dataset import Dataset
from zerosum.game.copies import copied
from zerosum.game.distributed import rank
from zerosum.game.random import derived_seed
from zerosum.game.trainable import MAIN, TrainableGame
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.using import known_of
from zerosum.report.write import write_report
from zerosum.runs.checkpoint import Checkpoint, checkpoint_path, prune_checkpoints, save_checkpoint
from zerosum.runs.files import SAMPLES
from zerosum.runs.generator import TrainedGenerator, generator_bytes
from zerosum.runs.log import Means, append_log, sync_log
from zerosum.runs.run import Run
from zerosum.runs.stored_condition import CONDITION, condition_facts
from zerosum.training.batches import Batches
from zerosum.training.check_ups import RunCheckUps
from zerosum.training.device import seed_layers
from zerosum.training.evaluations import RunScores, last_scores
from zerosum.training.folder import storable
from zerosum.training.frames import Recorder
from zerosum.training.progress import TrainingProgress
from zerosum.training.ranks import RankGroup
from zerosum.training.same_data import UnreadFiles
from zerosum.training.sample_images import is_due, save_samples
from zerosum.training.scores import write_scores
from zerosum.training.signals import StopRequest, stopped_by
from zerosum.training.state import capture, check_weights, generator_of
from zerosum.training.timed import Timed
from zerosum.training.treatment import RunDoctor, visit
from zerosum.training.watchers import RunWatchers

KEEP = "keep"  # the name, among a checkpoint's numbers, of how many checkpoints the run keeps
_DATA_ERROR = 1 << 16  # above all numbers of signals, of which it is one to the other ranks


def _passed(mark: int, before: int, now: int) -> bool:
    """Whether a multiple of `mark` lies between two counts of images."""
    return before // mark != now // mark


@dataclass(eq=False)
class Loop:
    """The training loop of a run in each of its processes; only the first rank writes files and prints.

    Attributes:
        recipe: the recipe.
        run: the run folder.
        dataset: the opened data.
        game: the game, at its start or restored.
        progress: the progress display.
        start: the checkpoint to resume from, to which the game was restored; None for a new run.
        scores: computes and writes the periodic evaluations; None without evaluation, and on all ranks but the first.
        group: the processes of the run.
        facts: further facts of the run, saved in every checkpoint; `keep` is the number of newest checkpoints to keep.
        watchers: the watchers of the run, whose state is in its checkpoints.
        signals: whether check-ups gather signals.
        doctor: says the symptoms of the run and treats them; None on all ranks but the first.
        saved: images at the newest checkpoint; None without one.
        data_error: an error of the data in this process, met between two iterations.
    """

    recipe: Recipe
    run: Path
    dataset: Dataset
    game: TrainableGame
    progress: TrainingProgress
    start: Checkpoint | None = None
    scores: RunScores | None = None
    group: RankGroup = RankGroup(torch.device("cpu"))
    facts: Mapping[str, Any] = field(default_factory=dict)
    watchers: RunWatchers = field(default_factory=lambda: RunWatchers(()))
    signals: bool = False
    doctor: RunDoctor | None = None
    saved: int | None = field(init=False)
    data_error: Exception | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        recipe, self.device = self.recipe, self.group.device
        groups, numbers = ({}, {}) if self.start is None else (self.start.groups, self.start.numbers)
        self.stored = storable(recipe, self.dataset)
        self.saved = numbers.get("images")
        position = numbers.get("position", 0)
        data = (self.dataset, recipe.batch, recipe.conditional, recipe.seed, self.device)
        self.batches = Timed(Batches(*data, position, recipe.label_dropout), recipe.n_critic + recipe.n_generator)
        drawn = self.batches.batches.indices(0, min(position, len(self.dataset)))
        self.unread = UnreadFiles(self.run, self.dataset, drawn)
        self.means = Means()
        self.check_ups = RunCheckUps(self.signals, recipe, self.dataset, self.group, self.game.images, groups)
        if self.start is not None:
            self.means.load_state_dict(groups.get("means", {}), numbers["means"], self.device)
        self.recorder = Recorder(self.run, recipe, self.dataset, self.game)
        self.started = time.perf_counter() - numbers.get("seconds", 0.0)
        self.last_tick = (self.seconds, self.game.images)

    def play(self, stop: StopRequest) -> None:
        """Train to the end.

        After a signal it saves and raises the exception of `stopped_by`, and after an error of the data that error.
        """
        recipe, game = self.recipe, self.game
        if self.saved is None:
            self.snapshot()
        stop.at_once = False
        stop.set_message("stopping after this iteration", "; a second signal stops at once, without saving")
        signal = self.ready(stop)
        while game.images < recipe.images and not signal:
            before = game.images
            self.iteration()
            self.means.add(self.check_ups.updates(game))
            signals = self.check_ups.take(game, self.progress.say)
            if signals:
                append_log(self.run, {**self.clock, **signals})
            if _passed(recipe.tick, before, game.images):
                game.check_finite()  # on every rank, so that all of them raise
                if rank() == 0:
                    self.tick()
                visit(self.doctor, self.group, game.images, recipe.images, self.progress.say)
            plan, over = recipe.evaluation, game.images >= recipe.images
            if plan is not None and _passed(plan.every, before, game.images) and not over:
                game.check_finite()
                self.group.on_first_rank(self.evaluate)
            if _passed(recipe.snapshot, before, game.images) and not over:
                self.snapshot()
            elif is_due(before, game.images, recipe.batch) and not over:
                game.check_finite()
                self.group.on_first_rank(self._save_samples)
            self.recorder.take(before, self.group, self.progress.say)
            signal = self.ready(stop)
        if game.images >= recipe.images and self.saved != game.images:
            self.snapshot()
        elif self.saved != game.images:
            self.save()
        if signal == _DATA_ERROR:
            self.end_on_data_error()
        stop.at_once = True
        stop.set_message("the run is saved; the same command completes it")
        signal = signal or self.group.maximum(stop.number)  # a signal may have come during saving
        if signal:
            words = f"stopped after {game.images:,} images and saved; the same command resumes the run"
            self.progress.say(words)
            raise stopped_by(signal, words)
        self.group.on_first_rank(self.finish)

    def iteration(self) -> None:
        """One iteration of the game."""
        # Layers such as dropout use the global generator: seed it by the position as well.
        seed_layers(derived_seed(self.recipe.seed, "layers", self.batches.batches.position, rank()), self.device)
        self.batches.taken = 0
        self.means.add(self.game.step(self.batches))
        self.progress.advance(self.game.images)

    def ready(self, stop: StopRequest) -> int:
        """Read the data of the next iteration, where an error can still be saved; return what ends the run, or 0."""
        if self.game.images < self.recipe.images:
            try:
                self.batches.prepare()
            except Exception as error:  # noqa: BLE001  # of any kind, as data may be the user's; raised after saving
                self.data_error = error
        return self.group.maximum(stop.number if self.data_error is None else _DATA_ERROR)

    def note_unread(self) -> None:
        """Write down the files that cannot be read, of all ranks."""
        found = self.group.gathered(dict(self.dataset.broken()))
        self.group.on_first_rank(lambda: self.unread.note(found))

    def end_on_data_error(self) -> None:
        """Raise the error of the data, of whichever rank; the run is saved."""
        self.note_unread()
        self.progress.say(
            f"the data of the next step cannot be read; {self.game.images:,} images are saved, and the same command "
            f"resumes the run once the data are repaired"
        )
        if self.data_error is None:
            self.group.maximum(0)  # fails when the rank with the error has raised it and left
        else:
            raise self.data_error

    @property
    def seconds(self) -> float:
        """Seconds spent on the run, over all its starts."""
        return float(time.perf_counter() - self.started)

    @property
    def clock(self) -> dict[str, int | float]:
        """Images, steps and seconds so far, the first fields of a log line."""
        return {"images": self.game.images, "steps": self.game.steps, "seconds": round(self.seconds, 3)}

    @property
    def generator(self) -> TrainedGenerator:
        """The main generator in its current state."""
        return self.generator_named(MAIN)

    def generator_named(self, name: str) -> TrainedGenerator:
        """A generator of the game in its current state."""
        return generator_of(self.game, self.stored, self.dataset, name)

    def tick(self) -> None:
        """Write a log line of the means since the last one, if there were iterations."""
        means = self.means.take()
        if not means:
            return
        now, images = self.seconds, self.game.images
        spent = max(now - self.last_tick[0], 1e-9)
        rate = (images - self.last_tick[1]) / spent
        speed = {"images_per_second": round(rate, 1), "wait": round(self.batches.waited / spent, 4)}
        append_log(self.run, {**self.clock, **speed, **means})
        self.progress.tick(images, rate, means)
        for sentence in self.dataset.news():
            self.progress.say(sentence)
        self.last_tick, self.batches.waited = (now, images), 0.0

    def evaluate(self) -> None:
        """Write a log line of scores, if they can be computed; the time for it does not count in images per second."""
        assert self.scores is not None
        began = self.seconds
        try:
            self.scores.take(self.generator, self.clock, self.progress.say)
        except Exception as error:  # noqa: BLE001  # of any kind, as a metric may be the user's; training needs none
            self.progress.say(f"no scores after {self.game.images:,} images: {type(error).__name__}: {error}")
        self.last_tick = (self.last_tick[0] + self.seconds - began, self.last_tick[1])

    def snapshot(self) -> None:
        """Write a log line, sample images and a checkpoint, in this order: the checkpoint implies the other two."""
        check_weights(self.game)
        self.group.on_first_rank(self._show)
        self._keep()

    def _show(self) -> None:
        self.tick()
        self._save_samples()
        self.recorder.take_end(self.progress.say)

    def _save_samples(self) -> None:
        path = self.run / SAMPLES / f"{self.game.images:09d}.png"
        save_samples(path, self.generator, self.dataset, self.recipe.seed, self._live())

    def _live(self) -> TrainedGenerator | None:
        """The generator of points without averaging, in its current state; None where there is none."""
        network = self.game.networks.get("G")
        if self.dataset.is_image or network is None:
            return None
        return replace(self.generator, module=copied(network).eval())

    def save(self) -> None:
        """Write only a checkpoint, so that log and images of a resumed run equal those of an uninterrupted one."""
        check_weights(self.game)
        self._keep()

    def _keep(self) -> None:
        self.note_unread()
        self.group.on_first_rank(self._save)
        self.saved = self.game.images

    def _save(self) -> None:
        generator, images = self.generator, self.game.images
        numbers: dict[str, Any] = {
            **self.facts,
            "log_lines": sync_log(self.run),
            "means": self.means.counts,
            "position": self.batches.batches.position,
            "seconds": self.seconds,
            "shape": generator.shape,
            **condition_facts(generator.condition),
        }
        further = {"means": self.means.state_dict(), **self.watchers.state(), **self.check_ups.state()}
        if generator.condition is not None:
            further[CONDITION] = generator.condition.state_dict()
        if generator.coding is not None:
            numbers["coding"], further["coding"] = generator.coding.facts, generator.coding.state_dict()
        save_checkpoint(checkpoint_path(self.run, images), capture(self.game, numbers, further))
        prune_checkpoints(self.run, self.facts.get(KEEP, 2))

    def finish(self) -> None:
        """Write scores, the report and, last, the generator's file.

        All of it follows from the last checkpoint, so the same command completes it after an interruption.
        """
        generator = self.generator
        if self.scores is not None and not self.scores.done(self.game.images):
            self.evaluate()
        evaluated = last_scores(self.run, None if self.scores is None else self.scores.criterion)
        for sentence in write_scores(self.run, generator, self.dataset, self.recipe.data, evaluated):
            self.progress.say(sentence)
        self.progress.say(f"wrote {write_report(Run(self.run, known_of(self.recipe)), generator, self.dataset)}")
        others = [self.generator_named(name) for name in self.game.generators if name != MAIN]
        for one in (*others, generator):
            replace_durably(self.run / f"{one.name}.safetensors", generator_bytes(one))
