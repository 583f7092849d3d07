"""Fixed features of samples of any kind: of images by a random convolution, of other samples by a projection."""

__all__ = ()

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, conv2d

_SIDE = 32  # images are averaged to at most this height and width
_WIDTHS = (24, 48)  # channels of the two convolutions
_GRID = 4  # cells per axis over which each map is averaged
_SMALL = 8  # height and width below which a sample is no image to convolve
_MOST = 512  # dimensions of flat samples, after a projection


class Embedding:
    """Map samples `(n, ...)` to features `(n, d)`, float32, by weights of a fixed seed.

    Images of at least 8x8 pixels are averaged to at most 32x32 and seen by two random 3x3 convolutions of stride 2 with
    ReLU (weights as `RandomConv`), whose maps are averaged over 4x4 cells. Other samples are flat vectors, projected
    onto 512 random directions where they have more.

    Args:
        shape: shape of a sample.
        device: where to compute.
    """

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        draw = torch.Generator().manual_seed(0)
        self.is_image = len(shape) == 3 and min(shape[1:]) >= _SMALL
        self.weights: list[Tensor] = []
        if self.is_image:
            widths = (shape[0], *_WIDTHS)
            for fan_in, fan_out in pairwise(widths):
                weight = torch.randn(fan_out, fan_in, 3, 3, generator=draw) * (2 / (9 * fan_in)) ** 0.5
                self.weights.append(weight.to(device))
        else:
            size = torch.Size(shape).numel()
            if size > _MOST:
                self.weights.append((torch.randn(size, _MOST, generator=draw) / size**0.5).to(device))

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        """The features of samples `(n, ...)`."""
        x = x.float()
        if not self.is_image:
            flat = x.flatten(1)
            return flat @ self.weights[0] if self.weights else flat
        height, width = x.shape[2:]
        x = adaptive_avg_pool2d(x, (min(height, _SIDE), min(width, _SIDE)))
        found = []
        for weight in self.weights:
            x = conv2d(x, weight, stride=2, padding=1).relu()
            found.append(adaptive_avg_pool2d(x, _GRID).flatten(1))
        return torch.cat(found, 1)
