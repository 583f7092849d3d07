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
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

from zerosum._streams import lossy
from zerosum._text import duration, printable

_BETWEEN_LINES = 5.0  # seconds from one plain line to the next


def _shown(values: Mapping[str, float]) -> str:
    order = ["D/loss", "G/loss", "D(x)", "D(G(z))", "convergence"]
    return "  ".join(f"{name} {values[name]:.3g}" for name in order if name in values)


def _narrow() -> Column:
    """A column that keeps its width, however narrow the terminal is."""
    return Column(no_wrap=True)


class TrainingProgress:
    """The progress of a run: a bar, the share that is done, images/s, the time left, and then the means of the losses.

    The losses have the room that is left, so that the rest is always visible.

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
            SpinnerColumn(table_column=_narrow()),
            BarColumn(bar_width=12, table_column=_narrow()),
            TextColumn("{task.percentage:>3.0f} %", table_column=_narrow()),
            TextColumn("{task.fields[rate]}", table_column=_narrow()),
            TextColumn("{task.fields[left]}", table_column=_narrow()),
            TextColumn("{task.fields[means]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        )
        live = self._console.is_terminal and not quiet
        self._live = Progress(*columns, console=self._console, expand=True) if live else None
        self._ticked = False  # until then the speed is that since the start
        self._began: tuple[int, float] | None = None
        if self._live is not None:
            self._task = self._live.add_task("", total=total, completed=done, rate="", left="", means="")

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
        if self._live is None:
            return
        now = time.monotonic()
        if self._began is None:
            self._began = (images, now)
            self._live.update(self._task, completed=images)
            return
        first, began = self._began
        rate = (images - first) / max(now - began, 1e-9)
        left = f"{duration(max(self.total - images, 0) / rate)} left" if rate else ""
        if self._ticked:
            self._live.update(self._task, completed=images, left=left)
        else:
            self._live.update(self._task, completed=images, rate=f"{rate:,.0f} images/s", left=left)

    def tick(self, images: int, rate: float, means: Mapping[str, float]) -> None:
        """Show a tick's speed, in images per second, and its means."""
        if self._live is not None:
            self._live.update(self._task, completed=images, rate=f"{rate:,.0f} images/s", means=_shown(means))
            self._ticked = True
            return
        now = time.monotonic()
        if now - self._last_line < _BETWEEN_LINES and images < self.total:
            return
        self._last_line = now
        left = duration(max(self.total - images, 0) / rate) if rate else "?"
        done = f"{min(images / self.total, 1):4.0%}  {rate:>7,.0f} images/s  {left} left"
        self.say(f"{done}  {images:,}/{self.total:,} images  {_shown(means)}")
