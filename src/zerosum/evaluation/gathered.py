"""From a set to the inputs of metrics: moments, features, logits, labels, images, and a hash of the content."""

__all__ = ()

import hashlib
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from zerosum.evaluation.group_moments import GroupMoments
from zerosum.evaluation.latent_map import LatentMap
from zerosum.evaluation.sets import Chunk, Sample, SampleSet
from zerosum.features.extractor import Features
from zerosum.metrics.moments import Moments

Need = Literal["moments", "features", "logits", "labels", "images", "pairs", "conditions", "captions", "paths", "texts"]
OF_IMAGES: frozenset[Need] = frozenset({"images", "pairs", "conditions", "captions"})
OF_SAMPLES: frozenset[Need] = OF_IMAGES | {"texts"}  # needs that no cache serves
NO_FEATURES: frozenset[Need] = OF_SAMPLES | {"labels"}  # needs that no extractor serves
Progress = Callable[[int, int], None]
Extract = Callable[[Tensor], Features]


@dataclass(frozen=True, eq=False)
class Gathered:
    """What was computed from a set of samples. Everything that was not requested is None.

    Attributes:
        name: of the set.
        count: number of samples.
        content: sha256 of the set of samples, independent of their order.
        moments: mean and covariance of the features; also None if there are `group_moments`.
        group_moments: the same for each group of samples, in files, for the jackknife.
        features: `(count, d)`, in the order of the sample.
        logits: `(count, K)`.
        labels: `(count,)`.
        images: uint8 `(count, H, W, C)`.
        conditions: those that the reference set derives from the images, `(count, ...)`.
        captions: those of the samples, indices of words int64 `(count, length)` with 0 for padding.
        paths: maps latents of a trained generator to features.
        texts: the samples as texts, in their order.
    """

    name: str
    count: int
    content: str
    moments: Moments | None = None
    group_moments: GroupMoments | None = None
    features: Tensor | None = None
    logits: Tensor | None = None
    labels: Tensor | None = None
    images: Tensor | None = None
    conditions: Tensor | None = None
    captions: Tensor | None = None
    paths: LatentMap | None = None
    texts: tuple[str, ...] | None = None


class Digest:
    """The sha256 of samples: of the set, and of the sequence."""

    def __init__(self) -> None:
        self._each: list[bytes] = []

    def add(self, chunk: Chunk) -> None:
        """Add samples; each is hashed by itself, so the chunk size does not matter."""
        x = chunk.features if isinstance(chunk, Features) else chunk
        kind = f"{x.dtype} {tuple(x.shape[1:])} ".encode()
        self._each += [hashlib.sha256(kind + row.tobytes()).digest() for row in x.numpy()]

    @property
    def content(self) -> str:
        """Hash of the set, independent of the order."""
        return hashlib.sha256(b"".join(sorted(self._each))).hexdigest()

    @property
    def sequence(self) -> str:
        """Hash of the samples in their order."""
        return hashlib.sha256(b"".join(self._each)).hexdigest()


def digest(sample: Sample, progress: Progress | None = None) -> Digest:
    """Hash a whole sample."""
    made, done = Digest(), 0
    for chunk in sample.chunks():
        made.add(chunk)
        done += len(chunk.features) if isinstance(chunk, Features) else len(chunk)
        if progress is not None:
            progress(done, sample.count)
    return made


def gather(
    sample_set: SampleSet,
    sample: Sample,
    extract: Extract,
    needs: Set[Need],
    batch: int,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Gathered:
    """Read a sample once and compute what is needed; if only moments are needed, features are not kept in memory.

    Args:
        sample_set: the set.
        sample: a sample of it.
        extract: the feature extractor, which maps images `(B, H, W, C)` to features.
        needs: what to return.
        batch: batch size of the extractor.
        folder: where to store the moments of groups; None for moments of the whole sample only.
        progress: called with the number of samples done and in total.

    Raises:
        ValueError: if features are not finite, or logits, labels, texts or images are needed and not available.
    """
    if "labels" in needs and sample.labels is None:
        raise ValueError(f"{sample_set.name} has no labels, but a requested metric needs them: remove that metric")
    if "texts" in needs and sample.texts is None:
        raise ValueError(f"{sample_set.name} has no texts, but a requested metric needs them: remove that metric")
    if needs & OF_IMAGES and sample_set.kind != "images":
        raise ValueError(f"{sample_set.name} has no images, but a requested metric needs them: remove that metric")
    hashed, collected = Digest(), _Collector(sample_set.name, sample.count, needs, folder)
    extract = extract if needs - NO_FEATURES - {"paths"} else _no_features
    for images, seen in _extracted(sample.chunks(), extract, batch):
        hashed.add(seen if images is None else images)
        collected.add(images, seen)
        if progress is not None:
            progress(collected.done, sample.count)
    return Gathered(
        sample_set.name,
        sample.count,
        hashed.content,
        collected.moments,
        collected.group_moments,
        collected.features,
        collected.logits,
        sample.labels if "labels" in needs else None,
        collected.images,
        texts=tuple(sample.texts()) if "texts" in needs and sample.texts is not None else None,
    )


class _Collector:
    """Collects the moments, features, logits and images of a sample, chunk by chunk."""

    def __init__(self, name: str, count: int, needs: Set[Need], folder: Path | None) -> None:
        self.name, self.count, self.needs, self.folder = name, count, needs, folder
        self.done = 0
        self.moments: Moments | None = None
        self.group_moments: GroupMoments | None = None
        self.features: Tensor | None = None
        self.logits: Tensor | None = None
        self.images: Tensor | None = None

    def add(self, images: Tensor | None, seen: Features) -> None:
        """Add a chunk."""
        x, logits = seen
        if not x.isfinite().all():
            first = self.done + int((~x.isfinite()).any(1).nonzero()[0])
            raise ValueError(f"the features of {self.name} should be finite numbers; those of sample {first} are not")
        if "moments" in self.needs and self.folder is not None:
            self.group_moments = self.group_moments or GroupMoments(x.shape[1], self.count, self.folder)
            self.group_moments.add(x)
        elif "moments" in self.needs:
            self.moments = self.moments or Moments(x.shape[1])
            self.moments.add(x)
        if "features" in self.needs:
            self.features = self._write(self.features, x)
        if "logits" in self.needs:
            if logits is None:
                raise ValueError(
                    f"the features of {self.name} have no logits, which the inception score needs: "
                    f"use features of a classifier, such as inception"
                )
            self.logits = self._write(self.logits, logits)
        if self.needs & OF_IMAGES and images is not None:
            self.images = self._write(self.images, images)
        self.done += len(x)

    def _write(self, rows: Tensor | None, x: Tensor) -> Tensor:
        """Write x into rows `(count, ...)`, which are allocated for the first chunk."""
        rows = x.new_empty(self.count, *x.shape[1:]) if rows is None else rows
        rows[self.done : self.done + len(x)] = x
        return rows


def _extracted(chunks: Iterator[Chunk], extract: Extract, batch: int) -> Iterator[tuple[Tensor | None, Features]]:
    """Images and their features in batches of `batch`, whatever the chunk size; or features as they come."""
    waiting: list[Tensor] = []
    for chunk in chunks:
        if isinstance(chunk, Features):
            yield None, chunk
            continue
        *whole, rest = torch.split(torch.cat([*waiting, chunk]), batch)
        yield from ((images, extract(images)) for images in whole)
        waiting = [rest]
    yield from ((images, extract(images)) for images in waiting)


def _no_features(images: Tensor) -> Features:
    """Features of dimension 0, if no metric needs features."""
    return Features(torch.empty(len(images), 0))
