"""What is shown in place of images that are broken, so that every other image keeps its place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import torch

from zerosum.data._paths import printable
from zerosum.data.conditions import Conditions

_T = TypeVar("_T")
_NAMED = 5


class StandIns:
    """Shows another image wherever one is broken: of the same class the next that is not, in the order of the files.

    Where there are conditions without classes it is the image whose condition is nearest. So which one it is depends on
    the files alone, and conditions stay those of the place. Raises `ValueError` from `show` where more than half of all
    images are broken, or all of a class.

    Args:
        names: of the images.
        conditions: of them, or None.
    """

    def __init__(self, names: Sequence[str], conditions: Conditions | None) -> None:
        self._names, self._conditions = names, conditions
        self._broken: dict[int, str] = {}
        self._told = 0

    def add(self, broken: Mapping[int, str]) -> None:
        """Take note of images that are known to be broken, by index with the reason."""
        self._broken |= broken

    def show(self, index: int, read: Callable[[int], _T]) -> _T:
        """What `read` returns for the image at an index, or for the one that stands in for it."""
        for candidate in chain([index], self._others(index)):
            if candidate in self._broken:
                continue
            try:
                return read(candidate)
            except ValueError as error:
                self._broken[candidate] = str(error)
            if 2 * len(self._broken) > len(self._names):
                raise ValueError(f"more than half of the images are broken: {self._reason(candidate)}")
        raise ValueError(f"no image of the same class is left to stand in for one: {self._reason(index)}")

    def news(self) -> tuple[str, ...]:
        """A sentence on those found broken since it was last asked."""
        found = list(self._broken)[self._told :]
        self._told += len(found)
        if not found:
            return ()
        told = "; ".join(self._reason(index) for index in found[:_NAMED])
        more = f"; and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        other = "another image stands" if len(found) == 1 else "others stand"
        number = f"{len(found):,} of {len(self._names):,} images"
        return (f"{other} in for {number} found broken: {told}{more}",)

    def _reason(self, index: int) -> str:
        return f"{printable(self._names[index])} {self._broken[index]}"

    def _others(self, index: int) -> Iterator[int]:
        """All that may stand in for an image, the first choice first."""
        count = len(self._names)
        places = (torch.arange(count - 1) + index + 1) % count
        if self._conditions is not None and self._conditions.kind.classes:
            labels = self._conditions.values
            places = places[labels[places] == labels[index]]
        elif self._conditions is not None:
            rows = self._conditions.kind.encode(self._conditions.values).flatten(1).float()
            places = places[(rows[places] - rows[index]).square().sum(1).sort(stable=True).indices]
        return iter(places.tolist())
