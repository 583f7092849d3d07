"""What networks for images under an image share: the condition, its sides, halving of any sides, first weights."""

__all__ = ()

from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from zerosum.conditions.condition import Condition
from zerosum.conditions.image import Image
from zerosum.networks.layers.pyramid import Sides


def image_condition(network: str, condition: Condition | None) -> Image:
    """The condition; raises `ValueError` where it is not an image."""
    if not isinstance(condition, Image):
        raise ValueError(
            f"{network} needs an image as the condition; found {condition!r}: use data of pairs, and conditional=True"
        )
    return condition


def sides_of(x: Tensor) -> Sides:
    """Height and width of images or maps."""
    return (x.shape[2], x.shape[3])


def resized(c: Tensor, sides: Sides) -> Tensor:
    """Images at other sides, by bilinear interpolation, antialiased where they shrink; at their own, themselves."""
    if sides_of(c) == sides:
        return c
    shrinks = c.shape[2] > sides[0] or c.shape[3] > sides[1]
    return interpolate(c, sides, mode="bilinear", align_corners=False, antialias=shrinks)


def check_sides(network: str, sides: Sides, halvings: int) -> None:
    """Raise `ValueError` unless both sides are at least two places after so many halvings."""
    least = 2**halvings + 1
    if min(sides) < least:
        raise ValueError(
            f"{network} halves the sides of an image {halvings} times and takes {least}x{least} and more; "
            f"found {sides[0]}x{sides[1]}: use larger images or fewer halvings"
        )


class Halving(nn.Module):
    """A 4x4 convolution of stride 2 that halves sides, rounding up: beyond the border is zero.

    Args:
        before: channels that enter.
        after: channels that leave.
        bias: whether it has offsets, which a norm after it would remove.
    """

    def __init__(self, before: int, after: int, bias: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=bias)

    def forward(self, h: Tensor) -> Tensor:
        """`(B, before, H, W)` to `(B, after, H/2, W/2)`."""
        h = pad(h, (0, h.shape[3] % 2, 0, h.shape[2] % 2)) if h.shape[2] % 2 or h.shape[3] % 2 else h
        halved: Tensor = self.conv(h)
        return halved


def begin(network: nn.Module, norm: str) -> None:
    """N(0, 0.02) for the weights of convolutions, as in pix2pix, which leans on norms of the maps; and no offsets.

    Where maps are not normed, He initialisation for leaky ReLU (arXiv 1502.01852) keeps the signal's size instead.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            if norm in ("none", "spectral"):
                nn.init.kaiming_normal_(layer.weight, a=0.2)
            else:
                nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
