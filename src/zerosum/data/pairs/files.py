"""Pairs of image files: two folders, images side by side, and two sets without pairs."""

__all__ = ["PairedFolders", "SideBySide", "Unpaired"]

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum._paths import PATH, tidy_paths
from zerosum.conditions.image import EXAMPLES, Image
from zerosum.data._paths import printable
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import Dataset, Source
from zerosum.data.fingerprints import fingerprint
from zerosum.data.held_out import PARTS, part_of, subset
from zerosum.data.resolve import source
from zerosum.data.sources._decode import FITS
from zerosum.data.sources._mirror import mirrored
from zerosum.data.sources.folders import Images

_DIRECTIONS = ("a-to-b", "b-to-a")
_LISTED = 3  # files without a partner that a note names


@dataclass(frozen=True)
class PairedFolders:
    """Pairs of images with the same name in two folders or zips: those of `a` are the conditions of those of `b`.

    Names are paths within the folder without the suffix, so `a/cat/1.jpg` belongs to `b/cat/1.png`. Images without a
    partner are left out, with a note.

    Args:
        a: the folder of conditions.
        b: the folder of samples.
        size: height and width of both, as in `Images`.
        fit: "crop", "pad" or "exact", as in `Images`.
        flip: whether each pair also enters mirrored.
        part: "train", "test" or "all": one pair in ten is held out by its name.
    """

    a: str = field(metadata=PATH)
    b: str = field(metadata=PATH)
    size: int | tuple[int, int] | None = None
    fit: str = "crop"
    flip: bool = False
    part: str = "train"

    def __post_init__(self) -> None:
        tidy_paths(self)
        require(self, self.fit in (*FITS, "exact"), f"fit to be {' or '.join((*FITS, 'exact'))}")
        require(self, self.part in PARTS, f"part to be {', '.join(PARTS)}")

    def open(self) -> Dataset:
        """Open both folders; raises `ValueError` where no image of one has a partner in the other."""
        first, second = (Images(path, self.size, self.fit).open() for path in (self.a, self.b))
        one, other = _stems(first), _stems(second)
        names = [name for name in other if name in one]
        if not names:
            raise ValueError(f"no image of {self.a} has the name of an image of {self.b}: pairs have equal names")
        notes = tuple(
            _without_partner(path, mine, theirs)
            for path, mine, theirs in ((self.a, one, other), (self.b, other, one))
            if mine.keys() - theirs.keys()
        )
        conditions = subset(first, torch.tensor([one[name] for name in names]), "paired")
        samples = subset(second, torch.tensor([other[name] for name in names]), "paired")
        found = _with_images(samples, conditions, torch.arange(len(names)), paired=True)
        found = replace(found, notes=(*found.notes, *notes))
        return part_of(mirrored(found) if self.flip else found, self.part)


@dataclass(frozen=True)
class SideBySide:
    """Pairs in the format of pix2pix: each file has two images of one size side by side, a on the left and b.

    Args:
        folder: a folder or zip of such files.
        direction: "a-to-b": the left image is the condition of the right one; or "b-to-a".
        size: height and width of one image, as in `Images`; by default half of the file's width.
        flip: whether each pair also enters mirrored.
        part: "train", "test" or "all": one pair in ten is held out by its name.
    """

    folder: str = field(metadata=PATH)
    direction: str = "a-to-b"
    size: int | None = None
    flip: bool = False
    part: str = "train"

    def __post_init__(self) -> None:
        tidy_paths(self)
        require(self, self.direction in _DIRECTIONS, f"direction to be {' or '.join(_DIRECTIONS)}")
        require(self, self.part in PARTS, f"part to be {', '.join(PARTS)}")

    def open(self) -> Dataset:
        """Open the folder; raises `ValueError` for images of an odd width."""
        size = None if self.size is None else (self.size, 2 * self.size)
        both = Images(self.folder, size, "exact" if size is None else "crop").open()
        channels, height, width = both.shape
        if width % 2:
            raise ValueError(f"{both.name} has images of width {width}, which are not two of equal width side by side")
        left, right = (_half(both, side, (channels, height, width // 2)) for side in (0, 1))
        conditions, samples = (left, right) if self.direction == "a-to-b" else (right, left)
        found = _with_images(samples, conditions, torch.arange(len(both)), paired=True)
        return part_of(mirrored(found) if self.flip else found, self.part)


@dataclass(frozen=True)
class Unpaired:
    """Two sets of images without pairs: images of `a` are the conditions, in a random order, of those of `b`.

    For translation without pairs, as by CycleGAN. The number of samples is that of the larger set; images of the
    smaller one repeat.

    Args:
        a: the source that is translated.
        b: the source of what it is translated to, of the same size.
        part: "train", "test" or "all": of both, one image in ten is held out by its name.
    """

    a: Source
    b: Source
    part: str = "train"

    def __post_init__(self) -> None:
        require(self, self.part in PARTS, f"part to be {', '.join(PARTS)}")
        for name in ("a", "b"):
            object.__setattr__(self, name, source(getattr(self, name)))

    def open(self) -> Dataset:
        """Open both; raises `ValueError` unless both have images of one height and width."""
        first, second = (part_of(one.open(), self.part) for one in (self.a, self.b))
        if not (first.is_image and second.is_image) or first.shape[1:] != second.shape[1:]:
            raise ValueError(
                f"{first.name} has samples of {first.shape} and {second.name} of {second.shape}: translation needs "
                f"images of one height and width"
            )
        count = max(len(first), len(second))
        order = torch.randperm(len(first), generator=torch.Generator().manual_seed(0))
        samples = second if len(second) == count else subset(second, torch.arange(count) % len(second), "repeated")
        return _with_images(samples, first, order[torch.arange(count) % len(first)], paired=False)


@dataclass(frozen=True, eq=False)
class _Other:
    """Values that are the samples of another data set, at given indices."""

    dataset: Dataset
    indices: Tensor

    def __len__(self) -> int:
        return len(self.indices)

    def of(self, indices: Tensor, x: Tensor | None) -> Tensor:
        """The values of the samples at indices `(B,)`."""
        return self.dataset.read(self.indices[indices])

    def content(self) -> str:
        """That of the other data set."""
        return fingerprint(self.dataset)


def _with_images(samples: Dataset, conditions: Dataset, indices: Tensor, paired: bool) -> Dataset:
    """Samples, whose conditions are those of another data set at some indices."""
    channels, height, width = conditions.shape
    kind = Image((channels, height, width), paired=paired)
    if not paired:
        some = indices[:EXAMPLES]
        kind = replace(kind, examples=conditions.read(some).clone())

    def news() -> tuple[str, ...]:
        return (*samples.news(), *conditions.news())

    return replace(
        samples,
        conditions=Conditions(kind, _Other(conditions, indices)),
        notes=(*samples.notes, *conditions.notes),
        broken=dict,
        content_without=None,
        news=news,
        ahead=samples.ahead or conditions.ahead,
    )


def _half(both: Dataset, side: int, shape: tuple[int, ...]) -> Dataset:
    width, content = shape[2], both.content
    return replace(
        both,
        shape=shape,
        read=lambda index: both.read(index)[..., side * width : (side + 1) * width],
        conditions=None,
        content=None if content is None else lambda: f"{content()} half {side}",
        content_without=None,
        broken=dict,
    )


def _stems(images: Dataset) -> dict[str, int]:
    """The index of each image by its name without suffix."""
    names = [images.named(index) for index in range(len(images))]
    return {name.rpartition(".")[0] or name: index for index, name in enumerate(names)}


def _without_partner(path: str, mine: Mapping[str, int], theirs: Mapping[str, int]) -> str:
    alone = sorted(mine.keys() - theirs.keys())
    listed = ", ".join(map(printable, alone[:_LISTED])) + (", ..." if len(alone) > _LISTED else "")
    return f"{len(alone):,} of {len(mine):,} images of {path} have no partner of the same name: {listed}"
