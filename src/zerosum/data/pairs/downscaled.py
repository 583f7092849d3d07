"""Downscaled images as the condition."""

__all__ = ["Downscaled"]

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import interpolate

from zerosum._checks import require
from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import check_part
from zerosum.data.pairs._derived import derived, images_of, rounded
from zerosum.data.sources.digits import Digits

_FACTORS = (2, 3, 4, 6, 8)


@dataclass(frozen=True)
class Downscaled:
    """Images, each under its downscaled copy as the condition: for super-resolution.

    Args:
        source: a source of images whose height and width the factor divides.
        factor: 2, 3, 4, 6 or 8; the resize is antialiased bicubic, as Pillow's.
        part: "train", "test" or "all": one image in ten is held out by its name.
    """

    source: Source = Digits()
    factor: int = 4
    part: str = "train"

    def __post_init__(self) -> None:
        require(self, self.factor in _FACTORS, f"a factor of {', '.join(map(str, _FACTORS))}")
        check_part(self, self.part)

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points, and for sizes that the factor does not divide."""
        images = images_of(self.source)
        channels, height, width = images.shape
        if height % self.factor or width % self.factor:
            raise ValueError(
                f"{images.name} has images of {height}x{width}, which {self.factor} does not divide: choose another "
                f"size or factor"
            )
        small = (channels, height // self.factor, width // self.factor)
        return derived(images, small, lambda x, _: downscaled(x, self.factor), f"downscaled {self.factor}", self.part)


def downscaled(x: Tensor, factor: int) -> Tensor:
    """Images uint8 `(B, C, H, W)` at 1/factor of their height and width, by antialiased bicubic interpolation."""
    size = (x.shape[2] // factor, x.shape[3] // factor)
    return rounded(interpolate(x.float(), size, mode="bicubic", antialias=True, align_corners=False))
