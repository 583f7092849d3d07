"""Moments of samples without one group each, for the jackknife, on the disk while there is room."""

__all__ = ()

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from torch import Tensor

from zerosum._disk import create
from zerosum.metrics.jackknife import groups
from zerosum.metrics.moments import Moments


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a temporary folder; where none can be made, a path at which no file can be written."""
    try:
        folder = tempfile.mkdtemp(prefix="zerosum-")
    except OSError:
        yield Path(os.devnull, "zerosum")
        return
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class GroupMoments:
    """The moments of each group of consecutive samples, 34 MB for 2,048 dimensions, in files or, without room, memory.

    Args:
        dimensions: of the features.
        count: total number of samples, at least 1.
        folder: where to store the groups; it must exist as long as they are used.
    """

    def __init__(self, dimensions: int, count: int, folder: Path) -> None:
        self.dimensions, self.folder = dimensions, folder
        self._ends = [group.stop for group in groups(count)]
        self._made: list[Path | Moments] = []
        self._group, self._done = Moments(dimensions), 0

    def add(self, features: Tensor) -> None:
        """Add the next features `(B, d)`; raises `ValueError` if `Moments` refuses them."""
        while len(features):
            end = self._ends[len(self._made)]
            some, features = features[: end - self._done], features[end - self._done :]
            self._group.add(some)
            self._done += len(some)
            if self._done == end:
                self._made.append(self._stored(self._group))
                self._group = Moments(self.dimensions)

    def _stored(self, group: Moments) -> Path | Moments:
        """The file of a group, or the group itself where no file can be written."""
        path = self.folder / f"group-{len(self._made)}.safetensors"
        try:
            with create(path) as file:
                file.write(group.content())
        except OSError:
            with suppress(OSError):
                path.unlink()
            return group
        return path

    def whole(self) -> Moments:
        """The moments of all samples."""
        return self._merged(self._made)

    def leave_one_out(self) -> Iterator[Moments]:
        """Yield the moments of all samples without one group, for each group in turn; nothing if there is only one."""
        for index in range(len(self._made)) if len(self._made) > 1 else ():
            yield self._merged([*self._made[:index], *self._made[index + 1 :]])

    def _merged(self, groups: Sequence[Path | Moments]) -> Moments:
        made = Moments(self.dimensions)
        for group in groups:
            made.merge(Moments.load(group) if isinstance(group, Path) else group)
        return made
