"""Packing a source: decoding it once, so that training reads it as fast as memory."""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import torch

from zerosum._disk import file_hash, replace_durably, sync_file, sync_folder, temporary
from zerosum.conditions.components import Attributes, Vector
from zerosum.conditions.labels import Labels
from zerosum.data.dataset import Dataset
from zerosum.data.fingerprints import fingerprint
from zerosum.data.resolve import source
from zerosum.data.sources._manifest import (
    CONDITIONS,
    LABELS,
    MANIFEST,
    UNFINISHED,
    Plan,
    check_size,
    manifest,
    plan_of,
    read_manifest,
)
from zerosum.data.sources.packed import PackedSet

_SHARD, _MOST_SHARDS = 32 << 20, 128  # bytes of a file of samples at least; files of samples at most
_BLOCK = 256  # samples read at once


def pack(data: Any, folder: str | Path, progress: Callable[[int, int], None] | None = None) -> Dataset:
    """Write the samples of a source into a folder that `PackedSet` opens, and return that opened.

    The folder holds the samples as raw bytes in files of at least 32 MiB, labels or conditions likewise, and a manifest
    with the sha256 of each, which is written last: without it the set is not whole. After an interruption, even by a
    kill, the same call goes on after the last whole file. Images of folders are decoded by several threads.

    Args:
        data: a source, or what `source` takes for one.
        folder: a new one, an empty one, or one in which the same packing was interrupted.
        progress: is told the samples done and in all.

    Raises:
        ValueError: for latents, for conditions of a kind of one's own, for a folder that holds something else, and for
            data that cannot be read.
        OSError: where the folder cannot be written, as on a full disk; what was written stays.
    """
    dataset, out = source(data).open(), Path(folder)
    if dataset.coding is not None:
        raise ValueError(f"{dataset.name} cannot be packed: pack the pictures, then use Latents(PackedSet(...), ...)")
    if not isinstance(dataset.condition, Labels | Attributes | Vector | None):
        raise ValueError(
            f"{dataset.name} cannot be packed: a packed set has labels or rows of numbers, and its conditions are "
            f"{type(dataset.condition).__name__}: train on the source as it is"
        )
    plan = _planned(dataset)
    if (out / MANIFEST).exists():
        if replace(read_manifest(out)[0], notes=plan.notes) != plan:
            raise ValueError(f"{out} holds another packed set: name a new folder, or remove it")
        return PackedSet(str(out)).open()
    if out.exists() and not (out / UNFINISHED).exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} holds something already: name a new folder for the packed set")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _journal(out, plan) as journal:
            _write(dataset, plan, journal, progress)
    except OSError as error:
        raise OSError(
            f"{out} cannot be written ({error}): what is packed stays, and the same command goes on"
        ) from error
    return PackedSet(str(out)).open()


@dataclass(eq=False)
class _Journal:
    """Which files are whole, a line each in a file that is gone once all are."""

    folder: Path
    file: IO[str]
    hashes: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, line: Any) -> None:
        self.file.write(json.dumps(line) + "\n")
        sync_file(self.file)

    def say(self, notes: Iterable[str]) -> None:
        for note in notes:
            self.notes.append(note)
            self.add(note)

    def holds(self, name: str, size: int) -> bool:
        """Whether a file is there as it was written."""
        if name not in self.hashes:
            return False
        try:
            check_size(self.folder / name, size)
        except ValueError:
            return False
        return file_hash(self.folder / name) == self.hashes[name]

    def put(self, name: str, blocks: Iterable[bytes]) -> None:
        """Write a file beside its place, move it there when it is whole and on the disk, and take note of it."""
        digest, unfinished = hashlib.sha256(), temporary(self.folder / name)
        with unfinished.open("wb") as file:
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
    """Go on in the journal of a folder, or begin one; no other process can while this one does."""
    with (out / UNFINISHED).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process is packing into {out}: let it end, or name another folder") from None
        file.seek(0)
        text = file.read()
        lines, journal = _lines(text), _Journal(out, file)
        if not lines:
            file.truncate(0)
            journal.add(plan.facts())
        elif _plan(lines[0]) != plan:
            raise ValueError(f"{out} holds the beginning of another packed set: name a new folder, or remove it")
        elif not text.endswith("\n"):
            file.write("\n")
        for line in lines[1:]:
            if isinstance(line, list) and len(line) == 2 and all(isinstance(word, str) for word in line):
                journal.hashes[line[0]] = line[1]
            elif isinstance(line, str):
                journal.notes.append(line)
        yield journal


def _lines(text: str) -> list[Any]:
    """What stands in a journal; a line that was cut off by a kill counts for nothing."""
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


def _planned(dataset: Dataset) -> Plan:
    first = dataset.read(torch.tensor([0]))
    kind, precision = str(first.dtype).removeprefix("torch."), "float64"
    entries = () if dataset.condition is None else dataset.condition.components
    if dataset.conditions is not None and entries:
        precision = str(dataset.conditions.values.dtype).removeprefix("torch.")
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
    )


def _write(dataset: Dataset, plan: Plan, journal: _Journal, progress: Callable[[int, int], None] | None) -> None:
    """Write every file that is not there yet, and the manifest at the end."""
    sizes = plan.sizes
    for name, held in plan.shards.items():
        if not journal.holds(name, sizes[name]):
            journal.put(name, _samples(dataset, held, progress))
            journal.say(dataset.news())
        elif progress is not None:
            progress(held.stop, plan.count)
    if dataset.conditions is not None:
        journal.put(LABELS if dataset.classes else CONDITIONS, [dataset.conditions.values.numpy().tobytes()])
    whole = replace(plan, notes=(*plan.notes, *journal.notes))
    replace_durably(journal.folder / MANIFEST, manifest(whole, {name: journal.hashes[name] for name in sizes}))
    (journal.folder / UNFINISHED).unlink()
    sync_folder(journal.folder)


def _samples(dataset: Dataset, held: range, progress: Callable[[int, int], None] | None) -> Iterator[bytes]:
    for start in range(held.start, held.stop, _BLOCK):
        stop = min(start + _BLOCK, held.stop)
        yield dataset.read(torch.arange(start, stop)).numpy().tobytes()
        if progress is not None:
            progress(stop, dataset.count)
