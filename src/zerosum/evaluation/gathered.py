"""From a side to what measures take: moments, features, logits, labels, and a hash of what was seen."""

__all__ = ()

import hashlib
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from zerosum.evaluation.groups_of_samples import Parts
from zerosum.evaluation.sets import Piece, Sample, Side
from zerosum.features.extractor import Features
from zerosum.metrics.moments import Moments

Need = Literal["moments", "features", "logits", "labels", "images"]
Progress = Callable[[int, int], None]
See = Callable[[Tensor], Features]


@dataclass(frozen=True, eq=False)
class Gathered:
    """What was gathered of a side.

    Attributes:
        name: what the side was given as.
        count: samples that were seen.
        content: sha256 of the set of them, whatever its order.
        moments: mean and covariance of the features; None where nobody asked, or where there are `parts`.
        parts: the same by groups of samples, in files, for a side whose chance is to be told.
        features: `(count, d)`, in the order of the sample; None where nobody asked.
        logits: `(count, K)`, likewise.
        labels: `(count,)`, likewise.
        images: uint8 `(count, H, W, C)`, likewise.
    """

    name: str
    count: int
    content: str
    moments: Moments | None = None
    parts: Parts | None = None
    features: Tensor | None = None
    logits: Tensor | None = None
    labels: Tensor | None = None
    images: Tensor | None = None


class Digest:
    """The sha256 of samples: of the set that they are, and of the row in which they stand."""

    def __init__(self) -> None:
        self._each: list[bytes] = []

    def add(self, piece: Piece) -> None:
        """Take in some samples, each by itself, so that it does not matter how many come together."""
        x = piece.features if isinstance(piece, Features) else piece
        kind = f"{x.dtype} {tuple(x.shape[1:])} ".encode()
        self._each += [hashlib.sha256(kind + row.tobytes()).digest() for row in x.numpy()]

    @property
    def content(self) -> str:
        """Of the set, whatever its order."""
        return hashlib.sha256(b"".join(sorted(self._each))).hexdigest()

    @property
    def row(self) -> str:
        """Of the samples in their order."""
        return hashlib.sha256(b"".join(self._each)).hexdigest()


def digest(sample: Sample, progress: Progress | None = None) -> Digest:
    """Read all of a sample for its hash."""
    made, done = Digest(), 0
    for piece in sample.pieces():
        made.add(piece)
        done += len(piece.features) if isinstance(piece, Features) else len(piece)
        if progress is not None:
            progress(done, sample.count)
    return made


def gather(
    side: Side,
    sample: Sample,
    see: See,
    needs: Set[Need],
    batch: int,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Gathered:
    """Look at all of a sample once, and keep what is needed: for moments alone, no more than these.

    Args:
        side: where the sample is from.
        sample: what was drawn from it.
        see: what makes features of pictures `(B, H, W, C)`.
        needs: what to keep.
        batch: pictures seen together.
        folder: where to keep moments by groups; None where these are wanted as a whole only.
        progress: is told the samples done and in all.

    Raises:
        ValueError: where features are no finite numbers, or logits or labels are needed and there are none.
    """
    if "labels" in needs and sample.labels is None:
        raise ValueError(f"{side.name} has no labels, and what is asked for goes by class: leave it out")
    if "images" in needs and side.kind != "images":
        raise ValueError(f"{side.name} holds no pictures, and what is asked for looks at these: leave it out")
    hashed, kept = Digest(), _Kept(side.name, sample.count, needs, folder)
    for images, seen in _seen(sample.pieces(), see if needs - {"images", "labels"} else _nothing, batch):
        hashed.add(seen if images is None else images)
        kept.add(images, seen)
        if progress is not None:
            progress(kept.done, sample.count)
    return Gathered(
        side.name,
        sample.count,
        hashed.content,
        kept.moments,
        kept.parts,
        kept.features,
        kept.logits,
        sample.labels if "labels" in needs else None,
        kept.images,
    )


class _Kept:
    """What is kept of the features of a side as they come."""

    def __init__(self, name: str, count: int, needs: Set[Need], folder: Path | None) -> None:
        self.name, self.count, self.needs, self.folder = name, count, needs, folder
        self.done = 0
        self.moments: Moments | None = None
        self.parts: Parts | None = None
        self.features: Tensor | None = None
        self.logits: Tensor | None = None
        self.images: Tensor | None = None

    def add(self, images: Tensor | None, seen: Features) -> None:
        """Keep what is needed of some more."""
        x, logits = seen
        if not x.isfinite().all():
            first = self.done + int((~x.isfinite()).any(1).nonzero()[0])
            raise ValueError(f"the features of {self.name} should be finite numbers; those of sample {first} are not")
        if "moments" in self.needs and self.folder is not None:
            self.parts = self.parts or Parts(x.shape[1], self.count, self.folder)
            self.parts.add(x)
        elif "moments" in self.needs:
            self.moments = self.moments or Moments(x.shape[1])
            self.moments.add(x)
        if "features" in self.needs:
            self.features = self._put(self.features, x)
        if "logits" in self.needs:
            if logits is None:
                raise ValueError(
                    f"the features of {self.name} come without logits, which an inception score is made of: "
                    f"take those of a classifier, as inception's"
                )
            self.logits = self._put(self.logits, logits)
        if "images" in self.needs and images is not None:
            self.images = self._put(self.images, images)
        self.done += len(x)

    def _put(self, rows: Tensor | None, x: Tensor) -> Tensor:
        """Rows `(count, ...)` with x where they stand, made when the first of them come."""
        rows = x.new_empty(self.count, *x.shape[1:]) if rows is None else rows
        rows[self.done : self.done + len(x)] = x
        return rows


def _seen(pieces: Iterator[Piece], see: See, batch: int) -> Iterator[tuple[Tensor | None, Features]]:
    """Pictures and their features, looked at `batch` at a time however many come together; or features as they come."""
    waiting: list[Tensor] = []
    for piece in pieces:
        if isinstance(piece, Features):
            yield None, piece
            continue
        *whole, rest = torch.split(torch.cat([*waiting, piece]), batch)
        yield from ((images, see(images)) for images in whole)
        waiting = [rest]
    yield from ((images, see(images)) for images in waiting)


def _nothing(images: Tensor) -> Features:
    """Features of no dimension, where nobody needs any."""
    return Features(torch.empty(len(images), 0))
