"""Discriminators on frozen features: Projected GAN, Sauer et al. 2021 (arXiv 2111.01007).

A trained network that is not trained further turns images into feature maps; fixed random convolutions mix its channels
and its scales; small trained heads score every place of every mixed map.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate
from torch.nn.utils.parametrizations import spectral_norm

from zerosum.conditions.condition import Condition
from zerosum.features.extractor import extractor_named
from zerosum.features.feature_network import Differentiable, FeatureNetwork, check_network_name
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import Projection, check_way
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.basic import check_size, norm2d
from zerosum.networks.layers.map_head import MapHead
from zerosum.networks.layers.pyramid import Sides

HeadNorm = Literal["batch", "spectral"]
_WIDEST = 8  # times `size`, the channels of the coarsest mixed maps
_LEAST = 1e-6  # of the size of maps
_SMALL = 4  # heads halve maps until their sides are at most this


def _maps(network: FeatureNetwork, x: Tensor) -> list[Tensor]:
    """The maps of images `(B, C, H, W)`; of other than 1 or 3 channels, those of all channels concatenated."""
    if x.shape[1] in (1, 3):
        return [*network.maps(x)]
    maps = network.maps(x.flatten(0, 1)[:, None])
    return [each.reshape(len(x), -1, each.shape[2], each.shape[3]) for each in maps]


def _example(shape: tuple[int, ...]) -> Tensor:
    """Smooth random images `(8, *shape)`, always the same, on which the size of features is measured."""
    noise = torch.rand(8, shape[0], 4, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return interpolate(noise, shape[1:], mode="bicubic").clamp(-1, 1)


class _Mixing(nn.Module):
    """Fixed random 1x1 convolutions: `own` mixes the channels of a tap, `coarser` those of the mixed map below it.

    They are drawn once and never trained: buffers, saved with the heads, which mean nothing without them. Maps of all
    taps are scaled to mean square 1 over `examples`, since some networks have far larger ones at fine scales.
    """

    def __init__(self, examples: list[Tensor], widths: list[int]) -> None:
        super().__init__()
        self.taps = len(examples)
        for tap, (maps, after) in enumerate(zip(examples, widths, strict=True)):
            before, size = maps.shape[1], max(float(maps.square().mean()) ** 0.5, _LEAST)
            self.register_buffer(f"own_{tap}", torch.randn(after, before, 1, 1) * before**-0.5 / size)
            if tap + 1 < self.taps:
                below = widths[tap + 1]
                self.register_buffer(f"coarser_{tap}", torch.randn(after, below, 1, 1) * below**-0.5)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Mix maps, from fine to coarse: m_i = (own_i(f_i) + up(coarser_i(m_i+1))) / sqrt(2); the last is own(f)."""
        mixed: list[Tensor] = []
        for tap in reversed(range(self.taps)):
            own = self.get_buffer(f"own_{tap}")
            h = conv2d(maps[tap].to(own.dtype), own)
            if mixed:
                below = conv2d(mixed[0], self.get_buffer(f"coarser_{tap}"))
                h = (h + interpolate(below, (h.shape[2], h.shape[3]), mode="bilinear", align_corners=False)) / 2**0.5
            mixed.insert(0, h)
        return mixed


def _normed(conv: nn.Conv2d, norm: HeadNorm) -> list[nn.Module]:
    """A convolution under spectral norm, or before batch norm, which would undo that; and a leaky ReLU."""
    normed = [spectral_norm(conv)] if norm == "spectral" else [conv, norm2d("batch", conv.out_channels)]
    return [*normed, nn.LeakyReLU(0.2)]


class _FeatureHead(nn.Module):
    """Score the places of a mixed map after halving it to 4x4 or less; the last convolution has spectral norm."""

    def __init__(self, width: int, sides: Sides, condition: Condition | None, norm: HeadNorm) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while max(sides) > _SMALL:
            kernel = (4 - sides[0] % 2, 4 - sides[1] % 2)
            layers += _normed(nn.Conv2d(width, width, kernel, 2, 1, bias=norm == "spectral"), norm)
            sides = ((sides[0] + 1) // 2, (sides[1] + 1) // 2)
        layers += _normed(nn.Conv2d(width, width, 3, padding=1, bias=norm == "spectral"), norm)
        self.body = nn.Sequential(*layers)
        self.score = MapHead(spectral_norm(nn.Conv2d(width, 1, 3, padding=1)), width, condition)

    def forward(self, h: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        """Scores `(B, places)` of maps `(B, width, H, W)`, and the last map."""
        h = self.body(h)
        return self.score(h, c).flatten(1), h


class _Discriminator(nn.Module):
    def __init__(
        self, network: FeatureNetwork, maps: list[Tensor], spec: "FeatureDiscriminator", condition: Condition | None
    ) -> None:
        super().__init__()
        self.network, self.taps = network, len(maps)
        widths = [spec.size * min(2**tap, _WIDEST) for tap in range(self.taps)]
        self.mixing = _Mixing(maps, widths)
        sides = [(each.shape[2], each.shape[3]) for each in maps]
        pairs = zip(widths, sides, strict=True)
        self.heads = nn.ModuleList([_FeatureHead(*pair, condition, spec.norm) for pair in pairs])

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        mixed = self.mixing(_maps(self.network, x)[-self.taps :])
        found = [head(h, c) for head, h in zip(self.heads, mixed, strict=True)]
        maps = tuple(last for _, last in found)
        features = torch.cat([at_least_float32(last).mean((2, 3)) for last in maps], dim=1)
        return Judgement(torch.cat([score for score, _ in found], dim=1), features, maps=maps)


@dataclass(frozen=True)
class FeatureDiscriminator:
    """The discriminator of Projected GAN: heads on the feature maps of a network that is not trained further.

    The last `taps` maps of the extractor are mixed by fixed random 1x1 convolutions, first across channels and then
    across scales, from coarse to fine (arXiv 2111.01007, section 3.2), so that D cannot look at a part of the features
    alone. A head for each scale halves its map to 4x4 or less and scores every place; scores of all heads are
    concatenated, `(B, places)`.

    Only the heads are trained. The extractor is the same in training and evaluation, and its weights are in no
    checkpoint. The random mixing is drawn with the first weights, from the run's seed, and saved with the heads. Images
    are augmented before: `augment=DiffAugment()`.

    Images of other than 1 or 3 channels count as grey images, one for each channel, whose maps are concatenated.

    Args:
        features: name of an extractor that is a network with maps: `lite0`, `vgg16`, `inception`, `random-conv` and
            others. `random-conv` needs no trained weights, and is worth less.
        side: height and width to which images are resized for it; None for the extractor's own size. Small ones are
            fast: the paper takes 224 and more.
        taps: number of its maps that are used, the coarsest ones (>= 1).
        size: channels of the finest mixed map; they double with every scale, up to eight times. The paper takes 64.
        conditioning: the condition enters by `Projection`: the inner product of its embedding with the features of a
            place adds to the score of the place.
        norm: of the heads' convolutions but the last: `spectral`, or `batch`, as in the authors' code, whose spectral
            norm batch norm undoes. Real and generated images are normalised apart.
    """

    features: str = "lite0"
    side: int | None = None
    taps: int = 4
    size: int = 64
    conditioning: Projection = Projection()
    norm: HeadNorm = "spectral"

    def __post_init__(self) -> None:
        check_network_name(self.features)
        check_size(self.size)
        check_way(self.conditioning, Projection)
        if self.norm not in ("batch", "spectral"):
            raise ValueError(f"the norm of heads is 'batch' or 'spectral'; found {self.norm!r}")
        if self.taps < 1:
            raise ValueError(f"taps counts the feature maps that are used, at least 1; found {self.taps}")
        if self.side is not None and not 8 <= self.side <= 1024:
            raise ValueError(f"side is a height and width in pixels, 8 to 1,024, or None; found {self.side}")

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: images `(B, C, H, W)` to a `Judgement` with scores `(B, places)`.

        Raises `ValueError` where the weights of the extractor are not installed, or it has fewer maps.
        """
        image_shape(shape)
        # On the meta device, where networks are counted first, an extractor has no weights to load.
        with torch.device("cpu"), torch.random.fork_rng(devices=[]), torch.no_grad():
            network = self._network()
            maps = _maps(network, _example(shape))
        if len(maps) < self.taps:
            raise ValueError(f"{self.features} has {len(maps)} feature maps, too few for taps={self.taps}")
        return _Discriminator(network, maps[-self.taps :], self, condition)

    def _network(self) -> FeatureNetwork:
        try:
            extractor = extractor_named(self.features)
        except ValueError as error:
            raise ValueError(
                f"{error}. Without trained weights, D can use random-conv, which is worth less: "
                f"discriminator.features='random-conv'"
            ) from None
        assert isinstance(extractor, Differentiable)
        return extractor.module(self.side)
