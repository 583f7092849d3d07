"""Packed sets: samples as raw bytes in a few memory-mapped files."""

__all__ = ["PackedPairs", "PackedSet"]

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
from zerosum.conditions.image import Image
from zerosum.conditions.text import Text
from zerosum.data._paths import existing
from zerosum.data.conditions import Conditions, conditions_of, labelled
from zerosum.data.dataset import Dataset
from zerosum.data.held_out import check_part, split
from zerosum.data.sources._manifest import (
    CONDITIONS,
    HELD_OUT,
    LABELS,
    MANIFEST,
    UNFINISHED,
    Pairs,
    Plan,
    read_manifest,
)
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
        if plan.pairs is not None:
            raise ValueError(f"{folder} has pairs: open it as PackedPairs({self.path!r})")
        conditions = None
        if plan.classes:
            labels = torch.from_numpy(np.fromfile(folder / LABELS, "int64"))
            conditions = labelled(plan.name, labels, plan.classes)
        elif plan.entries:
            rows = np.fromfile(folder / CONDITIONS, plan.precision).reshape(plan.count, len(plan.entries))
            conditions = conditions_of(plan.name, rows, plan.entries)
        return _dataset(folder, plan, hashes, conditions)


@dataclass(frozen=True)
class PackedPairs:
    """The output of `zerosum data pack` for pairs: samples whose conditions are images or captions, memory-mapped.

    Samples, conditions and notes equal those of the source exactly, and the same samples are held out, whatever their
    names are. `zerosum data check` reads all files and verifies their SHA-256.

    Args:
        path: the folder.
        part: "train", "test" or "all": one sample in ten is held out by its name.
    """

    path: str = field(metadata=PATH)
    part: str = "train"

    def __post_init__(self) -> None:
        tidy_paths(self)
        check_part(self, self.part)

    def open(self) -> Dataset:
        """Map the files; raises `ValueError` when the folder is not a complete packed set of pairs."""
        folder = existing(self.path)
        plan, hashes = read_manifest(folder)
        if plan.pairs is None:
            raise ValueError(f"{folder} has no pairs: open it as PackedSet({self.path!r})")
        names = plan.shards_of_pairs
        read = _reader(folder, names, plan, plan.pairs.dtype, plan.pairs.shape)
        text = "\n".join(hashes[name] for name in names)
        conditions = Conditions(_kind(folder, plan.pairs), _Mapped(plan.count, read, text))
        held = torch.from_numpy(np.fromfile(folder / HELD_OUT, "uint8")) > 0
        return split(_dataset(folder, plan, hashes, conditions), held, self.part)


@dataclass(frozen=True, eq=False)
class _Mapped:
    """Conditions that are read from files."""

    count: int
    read: Callable[[Tensor], Tensor]
    text: str
    derived: bool = False

    def __len__(self) -> int:
        return self.count

    def of(self, indices: Tensor, x: Tensor | None) -> Tensor:  # as other values
        """The conditions of the samples at indices `(B,)`."""
        return self.read(indices)

    def content(self, without: Collection[str] = ()) -> str:
        """The SHA-256 of the files."""
        return self.text


def packed_at(path: str) -> PackedSet | PackedPairs:
    """The source for the folder of a packed set; one that is incomplete or damaged says so when it is opened."""
    try:
        pairs = read_manifest(existing(path))[0].pairs
    except ValueError:
        pairs = None
    return PackedSet(path) if pairs is None else PackedPairs(path)


def verified(packed: PackedSet | PackedPairs) -> Iterator[tuple[str, int, str | None]]:
    """Read every file and yield its path, its number of samples, and what is wrong with it or None.

    Raises `ValueError` when the folder is not a complete packed set.
    """
    folder = existing(packed.path)
    plan, hashes = read_manifest(folder)
    shards = plan.shards
    for name in plan.sizes:
        try:
            wrong = None if file_hash(folder / name) == hashes[name] else "does not have the SHA-256 of the manifest"
        except OSError as error:
            wrong = f"cannot be read ({error.strerror})"
        yield str(folder / name), len(shards.get(name, ())), wrong and f"{wrong}: pack the data again"


def _dataset(folder: Path, plan: Plan, hashes: Mapping[str, str], conditions: Conditions | None) -> Dataset:
    content = partial("\n".join, [hashes[name] for name in plan.shards])
    read = packed_samples(folder, plan)
    return Dataset(plan.name, plan.shape, plan.count, read, conditions, plan.notes, content=content, ahead=True)


def _kind(folder: Path, pairs: Pairs) -> Image | Text:
    try:
        return (Image if pairs.kind == "Image" else Text).restored(pairs.facts, {})
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder} is not a packed set, as its {MANIFEST} cannot be used: {error}") from error


def is_packed(folder: Path) -> bool:
    """Whether a folder is a packed set, or an incomplete one."""
    return (folder / MANIFEST).is_file() or (folder / UNFINISHED).is_file()


def packed_samples(folder: Path, plan: Plan) -> Callable[[Tensor], Tensor]:
    """A function that reads samples by index from the sample files."""
    return _reader(folder, plan.shards, plan, plan.kind, plan.shape)


def _reader(
    folder: Path, files: Mapping[str, range], plan: Plan, kind: str, shape: tuple[int, ...]
) -> Callable[[Tensor], Tensor]:
    """A function that reads rows by index from such files."""
    maps = [
        np.asarray(np.memmap(folder / name, kind, "r", shape=(len(indices), *shape))) for name, indices in files.items()
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
