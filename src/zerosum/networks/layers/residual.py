"""Residual blocks of WGAN-GP and SNGAN: Gulrajani et al. 2017 (arXiv 1704.00028), Miyato et al. 2018 (1802.05957).

Two 3x3 convolutions beside a shortcut, each after norm and ReLU; the shortcut has a 1x1 convolution where sides or
channels change. Weights begin by Xavier's rule, times sqrt(2) before and after a ReLU: that is He's where channels
stay the same. 1x1 convolutions stand at the smaller of two sides, where they cost a quarter and do the same.
"""

__all__ = ["DownBlock", "UpBlock"]

import math

from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from zerosum.conditions.condition import Condition
from zerosum.networks.layers.basic import Norm, norm2d
from zerosum.networks.layers.conditional import normed
from zerosum.networks.layers.fused import convolved_and_halved, halved, raised_and_convolved
from zerosum.networks.layers.pyramid import Sides


def xavier(before: int, after: int, kernel: int, gain: float = 1.0) -> nn.Conv2d:
    """A convolution that keeps the sides, with weights by Xavier's rule times `gain`, and offsets of 0."""
    layer = nn.Conv2d(before, after, kernel, padding=kernel // 2)
    nn.init.xavier_uniform_(layer.weight, gain)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


class UpBlock(nn.Module):
    """A generator's block: norm, ReLU, nearest neighbours up, 3x3, norm, ReLU, 3x3; the shortcut goes up too.

    Args:
        before: channels that enter.
        after: channels that leave.
        target: sides that leave.
        norm: the two norms.
        condition: what sets their scales, or None.
    """

    def __init__(self, before: int, after: int, target: Sides, norm: Norm, condition: Condition | None) -> None:
        super().__init__()
        self.target = target
        self.norm1, self.norm2 = norm2d(norm, before, condition), norm2d(norm, after, condition)
        self.conv1, self.conv2 = xavier(before, after, 3, math.sqrt(2)), xavier(after, after, 3, math.sqrt(2))
        self.shortcut = xavier(before, after, 1)

    def forward(self, h: Tensor, c: Tensor | None = None) -> Tensor:
        """Maps `(B, before, H, W)` to `(B, after, *target)`."""
        raised = raised_and_convolved(self.conv1, relu(normed(self.norm1, h, c)), self.target)
        residual: Tensor = self.conv2(relu(normed(self.norm2, raised, c)))
        return residual + interpolate(self.shortcut(h), self.target, mode="nearest")


class DownBlock(nn.Module):
    """A discriminator's block: norm, ReLU, 3x3, norm, ReLU, 3x3, and means of two by two where it halves.

    The first block looks at the image itself: nothing comes before its first convolution, and it has no norms.

    Args:
        before: channels that enter.
        after: channels that leave.
        halves: whether sides are halved.
        norm: the two norms.
        first: whether an image enters.
    """

    def __init__(self, before: int, after: int, halves: bool, norm: Norm, first: bool = False) -> None:
        super().__init__()
        inner = after if first else before
        self.first, self.halves = first, halves
        self.norm1 = norm2d("none" if first else norm, before)
        self.norm2 = norm2d("none" if first else norm, inner)
        self.conv1, self.conv2 = xavier(before, inner, 3, math.sqrt(2)), xavier(inner, after, 3, math.sqrt(2))
        self.shortcut = xavier(before, after, 1) if halves or before != after else nn.Identity()

    def forward(self, h: Tensor) -> Tensor:
        """Maps `(B, before, H, W)` to `(B, after, ...)`, of half the sides where it halves, rounded up."""
        entering = h if self.first else relu(self.norm1(h))
        inner = relu(self.norm2(self.conv1(entering)))
        residual: Tensor = convolved_and_halved(self.conv2, inner) if self.halves else self.conv2(inner)
        result: Tensor = residual + self.shortcut(halved(h) if self.halves else h)
        return result
