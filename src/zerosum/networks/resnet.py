"""Residual networks of WGAN-GP, SNGAN and SAGAN, for images of any height and width and channels.

Gulrajani et al. 2017 (arXiv 1704.00028, appendix F), Miyato et al. 2018 (arXiv 1802.05957, appendix B.4) and Zhang et
al. 2019 (arXiv 1805.08318). The three differ in norms, in channels and in self-attention, which are choices here.
"""

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import relu

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import (
    Auxiliary,
    Concatenate,
    ConditionalNorm,
    Discriminative,
    Head,
    Join,
    Projection,
    Style,
    check_auxiliary,
    check_way,
    entrance,
    predictions,
)
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.attention import SelfAttention
from zerosum.networks.layers.basic import Norm, check_conditioning, check_size, norm2d
from zerosum.networks.layers.finish import finished
from zerosum.networks.layers.pyramid import Sides, channels, ladder
from zerosum.networks.layers.residual import DownBlock, UpBlock, xavier
from zerosum.networks.layers.styled import styled
from zerosum.networks.layers.virtual import refer_to_latents, refer_to_samples
from zerosum.networks.minibatch import MinibatchDiscrimination, MinibatchStddev, comparing


def _check_choices(doublings: int, attention: int) -> None:
    if doublings < 0 or attention < 0:
        raise ValueError(f"doublings and attention are at least 0; found {doublings} and {attention}")


def _attentive(attention: int, sizes: list[Sides], widths: list[int]) -> list[nn.Module]:
    """For each of the maps, self-attention where its smaller side is the one asked for."""
    sides = [min(size) for size in sizes]
    if attention and attention not in sides:
        known = ", ".join(map(str, sides))
        raise ValueError(f"attention is the smaller side of a map, of which there are {known}; found {attention}")
    return [SelfAttention(w) if side == attention else nn.Identity() for side, w in zip(sides, widths, strict=True)]


class _Generator(nn.Module):
    def __init__(
        self, join: Join, seed: nn.Module, blocks: list[UpBlock], attentions: list[nn.Module], end: nn.Module
    ) -> None:
        super().__init__()
        self.join, self.seed, self.end = join, seed, end
        self.blocks, self.attentions = nn.ModuleList(blocks), nn.ModuleList(attentions)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        h: Tensor = self.seed(self.join(z, c))
        for block, attention in zip(self.blocks, self.attentions, strict=True):
            h = attention(block(h, c))
        x: Tensor = self.end(h)
        return at_least_float32(x).tanh()


class _Discriminator(nn.Module):
    def __init__(self, join: Join, body: nn.Module, pooling: str, minibatch: nn.Module, head: Head) -> None:
        super().__init__()
        self.join, self.body, self.pooling, self.minibatch, self.head = join, body, pooling, minibatch, head

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        places = at_least_float32(relu(self.body(self.join(x, c))))
        features = places.sum((2, 3)) if self.pooling == "sum" else places.mean((2, 3))
        return self.head.judge(self.minibatch(features), c, features)


def _dense(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


@dataclass(frozen=True)
class ResNetGenerator:
    """The residual generator of SNGAN, WGAN-GP and SAGAN, for images of 8x8 and more.

    A dense layer makes the smallest map, of sides 4 or a little less, and a block for each doubling of its sides
    follows; then norm, ReLU, a 3x3 convolution and tanh. With 128 latents and 32x32 images, `size=256` is SNGAN's
    network for CIFAR-10 and `size=128` that of WGAN-GP. `size=64, doublings=4` makes the channels of the networks for
    128x128; with `norm='spectral_batch', attention=32` it is SAGAN's.

    Args:
        size: channels at full size.
        doublings: how often channels double on the way down from there, as sides halve.
        norm: norm of the maps, of the weights or of both, as in `DCGANGenerator`.
        conditioning: how the condition enters: `ConditionalNorm` or `Style`, in every block, or `Concatenate` to z.
        attention: self-attention on the map whose smaller side this is; 0 for none.
    """

    size: int = 256
    doublings: int = 0
    norm: Norm = "batch"
    conditioning: Concatenate | ConditionalNorm | Style = Concatenate(32)
    attention: int = 0

    def __post_init__(self) -> None:
        check_size(self.size)
        check_way(self.conditioning, Concatenate, ConditionalNorm, Style)
        check_conditioning(self.conditioning, self.norm)
        _check_choices(self.doublings, self.attention)

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z[, c])`: z `(B, latent)` to images `(B, C, H, W)` in [-1, 1]."""
        if isinstance(self.conditioning, Style):
            return styled(self, self.conditioning.size, latent, shape, condition)
        image_channels, height, width = image_shape(shape)
        bottom, *targets = ladder(height, width)[::-1]
        top, *widths = channels(self.size, len(targets) + 1, self.doublings)[::-1]
        join, left = entrance(self.conditioning, condition)
        seed = nn.Sequential(_dense(latent + join.size, top * math.prod(bottom)), nn.Unflatten(1, (top, *bottom)))
        steps = zip([top, *widths], widths, targets, strict=False)
        blocks = [UpBlock(before, after, target, self.norm, left) for before, after, target in steps]
        end = nn.Sequential(norm2d(self.norm, self.size), nn.ReLU(), xavier(self.size, image_channels, 3))
        generator = _Generator(join, seed, blocks, _attentive(self.attention, targets, widths), end)
        return finished(generator, self.norm, lambda inner: refer_to_latents(inner, latent, condition))


@dataclass(frozen=True)
class ResNetDiscriminator:
    """The residual discriminator of SNGAN, WGAN-GP and SAGAN, for images of 8x8 and more.

    Blocks halve the sides until the smaller one is at most `smallest`, `blocks` more follow, then a ReLU, and the sums
    of the map's places are the features. `size=128` on 32x32 images is SNGAN's network for CIFAR-10, and with
    `pooling='mean'` and a norm of `none` or `layer` that of WGAN-GP. `size=64, doublings=4, smallest=4, blocks=1` is
    the network for 128x128; with `attention=32` it is SAGAN's.

    Args:
        size: channels after the first halving.
        doublings: how often channels double with further ones.
        smallest: the smaller side at which halving ends.
        blocks: further blocks there.
        norm: `spectral` for the weights (SNGAN, SAGAN); norms of the maps as in `DCGANDiscriminator`; or `none`.
        conditioning: how the condition enters: `Concatenate`, `Projection`, `Auxiliary` or `Discriminative`.
        pooling: features are the `sum` (SNGAN, SAGAN) or the `mean` (WGAN-GP) over the last map.
        attention: self-attention on the map whose smaller side this is; 0 for none.
        auxiliary: numbers to predict from the features beside the condition's, as logits.
        minibatch: how samples are compared, `MinibatchDiscrimination` or `MinibatchStddev`, if at all.
    """

    size: int = 128
    doublings: int = 0
    smallest: int = 8
    blocks: int = 2
    norm: Norm = "spectral"
    conditioning: Concatenate | Projection | Auxiliary | Discriminative = Projection()
    pooling: Literal["sum", "mean"] = "sum"
    attention: int = 0
    auxiliary: int = 0
    minibatch: MinibatchDiscrimination | MinibatchStddev | None = None

    def __post_init__(self) -> None:
        check_size(self.size)
        check_auxiliary(self.auxiliary)
        check_way(self.conditioning, Concatenate, Projection, Auxiliary, Discriminative)
        _check_choices(self.doublings, self.attention)
        if self.smallest < 1 or self.blocks < 0:
            raise ValueError(
                f"smallest is a side, at least 1, and blocks counts from 0; found {self.smallest} and {self.blocks}"
            )
        if self.pooling not in ("sum", "mean"):
            raise ValueError(f"pooling is 'sum' or 'mean'; found {self.pooling!r}")

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: images `(B, C, H, W)` to a `Judgement` with scores `(B,)`."""
        image_channels, height, width = image_shape(shape)
        sizes = ladder(height, width, self.smallest)[1:]
        widths = channels(self.size, len(sizes), self.doublings)
        join, left = entrance(self.conditioning, condition)
        parts: list[nn.Module] = []
        before = image_channels + join.size
        attentions = _attentive(self.attention, sizes, widths)
        for stage, (after, attention) in enumerate(zip(widths, attentions, strict=True)):
            parts += [DownBlock(before, after, True, self.norm, first=stage == 0), attention]
            before = after
        body = nn.Sequential(*parts, *(DownBlock(before, before, False, self.norm) for _ in range(self.blocks)))
        minibatch, dimensions = comparing(self.minibatch, before, self.norm)
        head = Head(dimensions, left, predictions(self.conditioning, condition, self.auxiliary))
        nn.init.xavier_uniform_(head.linear.weight)
        nn.init.zeros_(head.linear.bias)
        discriminator = _Discriminator(join, body, self.pooling, minibatch, head)
        return finished(discriminator, self.norm, lambda inner: refer_to_samples(inner, shape, condition))
