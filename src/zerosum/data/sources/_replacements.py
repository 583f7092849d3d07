"""Replace broken images by others, so that the indices of all other images stay the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import torch

from zerosum.data._paths import printable
from zerosum.data.conditions import Conditions

_T = TypeVar("_T")
_NAMED = 5


class Replacements:
    """Replaces each broken image by the next intact one of the same class, in the order of the files.

    With conditions other than classes, the replacement is the image with the nearest condition. So it depends on the
    files alone, and the condition of each index is unchanged. `read` raises `ValueError` when more than half of all
    images are broken, or all of a class.

    Args:
        names: file names of the images.
        conditions: their conditions, or None.
    """

    def __init__(self, names: Sequence[str], conditions: Conditions | None) -> None:
        self._names, self._conditions = names, conditions
        self._broken: dict[int, str] = {}
        self._reported = 0

    def add(self, broken: Mapping[int, str]) -> None:
        """Register images that are known to be broken: the reason by index."""
        self._broken |= broken

    @property
    def broken(self) -> tuple[int, ...]:
        """The indices of images that are known to be broken."""
        return (*self._broken,)

    def read(self, index: int, decode: Callable[[int], _T]) -> _T:
        """What `decode` returns for the image at an index, or for its replacement."""
        for candidate in chain([index], self._others(index)):
            if candidate in self._broken:
                continue
            try:
                return decode(candidate)
            except ValueError as error:
                self._broken[candidate] = str(error)
            if 2 * len(self._broken) > len(self._names):
                raise ValueError(f"more than half of the images are broken: {self._reason(candidate)}")
        raise ValueError(f"no intact image of the same class is left as a replacement: {self._reason(index)}")

    def news(self) -> tuple[str, ...]:
        """A warning about images found broken since the last call."""
        found = list(self._broken)[self._reported :]
        self._reported += len(found)
        if not found:
            return ()
        reasons = "; ".join(self._reason(index) for index in found[:_NAMED])
        more = f"; and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        which = "is broken and was replaced by another" if len(found) == 1 else "are broken and were replaced by others"
        return (f"{len(found):,} of {len(self._names):,} images {which}: {reasons}{more}",)

    def _reason(self, index: int) -> str:
        return f"{printable(self._names[index])} {self._broken[index]}"

    def _others(self, index: int) -> Iterator[int]:
        """The possible replacements of an image, best first."""
        count = len(self._names)
        places = (torch.arange(count - 1) + index + 1) % count
        if self._conditions is not None and self._conditions.kind.classes:
            labels = self._conditions.table
            places = places[labels[places] == labels[index]]
        elif self._conditions is not None:
            rows = self._conditions.kind.encode(self._conditions.table).flatten(1).float()
            places = places[(rows[places] - rows[index]).square().sum(1).sort(stable=True).indices]
        return iter(places.tolist())
