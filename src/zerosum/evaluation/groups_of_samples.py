"""The moments of a sample by groups, from which the error of what depends on them is told."""

__all__ = ()

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from zerosum.metrics.moments import Moments

GROUPS = 10


def groups(count: int) -> list[slice]:
    """Ten groups of consecutive samples, or fewer, so that each has two or more; one for fewer than four."""
    made = max(1, min(GROUPS, count // 2))
    return [slice(count * group // made, count * (group + 1) // made) for group in range(made)]


def without(rows: Tensor) -> Iterator[Tensor]:
    """Samples `(N, ...)` but for those of one group, for each group in turn; nothing where there is but one group."""
    there = groups(len(rows))
    for group in there if len(there) > 1 else []:
        yield torch.cat([rows[: group.start], rows[group.stop :]])


class Parts:
    """The moments of a sample by groups of consecutive samples, in files.

    So one moments are in memory while samples come, however many groups there are: of 2,048 dimensions they take 34 MB.

    Args:
        dimensions: of the features.
        count: samples that will come, 1 or more.
        folder: where to keep the groups; it must be there as long as they are asked for.
    """

    def __init__(self, dimensions: int, count: int, folder: Path) -> None:
        self.dimensions, self.folder = dimensions, folder
        self._ends = [group.stop for group in groups(count)]
        self._files: list[Path] = []
        self._group, self._done = Moments(dimensions), 0

    def add(self, features: Tensor) -> None:
        """Take in the next features `(B, d)`; raises `ValueError` for such as moments cannot take."""
        while len(features):
            end = self._ends[len(self._files)]
            some, features = features[: end - self._done], features[end - self._done :]
            self._group.add(some)
            self._done += len(some)
            if self._done == end:
                self._files.append(self.folder / f"group-{len(self._files)}.safetensors")
                self._group.save(self._files[-1])
                self._group = Moments(self.dimensions)

    def whole(self) -> Moments:
        """The moments of all samples."""
        return self._merged(self._files)

    def without(self) -> Iterator[Moments]:
        """The moments of all samples but those of one group, for each group in turn; none where there is but one."""
        for left_out in self._files if len(self._files) > 1 else []:
            yield self._merged([file for file in self._files if file != left_out])

    def _merged(self, files: Sequence[Path]) -> Moments:
        made = Moments(self.dimensions)
        for file in files:
            made.merge(Moments.load(file))
        return made


def jackknife(estimates: Sequence[float]) -> float | None:
    """The standard error of a number from its values on the data without one group each; None for fewer than two.

    The delete-a-group jackknife: sqrt((g - 1) / g sum (t_i - mean t)^2) over g groups (Shao and Wu 1989, equation 2.3).
    """
    g = len(estimates)
    if g < 2:
        return None
    mean = math.fsum(estimates) / g
    return math.sqrt((g - 1) / g * math.fsum((estimate - mean) ** 2 for estimate in estimates))
