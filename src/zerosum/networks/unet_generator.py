"""The U-Net generator of pix2pix: Isola et al. 2017 (arXiv 1611.07004), for images of any height and width.

An encoder halves the image, a decoder doubles it again, and at every size the decoder takes the encoder's maps beside
its own. `UNetDiscriminator` is in `unet.py`.
"""

__all__ = ["UNet"]

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, relu

from zerosum.conditions.condition import Condition
from zerosum.conditions.image import Image
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import Concatenate, Join, check_way, needed
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.basic import check_size, norm2d
from zerosum.networks.layers.pyramid import Sides, channels, ladder
from zerosum.networks.layers.spade import MapNorm, Spade
from zerosum.networks.layers.translation import Halving, begin, check_sides, image_condition, resized


class _Down(nn.Module):
    """A convolution that halves the sides, rounding up, norm and leaky ReLU."""

    def __init__(self, before: int, after: int, norm: MapNorm) -> None:
        super().__init__()
        self.norm = norm2d(norm, after)
        self.conv = Halving(before, after, bias=isinstance(self.norm, nn.Identity))

    def forward(self, h: Tensor) -> Tensor:
        """`(B, before, H, W)` to `(B, after, H/2, W/2)`."""
        return leaky_relu(self.norm(self.conv(h)), 0.2)


class _Up(nn.Module):
    """A transposed convolution to the sides of the encoder's maps, norm and ReLU, beside these maps."""

    def __init__(self, before: int, after: int, norm: MapNorm, spade: Spade | None) -> None:
        super().__init__()
        self.norm: nn.Module = norm2d(norm, after) if spade is None else spade
        bias = isinstance(self.norm, nn.Identity)
        self.conv = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=bias)

    def forward(self, h: Tensor, skip: Tensor, c: Tensor | None) -> Tensor:
        """`(B, before, H/2, W/2)` and `(B, skipped, H, W)` to `(B, after + skipped, H, W)`."""
        h = self.conv(h)[:, :, : skip.shape[2], : skip.shape[3]]
        h = self.norm(h, needed(c)) if isinstance(self.norm, Spade) else self.norm(h)
        return torch.cat([relu(h), skip], dim=1)


class _Given(nn.Module):
    """The input where the condition is an image: that image, at the sample's sides.

    At other sides than those it was built for it is resized by the same factors.
    """

    def __init__(self, condition: Image, sides: Sides, halvings: int) -> None:
        super().__init__()
        self.channels, self.built, self.sides, self.halvings = condition.size[0], condition.size[1:], sides, halvings
        self.masked = condition.content == "masked"

    def forward(self, z: Tensor, c: Tensor | None) -> Tensor:
        """`(B, C, H, W)`."""
        c = needed(c)
        sides = [round(now * to / of) for now, to, of in zip(c.shape[2:], self.sides, self.built, strict=True)]
        check_sides("UNet", (sides[0], sides[1]), self.halvings)
        return resized(c, (sides[0], sides[1]))


class _Made(nn.Module):
    """The input where the condition is none or no image: a learned map plus a linear map of z, of few places."""

    def __init__(self, latent: int, size: int, sides: Sides, smallest: Sides) -> None:
        super().__init__()
        self.channels, self.sides = size, sides
        self.constant = nn.Parameter(torch.randn(size, *smallest))
        self.linear = nn.Linear(latent, self.constant.numel())
        nn.init.normal_(self.linear.weight, std=max(latent, 1) ** -0.5)

    def forward(self, z: Tensor, c: Tensor | None) -> Tensor:
        """`(B, size, H, W)`."""
        small = self.constant + self.linear(z).unflatten(1, self.constant.shape)
        return interpolate(small, self.sides, mode="bilinear", align_corners=False)


class _Middle(nn.Module):
    """A convolution of the smallest map beside planes of z and of the condition, before a nonlinearity.

    Without one, a norm in the decoder would remove what planes add.
    """

    def __init__(self, width: int, size: int, latent: int, join: Join) -> None:
        super().__init__()
        self.latent = nn.Linear(latent, size) if latent else None
        self.join = join
        self.conv = nn.Conv2d(width + (size if latent else 0) + join.size, width, 3, padding=1)

    def forward(self, h: Tensor, z: Tensor, c: Tensor | None) -> Tensor:
        """`(B, width, H, W)`."""
        if self.latent is not None:
            planes = self.latent(z)[:, :, None, None].expand(-1, -1, *h.shape[2:])
            h = torch.cat([h, planes.to(h.dtype)], dim=1)
        return leaky_relu(self.conv(self.join(h, c)), 0.2)


class _Generator(nn.Module):
    def __init__(self, source: _Given | _Made, spec: "UNet", middle: _Middle, widths: list[int], outputs: int) -> None:
        super().__init__()
        self.source, self.middle, self.residual = source, middle, spec.residual
        self.masked = isinstance(source, _Given) and source.masked
        downward = [spec.size, *widths]
        self.enter = nn.Conv2d(source.channels, spec.size, 3, padding=1)
        self.down = nn.ModuleList([_Down(*pair, spec.norm) for pair in pairwise(downward)])
        self.up = nn.ModuleList()
        before = widths[-1]
        for after in downward[-2::-1]:
            spade = Spade(after, spec.norm, source.channels, 2 * spec.size) if spec.spade else None
            self.up.append(_Up(before, after, spec.norm, spade))
            before = 2 * after
        self.end = nn.Conv2d(before, outputs, 3, padding=1)
        begin(self, spec.norm)
        if spec.residual:
            nn.init.zeros_(self.end.weight)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        image = self.source(z, c).to(self.enter.weight.dtype)
        h = leaky_relu(self.enter(image), 0.2)
        skips: list[Tensor] = []
        for down in self.down:
            skips.append(h)
            h = down(h)
        h = self.middle(h, z, c)
        for up in self.up:
            h = up(h, skips.pop(), image)
        x = at_least_float32(self.end(h))
        if not self.residual:
            return x.tanh()
        if self.masked:
            x = x * (image[:, -1:] < 0)  # known pixels stay as they are
        return at_least_float32(image[:, : x.shape[1]]) + x


@dataclass(frozen=True)
class UNet:
    """The U-Net generator of pix2pix, for images of 8x8 and more; its input is the condition where that is an image.

    A condition that is an image enters at the sample's sides, by bilinear interpolation where it has others. The
    network then applies to images of any height and width above 2 to the number of its halvings, odd ones too. Without
    a condition, or under one of another kind, the input is a learned map plus a linear map of z, of as few places as
    the smallest map, and the condition enters that map as planes.

    4x4 convolutions halve the sides, rounding up, while both are above 4, and transposed ones double them; the last
    skip is at full size. With norms other than `batch` and `none` every pixel depends on all, and `tiled` is not exact.
    The dropout that gives pix2pix its noise is not offered: a sample is a function of z and c alone.

    Args:
        size: channels at full size and after the first halving; they double with every further one, up to eight times.
        norm: norm of the maps: `batch`, `instance`, `layer` or `none`.
        depth: the sides are halved at most so often (>= 1); None for as often as they can be.
        noise: `latent`, where z enters the smallest map as planes, by a linear map; or `none`, where under an image a
            sample is a function of that image alone.
        spade: let the image set scale and offset of the decoder's norms place by place, as (1 + gamma(c)) h + beta(c):
            Park et al. 2019 (arXiv 1903.07291). It needs a condition that is an image.
        residual: the output is added to the first channels of the condition, or to a grey one, and is at first 0, so
            that a sample begins as its condition: for inpainting, where known pixels stay as they are, and for
            colorization. It needs a condition that is an image. There is no tanh then: samples may leave [-1, 1].
        conditioning: how a condition that is not an image enters the smallest map: by `Concatenate`.
    """

    size: int = 64
    norm: MapNorm = "batch"
    depth: int | None = None
    noise: Literal["latent", "none"] = "latent"
    spade: bool = False
    residual: bool = False
    conditioning: Concatenate = Concatenate(32)

    def __post_init__(self) -> None:
        check_size(self.size)
        check_way(self.conditioning, Concatenate)
        if self.depth is not None and self.depth < 1:
            raise ValueError(f"depth counts halvings of the sides, at least 1; found {self.depth}")

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z[, c])`: z `(B, latent)` and images c to images `(B, C, H, W)`, in [-1, 1] unless it is residual."""
        outputs, height, width = image_shape(shape)
        sizes = ladder(height, width)[: None if self.depth is None else self.depth + 1]
        if self.spade or self.residual:
            self._check_image(image_condition("UNet with spade or residual", condition), outputs)
        widths = channels(self.size, len(sizes) - 1)
        source: _Given | _Made
        if isinstance(condition, Image):
            source, join = _Given(condition, (height, width), len(widths)), Join(None, 0)
        else:
            source = _Made(latent, self.size, (height, width), sizes[-1])
            join = Join(condition, self.conditioning.size)
        middle = _Middle(widths[-1], self.size, latent if self.noise == "latent" else 0, join)
        return _Generator(source, self, middle, widths, outputs)

    def _check_image(self, condition: Image, outputs: int) -> None:
        if self.residual and condition.size[0] != 1 and condition.size[0] < outputs:
            raise ValueError(
                f"residual=True adds the output to the condition, which needs 1 channel or at least {outputs}; found "
                f"{condition.size[0]}: choose residual=False"
            )
