"""Perceptual distances of images: between the feature maps of a network."""

__all__ = ["PerceptualDistance"]

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from zerosum._arrays import described
from zerosum.features.feature_network import Differentiable

_EPSILON = 1e-10  # added to the norm of the features of a place


@runtime_checkable
class WeighsChannels(Protocol):
    """An extractor with learned weights of the channels of its maps."""

    def linear_weights(self) -> tuple[Tensor, ...]:
        """Return the weights (>= 0) of each map, `(channels,)`."""
        ...


class PerceptualDistance(nn.Module):
    """The distance of two images in the feature maps of a network: LPIPS, Zhang et al. 2018, equation 1.

        d(x, y) = sum_l mean_{h,w} sum_c w_lc (f_l(x)_chw - f_l(y)_chw)^2

    f_l is the l-th map, the features of each place divided by their norm (arXiv 1801.03924). The weights w are learned
    from judgements of people where the extractor has them, else 1; then a place counts 2 - 2 cos, with cos the cosine
    of the features. By `VGG16` and `AlexNet` it is ST-LPIPS (Ghildyal and Liu 2022, arXiv 2207.13686). Distances by
    unlike networks are not comparable, and none here equal those of Zhang et al.'s weights.

    Gradients pass to both images; the network and the weights are frozen, and not in the `state_dict`.

    Args:
        extractor: a feature extractor with `module()` whose module has maps, as `VGG16()` or `RandomConv()`.

    Raises:
        ValueError: for another extractor.
    """

    def __init__(self, extractor: object) -> None:
        super().__init__()
        if not isinstance(extractor, Differentiable):
            raise ValueError(
                f"a perceptual distance needs an extractor with a module, as vgg16, alexnet or random-conv; "
                f"found {type(extractor).__name__}"
            )
        self.network = extractor.module()
        weights = extractor.linear_weights() if isinstance(extractor, WeighsChannels) else ()
        self._names = [f"weight_{place}" for place in range(len(weights))]
        for name, weight in zip(self._names, weights, strict=True):
            self.register_buffer(name, weight.detach().clone(), persistent=False)

    def forward(self, images: Tensor, others: Tensor) -> Tensor:
        """Return the distance of each pair of images `(B, C, H, W)` in [-1, 1], `(B,)`, >= 0, at least in float32.

        Raises `ValueError` for images of unlike shapes, and for a network without maps.
        """
        if images.shape != others.shape:
            raise ValueError(f"pairs of images need equal shapes; found {described(images)} and {described(others)}")
        pairs = [*zip(self.network.maps(images), self.network.maps(others), strict=True)]
        if not pairs:
            raise ValueError("a perceptual distance compares feature maps, and this extractor's module has none")
        ones = [torch.ones((), device=images.device)] * len(pairs)
        weights = [self.get_buffer(name)[:, None, None] for name in self._names] or ones
        return torch.stack([_distance(*pair, weight) for pair, weight in zip(pairs, weights, strict=True)]).sum(0)


def _distance(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """The mean over the places of maps `(B, C, H, W)`, `(B,)`."""
    squared = (_unit(one) - _unit(other)).square()
    return (squared * weight.to(squared)).sum(1).mean((1, 2))


def _unit(maps: Tensor) -> Tensor:
    """Maps whose features have norm 1 at every place, or are all zero, at least in float32."""
    maps = maps.float() if maps.element_size() < 4 else maps
    norm: Tensor = torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    return maps / (norm + _EPSILON)
