"""FastGAN's discriminator: Liu et al. 2021 (arXiv 2101.04775), section 3.2.

It scores the image and a smaller copy. Small decoders that reconstruct the image from its maps keep it from memorising
the few real samples; the term `Reconstruction` trains them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torch.nn.utils.parametrizations import spectral_norm

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import Concatenate, Head, Join, Projection, check_way, entrance
from zerosum.networks.dcgan import image_shape
from zerosum.networks.fastgan import _convolution, _excitations, _norm, _up, _width
from zerosum.networks.layers.basic import Norm
from zerosum.networks.layers.dials import check_dial
from zerosum.networks.layers.excitation import SkipExcitation
from zerosum.networks.layers.pyramid import Sides, ladder

SHOWN = 5  # reconstructions and small copies are at most as large as this rung of the ladder, 128x128
WHOLE = 6  # images above this rung, 256x256, are first halved by plain convolutions


def _judging(conv: nn.Conv2d, norm: Norm) -> list[nn.Module]:
    """A convolution, norm and leaky ReLU; spectrally normalised unless a batch norm follows, which would undo it."""
    after = _norm(norm, conv.out_channels)
    act = nn.LeakyReLU(0.2, inplace=True)
    return [spectral_norm(conv), act] if isinstance(after, nn.Identity) else [conv, after, act]


def _gate(small: int, large: int) -> SkipExcitation:
    excitation = SkipExcitation(small, large)
    for layer in excitation.gate:
        if isinstance(layer, nn.Conv2d):
            spectral_norm(layer)
    return excitation


def _halving(inputs: int, outputs: int, large: Sides) -> nn.Conv2d:
    return _convolution(inputs, outputs, (4 - large[0] % 2, 4 - large[1] % 2), stride=2)


class _Down(nn.Module):
    """The mean of two ways down: two convolutions, and a pooled 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int, large: Sides, norm: Norm) -> None:
        super().__init__()
        first = _judging(_halving(inputs, outputs, large), norm)
        self.main = nn.Sequential(*first, *_judging(_convolution(outputs, outputs, 3), norm))
        pool = nn.AvgPool2d(2, ceil_mode=True)
        self.direct = nn.Sequential(pool, *_judging(_convolution(inputs, outputs, 1), norm))

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = (self.main(x) + self.direct(x)) / 2
        return h


class _Patches(nn.Module):
    """A score for each 4x4 patch of a map."""

    def __init__(self, inputs: int, sides: Sides, before: Sequence[nn.Module] = ()) -> None:
        super().__init__()
        kernel = (min(4, sides[0]), min(4, sides[1]))
        self.body = nn.Sequential(*before, spectral_norm(_convolution(inputs, 1, kernel, pad=False)))

    def forward(self, x: Tensor) -> Tensor:
        patches: Tensor = at_least_float32(self.body(x))
        return patches.flatten(1)


def _quarter(x: Tensor, part: int) -> Tensor:
    """One of four quarters of a map, the middle row and column of odd sides in both halves."""
    height, width = (x.shape[2] + 1) // 2, (x.shape[3] + 1) // 2
    top, left = (x.shape[2] - height) * (part // 2), (x.shape[3] - width) * (part % 2)
    return x[:, :, top : top + height, left : left + width]


class _Decoder(nn.Sequential):
    """From a map to an image on a higher rung, in [-1, 1]."""

    def __init__(self, inputs: int, size: int, channels: int, targets: list[Sides], first: int) -> None:
        half = max(size // 2, 4)
        widths = [inputs, *[_width(half, first + step) for step in range(len(targets))]]
        ups = [_up(*pair, sides) for pair, sides in zip(pairwise(widths), targets, strict=True)]
        super().__init__(*ups, _convolution(widths[-1], channels, 3), nn.Tanh())


class _Discriminator(nn.Module):
    """Maps are counted by the rung of the ladder `sizes`, which begins at the smallest map."""

    def __init__(
        self, join: Join, left: Condition | None, spec: "FastGANDiscriminator", channels: int, sizes: list[Sides]
    ) -> None:
        super().__init__()
        self.join, self.sizes, top = join, sizes, len(sizes) - 1
        self.last, self.shown = min(1, top - 1), (min(top, SHOWN), min(top - 1, SHOWN))  # of the image and of a quarter
        widths = [max(spec.size * 16 >> rung, 4) for rung in range(len(sizes))]
        start = min(top, WHOLE)
        halvings = [_halving(widths[r + 1], widths[r], sizes[r + 1]) for r in range(top - 1, start - 1, -1)]
        enter = _judging(_convolution(channels + join.size, widths[top], 3), "none")
        self.enter = nn.Sequential(*enter, *(layer for conv in halvings for layer in _judging(conv, spec.norm)))
        rungs = range(start, self.last, -1)
        self.downs = nn.ModuleList([_Down(widths[r], widths[r - 1], sizes[r], spec.norm) for r in rungs])
        self.sources = _excitations(len(self.downs), distance=3, most=3)
        gates = {str(to): _gate(widths[start - at], widths[start - to]) for to, at in self.sources.items()}
        self.excitations = nn.ModuleDict(gates)
        features = widths[self.last]
        wider = _judging(_convolution(features, 2 * features, 1), spec.norm)
        self.patches = _Patches(2 * features, sizes[self.last], wider)
        self.small = _SmallBranch(join.size + channels, spec, sizes) if top > 1 else None
        self.decoders = nn.ModuleDict(self._decoders(spec, channels, widths) if spec.decoders else {})
        self.head = None if left is None else Head(features, left)

    def _decoders(self, spec: "FastGANDiscriminator", channels: int, widths: list[int]) -> dict[str, nn.Module]:
        targets = [self.sizes[self.last + 1 : shown + 1] for shown in self.shown]
        made: dict[str, nn.Module] = {
            "whole": _Decoder(widths[self.last], spec.size, channels, targets[0], self.last + 1),
            "part": _Decoder(widths[self.last + 1], spec.size, channels, targets[1], self.last + 1),
        }
        if self.small is not None:
            below = self.sizes[self.small.last + 1 : self.small.shown + 1]
            made["small"] = _Decoder(self.small.features, spec.size, channels, below, self.small.last + 1)
        return made

    def maps(self, x: Tensor) -> list[Tensor]:
        """The maps of an image that labels have joined, from the largest to the last."""
        maps = [self.enter(x)]
        for step, down in enumerate(self.downs, 1):
            h = down(maps[-1])
            maps.append(self.excitations[str(step)](maps[self.sources[step]], h) if step in self.sources else h)
        return maps

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        joined = self.join(x, c)
        maps = self.maps(joined)
        last = maps[-1]
        score, features = self.patches(last), at_least_float32(last).mean((2, 3))
        if self.small is not None:
            score = torch.cat([score, self.small.patches(self.small(joined))], dim=1)
        if self.head is not None:
            score = score + self.head(features, c)[:, None]
        return Judgement(score, features, maps=tuple(maps))

    def reconstruct(self, x: Tensor, c: Tensor | None = None, part: int = 0) -> list[tuple[Tensor, Tensor]]:
        """Pairs of a target and what a decoder makes of D's maps of x: x, a quarter of it and the small copy.

        Targets are at most 128 wide; the quarter is cut from x itself, so that of larger images it shows more detail.
        """
        if not self.decoders:
            raise ValueError("this discriminator has no decoders to reconstruct with: build it with decoders=True")
        joined = self.join(x, c)
        maps = self.maps(joined)
        whole, quarter = self.shown
        pairs = [
            (adaptive_avg_pool2d(x, self.sizes[whole]), self.decoders["whole"](maps[-1])),
            (
                adaptive_avg_pool2d(_quarter(x, part), self.sizes[quarter]),
                self.decoders["part"](_quarter(maps[-2], part)),
            ),
        ]
        if self.small is not None:
            small = adaptive_avg_pool2d(x, self.sizes[self.small.shown])
            pairs.append((small, self.decoders["small"](self.small(joined))))
        return [(wanted, at_least_float32(made)) for wanted, made in pairs]


class _SmallBranch(nn.Module):
    """What is seen of a smaller copy of the image: plain halvings, with half the channels of the others."""

    def __init__(self, channels: int, spec: "FastGANDiscriminator", sizes: list[Sides]) -> None:
        super().__init__()
        top = len(sizes) - 1
        self.shown, self.last = min(top - 1, SHOWN), min(1, top - 2)
        widths = [max(spec.size * 8 >> rung, 4) for rung in range(self.shown)]
        steps = [(channels, widths[-1]), *pairwise(widths[::-1])][: self.shown - self.last]
        layers: list[nn.Module] = [nn.AdaptiveAvgPool2d(sizes[self.shown])]
        for step, pair in enumerate(steps):
            layers += _judging(_halving(*pair, sizes[self.shown - step]), spec.norm if step else "none")
        self.body, self.features = nn.Sequential(*layers), widths[self.last]
        self.patches = _Patches(self.features, sizes[self.last])

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.body(x)
        return h


@dataclass(frozen=True)
class FastGANDiscriminator:
    """The discriminator of FastGAN, for images of 8x8 and more; the mean of its last map is returned as features.

    The score of an image `(B, patches)` has one component for each 4x4 patch of two maps, one of the image and one of a
    smaller copy of it (of half its sides, at most 128; images below 16 have none): 25 and 25 from 64x64 on. So the
    hinge acts on each patch, as in the authors' code. Gradient penalties differentiate the sum of the scores, which is
    `patches` times their mean: divide the weight of R1 that suits a single score by patches^2. Convolutions that no
    batch norm follows are spectrally normalised. A label's projection is added to all scores.

    With `decoders`, `module.reconstruct(x)` gives the image, a quarter of it and its smaller copy beside what three
    decoders make of D's maps; they learn under the term `Reconstruction` alone and have no gradient without it.

    Args:
        size: channels at 64x64, at least 4: half as many with each doubling of the sides and up to 8 times as many at
            8x8. The paper's has size 64.
        decoders: whether there are decoders, for the term `Reconstruction`.
        norm: `batch`, as in the paper, or `none`, as gradient penalties want it.
        conditioning: how labels enter: `Concatenate` or `Projection`.
    """

    size: int = 32
    decoders: bool = False
    norm: Literal["batch", "none"] = "batch"
    conditioning: Concatenate | Projection = Projection()

    def __post_init__(self) -> None:
        check_dial(self.size)
        check_way(self.conditioning, Concatenate, Projection)
        if self.norm not in ("batch", "none"):
            raise ValueError(f"the norm of this discriminator is 'batch' or 'none'; found {self.norm!r}")

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: images `(B, C, H, W)` to a `Judgement` with scores `(B,)`."""
        channels, height, width = image_shape(shape)
        join, left = entrance(self.conditioning, condition)
        return _Discriminator(join, left, self, channels, ladder(height, width)[::-1])
