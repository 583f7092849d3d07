"""Progress display of a run: a live bar on a terminal, plain lines elsewhere, on stderr.

What cannot be written, as after `| head`, is lost and ends nothing.
"""

__all__ = ()

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from zerosum._streams import lossy
from zerosum._text import printable

_BETWEEN_LINES = 5.0  # seconds from one plain line to the next


def _shown(values: Mapping[str, float]) -> str:
    order = ["D/loss", "G/loss", "D(x)", "D(G(z))", "convergence"]
    return "  ".join(f"{name} {values[name]:.3g}" for name in order if name in values)


class TrainingProgress:
    """The progress of a run: images, images/s, time left, and the means of the losses.

    Args:
        total: images of the whole run.
        done: images seen before this start.
        quiet: print nothing.
    """

    def __init__(self, total: int, done: int = 0, quiet: bool = False) -> None:
        self.total, self.quiet = total, quiet
        self._console = Console(file=lossy(sys.stderr))
        self._last_line = -_BETWEEN_LINES
        columns = (
            SpinnerColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f} images"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[means]}"),
        )
        self._live = Progress(*columns, console=self._console) if self._console.is_terminal and not quiet else None
        if self._live is not None:
            self._task = self._live.add_task("", total=total, completed=done, rate="", means="")

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, sentence: str) -> None:
        """Print one sentence."""
        if not self.quiet:
            self._console.print(printable(sentence, kept="\n"), highlight=False, markup=False, soft_wrap=True)

    def advance(self, images: int) -> None:
        """Advance the bar."""
        if self._live is not None:
            self._live.update(self._task, completed=images)

    def tick(self, images: int, rate: float, means: Mapping[str, float]) -> None:
        """Show a tick's speed, in images per second, and its means."""
        if self._live is not None:
            self._live.update(self._task, completed=images, rate=f"{rate:,.0f}/s", means=_shown(means))
            return
        now = time.monotonic()
        if now - self._last_line < _BETWEEN_LINES and images < self.total:
            return
        self._last_line = now
        left = max(self.total - images, 0) / rate if rate else 0.0
        self.say(f"{images:>11,}/{self.total:,} images  {rate:>7,.0f}/s  {left:>5.0f} s left  {_shown(means)}")
