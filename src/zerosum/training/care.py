"""How a run is looked after."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Care:
    """How a run is looked after: it decides where a run starts and what is done in need, and else nothing of it.

    Args:
        keep: checkpoints kept, the newest ones (>= 2, so that one is left should the newest be damaged).
        on_nonfinite: what to do at a loss or gradient that is not a finite number: `stop`, or `rollback`, back to the
            last checkpoint with half the learning rates, five times in a run at most.
        start_from: a run folder, or a checkpoint in one, from whose weights a new run starts.
    """

    keep: int = 2
    on_nonfinite: str = "stop"
    start_from: str | Path | None = None

    def __post_init__(self) -> None:
        if self.keep < 2:
            raise ValueError(
                f"keep counts checkpoints and is at least 2, lest a damaged one be the last; found {self.keep}"
            )
        if self.on_nonfinite not in ("stop", "rollback"):
            raise ValueError(f"on_nonfinite is stop or rollback; found {self.on_nonfinite!r}")
