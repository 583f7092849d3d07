"""Norms whose scale and offset follow an image, place by place."""

__all__ = ()

from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

MapNorm = Literal["batch", "instance", "layer", "none"]


def plain_norm(name: MapNorm, channels: int) -> nn.Module:
    """The named norm over maps of `channels` channels, without scale and offset."""
    if name == "batch":
        return nn.BatchNorm2d(channels, affine=False)
    if name in ("instance", "layer"):
        return nn.GroupNorm(channels if name == "instance" else 1, channels, affine=False)
    return nn.Identity()


class Spade(nn.Module):
    """(1 + gamma(c)) norm(h) + beta(c), gamma and beta convolutions of an image: Park et al. 2019 (arXiv 1903.07291).

    Equation 1, with 1 added to gamma as in the authors' code. c is averaged to the sides of the map, and a 3x3
    convolution with ReLU makes of it what the 3x3 convolutions gamma and beta take.

    Args:
        channels: channels of the map.
        norm: the norm, which has no parameters.
        inputs: channels of the image.
        hidden: channels between.
    """

    def __init__(self, channels: int, norm: MapNorm, inputs: int, hidden: int) -> None:
        super().__init__()
        self.norm = plain_norm(norm, channels)
        self.shared = nn.Conv2d(inputs, hidden, 3, padding=1)
        self.gamma, self.beta = (nn.Conv2d(hidden, channels, 3, padding=1) for _ in range(2))

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        """Maps `(B, channels, H, W)`, and the image at any sides."""
        seen = relu(self.shared(interpolate(c, h.shape[2:], mode="area")))
        result: Tensor = (1 + self.gamma(seen)) * self.norm(h) + self.beta(seen)
        return result
