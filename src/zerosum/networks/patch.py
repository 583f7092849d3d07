"""The patch discriminator of pix2pix: Isola et al. 2017 (arXiv 1611.07004), for images of any height and width.

A convolutional network scores overlapping patches of an image, each alone. Several of them see the image at several
scales, as in pix2pixHD (Wang et al. 2018, arXiv 1711.11585).
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from zerosum.conditions.condition import Condition
from zerosum.conditions.image import Image
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import Concatenate, Join, Projection, check_way, entrance, needed
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.basic import Norm, activation, check_size, norm2d
from zerosum.networks.layers.finish import finished
from zerosum.networks.layers.fused import halved
from zerosum.networks.layers.map_head import MapHead
from zerosum.networks.layers.pyramid import channels
from zerosum.networks.layers.translation import Halving, begin, check_sides, resized, sides_of
from zerosum.networks.layers.virtual import refer_to_samples


def _keeping(before: int, after: int, bias: bool, later: bool) -> nn.Sequential:
    """A 4x4 convolution that keeps the sides; two of them, with one row of zeros more at either end, are centred."""
    zeros = (2, 1, 2, 1) if later else (1, 2, 1, 2)
    return nn.Sequential(nn.ZeroPad2d(zeros), nn.Conv2d(before, after, 4, bias=bias))


class _Scale(nn.Module):
    """The patch discriminator at one scale."""

    def __init__(self, inputs: int, spec: "PatchDiscriminator", left: Condition | None) -> None:
        super().__init__()
        widths = channels(spec.size, spec.layers + 1)
        self.blocks = nn.ModuleList()
        for stage, (before, after) in enumerate(pairwise([inputs, *widths])):
            norm = norm2d(spec.norm if stage else "none", after)
            bias = isinstance(norm, nn.Identity)
            last = stage == spec.layers
            conv = _keeping(before, after, bias, later=False) if last else Halving(before, after, bias)
            self.blocks.append(nn.Sequential(conv, norm, activation("leaky")))
        self.head = MapHead(_keeping(widths[-1], 1, bias=True, later=True), widths[-1], left)

    def forward(self, h: Tensor, c: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """Scores `(B, 1, H', W')` of patches, and the maps of all layers before."""
        maps: list[Tensor] = []
        for block in self.blocks:
            h = block(h)
            maps.append(h)
        return self.head(h, c), maps


class _Discriminator(nn.Module):
    def __init__(self, join: Join, takes_image: bool, scales: list[_Scale]) -> None:
        super().__init__()
        self.join, self.takes_image, self.scales = join, takes_image, nn.ModuleList(scales)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        h = torch.cat([x, resized(needed(c), sides_of(x)).to(x.dtype)], dim=1) if self.takes_image else self.join(x, c)
        scores: list[Tensor] = []
        maps: list[Tensor] = []
        features: list[Tensor] = []
        for i, scale in enumerate(self.scales):
            h = halved(h) if i else h
            score, own = scale(h, c)
            scores.append(interpolate(score, sides_of(scores[0]), mode="nearest") if i else score)
            features.append(at_least_float32(own[-1]).mean((2, 3)))
            maps += own
        score = torch.stack(scores, dim=1).flatten(1)
        return Judgement(score, torch.cat(features, dim=1), maps=tuple(maps))


@dataclass(frozen=True)
class PatchDiscriminator:
    """The patch discriminator of pix2pix: a score for each patch of an image, at one or several scales.

    4x4 convolutions halve the sides `layers` times, rounding up, and two more keep them. So each place of the last map
    scores the patch of 70x70 pixels around its square of 8x8, with three layers; 34x34 around 4x4 with two, and 16x16
    around 2x2 with one. Beyond the border is zero. It applies to images of any height and width above
    2^(layers + scales - 1), whatever the size it was built for.

    Each further scale is a network of its own on the image averaged 2x2 once more, so its patches are twice as large.
    The score `(B, scales H' W')` holds for each scale the scores of its patches, row by row, those of a coarser one
    repeated by nearest neighbours to the H' x W' of the first. So every scale counts for the same in the mean over
    scores, which every objective takes: it is the mean over scales of the mean over the scale's patches, where sides
    divide by 2^(layers + scales - 1). Where they do not, some patches of a coarser scale count more than others.

    Means over the last maps are returned as features, and the maps of all layers but the last of each scale as `maps`.

    Args:
        size: channels after the first halving; they double with every layer, up to eight times.
        norm: norm of all but the first and the last layer, as in `DCGANDiscriminator`; pix2pix takes `batch`, CycleGAN
            and pix2pixHD `instance`.
        layers: how often sides are halved (>= 1).
        scales: how many scales are scored, 1 to 3.
        conditioning: how the condition enters: by `Concatenate` to the image, where an image is concatenated as it is,
            at the sample's sides by bilinear interpolation, and another condition as planes; or by `Projection`, which
            adds the inner product with its embedding to the score of every patch.
    """

    size: int = 64
    norm: Norm = "instance"
    layers: int = 3
    scales: int = 1
    conditioning: Concatenate | Projection = Concatenate()

    def __post_init__(self) -> None:
        check_size(self.size)
        check_way(self.conditioning, Concatenate, Projection)
        if self.layers < 1:
            raise ValueError(f"layers counts the halvings of a patch discriminator, at least 1; found {self.layers}")
        if not 1 <= self.scales <= 3:
            raise ValueError(f"scales counts the scales of an image that are scored, 1 to 3; found {self.scales}")

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: images `(B, C, H, W)` to a `Judgement` with scores `(B, scales H' W')`."""
        inputs, height, width = image_shape(shape)
        check_sides("PatchDiscriminator", (height, width), self.layers + self.scales - 1)
        join, left = entrance(self.conditioning, condition)
        image = condition if isinstance(condition, Image) and isinstance(self.conditioning, Concatenate) else None
        if image is not None:
            join, inputs = Join(None, 0), inputs + image.size[0]
        scales = [_Scale(inputs + join.size, self, left) for _ in range(self.scales)]
        network = _Discriminator(join, image is not None, scales)
        begin(network, self.norm)
        return finished(network, self.norm, lambda inner: refer_to_samples(inner, shape, condition))
