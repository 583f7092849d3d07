"""Attributes of colour images."""

import math

import torch
from torch import Tensor

from zerosum.latent.attributes._maps import colours, edges_of, lightness


def brightness(images: Tensor) -> Tensor:
    """Brightness: the mean luma, in [0, 1].

    Images `(N, C, H, W)` in [-1, 1] to `(N,)`.
    """
    return lightness(images).mean((1, 2))


def hue(images: Tensor) -> Tensor:
    """Hue in degrees, in (-180, 180], 0 for red and 120 for green: the angle of the mean chroma.

    Chroma is the projection of RGB onto the plane of equal sums, so that grey pixels do not count.
    Images `(N, C, H, W)` in [-1, 1] to `(N,)`; NaN where the
    mean is grey.
    """
    red, green, blue = colours(images).mean((2, 3)).unbind(1)
    along, beside = red - (green + blue) / 2, math.sqrt(3) / 2 * (green - blue)
    angle = torch.atan2(beside, along) * (180 / math.pi)
    return torch.where(along.square() + beside.square() > 1e-8, angle, torch.nan)


def saturation(images: Tensor) -> Tensor:
    """Saturation: the mean of max(R, G, B) - min(R, G, B), in [0, 1].

    Images `(N, C, H, W)` in [-1, 1] to `(N,)`.
    """
    found = colours(images)
    return (found.amax(1) - found.amin(1)).mean((1, 2))


def contrast(images: Tensor) -> Tensor:
    """Contrast: the standard deviation of the luma over the pixels, in [0, 0.5].

    Images `(N, C, H, W)` in [-1, 1] to `(N,)`.
    """
    light = lightness(images)
    return ((light - light.mean((1, 2), keepdim=True)).square().mean((1, 2)) + 1e-12).sqrt()


def edge_density(images: Tensor) -> Tensor:
    """Edges: the mean gradient norm of the luma per pixel, in [0, 1.5].

    Images `(N, C, H, W)` in [-1, 1] to `(N,)`.
    """
    return edges_of(lightness(images)).mean((1, 2))


def symmetry(images: Tensor) -> Tensor:
    """Symmetry: the correlation of the luma with its mirror image, left and right exchanged, in [-1, 1].

    Images `(N, C, H, W)` in [-1, 1] to `(N,)`; NaN for a constant image.
    """
    light = lightness(images)
    centred = light - light.mean((1, 2), keepdim=True)
    energy = centred.square().mean((1, 2))
    return torch.where(energy > 1e-8, (centred * centred.flip(2)).mean((1, 2)) / energy, torch.nan)
