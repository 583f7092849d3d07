"""A convolutional network that was never trained."""

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum.features._images import colours
from zerosum.features._naming import ExtractorOptions
from zerosum.features.extractor import Features
from zerosum.features.feature_network import FeatureNetwork

SIDE = 64  # images are resized to this
WIDTHS = (3, 32, 64, 128, 128)  # channels, from the image to the last map
GRID = 2  # the last map is averaged over a grid of this many cells per axis


class RandomConv:
    """A random convolutional network: features without trained weights.

    After Naeem et al. 2020 (arXiv 2002.09797), who find random embeddings more suitable than ImageNet's for images
    unlike ImageNet's. Images are resized to 64x64 (antialiased bilinear) and -1..1, grey ones as r = g = b. Four 3x3
    convolutions of stride 2, each with ReLU, have 32, 64, 128 and 128 channels, and the last map of 4x4 is averaged
    over a 2x2 grid: 512 features. Weights are normal with variance 2 / fan-in (He et al. 2015), without biases, drawn
    on the CPU by a separate generator: the same on every device.

    Args:
        seed: of the weights.
        device: device of the computation.
    """

    name = "random-conv"

    def __init__(self, seed: int = 0, device: str | torch.device = "cpu") -> None:
        draw = torch.Generator().manual_seed(seed)
        self.seed = seed
        self.device = torch.device(device)
        self.weights = [
            (torch.randn(fan_out, fan_in, 3, 3, generator=draw) * (2 / (9 * fan_in)) ** 0.5).to(self.device)
            for fan_in, fan_out in pairwise(WIDTHS)
        ]

    @classmethod
    def named(cls, options: ExtractorOptions) -> "RandomConv":
        """Return the one that `random-conv` names, of seed 0, or `random-conv:SEED`."""
        options.is_float32(cls.name)
        if options.argument and not options.argument.isdecimal():
            raise ValueError(f"random-conv:SEED takes a whole number of 0 or more; found {options.argument!r}")
        return cls(int(options.argument or 0), options.device)

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts for the protocol of a score."""
        return {
            "name": self.name,
            "weights": f"random, seed {self.seed}",
            "resize": f"antialiased bilinear to {SIDE}x{SIDE}",
            "dtype": "float32",
            "dimensions": str(WIDTHS[-1] * GRID**2),
        }

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """Return the features of uint8 images `(B, H, W, C)`, `(B, 512)`."""
        return Features(_layers(colours(images, self.device), self.weights)[-1].cpu())

    def module(self, side: int | None = None) -> FeatureNetwork:
        """Return it as a module with gradients to its input, of images resized to a side (64 by default).

        It has four maps, of sides 32, 16, 8 and 4 at 64, and the features.
        """
        return FeatureNetwork(
            partial(_see, side or SIDE), {str(place): weight for place, weight in enumerate(self.weights)}
        )


def _see(side: int, x: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    return _layers(x.expand(-1, 3, -1, -1), weights.values(), side)


def _layers(x: Tensor, weights: Iterable[Tensor], side: int = SIDE) -> tuple[Tensor, ...]:
    """The maps of images `(B, 3, H, W)` in 0..255, and the features."""
    x = F.interpolate(x, (side, side), mode="bilinear", antialias=True) / 127.5 - 1
    found = []
    for weight in weights:
        x = F.conv2d(x, weight, stride=2, padding=1).relu()
        found.append(x)
    return *found, F.adaptive_avg_pool2d(x, GRID).flatten(1)
