"""The U-Net discriminator: Schoenfeld, Schiele and Khoreva 2020 (arXiv 2002.12655), for images of any height and width.

An encoder scores the image as a whole; a decoder with skip connections then scores every pixel.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.networks.conditioning import (
    Auxiliary,
    Discriminative,
    Head,
    Projection,
    check_auxiliary,
    check_way,
    entrance,
    predictions,
)
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.basic import Norm, check_size, norm2d
from zerosum.networks.layers.finish import finished
from zerosum.networks.layers.map_head import MapHead
from zerosum.networks.layers.pyramid import channels, ladder
from zerosum.networks.layers.resample import upsample
from zerosum.networks.layers.virtual import refer_to_samples


class _Down(nn.Module):
    """A convolution at full size, whose maps the decoder takes, and a mean over 2x2 pixels, rounding up."""

    def __init__(self, inputs: int, outputs: int, norm: Norm) -> None:
        super().__init__()
        self.norm = norm2d(norm, outputs)
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=isinstance(self.norm, nn.Identity))
        self.halve = nn.AvgPool2d(2, ceil_mode=True)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """`(B, inputs, H, W)` to `(B, outputs, H, W)` and `(B, outputs, H/2, W/2)`."""
        full = leaky_relu(self.norm(self.conv(h)), 0.2)
        return full, self.halve(full)


class _Up(nn.Module):
    """Bilinear upsampling, then a convolution of the result beside the encoder's maps of that size."""

    def __init__(self, inputs: int, skipped: int, outputs: int, size: tuple[int, int], norm: Norm) -> None:
        super().__init__()
        self.enlarge, self.norm = upsample(size), norm2d(norm, outputs)
        self.conv = nn.Conv2d(inputs + skipped, outputs, 3, padding=1, bias=isinstance(self.norm, nn.Identity))

    def forward(self, h: Tensor, skip: Tensor) -> Tensor:
        """`(B, inputs, H/2, W/2)` and `(B, skipped, H, W)` to `(B, outputs, H, W)`."""
        return leaky_relu(self.norm(self.conv(torch.cat([self.enlarge(h), skip], dim=1))), 0.2)


class _Discriminator(nn.Module):
    def __init__(self, down: nn.ModuleList, up: nn.ModuleList, head: Head, pixel_head: MapHead) -> None:
        super().__init__()
        self.down, self.up, self.head, self.pixel_head = down, up, head, pixel_head

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        skips: list[Tensor] = []
        h = x
        for block in self.down:
            full, h = block(h)
            skips.append(full)
        image = self.head.judge(h.flatten(1), c)
        for block in self.up:
            h = block(h, skips.pop())
        pixels = self.pixel_head(h, c).flatten(1)
        whole = image.score[:, None].expand(-1, pixels.shape[1])
        return Judgement(torch.cat([whole, pixels], dim=1), image.features, image.logits, image.sides, image.embedding)


@dataclass(frozen=True)
class UNetDiscriminator:
    """The U-Net discriminator: a score of the whole image and a score of every pixel, for images of 8x8 and more.

    The score of an image `(B, 2 H W)` holds the global score H W times and then the scores of all pixels, row by row.
    So the mean over scores, which every objective takes, is the mean of the global and of the per-pixel mean: both
    count for one half, as in the authors' code (the paper's equations sum over pixels instead). `Relativistic` compares
    the global score with the global score and each pixel with the same pixel. Gradient penalties differentiate the sum
    of the scores, which is 2 H W times their mean: divide the weight of R1 that suits a single score by (2 H W)^2. The
    smallest map of the encoder is returned as features.

    Args:
        size: channels of the first block; they double with every halving, up to eight times.
        norm: norm within the blocks, as in `DCGANDiscriminator`; the paper takes `spectral`.
        conditioning: how the condition enters: by `Projection` in both heads, as in the paper; or it is predicted from
            the features of the encoder, `Auxiliary` or `Discriminative`.
        auxiliary: numbers to predict from these features beside the condition's, as logits.
    """

    size: int = 64
    norm: Norm = "spectral"
    conditioning: Projection | Auxiliary | Discriminative = Projection()
    auxiliary: int = 0

    def __post_init__(self) -> None:
        check_size(self.size)
        check_auxiliary(self.auxiliary)
        check_way(self.conditioning, Projection, Auxiliary, Discriminative)

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: images `(B, C, H, W)` to a `Judgement` with scores `(B, 2 H W)`."""
        image_channels, height, width = image_shape(shape)
        sizes = ladder(height, width)
        _, left = entrance(self.conditioning, condition)
        widths = channels(self.size, len(sizes) - 1)
        outputs = [*widths[-2::-1], self.size]
        encoder = enumerate(pairwise([image_channels, *widths]))
        decoder = zip([widths[-1], *outputs], widths[::-1], outputs, sizes[-2::-1], strict=False)
        down = [_Down(*ends, self.norm if stage else "none") for stage, ends in encoder]
        up = [_Up(before, skipped, after, large, self.norm) for before, skipped, after, large in decoder]
        features = widths[-1] * math.prod(sizes[-1])
        head = Head(features, left, predictions(self.conditioning, condition, self.auxiliary))
        pixel_head = MapHead(nn.Conv2d(self.size, 1, 1), self.size, left)
        network = _Discriminator(nn.ModuleList(down), nn.ModuleList(up), head, pixel_head)
        _initialise(network)
        return finished(network, self.norm, lambda inner: refer_to_samples(inner, shape, condition))


def _initialise(network: nn.Module) -> None:
    """He initialisation for leaky ReLU (arXiv 1502.01852) of the convolutions; the heads begin as linear maps do."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
