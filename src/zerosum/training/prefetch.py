"""Prefetching: a thread reads the next batches during training."""

__all__ = ()

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
_LOOK = 0.2  # seconds between checks that the other thread is alive


class ReadAhead(Generic[T]):
    """Calls a function at successive positions in a thread, some positions ahead.

    Each position is read once, in order, by one thread, so results equal those without it. An error is raised when its
    position is requested, and reading then starts again. `close` stops the thread; a thread that was not closed does
    not block the exit of the program.

    Args:
        read: reads a position; must depend on the position only, not on the state of random generators.
        step: difference between positions.
        depth: maximum number of positions read ahead.
    """

    def __init__(self, read: Callable[[int], T], step: int, depth: int = 4) -> None:
        self._read, self._step, self._depth = read, step, depth
        self._thread: threading.Thread | None = None
        self._next = 0

    def take(self, place: int) -> T:
        """The result at a position; reading restarts there if it is not the one after the last.

        Raises the error of `read`, and `OSError` where the thread has died.
        """
        if self._thread is None or place != self._next:
            self.close()
            self._begin(place)
        found, error = self._wait()
        if error is not None:
            self.close()
            raise error
        self._next = place + self._step
        return found[0]

    def close(self) -> None:
        """Stop the thread after its current read."""
        if self._thread is not None:
            self._stop.set()
            with suppress(queue.Empty):  # makes room, in case it is waiting for some
                self._found.get_nowait()
            self._thread.join()
            self._thread = None

    def _begin(self, place: int) -> None:
        self._next, self._stop = place, threading.Event()
        self._found: queue.Queue[tuple[tuple[T, ...], BaseException | None]] = queue.Queue(self._depth)
        self._thread = threading.Thread(target=self._work, args=(place, self._stop, self._found), daemon=True)
        self._thread.start()

    def _wait(self) -> tuple[tuple[T, ...], BaseException | None]:
        assert self._thread is not None
        while True:
            alive = self._thread.is_alive()  # checked first, so that its last results are not missed
            try:
                return self._found.get(timeout=_LOOK if alive else 0)
            except queue.Empty:
                if not alive:
                    self._thread = None
                    raise OSError("the thread that reads data ahead has died: run the same command again") from None

    def _work(
        self, place: int, stop: threading.Event, found: "queue.Queue[tuple[tuple[T, ...], BaseException | None]]"
    ) -> None:
        error = None
        while error is None and not stop.is_set():
            item: tuple[T, ...] = ()
            try:
                item = (self._read(place),)
            except BaseException as caught:  # noqa: BLE001  # raised again in the requesting thread
                error = caught
            place += self._step
            while not stop.is_set():
                try:
                    found.put((item, error), timeout=_LOOK)
                    break
                except queue.Full:
                    pass
