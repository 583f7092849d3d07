"""FastGAN's generator: Liu et al. 2021 (arXiv 2101.04775), for small data sets; images of any height and width.

A plain ladder of gated convolutions, in which small maps excite the channels of maps sixteen times as wide.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import Join, check_embedding
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.basic import Norm, norm2d
from zerosum.networks.layers.dials import check_dial
from zerosum.networks.layers.excitation import GatedUnit, SkipExcitation
from zerosum.networks.layers.noise import NoiseInjection
from zerosum.networks.layers.pyramid import Sides, ladder
from zerosum.networks.layers.spectral import SpectralNorm, spectral

STD = 0.02  # of all convolutions at first
Upsampling = Literal["nearest", "bilinear"]


def _width(size: int, rung: int) -> int:
    """Channels on a rung of the ladder, 0 for 4x4: 16, 8, 4 and 2 times `size`, then 2 again and half with each."""
    return max(size * (16 if rung < 4 else 32) >> rung, 4)


def _convolution(inputs: int, outputs: int, kernel: int | Sides, stride: int = 1, pad: bool = True) -> nn.Conv2d:
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = ((sides[0] - 1) // 2, (sides[1] - 1) // 2) if pad else (0, 0)
    conv = nn.Conv2d(inputs, outputs, sides, stride, padding, bias=False)
    nn.init.normal_(conv.weight, std=STD)
    return conv


def _norm(name: Norm, channels: int) -> nn.Module:
    norm = norm2d(name, channels)
    if isinstance(norm, nn.BatchNorm2d):
        nn.init.normal_(norm.weight, 1.0, STD)
    return norm


def _gated(inputs: int, outputs: int, noise: Sides | None) -> list[nn.Module]:
    noises = [] if noise is None else [NoiseInjection(noise)]
    return [_convolution(inputs, 2 * outputs, 3), *noises, _norm("batch", 2 * outputs), GatedUnit()]


def _up(inputs: int, outputs: int, sides: Sides, twice: bool = False, mode: Upsampling = "nearest") -> nn.Sequential:
    """To maps of the given sides by one gated convolution, or by two with noise."""
    first = _gated(inputs, outputs, sides if twice else None)
    second = _gated(outputs, outputs, sides) if twice else []
    return nn.Sequential(nn.Upsample(size=sides, mode=mode), *first, *second)


def _excitations(last: int, distance: int, most: int) -> dict[int, int]:
    """Which map excites which: the first `most` maps each the one `distance` further on, in `last` steps in all."""
    distance = min(distance, last)
    return {source + distance: source for source in range(most) if source + distance <= last}


def _gate(small: int, large: int) -> SkipExcitation:
    excitation = SkipExcitation(small, large)
    spectral(excitation)
    return excitation


class _Generator(nn.Module):
    def __init__(self, join: Join, inputs: int, spec: "FastGANGenerator", channels: int, sizes: list[Sides]) -> None:
        super().__init__()
        widths, mode = [_width(spec.size, rung) for rung in range(len(sizes))], spec.upsampling
        self.join = join
        start = nn.ConvTranspose2d(inputs, 2 * widths[0], sizes[0], bias=False)
        nn.init.normal_(start.weight, std=STD)
        self.start = nn.Sequential(start, _norm("batch", 2 * widths[0]), GatedUnit())
        pairs = zip(pairwise(widths), sizes[1:], strict=True)
        self.ups = nn.ModuleList([_up(*pair, sides, rung % 2 == 0, mode) for rung, (pair, sides) in enumerate(pairs)])
        self.sources = _excitations(len(self.ups), distance=4, most=4)
        pairs_excited = {str(to): _gate(widths[at], widths[to]) for to, at in self.sources.items()}
        self.excitations = nn.ModuleDict(pairs_excited)
        self.show = SpectralNorm(_convolution(widths[-1], channels, 3))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        maps = [self.start(self.join(z, c)[:, :, None, None])]
        for rung, up in enumerate(self.ups, 1):
            h = up(maps[-1])
            maps.append(self.excitations[str(rung)](maps[self.sources[rung]], h) if rung in self.sources else h)
        x: Tensor = self.show(maps[-1])
        return at_least_float32(x).tanh()


@dataclass(frozen=True)
class FastGANGenerator:
    """The generator of FastGAN, for images of 8x8 and more.

    Maps double by nearest neighbours, or bilinearly, and gated convolutions with batch norm; every other doubling has
    two of them, with noise. The maps from 4x4 to 32x32 excite the ones sixteen times as wide, in small images the first
    the last. Channels are 16, 8, 4 and 2 times `size` from 4x4 to 32x32, twice `size` at 64x64 and then half with each
    doubling: the paper's networks have size 64, and z 256 dimensions. Noise is as in `StyleGAN2Generator`.

    The authors' code normalises all convolutions spectrally. Here those of the gates and the last one are; in the
    others a batch norm follows and would undo it.

    Args:
        size: channels at 128x128, at least 4.
        embedding: dimensions of the label embedding that a conditional generator appends to z.
        upsampling: how maps double: `nearest`, as in the paper, or `bilinear`. After nearest neighbours a convolution
            draws a lattice of two pixels, which a D on frozen features hardly sees and leaves in the samples.
    """

    size: int = 32
    embedding: int = 32
    upsampling: Upsampling = "nearest"

    def __post_init__(self) -> None:
        check_dial(self.size)
        check_embedding(self.embedding)
        if self.upsampling not in ("nearest", "bilinear"):
            raise ValueError(f"upsampling is 'nearest' or 'bilinear'; found {self.upsampling!r}")

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z[, c])`: z `(B, latent)` to images `(B, C, H, W)` in [-1, 1]."""
        channels, height, width = image_shape(shape)
        join = Join(condition, self.embedding)
        return _Generator(join, latent + join.size, self, channels, ladder(height, width)[::-1])
