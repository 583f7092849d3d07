"""How a run is looked after."""

from dataclasses import dataclass
from pathlib import Path

from zerosum.game.game import Watcher


@dataclass(frozen=True)
class RunOptions:
    """How a run is looked after: it decides where a run starts and what is done in need, and else nothing of it.

    Args:
        keep: checkpoints kept, the newest ones (>= 2, so that one is left should the newest be damaged).
        on_nonfinite: what to do at a loss or gradient that is not a finite number: `stop`, or `rollback`, back to the
            last checkpoint with half the learning rates, five times in a run at most.
        start_from: a run folder, or a checkpoint in one, from whose weights a new run starts.
        watchers: observers of every update of either network, beside the recipe's. They are used as they are, not
            copied, and the run's recipe says nothing of them. The memory of one with `state_dict` and
            `load_state_dict` is in the checkpoints; the run can be continued without it, which drops the memory.
    """

    keep: int = 2
    on_nonfinite: str = "stop"
    start_from: str | Path | None = None
    watchers: tuple[Watcher, ...] = ()

    def __post_init__(self) -> None:
        if self.keep < 2:
            raise ValueError(
                f"keep counts checkpoints and is at least 2, lest a damaged one be the last; found {self.keep}"
            )
        if self.on_nonfinite not in ("stop", "rollback"):
            raise ValueError(f"on_nonfinite is stop or rollback; found {self.on_nonfinite!r}")
        for watcher in self.watchers:
            if not isinstance(watcher, Watcher):
                raise ValueError(f"a watcher has a method watch(player, turn, log); found {watcher!r}")
