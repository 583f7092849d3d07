"""Grey images as the condition."""

__all__ = ["Grayscale"]

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import check_part
from zerosum.data.pairs._derived import derived, images_of, rounded
from zerosum.data.toys.coloured_digits import ColouredDigits

_LUMA = torch.tensor([0.299, 0.587, 0.114])  # of ITU-R BT.601


@dataclass(frozen=True)
class Grayscale:
    """Colour images, each under its grey copy as the condition: for colorization.

    Args:
        source: a source of RGB images.
        part: "train", "test" or "all": one image in ten is held out by its name.
    """

    source: Source = ColouredDigits()
    part: str = "train"

    def __post_init__(self) -> None:
        check_part(self, self.part)

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points and for images without colour."""
        images = images_of(self.source)
        if images.shape[0] != 3:
            raise ValueError(f"{images.name} has no colour (images of {images.shape}): use RGB images")
        return derived(images, (1, *images.shape[1:]), lambda x, _: grey(x), "grayscale", self.part)


def grey(x: Tensor) -> Tensor:
    """Images uint8 `(B, C, H, W)` as grey ones `(B, 1, H, W)`, by the luma of ITU-R BT.601."""
    return x[:, :1] if x.shape[1] < 3 else rounded((x[:, :3].float() * _LUMA.view(3, 1, 1)).sum(1, keepdim=True))
