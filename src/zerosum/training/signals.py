"""Ending well: SIGINT and SIGTERM let the round finish, so that the run can be saved; a second one ends at once."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Interrupted(SystemExit):
    """The run was asked to end, and what it had learned is saved; the exit status is 128 plus the signal's number."""


class StopRequest:
    """While entered, takes the first SIGINT or SIGTERM; a second one takes its usual course.

    Args:
        at_once: raise `Interrupted` as it comes, rather than remember it: for times when there is nothing to be saved.
            May be changed while entered.
        words: what is said when it comes, on standard error; may be changed while entered.

    Attributes:
        number: of the signal that came; 0 until then.
    """

    def __init__(self, at_once: bool = False, words: str = "") -> None:
        self.number = 0
        self.at_once, self.words = at_once, words
        self._before: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self._restore()
        if self.words:
            os.write(2, f"{self.words}\n".encode())  # a print could meet another one half done
        if self.at_once:
            raise Interrupted(128 + number)
