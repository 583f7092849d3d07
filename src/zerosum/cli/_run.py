"""Options of `zerosum train` on how a run goes, which change no recipe."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zerosum.training.options import RunOptions


@dataclass(frozen=True)
class RunFlags:
    """The options of a run beside those of its recipe."""

    start_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="RUN", help="Warm start: initialise from the newest checkpoint of another run."),
    ] = None
    keep: Annotated[int | None, typer.Option(help="Checkpoints to keep, at least 2; by default as before.")] = None
    on_nonfinite: Annotated[
        str,
        typer.Option(
            metavar="stop|rollback",
            help="On NaN/Inf: stop, or roll back to the last checkpoint and halve the learning rates.",
        ),
    ] = "stop"
    doctor: Annotated[
        str,
        typer.Option(
            metavar="watch|act",
            help="Watch: say each symptom when it is certain. Act: also go back, lower rates and strengthen penalties.",
        ),
    ] = "watch"
    no_signals: Annotated[
        bool, typer.Option("--no-signals", help="Gather no signals of how training goes (weights are the same).")
    ] = False

    def options(self, minutes: float | None) -> "RunOptions":
        """The options for `zerosum.train`; raises `ValueError` for invalid ones."""
        from zerosum.training.options import RunOptions

        return RunOptions(
            self.keep,
            self.on_nonfinite,
            self.start_from,
            minutes=minutes,
            signals=not self.no_signals,
            doctor=self.doctor,
        )
