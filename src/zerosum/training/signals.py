"""SIGINT and SIGTERM stop a run after the iteration, so that it is saved; a second one stops at once."""

__all__ = ["Interrupted"]

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Interrupted(SystemExit):
    """The run was stopped by a signal and is saved; the exit status is 128 plus the signal's number."""


class StopRequest:
    """Context that records the first SIGINT or SIGTERM; a second one has its default effect, unless `patient`.

    Args:
        at_once: raise `Interrupted` immediately instead of recording it, while there is nothing to save. May be
            changed while entered.
        words: message on standard error when a signal arrives.
        patient: ignore further signals. torchrun forwards signals that the terminal has already sent to every process,
            and kills processes that take too long.

    Attributes:
        number: number of the signal; 0 before one arrives.
    """

    def __init__(self, at_once: bool = False, words: str = "", patient: bool = False) -> None:
        self.number = 0
        self.at_once, self.words, self.patient = at_once, words, patient
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

    def set_message(self, words: str, otherwise: str = "") -> None:
        """Change the message for a signal; `otherwise` is added where a second signal has an effect.

        An empty message stays empty.
        """
        self.words = self.words and words + ("" if self.patient else otherwise)

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            return
        self.number = number
        if not self.patient:
            self._restore()
        if self.words:
            os.write(2, f"{self.words}\n".encode())  # a print could interrupt another one
        if self.at_once:
            raise Interrupted(128 + number)
