"""One start of a run: new or resumed, with rollbacks on NaN/Inf."""

__all__ = ()

import math
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from zerosum.data.dataset import Dataset
from zerosum.data.held_out import held_out
from zerosum.data.scaling import scaling_of, standardised
from zerosum.game.distributed import rank, ranks
from zerosum.game.finite import NonFiniteError
from zerosum.game.trainable import TrainableGame
from zerosum.recipes.recipe import Recipe
from zerosum.recipes.using import known_of
from zerosum.runs.checkpoint import Checkpoint, checkpoints
from zerosum.runs.files import LOG
from zerosum.runs.lock import locked
from zerosum.runs.log import Means, truncate_log
from zerosum.runs.run import Run
from zerosum.training.build import build_game
from zerosum.training.cautions import cautions
from zerosum.training.device import load_warning
from zerosum.training.evaluations import RunScores
from zerosum.training.folder import (
    check_folder,
    check_readable,
    follow_data,
    has_ended,
    open_run,
    storable,
    write_environment,
)
from zerosum.training.going_back import COUNT, SLOWER, roll_back, treat
from zerosum.training.loop import KEEP, Loop
from zerosum.training.options import RunOptions
from zerosum.training.pace import MINUTES
from zerosum.training.progress import TrainingProgress
from zerosum.training.ranks import RankGroup
from zerosum.training.same_data import DATA, forget_unread, same_data
from zerosum.training.signals import StopRequest
from zerosum.training.state import capture, check_generators, count, generator_of, restore
from zerosum.training.treatment import TREATMENTS, RunDoctor, TreatmentDue, treated
from zerosum.training.warm_start import WARM_START, WarmStart, check_warm_start, load_initial_weights
from zerosum.training.watchers import RunWatchers

_USUALLY_KEPT = 2  # checkpoints

Say = Callable[[str], None]


@dataclass(eq=False)
class Session:
    """One start of a run in each of its processes; only the first rank reads and writes the run folder.

    Attributes:
        recipe: the recipe.
        run: the run folder.
        dataset: the opened data.
        group: the processes of the run, and the device of this one.
        precision: `float32` or `bfloat16`.
        options: options of the run that do not change what is trained.
        notes: the first messages to print; empty ones are not.
        stored: the recipe as it is written to the run folder.
        watchers: the watchers of the run.
        game: the game in its current state.
        start: the checkpoint to resume from; None for a new run.
        treatments: the treatments of the game, as plain values.
        rollback_lines: log lines of the rollbacks and treatments that led to that checkpoint.
        warnings: messages to print at the start.
        scores: the evaluations of the run; None without any, and on all ranks but the first.
        facts: facts saved in every checkpoint: number of rollbacks, warm start, minutes, fingerprint of the data.
    """

    recipe: Recipe
    run: Path
    dataset: Dataset
    group: RankGroup
    precision: str
    options: RunOptions
    notes: tuple[str, ...] = ()
    stored: Recipe = field(init=False)
    watchers: RunWatchers = field(init=False)
    game: TrainableGame = field(init=False)
    start: Checkpoint | None = field(init=False)
    facts: dict[str, Any] = field(init=False, default_factory=dict)
    treatments: list[dict[str, Any]] = field(init=False, default_factory=list)
    rollback_lines: list[dict[str, Any]] = field(init=False, default_factory=list)
    warnings: list[str] = field(init=False, default_factory=list)
    scores: RunScores | None = field(init=False, default=None)

    def play(self, stop: StopRequest, quiet: bool) -> None:
        """Train to the end; raises what `train` raises."""
        self.stored = storable(self.recipe, self.dataset)
        self.watchers = RunWatchers(self.recipe.watchers, self.options.watchers, self.options.signals)
        self.game, first, where = self.built(), rank() == 0, self.group.device
        check_generators(self.game)
        # On every rank: batch norms exchange statistics.
        self.warnings += cautions(self.recipe, self.dataset, self.game)
        warm_start = None
        if first:
            self.scores = self._opened_scores()
            check_readable(self.stored)
            check_folder(self.run, self.stored)
            start_from = None if checkpoints(self.run) else self.options.start_from
            # Before the folder is created: an error leaves no files behind.
            warm_start = None if start_from is None else load_initial_weights(self.game, start_from)
            if self.scores is not None and not checkpoints(self.run):
                self.scores.check(generator_of(self.game, self.stored, self.dataset))
        with (
            TrainingProgress(self.recipe.images, quiet=quiet or not first) as progress,
            locked(self.run, progress.say) if first else nullcontext(),
        ):
            for sentence in filter(None, (*self.notes, *self.dataset.notes, *self.warnings)):
                progress.say(sentence)
            ended = first and self._open(progress.say, warm_start)
            if self.synchronise(ended):
                progress.say("this run is complete; there is nothing left to do")
                return
            if first:
                self.truncate_log(progress.say)
                write_environment(self.run, self.recipe, where, self.precision)
            while True:
                rest = (self.scores, self.group, self.facts, self.watchers, self.options.signals, self._doctor())
                loop = Loop(self.recipe, self.run, self.dataset, self.game, progress, self.start, *rest)
                try:
                    with closing(loop.batches):
                        loop.play(stop)
                    return
                except NonFiniteError as error:
                    roll_back(self, error, progress.say)
                except TreatmentDue as due:
                    treat(self, due.treatment, progress.say)

    def built(self) -> TrainableGame:
        """The game of the recipe under the treatments so far, new."""
        recipe = treated(self.recipe, self.treatments)
        return build_game(recipe, self.dataset, self.group.device, self.precision, self.watchers.all)

    def _doctor(self) -> RunDoctor | None:
        """The doctor of the run on the first rank, where there are signals to read."""
        if rank() > 0 or not self.options.signals:
            return None
        run, acts = Run(self.run, known_of(self.recipe)), self.options.doctor == "act"
        return RunDoctor(self.recipe, self.dataset, run, acts, self.treatments)

    def _treat_as(self, treatments: list[dict[str, Any]]) -> None:
        """Build the game again where its treatments are others."""
        if treatments != self.treatments:
            self.treatments = treatments
            self.game = self.built()

    def _opened_scores(self) -> RunScores | None:
        """The evaluations of the run; what prevents them is an error of a new run, and a warning of a resumed one."""
        plan = self.recipe.evaluation
        if plan is None:
            return None
        try:
            test = held_out(self.recipe.data)
            real = self.dataset if test is self.recipe.data else test.open()
            return RunScores(plan, self.run, real, self.group.device)
        except ValueError as error:
            if not checkpoints(self.run):
                raise
            self.warnings.append(f"this run goes on without scores: {error}")
            return None

    def synchronise(self, ended: bool = False) -> bool:
        """Give all ranks the state of the first, and return whether the run is complete."""
        received = self.group.broadcast_facts({"ended": ended, "facts": self.facts if rank() == 0 else None})
        start = self.group.broadcast_checkpoint(self.start if rank() == 0 else None)
        if rank() > 0:
            self.start, self.facts = start, received["facts"]
            self._treat_as(self.facts.get(TREATMENTS, []))
            self.slow_down()
        if self.start is not None:  # as it was, also where data of random samples would be measured as others
            scaling = scaling_of(self.start.numbers, self.start.groups.get("coding", {}))
            self.dataset = standardised(self.dataset, scaling)
        if ranks() > 1:
            # Whatever the state is: of a checkpoint, of a warm start, or new.
            state = self.group.broadcast_checkpoint(capture(self.game, {}, self.watchers.state()))
            if state is not None and rank() > 0:
                restore(self.game, state)
                self.watchers.load_state(state.groups)
        return bool(received["ended"])

    def _open(self, say: Say, warm_start: WarmStart | None) -> bool:
        """Restore the game from the run folder, and return whether the run is complete."""
        start = open_run(self.run, self.stored, self.restore, self.game.generators)
        self.start = start.checkpoint
        for sentence in start.messages:
            say(sentence)
        say(f"{self.recipe.name}: {self._described()}; into {self.run}")
        if warning := load_warning(self.group.device):
            say(warning)
        if self.start is not None:
            check_warm_start(self.run, self.start.numbers, self.options.start_from)
            names = (COUNT, TREATMENTS, WARM_START, MINUTES)
            self.facts = {key: self.start.numbers[key] for key in names if key in self.start.numbers}
            for sentence in self.watchers.changes(self.start.groups):
                say(sentence)
        else:
            self.facts = {COUNT: 0} | ({} if self.options.minutes is None else {MINUTES: self.options.minutes})
            if warm_start is not None:
                self.facts[WARM_START] = warm_start.facts
                say(warm_start.sentence)
        self.facts[KEEP] = self._kept()
        self.slow_down()
        ended = has_ended(self.run, self.recipe, start)
        if not ended:
            before = None if self.start is None else self.start.numbers.get(DATA)
            self.facts[DATA] = same_data(self.run, before, self.dataset)
            if before not in (None, self.facts[DATA]):
                forget_unread(self.run)
            for sentence in follow_data(self.run, self.stored):
                say(sentence)
        return ended

    def _kept(self) -> int:
        """How many checkpoints to keep: what `options` says, or what the run did before."""
        before = _USUALLY_KEPT if self.start is None else self.start.numbers.get(KEEP)
        if self.options.keep is not None:
            return self.options.keep
        if isinstance(before, int) and before >= _USUALLY_KEPT:
            return before
        return max(_USUALLY_KEPT, len(checkpoints(self.run)))

    def restore(self, found: Checkpoint) -> None:
        """Restore the game from a checkpoint; raises `ValueError` where it is of another game."""
        for name in ("position", "log_lines", COUNT):
            count(found.numbers, name)
        seconds = found.numbers.get("seconds")
        if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
            raise ValueError(f"its seconds should be a time; found {seconds!a:.40}")
        Means().load_state_dict(found.groups.get("means", {}), found.numbers.get("means"), self.group.device)
        if not self.facts:  # as an earlier start left it
            self._treat_as(found.numbers.get(TREATMENTS, []))
        restore(self.game, found)
        self.watchers.load_state(found.groups)

    def slow_down(self) -> None:
        """Reduce the learning rates of a new game by the rollbacks so far."""
        self.game.slow_down(SLOWER ** self.facts[COUNT])

    def truncate_log(self, say: Say) -> None:
        """Truncate the log to the lines that the checkpoint counts."""
        lines = 0 if self.start is None else self.start.numbers["log_lines"]
        left = truncate_log(self.run, self.game.images, lines)
        if left < lines:
            say(f"{self.run / LOG} lacks {lines - left} of the {lines} lines that its checkpoint counts")

    def _described(self) -> str:
        """Data, networks and device in words."""
        data = f"{len(self.dataset):,} samples of {self.dataset.name}"
        networks = self.game.networks.items()
        players = f"parameters {', '.join(f'{name} {_count(network)}' for name, network in networks)}"
        where = f"{ranks()} processes, each on " * (ranks() > 1) + self.group.device.type
        threads = torch.get_num_threads()
        return f"{data}; {players}; {where} in {self.precision}, {threads} thread{'s' * (threads > 1)}"


def _count(network: torch.nn.Module) -> str:
    total = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return f"{total / 1e6:.2f} M" if total >= 100_000 else f"{total:,}"
