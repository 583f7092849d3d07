"""Pairs of images side by side in one file."""

__all__ = ["SideBySide"]

from dataclasses import dataclass, field, replace

import torch

from zerosum._checks import require
from zerosum._paths import PATH, tidy_paths
from zerosum.data.dataset import Dataset
from zerosum.data.held_out import check_part, part_of
from zerosum.data.pairs._paired_sets import with_images
from zerosum.data.sources._mirror import mirrored
from zerosum.data.sources.folders import Images

_DIRECTIONS = ("a-to-b", "b-to-a")


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
        check_part(self, self.part)

    def open(self) -> Dataset:
        """Open the folder; raises `ValueError` for images of an odd width."""
        size = None if self.size is None else (self.size, 2 * self.size)
        both = Images(self.folder, size, "exact" if size is None else "crop").open()
        channels, height, width = both.shape
        if width % 2:
            raise ValueError(f"{both.name} has images of width {width}, which are not two of equal width side by side")
        left, right = (_half(both, side, (channels, height, width // 2)) for side in (0, 1))
        conditions, samples = (left, right) if self.direction == "a-to-b" else (right, left)
        found = with_images(samples, conditions, torch.arange(len(both)))
        return part_of(mirrored(found) if self.flip else found, self.part)


def _half(both: Dataset, side: int, shape: tuple[int, ...]) -> Dataset:
    width, text, content, without = shape[2], f"half {side}", both.content, both.content_without
    return replace(
        both,
        shape=shape,
        read=lambda index: both.read(index)[..., side * width : (side + 1) * width],
        conditions=None,
        content=None if content is None else lambda: f"{content()} {text}",
        content_without=None if without is None else lambda names: f"{without(names)} {text}",
    )
