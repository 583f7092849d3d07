"""A 3x3 convolution and the doubling before it, or the halving after it, as one convolution of 4x4.

Nearest neighbours up and then 3x3, or 3x3 and then means of two by two, are strided convolutions whose kernel is the
3x3 one summed over shifts of a place. The function is the same and takes 4/9 of the products, as in the authors' code
of progressive GANs (Karras et al. 2018, arXiv 1710.10196). The weights that learn stay those of the 3x3 kernel.
"""

__all__ = ()

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, interpolate, pad

from zerosum.networks.layers.pyramid import Sides
from zerosum.networks.layers.spectral import SpectralNorm


def halved(h: Tensor) -> Tensor:
    """Means of squares of two by two places; at an odd side's end, of those that are there."""
    return avg_pool2d(h, 2, ceil_mode=True)


def convolved_and_halved(layer: nn.Module, h: Tensor) -> Tensor:
    """`halved(layer(h))` of a 3x3 convolution that keeps the sides, maps `(B, before, H, W)`."""
    if h.shape[2] % 2 or h.shape[3] % 2:
        return halved(layer(h))
    weight, bias = _own(layer)
    return conv2d(h, _shifted(weight) / 4, bias, stride=2, padding=1)


def raised_and_convolved(layer: nn.Module, h: Tensor, target: Sides) -> Tensor:
    """`layer` of h at the sides `target` by nearest neighbours, for a 3x3 convolution that keeps them."""
    if target != (2 * h.shape[2], 2 * h.shape[3]):
        result: Tensor = layer(interpolate(h, target, mode="nearest"))
        return result
    weight, bias = _own(layer)
    return conv_transpose2d(h, _shifted(weight).transpose(0, 1).flip(2, 3), bias, stride=2, padding=1)


def _own(layer: nn.Module) -> tuple[Tensor, Tensor | None]:
    """A convolution's weight as it acts and its offsets."""
    if isinstance(layer, SpectralNorm):
        weight, conv = layer.weight(), layer.layer
        assert isinstance(conv, nn.Conv2d)
        return weight, conv.bias
    assert isinstance(layer, nn.Conv2d)
    return layer.weight, layer.bias


def _shifted(weight: Tensor) -> Tensor:
    """Kernels `(..., 3, 3)` summed over the four shifts within `(..., 4, 4)`."""
    wide = pad(weight, (1, 1, 1, 1))
    rows = wide[..., 1:, :] + wide[..., :-1, :]
    return rows[..., 1:] + rows[..., :-1]
