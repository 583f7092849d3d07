"""A batch of real samples, and its micro-batches."""

__all__ = ["Batch"]

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """Real samples x `(B, ...)`, their condition c or None, and their position in the stream of all samples.

    A micro-batch has the rows of `part` among `parts` equal parts of a batch.
    """

    x: Tensor
    c: Tensor | None
    position: int
    part: int = 0
    parts: int = 1

    def micro_batches(self, size: int | None) -> Sequence["Batch"]:
        """Split into micro-batches of `size` samples; None returns the batch itself.

        Raises `ValueError` where the batch does not divide.
        """
        if size is None:
            return [self]
        parts, left = divmod(len(self.x), size)
        if left:
            raise ValueError(f"a batch of {len(self.x)} samples does not divide into micro-batches of {size}")
        conditions = [None] * parts if self.c is None else torch.split(self.c, size)
        rows = zip(torch.split(self.x, size), conditions, strict=True)
        return [Batch(x, c, self.position, part, parts) for part, (x, c) in enumerate(rows)]


def to_unit(x: Tensor) -> Tensor:
    """Images from uint8 in [0, 255] to float32 in [-1, 1]; points are returned as they are."""
    return x.float().div_(127.5).sub_(1) if x.dtype == torch.uint8 else x
