"""Ending well: SIGINT and SIGTERM let the round finish, so that the run can be saved; a second one ends at once."""

__all__ = ["Interrupted"]

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Interrupted(SystemExit):
    """The run was asked to end, and what it had learned is saved; the exit status is 128 plus the signal's number."""


class StopRequest:
    """While entered, takes the first SIGINT or SIGTERM; a second one takes its usual course, if not `patient`.

    Args:
        at_once: raise `Interrupted` as it comes, rather than remember it: for times when there is nothing to be saved.
            May be changed while entered.
        words: what is said when it comes, on standard error.
        patient: let further signals pass unheard. torchrun hands on what the terminal has sent to every process anyway,
            and kills by itself what takes too long.

    Attributes:
        number: of the signal that came; 0 until then.
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
        """Change what is said when a signal comes: these words, and what of a second one is true if it is heard.

        Who had nothing to say goes on saying nothing.
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
            os.write(2, f"{self.words}\n".encode())  # a print could meet another one half done
        if self.at_once:
            raise Interrupted(128 + number)
