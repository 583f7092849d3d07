"""Images with a hidden part as the condition."""

__all__ = ["Masked"]

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import check_part, subset
from zerosum.data.pairs._derived import derived, images_of
from zerosum.data.sources.digits import Digits

_HOLE = 128  # the value of hidden pixels


@dataclass(frozen=True)
class Masked:
    """Images, each with a part hidden as the condition: for inpainting.

    The condition has one channel more than the image: 255 where pixels are known and 0 where they are hidden. Hidden
    pixels are 128. The mask of an image depends on its index alone: half of the masks are boxes, half are strokes.

    Args:
        source: a source of images.
        share: share of pixels that a box hides; strokes hide about as many.
        part: "train", "test" or "all": one image in ten is held out by its name.
        masks: number of masks under each of which every image is there once, against learning the hidden parts of a few
            images; of the images held out, each has one.
    """

    source: Source = Digits()
    share: float = 0.25
    part: str = "train"
    masks: int = 1

    def __post_init__(self) -> None:
        require(self, 0 < self.share < 1, "a share in (0, 1)")
        require(self, self.masks >= 1, "masks >= 1")
        check_part(self, self.part)

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points."""
        images = images_of(self.source)
        if self.masks > 1 and self.part != "test":
            images = subset(images, torch.arange(len(images)).repeat_interleave(self.masks), f"{self.masks} times")
        channels, height, width = images.shape

        def derive(x: Tensor, indices: Tensor) -> Tensor:
            masks = torch.stack([mask(int(i), height, width, self.share) for i in indices])[:, None]
            return masked(x, masks)

        size = (channels + 1, height, width)
        return derived(images, size, derive, f"masked {self.share}", self.part, content="masked")


def masked(x: Tensor, known: Tensor) -> Tensor:
    """Images uint8 `(B, C, H, W)` with 128 where `known`, bool `(B, 1, H, W)`, is false, and the mask as a channel."""
    return torch.cat([torch.where(known, x, torch.full_like(x, _HOLE)), known.to(torch.uint8) * 255], dim=1)


def mask(index: int, height: int, width: int, share: float) -> Tensor:
    """The known pixels of the image at an index, bool `(H, W)`: all but a box, or but some strokes."""
    seed = int.from_bytes(hashlib.sha256(f"mask {index}".encode()).digest()[:8], "big") >> 1
    draw = torch.Generator().manual_seed(seed)
    known = torch.ones(height, width, dtype=torch.bool)
    if index % 2 == 0:
        ratio = float(torch.rand((), generator=draw)) + 0.5  # of height to width, in [0.5, 1.5)
        down = min(height, max(1, round((share * ratio) ** 0.5 * height)))
        across = min(width, max(1, round(share * height * width / down)))
        top, left = (int(torch.randint(free + 1, (), generator=draw)) for free in (height - down, width - across))
        known[top : top + down, left : left + across] = False
        return known
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    thickness = max(1.0, 0.08 * min(height, width))
    while float((~known).float().mean()) < share:
        (y0, y1), (x0, x1) = ((torch.rand(2, generator=draw) * (side - 1)).tolist() for side in (height, width))
        length = max((y1 - y0) ** 2 + (x1 - x0) ** 2, 1e-6)
        along = (((rows - y0) * (y1 - y0) + (columns - x0) * (x1 - x0)) / length).clamp(0, 1)
        distance = ((rows - y0 - along * (y1 - y0)) ** 2 + (columns - x0 - along * (x1 - x0)) ** 2).sqrt()
        known &= distance > thickness
    return known
