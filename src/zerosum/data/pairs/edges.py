"""Line drawings as the condition, or as samples."""

__all__ = ["Drawings", "Edges"]

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import check_part
from zerosum.data.pairs._derived import derived, images_of, redrawn, rounded
from zerosum.data.pairs.grayscale import grey
from zerosum.data.sources.digits import Digits

_SOBEL = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4
_DARKEST = 96.0  # gradient norm, in grey levels a pixel, from which a line is black


@dataclass(frozen=True)
class Edges:
    """Images, each under a line drawing of its edges as the condition: for drawing to image.

    Lines are dark on white, from the gradient norm of the grey image (Sobel's filter) after a 3x3 binomial blur.

    Args:
        source: a source of images.
        part: "train", "test" or "all": one image in ten is held out by its name.
    """

    source: Source = Digits()
    part: str = "train"

    def __post_init__(self) -> None:
        check_part(self, self.part)

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points."""
        images = images_of(self.source)
        return derived(images, (1, *images.shape[1:]), lambda x, _: edges(x), "edges", self.part)


@dataclass(frozen=True)
class Drawings:
    """The line drawings of `Edges` as samples, without a condition: a set of drawings, for translation without pairs.

    Args:
        source: a source of images.
    """

    source: Source = Digits()

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points."""
        return redrawn(self.source, edges, "drawings")


def edges(x: Tensor) -> Tensor:
    """Line drawings `(B, 1, H, W)` of images uint8 `(B, C, H, W)`, dark lines on white."""
    blur = torch.tensor([1.0, 2.0, 1.0])
    smooth = (blur[:, None] * blur / 16).view(1, 1, 3, 3)
    flat = conv2d(pad(grey(x).float(), (2, 2, 2, 2), mode="replicate"), smooth)
    filters = torch.stack([_SOBEL, _SOBEL.T])[:, None]
    norm = conv2d(flat, filters).square().sum(1, keepdim=True).sqrt()
    return rounded(255 * (1 - norm / _DARKEST))
