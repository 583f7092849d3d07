"""DCGAN: Radford, Metz and Chintala 2016 (arXiv 1511.06434), for images of any height and width and channels.

By the paper's rules: strided convolutions in D and transposed ones in G instead of pooling, batch norm except at
G's output and D's input, no hidden dense layers, ReLU in G with tanh at its end, leaky ReLU in D.
"""

__all__ = ["DCGANDiscriminator", "DCGANGenerator"]

import math
from dataclasses import dataclass

from torch import Tensor, nn

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
    check_scores,
    check_way,
    entrance,
    predictions,
)
from zerosum.networks.layers.basic import Norm, activation, check_conditioning, check_size, layers_of, norm2d
from zerosum.networks.layers.conditional import Chain
from zerosum.networks.layers.finish import finished
from zerosum.networks.layers.pyramid import ascend, channels, descend, ladder
from zerosum.networks.layers.styled import styled
from zerosum.networks.layers.virtual import refer_to_latents, refer_to_samples
from zerosum.networks.minibatch import MinibatchDiscrimination, MinibatchStddev, comparing


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The shape as `(C, H, W)`; raises `ValueError` for data that are not images."""
    if len(shape) != 3:
        raise ValueError(f"convolutional networks take images (C, H, W); these data have shape {shape}")
    return (shape[0], shape[1], shape[2])


def _initialise(module: nn.Module, norm: Norm) -> None:
    """N(0, 0.02) for weights and N(1, 0.02) for batch norm's scales, the paper's rule, which leans on the norm.

    Where maps are not normed, He initialisation for leaky ReLU (arXiv 1502.01852) keeps the signal's size instead.
    """
    for layer in layers_of(module):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if norm in ("none", "spectral"):
                nn.init.kaiming_normal_(layer.weight, a=0.2)
            else:
                nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, 0.02)


class _Generator(nn.Module):
    def __init__(self, join: Join, seed: Chain, body: Chain) -> None:
        super().__init__()
        self.join, self.seed, self.body = join, seed, body

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        h = self.join(z, c)
        x: Tensor = self.body(self.seed(h[:, :, None, None], c), c)
        return at_least_float32(x).tanh()


class _Discriminator(nn.Module):
    def __init__(self, body: Chain, minibatch: nn.Module, head: Head) -> None:
        super().__init__()
        self.body, self.minibatch, self.head = body, minibatch, head

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        # Position before channel: a view of a channels_last map, where the usual order is a copy, there and back.
        features = self.body(x, c).permute(0, 2, 3, 1).flatten(1)
        return self.head.judge(self.minibatch(features), c, features)


@dataclass(frozen=True)
class DCGANGenerator:
    """The generator of DCGAN, for images of 8x8 and more.

    Args:
        size: channels before the output at full size; they double with every halving, up to eight times.
        norm: `batch`; `layer`, `instance` or `virtual`, which keep the samples of a batch apart; `spectral` for the
            weights alone, `spectral_batch` for the weights and batch norm; or `none`. The reference of `virtual` is
            a batch of standard normal latents, drawn when it is built.
        conditioning: how the condition enters: `Concatenate` to z, `ConditionalNorm`, or `Style`.
    """

    size: int = 64
    norm: Norm = "batch"
    conditioning: Concatenate | ConditionalNorm | Style = Concatenate(32)

    def __post_init__(self) -> None:
        check_size(self.size)
        check_way(self.conditioning, Concatenate, ConditionalNorm, Style)
        check_conditioning(self.conditioning, self.norm)

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z[, c])`: z `(B, latent)` to images `(B, C, H, W)` in [-1, 1]."""
        if isinstance(self.conditioning, Style):
            return styled(self, self.conditioning.size, latent, shape, condition)
        image_channels, height, width = image_shape(shape)
        sizes = ladder(height, width)
        join, left = entrance(self.conditioning, condition)
        top = channels(self.size, len(sizes) - 1)[-1]
        # A transposed convolution of a 1x1 map is the paper's projection of z, without a dense layer's reshape.
        project = nn.ConvTranspose2d(latent + join.size, top, sizes[-1], bias=self.norm in ("none", "spectral"))
        seed = Chain(project, norm2d(self.norm, top, left), activation("relu"))
        generator = _Generator(join, seed, ascend(sizes, image_channels, self.size, self.norm, "relu", left))
        _initialise(generator, self.norm)
        return finished(generator, self.norm, lambda inner: refer_to_latents(inner, latent, condition))


@dataclass(frozen=True)
class DCGANDiscriminator:
    """The discriminator of DCGAN, for images of 8x8 and more; its last map is returned as features.

    Args:
        size: channels after the first halving; they double with every further one, up to eight times.
        norm: `batch`, which ties the samples of a batch together; for gradient penalties rather `none`, `layer`,
            `instance`, or `virtual`, whose reference is the first batch met in training; `spectral` for the weights
            alone (Miyato et al. 2018, arXiv 1802.05957), `spectral_batch` for the weights and batch norm.
        conditioning: how the condition enters: `Concatenate`, to the map that the last convolution takes, where it is
            as large a part of what comes together as an image's content (Reed et al. 2016, arXiv 1605.05396, figure 2);
            `Projection`, `Auxiliary` or `Discriminative`.
        auxiliary: numbers to predict from the features beside the condition's, as logits.
        scores: dimensions of a sample's score; several make it a feature map for `MMD` (16 in arXiv 1801.01401).
        minibatch: how samples are compared, `MinibatchDiscrimination` or `MinibatchStddev`, if at all.
    """

    size: int = 64
    norm: Norm = "batch"
    conditioning: Concatenate | Projection | Auxiliary | Discriminative = Projection()
    auxiliary: int = 0
    scores: int = 1
    minibatch: MinibatchDiscrimination | MinibatchStddev | None = None

    def __post_init__(self) -> None:
        check_size(self.size)
        check_auxiliary(self.auxiliary)
        check_scores(self.scores)
        check_way(self.conditioning, Concatenate, Projection, Auxiliary, Discriminative)

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: images `(B, C, H, W)` to a `Judgement` with scores `(B,)` or `(B, scores)`."""
        image_channels, height, width = image_shape(shape)
        sizes = ladder(height, width)
        join, left = entrance(self.conditioning, condition)
        body = descend(sizes, image_channels, self.size, self.norm, "leaky", join)
        features = channels(self.size, len(sizes) - 1)[-1] * math.prod(sizes[-1])
        minibatch, dimensions = comparing(self.minibatch, features, self.norm)
        head = Head(dimensions, left, predictions(self.conditioning, condition, self.auxiliary), self.scores)
        discriminator = _Discriminator(body, minibatch, head)
        _initialise(discriminator, self.norm)
        return finished(discriminator, self.norm, lambda inner: refer_to_samples(inner, shape, condition))
