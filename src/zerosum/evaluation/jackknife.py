"""The delete-a-group jackknife: standard errors from samples, or moments, without one group each."""

__all__ = ()

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from zerosum.metrics.moments import Moments

GROUPS = 10


def groups(count: int) -> list[slice]:
    """Ten groups of consecutive samples, or fewer so that each has at least two; one for fewer than four samples."""
    made = max(1, min(GROUPS, count // 2))
    return [slice(count * group // made, count * (group + 1) // made) for group in range(made)]


def leave_one_out(rows: Tensor) -> Iterator[Tensor]:
    """Yield samples `(N, ...)` without one group, for each group in turn; nothing if there is only one group."""
    found = groups(len(rows))
    for group in found if len(found) > 1 else []:
        yield torch.cat([rows[: group.start], rows[group.stop :]])


class GroupMoments:
    """The moments of each group of consecutive samples, in files.

    Only the moments of one group are in memory at a time: 34 MB for 2,048 dimensions.

    Args:
        dimensions: of the features.
        count: total number of samples, at least 1.
        folder: where to store the groups; it must exist as long as they are used.
    """

    def __init__(self, dimensions: int, count: int, folder: Path) -> None:
        self.dimensions, self.folder = dimensions, folder
        self._ends = [group.stop for group in groups(count)]
        self._files: list[Path] = []
        self._group, self._done = Moments(dimensions), 0

    def add(self, features: Tensor) -> None:
        """Add the next features `(B, d)`; raises `ValueError` if `Moments` refuses them."""
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

    def leave_one_out(self) -> Iterator[Moments]:
        """Yield the moments of all samples without one group, for each group in turn; nothing if there is only one."""
        for left_out in self._files if len(self._files) > 1 else []:
            yield self._merged([file for file in self._files if file != left_out])

    def _merged(self, files: Sequence[Path]) -> Moments:
        made = Moments(self.dimensions)
        for file in files:
            made.merge(Moments.load(file))
        return made


def jackknife(estimates: Sequence[float]) -> float | None:
    """The standard error of an estimate from its values on the data without one group each; None for fewer than two.

    The delete-a-group jackknife: sqrt((g - 1) / g sum (t_i - mean t)^2) over g groups (Shao and Wu 1989, equation 2.3).
    """
    g = len(estimates)
    if g < 2:
        return None
    mean = math.fsum(estimates) / g
    return math.sqrt((g - 1) / g * math.fsum((estimate - mean) ** 2 for estimate in estimates))
