"""The pixels themselves as features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum.features._images import checked
from zerosum.features._naming import ExtractorOptions
from zerosum.features.extractor import Features


@dataclass(frozen=True)
class Pixels:
    """The pixels as they are, 0 to 1, flat in the order `(C, H, W)`: no network, no weights.

    Distances of pixels do not depend on the content of images: one shifted by a pixel is another image. They are suited
    to small centred images, such as digits, and as a baseline for networks.

    Attributes:
        side: larger heights and widths are averaged down to this (adaptive average pooling), since a Frechet distance
        in d
            dimensions needs a d x d matrix; None keeps all sizes.
    """

    name: ClassVar[str] = "pixels"

    side: int | None = 32

    def __post_init__(self) -> None:
        if self.side is not None and self.side < 1:
            raise ValueError(f"pixels are averaged down to a side of 1 or more, or None; found {self.side}")

    @classmethod
    def named(cls, options: ExtractorOptions) -> "Pixels":
        """Return those that `pixels` names."""
        options.is_plain(cls.name)
        return cls()

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts for the protocol of a score."""
        resize = "none" if self.side is None else f"averaged down to at most {self.side}x{self.side}"
        return {"name": self.name, "weights": "none", "resize": resize, "dtype": "float32", "dimensions": "C x H x W"}

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """Return the pixels of uint8 images `(B, H, W, C)` as `(B, C * H * W)`."""
        x = checked(images).cpu().permute(0, 3, 1, 2).float() / 255
        height, width = x.shape[2:]
        if self.side is not None and max(height, width) > self.side:
            x = F.adaptive_avg_pool2d(x, (min(height, self.side), min(width, self.side)))
        return Features(x.flatten(1))
