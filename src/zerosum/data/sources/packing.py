"""Pre-process a source into a packed set, which is memory-mapped for fast training."""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from zerosum._disk import create, file_hash, open_own, replace_durably, sync_file, sync_folder, temporary
from zerosum._paths import user_path
from zerosum.conditions.components import Attributes, Vector
from zerosum.conditions.image import Image
from zerosum.conditions.labels import Labels
from zerosum.conditions.text import Text
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import Dataset
from zerosum.data.fingerprints import fingerprint
from zerosum.data.held_out import HoldsOut, are_held_out
from zerosum.data.resolve import source
from zerosum.data.sources._manifest import (
    CONDITIONS,
    HELD_OUT,
    LABELS,
    MANIFEST,
    UNFINISHED,
    Pairs,
    Plan,
    check_size,
    manifest,
    plan_of,
    read_manifest,
)
from zerosum.data.sources.packed import PackedPairs, packed_at, packed_samples

_SHARD, _MOST_SHARDS = 32 << 20, 128  # minimum bytes of a sample file; maximum number of sample files
_BLOCK = 256  # samples read at once


def pack(data: Any, folder: str | Path, progress: Callable[[int, int], None] | None = None) -> Dataset:
    """Write the samples of a source into a folder for `PackedSet`, and return the opened set.

    The folder contains the samples as raw bytes in files of at least 32 MiB, a file of labels or conditions, and a
    manifest with the SHA-256 of each. Of pairs all samples are packed, with their conditions, images or captions, and a
    file that lists which are held out of training; they open as `PackedPairs`. The manifest is written last: without it
    the set is incomplete. After an interruption, even by SIGKILL, the same call continues after the last complete file.
    Images of folders are decoded by several threads.

    Args:
        data: a source, or anything that `source` accepts.
        folder: a new or empty folder, or one in which the same packing was interrupted.
        progress: called with (samples done, total).

    Raises:
        ValueError: for latents, unpaired data, other kinds of conditions, a folder with other content, and data that
            cannot be read.
        OSError: when the folder cannot be written, as on a full disk; completed files are kept.
    """
    given, out = source(data), user_path(folder)
    kept: Any = given
    dataset = (replace(kept, part="all") if isinstance(given, HoldsOut) else given).open()
    if dataset.coding is not None:
        raise ValueError(f"{dataset.name} cannot be packed: pack the images, then use Latents(PackedSet(...), ...)")
    if not isinstance(dataset.condition, Labels | Attributes | Vector | Image | Text | None):
        raise ValueError(
            f"{dataset.name} cannot be packed: its conditions should be labels, rows of numbers, images or captions, "
            f"but are {type(dataset.condition).__name__}: train on the source itself"
        )
    if isinstance(dataset.condition, Image) and not dataset.condition.paired:
        raise ValueError(
            f"{dataset.name} cannot be packed with conditions that do not belong to it: pack both sets, then use "
            f"Unpaired(PackedSet(...), PackedSet(...))"
        )
    plan = _planned(dataset)
    if (out / MANIFEST).exists():
        if not _is_same(read_manifest(out)[0], plan):
            raise ValueError(f"{out} has another packed set: choose a new folder, or remove it")
        return _opened(out)
    if out.exists() and not (out / UNFINISHED).exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is not empty: choose a new folder for the packed set")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _journal(out, plan) as journal:
            _write(dataset, plan, journal, progress)
    except OSError as error:
        raise OSError(
            f"{out} cannot be written ({error}): completed files are kept, and the same command continues"
        ) from error
    return _opened(out)


def _opened(out: Path) -> Dataset:
    found = packed_at(str(out))
    return (replace(found, part="all") if isinstance(found, PackedPairs) else found).open()


@dataclass(eq=False)
class _Journal:
    """The completed files, a line each in a file that is removed at the end."""

    folder: Path
    file: IO[str]
    hashes: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, line: Any) -> None:
        self.file.write(json.dumps(line) + "\n")
        sync_file(self.file)

    def add_notes(self, notes: Iterable[str]) -> None:
        for note in notes:
            self.notes.append(note)
            self.add(note)

    def has(self, name: str, size: int) -> bool:
        """Whether a file exists unchanged since it was written."""
        if name not in self.hashes:
            return False
        try:
            check_size(self.folder / name, size)
        except ValueError:
            return False
        return file_hash(self.folder / name) == self.hashes[name]

    def put(self, name: str, blocks: Iterable[bytes]) -> None:
        """Write a file under a temporary name, rename it once it is complete and synced, and record it."""
        digest, unfinished = hashlib.sha256(), temporary(self.folder / name)
        with create(unfinished) as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
            sync_file(file)
        unfinished.replace(self.folder / name)
        sync_folder(self.folder)
        self.hashes[name] = digest.hexdigest()
        self.add([name, self.hashes[name]])


@contextmanager
def _journal(out: Path, plan: Plan) -> Iterator[_Journal]:
    """Continue the journal of a folder, or start one, under an exclusive lock."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with os.fdopen(open_own(out / UNFINISHED, flags), "a+", encoding="utf-8", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process is packing into {out}: wait for it, or choose another folder") from None
        file.seek(0)
        text = file.read()
        lines, journal = _lines(text), _Journal(out, file)
        if not lines:
            file.truncate(0)
            journal.add(plan.facts())
        elif not _is_same(_plan(lines[0]), plan):
            raise ValueError(f"{out} has another incomplete packed set: choose a new folder, or remove it")
        elif not text.endswith("\n"):
            file.write("\n")
        for line in lines[1:]:
            if isinstance(line, list) and len(line) == 2 and all(isinstance(word, str) for word in line):
                journal.hashes[line[0]] = line[1]
            elif isinstance(line, str):
                journal.notes.append(line)
        yield journal


def _lines(text: str) -> list[Any]:
    """The lines of a journal; a truncated last line is ignored."""
    found: list[Any] = []
    for line in text.splitlines():
        with suppress(ValueError, RecursionError):
            found.append(json.loads(line))
    return found


def _plan(line: Any) -> Plan | None:
    try:
        return plan_of(line)
    except (ValueError, KeyError):
        return None


def _is_same(before: Plan | None, plan: Plan) -> bool:
    """Whether two plans are of the same set; notes may also be on files that packing itself wrote beside the images."""
    return before is not None and replace(before, notes=plan.notes) == plan


def _planned(dataset: Dataset) -> Plan:
    first = dataset.read(torch.tensor([0]))
    kind, precision = str(first.dtype).removeprefix("torch."), "float64"
    entries = () if dataset.condition is None else dataset.condition.components
    if dataset.conditions is not None and entries:
        precision = str(dataset.conditions.table.dtype).removeprefix("torch.")
    sample = max(1, first.numel() * first.element_size())
    return Plan(
        name=dataset.name,
        count=dataset.count,
        shape=tuple(dataset.shape),
        kind=kind,
        rows=max(1, max(_SHARD, dataset.count * sample // _MOST_SHARDS) // sample),
        classes=dataset.classes,
        entries=entries,
        precision=precision,
        notes=dataset.notes,
        content=fingerprint(dataset),
        pairs=None if dataset.conditions is None else _pairs_of(dataset.conditions),
    )


def _pairs_of(conditions: Conditions) -> Pairs | None:
    kind = conditions.kind
    if not isinstance(kind, Image | Text):
        return None
    facts: dict[str, Any] = json.loads(json.dumps(kind.facts))
    return Pairs(type(kind).__name__, facts, tuple(conditions.of(torch.tensor([0])).shape[1:]))


def _write(dataset: Dataset, plan: Plan, journal: _Journal, progress: Callable[[int, int], None] | None) -> None:
    """Write every missing file, and the manifest at the end."""
    sizes = plan.sizes
    for name, indices in plan.shards.items():
        if not journal.has(name, sizes[name]):
            journal.put(name, _samples(dataset, indices, progress))
            journal.add_notes(dataset.news())
        elif progress is not None:
            progress(indices.stop, plan.count)
    if plan.pairs is not None:
        _write_pairs(dataset, plan, journal)
    elif dataset.conditions is not None:
        journal.put(LABELS if dataset.classes else CONDITIONS, [dataset.conditions.table.numpy().tobytes()])
    complete = replace(plan, notes=(*plan.notes, *journal.notes))
    replace_durably(journal.folder / MANIFEST, manifest(complete, {name: journal.hashes[name] for name in sizes}))
    (journal.folder / UNFINISHED).unlink()
    sync_folder(journal.folder)


def _write_pairs(dataset: Dataset, plan: Plan, journal: _Journal) -> None:
    """Write every missing file of conditions, derived from the samples as they were packed, and who is held out."""
    sizes, samples = plan.sizes, packed_samples(journal.folder, plan)
    for name, indices in plan.shards_of_pairs.items():
        if not journal.has(name, sizes[name]):
            journal.put(name, _conditions(dataset, indices, samples))
            journal.add_notes(dataset.news())
    journal.put(HELD_OUT, [are_held_out(dataset).numpy().astype("uint8").tobytes()])


def _conditions(dataset: Dataset, indices: range, samples: Callable[[Tensor], Tensor]) -> Iterator[bytes]:
    assert dataset.conditions is not None
    for start in range(indices.start, indices.stop, _BLOCK):
        index = torch.arange(start, min(start + _BLOCK, indices.stop))
        yield dataset.conditions.of(index, samples(index)).contiguous().numpy().tobytes()


def _samples(dataset: Dataset, indices: range, progress: Callable[[int, int], None] | None) -> Iterator[bytes]:
    for start in range(indices.start, indices.stop, _BLOCK):
        stop = min(start + _BLOCK, indices.stop)
        yield dataset.read(torch.arange(start, stop)).numpy().tobytes()
        if progress is not None:
            progress(stop, dataset.count)
