"""Ending well: SIGINT and SIGTERM let the round finish, so that the run can be saved; a second one ends at once."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Interrupted(SystemExit):
    """The run was asked to end and has been saved; the exit status is 128 plus the signal's number."""


class StopRequest:
    """While entered, remembers a SIGINT or SIGTERM instead of dying of it; `number` is 0 until one came."""

    def __init__(self) -> None:
        self.number = 0
        self._before: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._remember)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self._restore()
