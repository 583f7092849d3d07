"""Batches with the time spent waiting for them."""

__all__ = ()

import time
from collections.abc import Iterator
from contextlib import contextmanager

from zerosum.game.batch import Batch
from zerosum.training.batches import Batches


class Timed(Iterator[Batch]):
    """Batches, with the seconds spent waiting for them, and the number that an iteration takes."""

    def __init__(self, batches: Batches, taken: int) -> None:
        self.batches, self.waited, self.taken = batches, 0.0, taken

    def __next__(self) -> Batch:
        with self._waiting():
            batch = next(self.batches)
        self.taken += 1
        return batch

    def prepare(self) -> None:
        """Read the batches of the next iteration in advance; raises the errors of the data."""
        with self._waiting():
            self.batches.prepare(self.taken)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        asked = time.perf_counter()
        yield
        self.waited += time.perf_counter() - asked

    def close(self) -> None:
        """Stop prefetching."""
        self.batches.close()
