"""Inspect data before training: summary statistics, and files that are broken."""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from zerosum.conditions.schema import ConditionSchema
from zerosum.data._paths import printable
from zerosum.data.dataset import Dataset, Source
from zerosum.data.resolve import source
from zerosum.data.sources._decode import decode
from zerosum.data.sources._files import Files
from zerosum.data.sources._tables import beside
from zerosum.data.sources.folders import Images, image_headers, threaded
from zerosum.data.sources.packed import PackedPairs, PackedSet, verified

Progress = Callable[[int, int], None]
_BATCH = 256


@dataclass(frozen=True, eq=False)
class Column:
    """Summary of a component of a data set's conditions; `attribute` is whether it is binary."""

    attribute: bool
    low: float
    high: float
    mean: float
    std: float


@dataclass(frozen=True, eq=False)
class Information:
    """Summary of a data set; `dataclasses.asdict` of it is JSON.

    `shape` is that of a sample, `classes` the number of samples of each class, `conditions` a summary of each
    component. `low`, `high`, and `mean` and `std` per channel or dimension, are in the data's own units: 0..255 for
    images. `bytes` is the size of all samples in memory, `duplicates` the number of samples equal to an earlier one.
    """

    name: str
    count: int
    shape: tuple[int, ...]
    classes: dict[str, int]
    conditions: dict[str, Column]
    low: float
    high: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    bytes: int
    duplicates: int
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Broken:
    """A file of a source that cannot be used, and the reason."""

    file: str
    reason: str


@dataclass(frozen=True, eq=False)
class Report:
    """The result of decoding all of a source; `dataclasses.asdict` of it is JSON."""

    source: str
    checked: int
    broken: tuple[Broken, ...]
    notes: tuple[str, ...]


def info(dataset: Dataset, progress: Progress | None = None) -> Information:
    """Read all of a data set and return its summary; `progress` is called with (samples done, total)."""
    first = dataset.read(torch.tensor([0]))
    first_mean = _by_channel(first).mean(0)
    offset, square = torch.zeros_like(first_mean), torch.zeros_like(first_mean)
    low, high, seen = math.inf, -math.inf, set()
    for x in _batches(dataset, progress):
        low, high = min(low, float(x.min())), max(high, float(x.max()))
        seen |= {hashlib.blake2b(sample.numpy().tobytes(), digest_size=16).digest() for sample in x}
        values = _by_channel(x) - first_mean  # small, so that the squares of data far from 0 keep their digits
        weight = len(x) / dataset.count
        offset, square = offset + weight * values.mean(0), square + weight * values.square().mean(0)
    return Information(
        name=dataset.name,
        count=dataset.count,
        shape=dataset.shape,
        classes=_class_counts(dataset),
        conditions=_columns(dataset),
        low=low,
        high=high,
        mean=tuple((first_mean + offset).tolist()),
        std=tuple((square - offset.square()).clamp(min=0).sqrt().tolist()),
        bytes=dataset.count * math.prod(dataset.shape) * first.element_size(),
        duplicates=dataset.count - len(seen),
        notes=dataset.notes + dataset.news(),
    )


def check(spec: str | Path | Source, progress: Progress | None = None) -> Report:
    """Decode everything in a source and return what is broken; `progress` is called with (samples done, total).

    Raises `ValueError` when there is nothing to check: no such path, or no images in it.
    """
    found = source(spec)
    if isinstance(found, Images):
        return _check_files(image_headers(found.path)[0], found.conditions, progress)
    if isinstance(found, PackedSet | PackedPairs):
        return _check_packed(found, progress)
    name, checked = str(spec), 0
    try:
        dataset = found.open()
        for x in _batches(dataset, progress):
            checked += len(x)
    except ValueError as error:
        return Report(name, checked, (Broken(name, str(error)),), ())
    return Report(name, checked, (), dataset.notes)


def _check_files(files: Files, table: str | None, progress: Progress | None) -> Report:
    def reason(name: str) -> str | None:
        try:
            decode(files.read(name), grey=False)
        except ValueError as error:
            return str(error)
        return None

    broken: list[Broken] = []
    for start in range(0, len(files.names), _BATCH):
        names = files.names[start : start + _BATCH]
        found = zip(names, threaded(reason, names), strict=True)
        broken += [Broken(printable(files.path / name), why) for name, why in found if why is not None]
        if progress is not None:
            progress(start + len(names), len(files.names))
    notes: tuple[str, ...] = ()
    try:
        notes = beside(files, table).notes
    except ValueError as error:
        broken.append(Broken(str(files.path), str(error)))
    return Report(str(files.path), len(files.names), tuple(broken), notes)


def _check_packed(packed: PackedSet | PackedPairs, progress: Progress | None) -> Report:
    """Verify the checksum of every file of a packed set."""
    broken: list[Broken] = []
    try:
        dataset = (replace(packed, part="all") if isinstance(packed, PackedPairs) else packed).open()
    except ValueError as error:
        return Report(packed.path, 0, (Broken(packed.path, str(error)),), ())
    checked = 0
    for file, samples, wrong in verified(packed):
        checked += samples
        broken += [] if wrong is None else [Broken(file, wrong)]
        if progress is not None:
            progress(checked, dataset.count)
    return Report(packed.path, checked, tuple(broken), dataset.notes)


def _batches(dataset: Dataset, progress: Progress | None) -> Iterator[Tensor]:
    for start in range(0, dataset.count, _BATCH):
        x = dataset.read(torch.arange(start, min(start + _BATCH, dataset.count)))
        yield x
        if progress is not None:
            progress(start + len(x), dataset.count)


def _by_channel(x: Tensor) -> Tensor:
    """Return all values of samples (B, C, ...) as float64 (values, C)."""
    return x.double().movedim(1, -1).reshape(-1, x.shape[1])


def _class_counts(dataset: Dataset) -> dict[str, int]:
    if dataset.labels is None:
        return {}
    counts = dataset.labels.bincount(minlength=len(dataset.classes)).tolist()
    return dict(zip(dataset.classes, counts, strict=True))


def _columns(dataset: Dataset) -> dict[str, Column]:
    if dataset.conditions is None or not dataset.conditions.kind.components:
        return {}
    rows, names = dataset.conditions.table, dataset.conditions.kind.components
    schema, found = ConditionSchema.measured(rows.numpy(), names), {}
    binary = bool(((rows == 0) | (rows == 1)).all())
    for place, name in enumerate(names):
        low, high = float(rows[:, place].min()), float(rows[:, place].max())
        std = schema.std[place] if low < high else 0.0
        found[name] = Column(binary, low, high, schema.mean[place], std)
    return found
