"""Packed sets: samples as raw bytes in a few memory-mapped files."""

__all__ = ["PackedSet"]

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._disk import file_hash
from zerosum._paths import PATH, tidy_paths
from zerosum.data._paths import existing
from zerosum.data.conditions import conditions_of, labelled
from zerosum.data.dataset import Dataset
from zerosum.data.sources._manifest import CONDITIONS, LABELS, MANIFEST, UNFINISHED, Plan, read_manifest
from zerosum.data.sources._mirror import mirrored


@dataclass(frozen=True)
class PackedSet:
    """The output of `zerosum data pack`: a source's samples, decoded, resized and memory-mapped.

    Samples, labels, classes, conditions and notes equal those of the source exactly. Files are memory-mapped, so a set
    may be larger than memory; do not change them while they are read. Opening checks that every file exists with its
    size; `zerosum data check` reads all files and verifies their SHA-256.

    Args:
        path: the folder.
        flip: whether each image's mirror image is a sample too, which doubles their number.
    """

    path: str = field(metadata=PATH)
    flip: bool = False

    def __post_init__(self) -> None:
        tidy_paths(self)

    def open(self) -> Dataset:
        """Map the files; raises `ValueError` when the folder is not a complete packed set."""
        return mirrored(self._plain()) if self.flip else self._plain()

    def _plain(self) -> Dataset:
        folder = existing(self.path)
        plan, hashes = read_manifest(folder)
        conditions = None
        if plan.classes:
            labels = torch.from_numpy(np.fromfile(folder / LABELS, "int64"))
            conditions = labelled(plan.name, labels, plan.classes)
        elif plan.entries:
            rows = np.fromfile(folder / CONDITIONS, plan.precision).reshape(plan.count, len(plan.entries))
            conditions = conditions_of(plan.name, rows, plan.entries)
        content = partial("\n".join, [hashes[name] for name in plan.shards])
        return Dataset(
            plan.name,
            plan.shape,
            plan.count,
            _reader(folder, plan),
            conditions,
            plan.notes,
            content=content,
            ahead=True,
        )

    def verify(self) -> Iterator[tuple[str, int, str | None]]:
        """Read every file and yield its path, its number of samples, and what is wrong with it or None.

        Raises `ValueError` when the folder is not a complete packed set.
        """
        folder = existing(self.path)
        plan, hashes = read_manifest(folder)
        shards = plan.shards
        for name in plan.sizes:
            try:
                wrong = (
                    None if file_hash(folder / name) == hashes[name] else "does not have the SHA-256 of the manifest"
                )
            except OSError as error:
                wrong = f"cannot be read ({error.strerror})"
            yield str(folder / name), len(shards.get(name, ())), wrong and f"{wrong}: pack the data again"


def is_packed(folder: Path) -> bool:
    """Whether a folder is a packed set, or an incomplete one."""
    return (folder / MANIFEST).is_file() or (folder / UNFINISHED).is_file()


def _reader(folder: Path, plan: Plan) -> Callable[[Tensor], Tensor]:
    """A function that reads samples by index from the sample files."""
    maps = [
        np.asarray(np.memmap(folder / name, plan.kind, "r", shape=(len(indices), *plan.shape)))
        for name, indices in plan.shards.items()
    ]
    return partial(_read, maps, plan.rows, plan.count)


def _read(maps: Sequence[NDArray[Any]], rows: int, count: int, index: Tensor) -> Tensor:
    """Samples `(B, ...)` by index, copied from the maps."""
    wanted = index.numpy()
    if len(wanted) and (wanted.min() < 0 or wanted.max() >= count):
        raise IndexError(f"indices should be in 0..{count - 1}; found {wanted.min()} to {wanted.max()}")
    if len(maps) == 1:
        return torch.from_numpy(maps[0][wanted])
    file, row = np.divmod(wanted, rows)
    out = np.empty((len(wanted), *maps[0].shape[1:]), maps[0].dtype)
    for one in np.unique(file):
        places = np.flatnonzero(file == one)
        out[places] = maps[one][row[places]]
    return torch.from_numpy(out)
