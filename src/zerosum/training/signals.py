"""SIGINT, SIGTERM and SIGHUP stop a run after the iteration, so that it is saved; a second one stops at once."""

__all__ = ["Interrupted", "Terminated"]

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from zerosum._streams import write_message

_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The run was stopped by Ctrl-C (SIGINT) and is saved. The command line exits with `code`, 130."""

    code = 128 + signal.SIGINT


class Terminated(SystemExit):
    """The run was stopped by SIGTERM or SIGHUP and is saved; the exit status is 128 plus the signal's number."""


def stopped_by(number: int, words: str = "") -> Interrupted | Terminated:
    """The exception for a run that was stopped by a signal: Ctrl-C ends the call and not the session."""
    return Interrupted(words) if number == signal.SIGINT else Terminated(128 + number)


class StopRequest:
    """Context that records the first signal; a second one has its default effect, unless `patient`.

    A further SIGHUP is ignored, since shells and systems send it to what they have just stopped in another way; and
    SIGHUP is left alone where it was ignored at the start, as under `nohup`.

    Args:
        at_once: raise the exception of `stopped_by` immediately instead of recording the signal, while there is nothing
            to save. May be changed while entered.
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
            for number in _HANDLED:
                if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore(_HANDLED)

    def set_message(self, words: str, otherwise: str = "") -> None:
        """Change the message for a signal; `otherwise` is added where a second signal has an effect.

        An empty message stays empty.
        """
        self.words = self.words and words + ("" if self.patient else otherwise)

    def _restore(self, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            if number in self._before:
                signal.signal(number, self._before.pop(number))

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            return
        self.number = number
        if not self.patient:
            self._restore((signal.SIGINT, signal.SIGTERM))
        if self.words:
            write_message(f"{self.words}\n")
        if self.at_once:
            raise stopped_by(number)
