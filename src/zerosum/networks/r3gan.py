"""R3GAN: Huang et al. 2024 (arXiv 2501.05441), a modern baseline without norms and tricks, for any height and width.

Both players are stages of residual blocks, one stage a map size; a block is a 1x1 convolution that doubles the
channels, a grouped 3x3 convolution and a 1x1 convolution back (an inverted ResNeXt bottleneck). There is no norm:
weights begin by He's rule, damped with the number of blocks as in Fixup (arXiv 1901.09321), and the last convolution of
each block begins at zero.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import (
    Concatenate,
    Head,
    Join,
    Projection,
    check_embedding,
    check_way,
    entrance,
    needed,
)
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.dials import check_dial, check_full, widths_of
from zerosum.networks.layers.pyramid import Sides, ladder
from zerosum.networks.layers.resample import downsample, upsample

BLOCKS = 2  # residual blocks in a stage
EXPANSION = 2  # channels inside a block, as a multiple of those between blocks
NEGATIVE_SLOPE = 0.2


def _convolution(inputs: int, outputs: int, kernel: int = 1, groups: int = 1, gain: float = 1.0) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    nn.init.normal_(conv.weight, std=gain / math.sqrt(conv.weight[0].numel()))
    return conv


class _BiasedActivation(nn.Module):
    """Leaky ReLU after a bias: convolutions here have none of their own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x + self.bias.to(x.dtype)[:, None, None], NEGATIVE_SLOPE)


class _Block(nn.Module):
    """x + W3 a(W2 a(W1 x)); `blocks` counts those of the whole network, whose variance they share."""

    def __init__(self, channels: int, blocks: int, group: int) -> None:
        super().__init__()
        hidden = EXPANSION * channels
        # He's gain, times blocks^(-1/(2m - 2)) for the m = 3 layers of a branch (Fixup, section 3).
        gain = math.sqrt(2 / (1 + NEGATIVE_SLOPE**2)) * blocks**-0.25
        self.branch = nn.Sequential(
            _convolution(channels, hidden, gain=gain),
            _BiasedActivation(hidden),
            _convolution(hidden, hidden, kernel=3, groups=hidden // math.gcd(hidden, group), gain=gain),
            _BiasedActivation(hidden),
            _convolution(hidden, channels, gain=0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.branch(x)
        return x + branch


def _stage(channels: int, blocks: int, group: int) -> list[nn.Module]:
    return [_Block(channels, blocks, group) for _ in range(BLOCKS)]


def _check_group(group: int) -> None:
    if group < 1:
        raise ValueError(f"group is a number of channels, at least 1; found {group}")


def _label_scale(condition: Condition | None) -> float:
    """Standard deviation of an embedding that is a linear map, by He's rule, of the label as a one-hot vector.

    Of the variance of z and an embedding of as many dimensions, the label so has one part in classes + 1. Other
    conditions, whose components are all there at once, keep 1.
    """
    return 1.0 if condition is None or not condition.classes else len(condition.classes) ** -0.5


def _transition(before: int, after: int) -> list[nn.Module]:
    return [] if before == after else [_convolution(before, after)]


class _GenerativeBasis(nn.Module):
    """A learned map, each channel scaled by a linear function of z."""

    def __init__(self, latent: int, channels: int, sides: Sides) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, *sides))
        self.linear = nn.Linear(latent, channels, bias=False)
        nn.init.normal_(self.linear.weight, std=latent**-0.5)

    def forward(self, z: Tensor) -> Tensor:
        scale: Tensor = self.linear(z)[:, :, None, None]
        return self.basis * scale


class _Generator(nn.Module):
    def __init__(self, join: Join, basis: _GenerativeBasis, body: nn.Module) -> None:
        super().__init__()
        self.join, self.basis, self.body = join, basis, body

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        x: Tensor = self.body(self.basis(self.join(z, c)))
        return at_least_float32(x)


class _LabelHead(nn.Module):
    """The score <e(c), W h> of features h: the embedding begins 1 / sqrt(features) as large as G's."""

    def __init__(self, features: int, condition: Condition) -> None:
        super().__init__()
        self.linear = nn.Linear(features, features, bias=False)
        nn.init.normal_(self.linear.weight, std=features**-0.5)
        self.embedding = condition.embed(features, _label_scale(condition) * features**-0.5)

    def forward(self, features: Tensor, c: Tensor | None) -> Tensor:
        embedded = at_least_float32(self.embedding(needed(c)))
        return (embedded * at_least_float32(self.linear(features))).sum(1)


def _linear_head(features: int) -> Head:
    head = Head(features)
    nn.init.normal_(head.linear.weight, std=features**-0.5)
    nn.init.zeros_(head.linear.bias)
    return head


class _Discriminator(nn.Module):
    def __init__(self, join: Join, body: nn.Module, head: Head | _LabelHead) -> None:
        super().__init__()
        self.join, self.body, self.head = join, body, head

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        features = self.body(self.join(x, c)).flatten(1)
        return Judgement(self.head(features, c), features)


def _rising(sizes: Sequence[Sides], widths: list[int], group: int) -> list[nn.Module]:
    """Stages from the smallest of the maps `sizes`, which are listed from there up, to the largest."""
    blocks = BLOCKS * len(sizes)
    parts = _stage(widths[0], blocks, group)
    for (before, after), sides in zip(pairwise(widths), sizes[1:], strict=True):
        parts += [*_transition(before, after), upsample(sides), *_stage(after, blocks, group)]
    return parts


def _falling(sizes: Sequence[Sides], widths: list[int], group: int) -> list[nn.Module]:
    """Stages from the largest of the maps `sizes`, which are listed from there down, to the smallest."""
    blocks = BLOCKS * len(sizes)
    parts = _stage(widths[0], blocks, group)
    for (before, after), sides in zip(pairwise(widths), sizes[:-1], strict=True):
        parts += [downsample(sides), *_transition(before, after), *_stage(after, blocks, group)]
    return parts


@dataclass(frozen=True)
class R3GANGenerator:
    """The generator of R3GAN, for images of 8x8 and more; its output is linear.

    A stage a map size, two blocks each. `full` stages have `size` channels, and the ones above half as many with each
    doubling of the sides. The paper's networks for CIFAR-10 and FFHQ have size 768 (20.7 million parameters in G and in
    D at 32x32), those for ImageNet size 1536 at every map, in groups of 32: `R3GANGenerator(1536, full=5, group=32)` at
    64x64. Its z has 64 dimensions. As in the authors' code, a label's embedding begins as a linear map of a one-hot
    vector, with a variance of 1 / classes beside the 1 of z.

    The inner convolutions of a block have no gradient before the first step, since its last one begins at zero.

    Args:
        size: channels of the first `full` stages, at least 4.
        embedding: dimensions of the label embedding that a conditional generator appends to z.
        full: how many stages have them, from the smallest map up; the paper's 4 extend to 32x32.
        group: channels in a group of a 3x3 convolution, at least 1; where they do not divide, their greatest common
            divisor with twice the stage's channels.
    """

    size: int = 96
    embedding: int = 64
    full: int = 4
    group: int = 16

    def __post_init__(self) -> None:
        check_dial(self.size)
        check_embedding(self.embedding)
        check_full(self.full)
        _check_group(self.group)

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z[, c])`: z `(B, latent)` to images `(B, C, H, W)`."""
        channels, height, width = image_shape(shape)
        sizes = ladder(height, width)[::-1]
        widths = widths_of(self.size, len(sizes), self.full)
        join = Join(condition, self.embedding, _label_scale(condition))
        basis = _GenerativeBasis(latent + join.size, widths[0], sizes[0])
        stages = _rising(sizes, widths, self.group)
        return _Generator(join, basis, nn.Sequential(*stages, _convolution(widths[-1], channels)))


@dataclass(frozen=True)
class R3GANDiscriminator:
    """The discriminator of R3GAN, for images of 8x8 and more: the generator's mirror.

    Its last map is read by one filter a channel, as large as the map, and their outputs are returned as features. As in
    the authors' code, a conditional score is <e(c), W h> of the features h alone, without an unconditional score beside
    it. As in `R3GANGenerator`, blocks begin as the identity.

    Args:
        size: channels of the stages at the smallest maps, as in `R3GANGenerator`.
        conditioning: how labels enter: `Concatenate`, or `Projection` as in the paper.
        full: how many stages have them, as there.
        group: channels in a group of a 3x3 convolution, as there.
    """

    size: int = 96
    conditioning: Concatenate | Projection = Projection()
    full: int = 4
    group: int = 16

    def __post_init__(self) -> None:
        check_dial(self.size)
        check_way(self.conditioning, Concatenate, Projection)
        check_full(self.full)
        _check_group(self.group)

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: images `(B, C, H, W)` to a `Judgement` with scores `(B,)`."""
        channels, height, width = image_shape(shape)
        sizes = ladder(height, width)
        widths = widths_of(self.size, len(sizes), self.full)[::-1]
        join, left = entrance(self.conditioning, condition)
        top = widths[-1]
        basis = nn.Conv2d(top, top, sizes[-1], groups=top, bias=False)
        nn.init.normal_(basis.weight, std=math.prod(sizes[-1]) ** -0.5)
        stages = _falling(sizes, widths, self.group)
        head = _linear_head(top) if left is None else _LabelHead(top, left)
        return _Discriminator(join, nn.Sequential(_convolution(channels + join.size, widths[0]), *stages, basis), head)
