"""Reading ahead: what will be wanted next is read by a thread while the game computes."""

__all__ = ()

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
_LOOK = 0.2  # seconds between looks at whether the other side is still there


class ReadAhead(Generic[T]):
    """What a function reads at places in a row, some places before they are asked for.

    Each place is read once, in order, by one thread, so that all is read as without it. An error is raised when its
    place is asked for, and reading then begins anew. `close` ends the thread; one that was never closed does not keep
    the program from ending.

    Args:
        read: reads what is at a place; must depend on the place alone, and not on random numbers drawn elsewhere.
        step: from a place to the next.
        depth: places read ahead at most.
    """

    def __init__(self, read: Callable[[int], T], step: int, depth: int = 4) -> None:
        self._read, self._step, self._depth = read, step, depth
        self._thread: threading.Thread | None = None
        self._next = 0

    def take(self, place: int) -> T:
        """What is at a place: the one after the last, or else reading begins there.

        Raises what reading raised, and `OSError` where the thread has died.
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
        """End the thread, once it has read what it is reading."""
        if self._thread is not None:
            self._stop.set()
            with suppress(queue.Empty):  # makes room, should it be waiting for some
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
            alive = self._thread.is_alive()  # asked before looking, so that what it left behind is seen
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
            except BaseException as caught:  # noqa: BLE001  # raised again in the thread that asks
                error = caught
            place += self._step
            while not stop.is_set():
                try:
                    found.put((item, error), timeout=_LOOK)
                    break
                except queue.Full:
                    pass
