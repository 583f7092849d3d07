"""Generators that enlarge an image: the bodies of EDSR (arXiv 1707.02921) and of ESRGAN (arXiv 1809.00219).

Lim et al. 2017 and Wang et al. 2018. They work at the sides of the small image, without batch norm, and pixels are
shuffled to the large sides at the end (Shi et al. 2016, arXiv 1609.05158).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from zerosum.conditions.condition import Condition
from zerosum.conditions.image import Image
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import needed
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.basic import check_size
from zerosum.networks.layers.translation import image_condition

_STEPS = {2: (2,), 3: (3,), 4: (2, 2), 6: (2, 3), 8: (2, 2, 2)}  # what each factor is reached by
_DENSE = 5  # convolutions of a dense block


def _convolution(before: int, after: int) -> nn.Conv2d:
    """A 3x3 convolution that keeps the sides, with He's weights and no offsets."""
    layer = nn.Conv2d(before, after, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, a=0.2)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


class _Plain(nn.Module):
    """EDSR's block: h + 0.1 conv(relu(conv(h)))."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_convolution(size, size), nn.ReLU(), _convolution(size, size))

    def forward(self, h: Tensor) -> Tensor:
        """`(B, size, H, W)`."""
        result: Tensor = h + 0.1 * self.body(h)
        return result


class _Dense(nn.Module):
    """h + 0.2 f(h), where each of five convolutions takes h and the outputs of all before it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        growth = max(size // 2, 1)
        after = [growth] * (_DENSE - 1) + [size]
        self.layers = nn.ModuleList([_convolution(size + growth * i, width) for i, width in enumerate(after)])

    def forward(self, h: Tensor) -> Tensor:
        """`(B, size, H, W)`."""
        known = [h]
        for layer in self.layers[:-1]:
            known.append(leaky_relu(layer(torch.cat(known, dim=1)), 0.2))
        result: Tensor = h + 0.2 * self.layers[-1](torch.cat(known, dim=1))
        return result


class _DenseBlocks(nn.Module):
    """ESRGAN's block (RRDB): h + 0.2 f(h), f three dense blocks one after another."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*[_Dense(size) for _ in range(3)])

    def forward(self, h: Tensor) -> Tensor:
        """`(B, size, H, W)`."""
        result: Tensor = h + 0.2 * self.body(h)
        return result


class _Generator(nn.Module):
    def __init__(self, spec: "SuperResolution", latent: int, channels: int, factor: int) -> None:
        super().__init__()
        self.factor, size = factor, spec.size
        block = {"edsr": _Plain, "rrdb": _DenseBlocks}[spec.body]
        self.enter = _convolution(channels, size)
        self.latent = nn.Linear(latent, size) if spec.noise else None
        self.body = nn.Sequential(*[block(size) for _ in range(spec.blocks)], _convolution(size, size))
        shuffles = [(_convolution(size, size * step**2), nn.PixelShuffle(step)) for step in _STEPS[factor]]
        activations = () if spec.body == "edsr" else (nn.LeakyReLU(0.2), _convolution(size, size), nn.LeakyReLU(0.2))
        self.enlarge = nn.Sequential(*[layer for pair in shuffles for layer in pair], *activations)
        self.end = _convolution(size, channels)
        nn.init.zeros_(self.end.weight)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        c = needed(c).to(self.end.weight.dtype)
        h = self.enter(c)
        h = h if self.latent is None else h + self.latent(z)[:, :, None, None]
        residual: Tensor = self.end(self.enlarge(h + self.body(h)))
        sides = [side * self.factor for side in c.shape[2:]]
        return interpolate(at_least_float32(c), sides, mode="bicubic", align_corners=False) + at_least_float32(residual)


@dataclass(frozen=True)
class SuperResolution:
    """A generator that enlarges its condition, an image, by 2, 3, 4, 6 or 8: EDSR's network or ESRGAN's.

    A sample is the bicubic enlargement of c plus a residual of the network, whose last layer begins at 0: at first
    samples are exactly the bicubic enlargement. There is no tanh, and samples may leave [-1, 1]. The network applies to
    images of any height and width; its factor is that of the shapes it was built for. Batch norm is nowhere, so tiles
    (`tiled`) are exact.

    Args:
        size: channels; 64 in the baseline of EDSR and in ESRGAN, 256 in EDSR.
        blocks: residual blocks; 16 in the baseline of EDSR, 32 in EDSR, 23 in ESRGAN.
        body: `edsr`, blocks of two convolutions, scaled by 0.1; or `rrdb`, blocks of three dense blocks of five.
        noise: z is added to the first map as planes, by a linear map; else a sample is a function of c alone.
    """

    size: int = 64
    blocks: int = 16
    body: Literal["edsr", "rrdb"] = "edsr"
    noise: bool = False

    def __post_init__(self) -> None:
        check_size(self.size)
        if self.blocks < 0:
            raise ValueError(f"blocks counts residual blocks, at least 0; found {self.blocks}")
        if self.body not in ("edsr", "rrdb"):
            raise ValueError(f"body is 'edsr' or 'rrdb'; found {self.body!r}")

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z, c)`: images c `(B, C, h, w)` to images `(B, C, factor h, factor w)`."""
        shape = image_shape(shape)
        factor = _factor(image_condition("SuperResolution", condition), shape)
        return _Generator(self, latent, shape[0], factor)


def _factor(condition: Image, shape: tuple[int, ...]) -> int:
    """The factor from the condition to samples; raises `ValueError` where there is none of those known."""
    factors = [f for f in _STEPS if tuple(f * side for side in condition.size[1:]) == shape[1:]]
    if not factors or condition.size[0] != shape[0]:
        known = ", ".join(map(str, _STEPS))
        raise ValueError(
            f"SuperResolution enlarges an image by one of {known}, with the channels of the sample; found a condition "
            f"of {condition.size} and samples of {shape}: use Downscaled data"
        )
    return factors[0]
