"""Pairs of images of the same name in two folders."""

__all__ = ["PairedFolders"]

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch

from zerosum._checks import require
from zerosum._paths import PATH, tidy_paths
from zerosum.data._paths import printable
from zerosum.data.dataset import Dataset
from zerosum.data.held_out import check_part, part_of, subset
from zerosum.data.pairs._paired_sets import with_images
from zerosum.data.sources._decode import FITS
from zerosum.data.sources._mirror import mirrored
from zerosum.data.sources.folders import Images

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
        check_part(self, self.part)

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
        found = with_images(samples, conditions, torch.arange(len(names)))
        found = replace(found, notes=(*found.notes, *notes))
        return part_of(mirrored(found) if self.flip else found, self.part)


def _stems(images: Dataset) -> dict[str, int]:
    """The index of each image by its name without suffix."""
    names = [images.named(index) for index in range(len(images))]
    return {name.rpartition(".")[0] or name: index for index, name in enumerate(names)}


def _without_partner(path: str, mine: Mapping[str, int], theirs: Mapping[str, int]) -> str:
    alone = sorted(mine.keys() - theirs.keys())
    listed = ", ".join(map(printable, alone[:_LISTED])) + (", ..." if len(alone) > _LISTED else "")
    return f"{len(alone):,} of {len(mine):,} images of {path} have no partner of the same name: {listed}"
