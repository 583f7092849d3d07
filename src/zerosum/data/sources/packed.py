"""A packed set: samples as raw bytes in a few files, read through the memory map at the speed of memory."""

__all__ = ["PackedSet"]

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._disk import file_hash
from zerosum.data._paths import existing
from zerosum.data.conditions import conditions_of, labelled
from zerosum.data.dataset import Dataset
from zerosum.data.sources._manifest import CONDITIONS, LABELS, MANIFEST, UNFINISHED, Plan, read_manifest


@dataclass(frozen=True)
class PackedSet:
    """What `zerosum data pack` wrote: another source's samples decoded, resized and ready to be read at any place.

    The samples are those of the source, number for number, with its labels, classes, conditions and notes. Files are
    mapped into memory, so a set may be larger than that; they must not be changed while they are read. Opening checks
    that every file is there with its size; `zerosum data check` reads all of them and compares their sha256.

    Args:
        path: the folder.
    """

    path: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(self.path))  # so that the repr of one made from a Path can be read

    def open(self) -> Dataset:
        """Map the files; raises `ValueError` where the set is not whole, or is none."""
        folder = existing(self.path)
        plan, hashes = read_manifest(folder)
        conditions = None
        if plan.classes:
            labels = torch.from_numpy(np.fromfile(folder / LABELS, "int64"))
            conditions = labelled(plan.name, labels, plan.classes)
        elif plan.entries:
            rows = np.fromfile(folder / CONDITIONS, plan.precision).reshape(plan.count, len(plan.entries))
            conditions = conditions_of(plan.name, rows, plan.entries)
        told = conditions, plan.notes
        content = partial("\n".join, [hashes[name] for name in plan.shards])
        return Dataset(plan.name, plan.shape, plan.count, _reader(folder, plan), *told, content=content, ahead=True)

    def verify(self) -> Iterator[tuple[str, int, str | None]]:
        """Read every file: its path, the samples in it, and what is wrong with it or None.

        Raises `ValueError` where there is no whole set.
        """
        folder = existing(self.path)
        plan, hashes = read_manifest(folder)
        shards = plan.shards
        for name in plan.sizes:
            try:
                wrong = None if file_hash(folder / name) == hashes[name] else "is not what was packed, by its sha256"
            except OSError as error:
                wrong = f"cannot be read ({error.strerror})"
            yield str(folder / name), len(shards.get(name, ())), wrong and f"{wrong}: pack it anew"


def is_packed(folder: Path) -> bool:
    """Whether a folder is a packed set, or the beginning of one."""
    return (folder / MANIFEST).is_file() or (folder / UNFINISHED).is_file()


def _reader(folder: Path, plan: Plan) -> Callable[[Tensor], Tensor]:
    """What reads samples by index from the files of samples."""
    maps = [
        np.asarray(np.memmap(folder / name, plan.kind, "r", shape=(len(held), *plan.shape)))
        for name, held in plan.shards.items()
    ]
    return partial(_read, maps, plan.rows, plan.count)


def _read(maps: Sequence[NDArray[Any]], rows: int, count: int, index: Tensor) -> Tensor:
    """Samples `(B, ...)` by index, copied out of the maps."""
    wanted = index.numpy()
    if len(wanted) and (wanted.min() < 0 or wanted.max() >= count):
        raise IndexError(f"indices of {count:,} samples run from 0; found {wanted.min()} to {wanted.max()}")
    if len(maps) == 1:
        return torch.from_numpy(maps[0][wanted])
    file, row = np.divmod(wanted, rows)
    out = np.empty((len(wanted), *maps[0].shape[1:]), maps[0].dtype)
    for one in np.unique(file):
        places = np.flatnonzero(file == one)
        out[places] = maps[one][row[places]]
    return torch.from_numpy(out)
