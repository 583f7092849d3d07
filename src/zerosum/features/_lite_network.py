"""EfficientNet-Lite0: EfficientNet-B0 without squeeze-and-excitation and with ReLU6.

Tan and Le 2019 (arXiv 1905.11946), Google's Lite variant of 2020; names are those of the weight file on PyPI.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from zerosum.features._folding import Architecture, Find

SIDE, FEATURES = 224, 1280
# blocks, kernel, stride of the first block, expansion, channels
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class _Units:
    """The convolutions of a block, by name, each with its batch norm."""

    find: Find
    block: str

    def dense(self, name: str, norm: str, x: Tensor, width: int, side: int = 1, stride: int = 1) -> Tensor:
        shape = (width, x.shape[1], side, side)
        weight, bias = self.find(self.block + name, self.block + norm, shape)
        return F.conv2d(_padded(x, side, stride), weight, bias, stride)

    def depthwise(self, name: str, norm: str, x: Tensor, side: int, stride: int) -> Tensor:
        channels = x.shape[1]
        weight, bias = self.find(self.block + name, self.block + norm, (channels, 1, side, side))
        return F.conv2d(_padded(x, side, stride), weight, bias, stride, groups=channels)


def lite_network(find: Find, x: Tensor) -> Iterator[Tensor]:
    """Yield the map before each halving of images `(B, 3, 224, 224)` in -1..1, that of the last block, and the head's.

    The last two are `(B, 320, 7, 7)` and `(B, 1280, 7, 7)`.
    """
    at = _Units(find, "")
    x = F.relu6(at.dense("_conv_stem", "_bn0", x, 32, 3, 2), inplace=True)
    number = 0
    for blocks, side, first, expansion, width in STAGES:
        if first == 2:
            yield x
        for place in range(blocks):
            x = _block(_Units(find, f"_blocks.{number}."), x, side, 1 if place else first, expansion, width)
            number += 1
    yield x
    yield F.relu6(at.dense("_conv_head", "_bn1", x, FEATURES), inplace=True)


def _block(at: _Units, x: Tensor, side: int, stride: int, expansion: int, width: int) -> Tensor:
    """An inverted residual block: wider, a depthwise convolution, narrower, and added to where it can be."""
    fan_in, y = x.shape[1], x
    if expansion > 1:
        y = F.relu6(at.dense("_expand_conv", "_bn0", y, fan_in * expansion), inplace=True)
    y = F.relu6(at.depthwise("_depthwise_conv", "_bn1", y, side, stride), inplace=True)
    y = at.dense("_project_conv", "_bn2", y, width)
    return y + x if stride == 1 and fan_in == width else y


def _padded(x: Tensor, side: int, stride: int) -> Tensor:
    """Zeros around a map as TensorFlow's `SAME` has them: where their number is odd, the last is at the end."""
    edges: list[int] = []
    for length in (x.shape[3], x.shape[2]):
        missing = max((-(-length // stride) - 1) * stride + side - length, 0)
        edges += [missing // 2, missing - missing // 2]
    return F.pad(x, edges) if any(edges) else x


LITE0 = Architecture("EfficientNet-Lite0", lite_network, SIDE, 1e-3, "_fc", 1000, FEATURES)
