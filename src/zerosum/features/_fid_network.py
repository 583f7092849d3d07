"""InceptionV3 of the TensorFlow graph of 2015 with which FID was defined.

Szegedy et al. 2016 (arXiv 1512.00567), as trained by Google; names are those of the public weight file. It differs
from other InceptionV3s: averages of 3x3 pixels leave the padding out, the last block pools by the maximum, and there
are 1,008 classes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum.features._folding import Architecture, Find

SIDE, CLASSES = 299, 1008
STAGES = {"64": 64, "192": 192, "768": 768, "2048": 2048}  # features after each, by the name of the layer
Kernel = tuple[int, int, int]  # channels, height and width


@dataclass(frozen=True)
class _Units:
    """The convolutions of a block, by name."""

    find: Find
    block: str

    def linear(self, name: str, x: Tensor, kernel: Kernel, stride: int = 1, padded: bool = True) -> Tensor:
        """A convolution with its batch norm."""
        width, *sides = kernel
        place = self.block + name
        weight, bias = self.find(f"{place}.conv", f"{place}.bn", (width, x.shape[1], *sides))
        padding = [side // 2 for side in sides] if padded else 0
        return F.conv2d(x, weight, bias, stride, padding)

    def __call__(self, name: str, x: Tensor, kernel: Kernel, stride: int = 1, padded: bool = True) -> Tensor:
        """The same, and ReLU."""
        return self.linear(name, x, kernel, stride, padded).relu_()

    def chain(self, branch: str, x: Tensor, *kernels: Kernel, halving: bool = False) -> Tensor:
        """Units one after another, `branch_1` and so on; halving, the last has stride 2 and no padding."""
        for number, kernel in enumerate(kernels, 1):
            last = halving and number == len(kernels)
            x = self(f"{branch}_{number}", x, kernel, 2 if last else 1, padded=not last)
        return x

    def averaged(self, x: Tensor, width: int) -> Tensor:
        """The branch of the 3x3 average and a 1x1 unit, which commute up to the ReLU: fewer channels are averaged."""
        x = self.linear("branch_pool", x, (width, 1, 1))
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False).relu_()


def fid_network(find: Find, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield the maps behind `64`, `192`, `768`, `2048` of images `(B, 3, 299, 299)` in -1..1, one after another."""
    at = _Units(find, "")
    x = at("Conv2d_1a_3x3", x, (32, 3, 3), 2, padded=False)
    x = at("Conv2d_2a_3x3", x, (32, 3, 3), padded=False)
    x = F.max_pool2d(at("Conv2d_2b_3x3", x, (64, 3, 3)), 3, 2)
    yield "64", x
    x = at("Conv2d_3b_1x1", x, (80, 1, 1))
    x = F.max_pool2d(at("Conv2d_4a_3x3", x, (192, 3, 3), padded=False), 3, 2)
    yield "192", x
    x = _a(_Units(find, "Mixed_5b."), x, 32)
    x = _a(_Units(find, "Mixed_5c."), x, 64)
    x = _a(_Units(find, "Mixed_5d."), x, 64)
    x = _b(_Units(find, "Mixed_6a."), x)
    x = _c(_Units(find, "Mixed_6b."), x, 128)
    x = _c(_Units(find, "Mixed_6c."), x, 160)
    x = _c(_Units(find, "Mixed_6d."), x, 160)
    x = _c(_Units(find, "Mixed_6e."), x, 192)
    yield "768", x
    x = _d(_Units(find, "Mixed_7a."), x)
    at = _Units(find, "Mixed_7b.")
    x = _e(at, x, at.averaged(x, 192))
    at = _Units(find, "Mixed_7c.")
    x = _e(at, x, at("branch_pool", F.max_pool2d(x, 3, 1, 1), (192, 1, 1)))
    yield "2048", x


def _a(at: _Units, x: Tensor, pooled: int) -> Tensor:
    parts = (
        at("branch1x1", x, (64, 1, 1)),
        at.chain("branch5x5", x, (48, 1, 1), (64, 5, 5)),
        at.chain("branch3x3dbl", x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
        at.averaged(x, pooled),
    )
    return torch.cat(parts, 1)


def _b(at: _Units, x: Tensor) -> Tensor:
    parts = (
        at("branch3x3", x, (384, 3, 3), 2, padded=False),
        at.chain("branch3x3dbl", x, (64, 1, 1), (96, 3, 3), (96, 3, 3), halving=True),
        F.max_pool2d(x, 3, 2),
    )
    return torch.cat(parts, 1)


def _c(at: _Units, x: Tensor, width: int) -> Tensor:
    first, across, down = (width, 1, 1), (width, 1, 7), (width, 7, 1)
    parts = (
        at("branch1x1", x, (192, 1, 1)),
        at.chain("branch7x7", x, first, across, (192, 7, 1)),
        at.chain("branch7x7dbl", x, first, down, across, down, (192, 1, 7)),
        at.averaged(x, 192),
    )
    return torch.cat(parts, 1)


def _d(at: _Units, x: Tensor) -> Tensor:
    parts = (
        at.chain("branch3x3", x, (192, 1, 1), (320, 3, 3), halving=True),
        at.chain("branch7x7x3", x, (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3), halving=True),
        F.max_pool2d(x, 3, 2),
    )
    return torch.cat(parts, 1)


def _e(at: _Units, x: Tensor, pooled: Tensor) -> Tensor:
    across, down = (384, 1, 3), (384, 3, 1)
    single = at("branch3x3_1", x, (384, 1, 1))
    double = at.chain("branch3x3dbl", x, (448, 1, 1), (384, 3, 3))
    parts = (
        at("branch1x1", x, (320, 1, 1)),
        at("branch3x3_2a", single, across),
        at("branch3x3_2b", single, down),
        at("branch3x3dbl_3a", double, across),
        at("branch3x3dbl_3b", double, down),
        pooled,
    )
    return torch.cat(parts, 1)


INCEPTION = Architecture("Inception", fid_network, SIDE, 1e-3, "fc", CLASSES, STAGES["2048"])
