"""Disk cache of the features and moments of a reference set, by the content of the images and the extractor."""

__all__ = ()

import hashlib
import json
import os
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from zerosum import __version__
from zerosum._cache import cache_folder
from zerosum._disk import replace_durably
from zerosum._foreign import read_tensors
from zerosum.evaluation.gathered import Extract, Gathered, Need, Progress, digest, gather
from zerosum.evaluation.sets import Sample, SampleSet
from zerosum.features.extractor import Features
from zerosum.metrics.moments import Moments

MAX_BYTES = 4 << 30  # of the whole cache; the least recently used files are deleted


def gather_cached(
    data: SampleSet,
    sample: Sample,
    extract: Extract,
    needs: Set[Need],
    batch: int,
    facts: Mapping[str, str],
    progress: Progress | None = None,
) -> tuple[Gathered, OSError | None]:
    """What `gather` returns, features or moments from the cache if possible; and why they could not be stored."""
    hashed = digest(sample, progress)
    place = entry(hashed.sequence, facts)
    rows = place.features() if "features" in needs else None
    if rows is not None and len(rows) == sample.count:
        before = Sample(sample.count, lambda: map(Features, torch.split(rows, batch)), sample.labels)
        return replace(gather(data, before, extract, needs, batch), content=hashed.content), None
    moments = place.moments() if "features" not in needs else None
    if moments is not None and moments.count == sample.count:
        return Gathered(data.name, sample.count, hashed.content, moments), None
    found = gather(data, sample, extract, needs, batch, progress=progress)
    try:
        place.store(found)
    except OSError as error:
        return found, error
    return found, None


def entry(sequence: str, extractor: Mapping[str, str]) -> "Entry":
    """The cache entry of samples with this hash (in their order) for an extractor with these facts, in this version."""
    key = json.dumps([__version__, sequence, dict(extractor)], sort_keys=True)
    return Entry(hashlib.sha256(key.encode()).hexdigest()[:32])


@dataclass(frozen=True)
class Entry:
    """The cache entry of one set and one extractor; `key` is the hash of both."""

    key: str

    @property
    def folder(self) -> Path:
        """The folder of the cache; raises `OSError` if there is no home folder."""
        return cache_folder("evaluation")

    def moments(self) -> Moments | None:
        """The moments of the features; None if they are missing or damaged."""
        try:
            os.utime(self._moments)
            return Moments.load(self._moments)
        except (OSError, ValueError):
            return None

    def features(self) -> Tensor | None:
        """The features `(count, d)`; None if they are missing or damaged."""
        try:
            os.utime(self._features)
            rows = read_tensors(self._features)[0].get("features")
        except (OSError, ValueError):
            return None
        return rows if rows is not None and rows.dim() == 2 and rows.dtype == torch.float32 else None

    def store(self, found: Gathered) -> None:
        """Store features and moments; raises `OSError` if they cannot be written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        x = found.features
        if x is not None and x.numel() * x.element_size() <= MAX_BYTES:
            replace_durably(self._features, safetensors.torch.save({"features": x.contiguous()}))
        if found.moments is not None:
            found.moments.save(self._moments)
        self._make_room()

    @property
    def _moments(self) -> Path:
        return self.folder / f"{self.key}.moments.safetensors"

    @property
    def _features(self) -> Path:
        return self.folder / f"{self.key}.features.safetensors"

    def _make_room(self) -> None:
        """Delete the least recently used files until the cache takes at most `MAX_BYTES`."""
        taken = 0
        files = {file: file.stat() for file in self.folder.glob("*.safetensors")}
        for file, status in sorted(files.items(), key=lambda one: one[1].st_mtime, reverse=True):
            taken += status.st_size
            if taken > MAX_BYTES:
                file.unlink(missing_ok=True)
