"""StyleGAN2: Karras et al. 2020 (arXiv 1912.04958), configuration F, in plain PyTorch, for any height and width.

A mapping network turns z into w, and w sets the scale of every channel of every layer of a synthesis network; what is
seen of the image at each size is added up ("skip" generator). The discriminator is residual.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.distributed import average, ranks
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import Concatenate, Join, Projection, check_way, entrance, needed
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.dials import check_dial, check_full, widths_of
from zerosum.networks.layers.equalised import EqualConv2d, EqualLinear, scaled_leaky
from zerosum.networks.layers.minibatch import GroupStddev
from zerosum.networks.layers.modulated import ModulatedConv2d
from zerosum.networks.layers.noise import NoiseInjection
from zerosum.networks.layers.pyramid import Sides, ladder
from zerosum.networks.layers.resample import Resample, downsample, filter_matrix, taps, upsample

AVERAGE_HALF_LIFE = 11_000  # generated samples after which a w counts half in the average; 0.998 a batch of 32


def _depth(size: int) -> int:
    """Layers of a mapping network, by default."""
    return 8 if size >= 256 else 2


def _normalised(x: Tensor) -> Tensor:
    """Vectors scaled to a mean square of 1."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class _Mapping(nn.Module):
    """From z, the label, or both, to w: normalise, concatenate, and an MLP that learns at 1/100 of the rate."""

    def __init__(self, latent: int, condition: Condition | None, width: int, depth: int) -> None:
        super().__init__()
        self.embedding = None if condition is None else condition.embed(width)
        inputs = latent + (0 if condition is None else width)
        sizes = [inputs, *[width] * depth]
        self.layers = nn.ModuleList([EqualLinear(before, after, rate=0.01) for before, after in pairwise(sizes)])

    def forward(self, z: Tensor | None, c: Tensor | None = None) -> Tensor:
        """w `(B, width)`."""
        parts = [] if z is None else [_normalised(z)]
        if self.embedding is not None:
            parts.append(_normalised(self.embedding(needed(c))))
        w = torch.cat(parts, dim=1)
        for layer in self.layers:
            w = scaled_leaky(layer(w))
        return w


class _StyledConv(nn.Module):
    """Modulated convolution, noise, bias, activation."""

    def __init__(self, inputs: int, outputs: int, style: int, sides: Sides, doubles: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, outputs, 3, style, large=sides if doubles else None)
        self.noise = NoiseInjection(sides)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        h = self.noise(self.conv(x, w))
        return scaled_leaky(h + self.bias.to(h.dtype)[:, None, None])


class _ToImage(nn.Module):
    """The contribution of a map to the image: a modulated 1x1 convolution without demodulation."""

    def __init__(self, inputs: int, channels: int, style: int) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, channels, 1, style, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return at_least_float32(self.conv(x, w)) + self.bias[:, None, None]


class _Synthesis(nn.Module):
    """From w, or one w a layer, to images. `count` is the number of layers that take a w of their own."""

    def __init__(self, sizes: list[Sides], widths: list[int], channels: int, style: int) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(widths[0], *sizes[0]))
        first = _StyledConv(widths[0], widths[0], style, sizes[0], doubles=False)
        self.convs = nn.ModuleList([first])
        self.shows = nn.ModuleList([_ToImage(width, channels, style) for width in widths])
        self.ups = nn.ModuleList([upsample(sides) for sides in sizes[1:]])
        for (before, after), sides in zip(pairwise(widths), sizes[1:], strict=True):
            self.convs.append(_StyledConv(before, after, style, sides, doubles=True))
            self.convs.append(_StyledConv(after, after, style, sides, doubles=False))
        self.count = len(self.convs) + 1

    def forward(self, w: Tensor) -> Tensor:
        """Images of w `(B, width)`, or of `(B, count, width)`."""
        ws = w.unsqueeze(1).expand(-1, self.count, -1) if w.dim() == 2 else w
        # The w of each contribution is that of the next layer, as in the paper's code.
        h = self.convs[0](self.start.expand(len(ws), -1, -1, -1), ws[:, 0])
        x: Tensor = self.shows[0](h, ws[:, 1])
        for stage, (show, up) in enumerate(zip(self.shows[1:], self.ups, strict=True)):
            first, second = self.convs[2 * stage + 1], self.convs[2 * stage + 2]
            h = second(first(h, ws[:, 2 * stage + 1]), ws[:, 2 * stage + 2])
            x = up(x) + show(h, ws[:, 2 * stage + 3])
        return at_least_float32(x)


class _Generator(nn.Module):
    """`mapping(z[, c]) -> w` and `synthesis(w) -> x`, and between them style mixing or truncation.

    `truncation` may be set on a built generator, for sampling.
    """

    whole_batch: ClassVar[str] = "StyleGAN2's generator keeps the mean of its batches' w"

    def __init__(self, mapping: _Mapping, synthesis: _Synthesis, width: int, mixing: float, truncation: float) -> None:
        super().__init__()
        self.mapping, self.synthesis, self.mixing, self.truncation = mapping, synthesis, mixing, truncation
        self.register_buffer("w_average", torch.zeros(width))
        self.w_average: Tensor

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        w = self.mapping(z, c)
        if not self.training:
            images: Tensor = self.synthesis(self.w_average.lerp(w, self.truncation))
            return images
        kept = 0.5 ** (len(z) * ranks() / AVERAGE_HALF_LIFE)
        (now,) = average([w.detach().mean(0)])
        self.w_average.copy_(now.lerp(self.w_average, kept))
        mixed: Tensor = self.synthesis(self._mix(w, z, c))
        return mixed

    def _mix(self, w: Tensor, z: Tensor, c: Tensor | None) -> Tensor:
        """One w a layer `(B, count, width)`: with probability `mixing`, another from a random layer on."""
        count = self.synthesis.count
        other = self.mapping(torch.randn_like(z), c)
        first = torch.randint(1, count, (len(z), 1), device=z.device)
        mixes = torch.rand(len(z), 1, device=z.device) < self.mixing
        swapped = (torch.arange(count, device=z.device) >= first) & mixes
        return torch.where(swapped[:, :, None], other[:, None], w[:, None])


@dataclass(frozen=True)
class StyleGAN2Generator:
    """The generator of StyleGAN2, for images of 8x8 and more; its output is linear.

    Layers have `size` channels up to 64x64 and half as many with each doubling of the sides after that (see `full`); w
    has `size` dimensions. The paper's has size 512: 30.4 million parameters at 1024x1024 with 512 latents. For CIFAR-10
    the authors of ADA take the same size, `depth=2` and `mixing=0.0`, without path length regularisation.

    `module.mapping(z[, c])` gives w `(B, size)`, and `module.synthesis(w)` images of w, or of one w a layer `(B,
    module.synthesis.count, size)`. In training, noise and styles are drawn from torch's global generator, which the
    training loop ties to the position in the run; in evaluation the noise is constant.

    Args:
        size: channels of the layers at the smallest sides, at least 4.
        full: how many sizes of maps have them, from the smallest up, before channels halve with each doubling of the
            sides; the paper's 5 extend to 64x64. Small images on a small machine want a large `size` and a `full` of 1:
            few style dimensions and few channels have little effect.
        mixing: share of samples in training whose later layers take the w of another z, standard normal, in [0, 1].
        truncation: psi in [0, 1]: in evaluation, w = average + psi (w - average); 1 changes nothing. It may also be
            set on the built module, as `load(run).module.truncation = 0.7`.
        depth: layers of the mapping network, at least 1; None for the paper's 8 from size 256 on, and 2 below.
    """

    size: int = 64
    full: int = 5
    mixing: float = 0.9
    truncation: float = 1.0
    depth: int | None = None

    def __post_init__(self) -> None:
        check_dial(self.size)
        check_full(self.full)
        for name, share in (("mixing", self.mixing), ("truncation", self.truncation)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is a share in [0, 1]; found {share}")
        if self.depth is not None and self.depth < 1:
            raise ValueError(f"depth counts the layers of the mapping network, at least 1; found {self.depth}")

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z[, c])`: z `(B, latent)` to images `(B, C, H, W)`."""
        channels, height, width = image_shape(shape)
        sizes = ladder(height, width)[::-1]
        mapping = _Mapping(latent, condition, self.size, self.depth or _depth(self.size))
        synthesis = _Synthesis(sizes, widths_of(self.size, len(sizes), self.full), channels, self.size)
        return _Generator(mapping, synthesis, self.size, self.mixing, self.truncation)


def _blur(large: Sides) -> Resample:
    """What comes before a convolution of stride 2, so that its output has half the sides, rounding up."""
    rows, columns = (filter_matrix(side + 1 + side % 2, side, taps(side), stride=1, pad=2) for side in large)
    return Resample(rows, columns)


class _Block(nn.Module):
    """Two convolutions, the second of which halves the sides, and a shortcut beside them if asked."""

    def __init__(self, inputs: int, outputs: int, sides: Sides, shortcut: bool) -> None:
        super().__init__()
        self.first = EqualConv2d(inputs, inputs, 3)
        self.blur, self.second = _blur(sides), EqualConv2d(inputs, outputs, 3, stride=2)
        self.down, self.skip = downsample(sides), EqualConv2d(inputs, outputs, 1, bias=False) if shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        h = scaled_leaky(self.second(self.blur(scaled_leaky(self.first(x)))))
        return h if self.skip is None else (h + self.skip(self.down(x))) * math.sqrt(0.5)


class _Head(nn.Module):
    """A linear score, or the projection of features on w of the label (Miyato and Koyama 2018)."""

    def __init__(self, features: int, condition: Condition | None) -> None:
        super().__init__()
        self.linear = EqualLinear(features, 1 if condition is None else features)
        self.mapping = None if condition is None else _Mapping(0, condition, features, _depth(features))

    def forward(self, features: Tensor, c: Tensor | None) -> Tensor:
        h: Tensor = self.linear(features)
        if self.mapping is None:
            return h.squeeze(1)
        projection: Tensor = (h * self.mapping(None, c)).sum(1) * h.shape[1] ** -0.5
        return projection


class _Discriminator(nn.Module):
    def __init__(self, join: Join, body: nn.Module, dense: EqualLinear, head: _Head) -> None:
        super().__init__()
        self.join, self.body, self.dense, self.head = join, body, dense, head

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        h = scaled_leaky(self.body(self.join(x, c)))
        features = scaled_leaky(self.dense(h.flatten(1)))
        return Judgement(self.head(features, c), features)


class _FromImage(nn.Module):
    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.conv = EqualConv2d(channels, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return scaled_leaky(self.conv(x))


@dataclass(frozen=True)
class StyleGAN2Discriminator:
    """The discriminator of StyleGAN2, for images of 8x8 and more: residual, with minibatch standard deviation.

    A sample's score depends on the others of its group; the last dense layer is returned as features. The paper's has
    size 512: 29.0 million parameters at 1024x1024. For CIFAR-10 the authors of ADA take the same size, `group=32` and
    `shortcuts=False`.

    Args:
        size: channels of the layers at the smallest sides, as in `StyleGAN2Generator`.
        full: how many sizes of maps have them, as there.
        conditioning: how labels enter: `Concatenate` or `Projection`.
        group: samples of a group (>= 2).
        shortcuts: whether blocks are residual; if not, they are the plain ones of progressive GANs.
    """

    size: int = 64
    full: int = 5
    conditioning: Concatenate | Projection = Projection()
    group: int = 4
    shortcuts: bool = True

    def __post_init__(self) -> None:
        check_dial(self.size)
        check_way(self.conditioning, Concatenate, Projection)
        check_full(self.full)
        if self.group < 2:
            raise ValueError(f"a standard deviation needs groups of at least 2 samples; found group={self.group}")

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: images `(B, C, H, W)` to a `Judgement` with scores `(B,)`."""
        channels, height, width = image_shape(shape)
        sizes = ladder(height, width)
        widths = widths_of(self.size, len(sizes), self.full)[::-1]
        join, left = entrance(self.conditioning, condition)
        pairs = zip(pairwise(widths), sizes[:-1], strict=True)
        blocks = [_Block(*pair, sides, self.shortcuts) for pair, sides in pairs]
        top = widths[-1]
        last = [GroupStddev(self.group), EqualConv2d(top + 1, top, 3)]
        body = nn.Sequential(_FromImage(channels + join.size, widths[0]), *blocks, *last)
        dense = EqualLinear(top * math.prod(sizes[-1]), top)
        return _Discriminator(join, body, dense, _Head(top, left))
