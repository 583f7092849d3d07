"""Options of a run."""

import math
from dataclasses import dataclass
from pathlib import Path

from zerosum.game.game import Watcher
from zerosum.recipes.fit import convert_fields


@dataclass(frozen=True)
class RunOptions:
    """Options of a run that are not part of the recipe: checkpoints, NaN/Inf, warm start, watchers, time, signals.

    Args:
        keep: number of newest checkpoints to keep (>= 2, in case the newest is damaged); None for as many as before,
            and 2 for a new run.
        on_nonfinite: on NaN/Inf in a loss or gradient: `stop`, or `rollback` to the last checkpoint with halved
            learning rates, at most five times in a run.
        start_from: warm start: a run folder, or a checkpoint in one, whose weights initialise a new run.
        watchers: observers of every update of either network, beside the recipe's. They are used as they are, not
            copied, and the recipe does not include them. The state of one with `state_dict` and
            `load_state_dict` is in the checkpoints; a run resumed without it drops its state.
        minutes: time that a new run may take in all, in place of the recipe's length: its `images` are measured by a
            few updates when it begins, with schedules that follow, and then fixed; None for the recipe's length.
        signals: gather signals of how training goes, in the log as `signal/NAME` (docs/doctor.md); the
            weights are the same without.
        doctor: `watch` says each symptom of the run once, when it is certain; `act` also treats it, at most five times
            in a run: back to the best checkpoint, or the one before the symptom, and on with lower learning rates or
            a stronger penalty. It rolls back on NaN/Inf too.
    """

    keep: int | None = None
    on_nonfinite: str = "stop"
    start_from: str | Path | None = None
    watchers: tuple[Watcher, ...] = ()
    minutes: float | None = None
    signals: bool = True
    doctor: str = "watch"

    def __post_init__(self) -> None:
        convert_fields(self, without=("watchers",))
        if self.keep is not None and self.keep < 2:
            raise ValueError(
                f"keep is a number of checkpoints, at least 2, in case the newest is damaged; found {self.keep}"
            )
        if self.on_nonfinite not in ("stop", "rollback"):
            raise ValueError(f"on_nonfinite is stop or rollback; found {self.on_nonfinite!r}")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise ValueError(f"minutes is the time that a run may take, above 0; found {self.minutes}")
        if self.doctor not in ("watch", "act"):
            raise ValueError(f"doctor is watch or act; found {self.doctor!r}")
        if self.doctor == "act" and not self.signals:
            raise ValueError("doctor='act' treats what signals show: leave signals on")
        for watcher in self.watchers:
            if not isinstance(watcher, Watcher):
                raise ValueError(f"a watcher has a method watch(player, turn, log); found {watcher!r}")

    @property
    def goes_back(self) -> bool:
        """Whether the run goes back to its last checkpoint on NaN/Inf."""
        return self.on_nonfinite == "rollback" or self.doctor == "act"
