"""The infinite stream of real batches, as a pure function of (seed, position)."""

__all__ = ()

from collections import deque
from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

from zerosum.conditions.condition import Condition
from zerosum.data.dataset import Dataset
from zerosum.game.batch import Batch, to_unit
from zerosum.game.distributed import rank, ranks
from zerosum.game.random import Draws, stream
from zerosum.training.prefetch import ReadAhead


def encoded(kind: Condition, values: Tensor, label_dropout: float, draws: Draws) -> Tensor:
    """Encoded conditions, c `(B, ...)`, of values in the units of the data, a share of them unknown."""
    c = kind.encode(values)
    if not label_dropout:
        return c
    hidden = draws.uniform("label dropout", (len(c),)) < label_dropout
    unknown = kind.with_unknown().unknown(len(c))
    return torch.where(hidden.view(-1, *[1] * (c.dim() - 1)), unknown, c)


class Batches(Iterator[Batch]):
    """Infinite iterator over batches of shuffled real samples, one permutation of the data set per epoch.

    A batch depends only on the seed and its position in the stream of all samples drawn, so a run resumes from one
    integer, and several ranks divide the rows of one process's batch. Where reading costs time, a thread prefetches
    the next batches, until `close`.

    Args:
        dataset: the data.
        batch: samples per batch over all ranks together; a multiple of the ranks.
        conditional: whether batches contain the conditions of the data.
        seed: the run's seed.
        device: device of the batches.
        position: number of samples already drawn, over all ranks.
        label_dropout: share of samples whose condition is replaced by the unknown condition.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch: int,
        conditional: bool,
        seed: int,
        device: torch.device,
        position: int = 0,
        label_dropout: float = 0.0,
    ) -> None:
        if batch % ranks():
            raise ValueError(f"batch counts samples over all ranks: {batch} does not divide by {ranks()} ranks")
        self.dataset, self.batch, self.seed, self.device = dataset, batch, seed, device
        self.conditional = conditional
        self.position, self.label_dropout = position, label_dropout
        self._order = lru_cache(maxsize=2)(self._permutation)
        self._ahead = ReadAhead(self._read, batch) if dataset.ahead else None
        self._ready: deque[tuple[Tensor, Tensor | None]] = deque()

    def __next__(self) -> Batch:
        self.prepare(1)
        x, c = self._ready.popleft()
        x = to_unit(x.to(self.device, non_blocking=True))
        if x.dim() == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        batch = Batch(x, None if c is None else c.to(self.device, non_blocking=True), self.position)
        self.position += self.batch
        return batch

    def prepare(self, count: int) -> None:
        """Read the next `count` batches in advance; raises the errors of the data, and nothing is lost by them."""
        while len(self._ready) < count:
            position = self.position + len(self._ready) * self.batch
            self._ready.append(self._read(position) if self._ahead is None else self._ahead.take(position))

    def close(self) -> None:
        """Stop the prefetching thread, if there is one; a further batch starts a new one."""
        if self._ahead is not None:
            self._ahead.close()

    def _read(self, position: int) -> tuple[Tensor, Tensor | None]:
        """This rank's samples, in the data's format, and conditions of the batch at a position."""
        own = self.batch // ranks()
        start = position + rank() * own
        indices = self.indices(start, start + own)
        x = self.dataset.read(indices)
        c = self._condition(indices, x, position)
        # Copies to a GPU overlap with computation only from pinned memory.
        return (x.pin_memory() if self._ahead is not None and self.device.type == "cuda" else x), c

    def _condition(self, indices: Tensor, x: Tensor, position: int) -> Tensor | None:
        """Encoded conditions, c `(B, ...)`, a share of them unknown under label dropout."""
        conditions = self.dataset.conditions
        if not self.conditional or conditions is None:
            return None
        values = conditions.of(indices, x if self.dataset.coding is None else None)
        return encoded(conditions.kind, values, self.label_dropout, Draws(self.seed, position, rank(), ranks()))

    def indices(self, start: int, stop: int) -> Tensor:
        """Indices into the data set of the samples from `start` up to `stop` in the stream."""
        chunks = []
        while start < stop:
            epoch, first = divmod(start, len(self.dataset))
            last = min(first + stop - start, len(self.dataset))
            chunks.append(self._order(epoch)[first:last])
            start += last - first
        return torch.cat(chunks) if chunks else torch.empty(0, dtype=torch.int64)

    def _permutation(self, epoch: int) -> Tensor:
        random, count = stream(self.seed, "order", epoch), len(self.dataset)
        window = self.dataset.window or count
        parts = [
            start + torch.randperm(min(window, count - start), generator=random) for start in range(0, count, window)
        ]
        return torch.cat(parts)
