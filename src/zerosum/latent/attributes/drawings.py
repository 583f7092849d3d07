"""Attributes of drawings: strokes on a plain background."""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from zerosum.latent.attributes._maps import edges_of, ink_of, places, second_moments, weights_of


def ink(images: Tensor) -> Tensor:
    """Ink: the mean difference from the background, in [0, 1].

    The background is the median of the border.
    Images `(N, C, H, W)` in [-1, 1] to `(N,)`.
    """
    return ink_of(images).mean((1, 2))


def thickness(images: Tensor) -> Tensor:
    """Thickness of strokes in pixels: twice the area of the ink over the length of its outline.

    A stroke of length l and width t has area l t and an outline of 2 l. The outline is the integral of the gradient
    norm, by the coarea formula.
    Images `(N, C, H, W)` in [-1, 1] to `(N,)`; NaN without ink.
    """
    drawn = ink_of(images)
    area = drawn.sum((1, 2))
    outline = edges_of(pad(drawn, (1, 1, 1, 1))).sum((1, 2))
    return torch.where(area > 1e-4 * drawn[0].numel(), 2 * area / outline, torch.nan)


def slant(images: Tensor) -> Tensor:
    """Slant in degrees from the vertical, positive to the right: the shear that would make the ink upright.

    arctan(cov(x, y) / var(y)) with the ink as density, y upwards.
    Images `(N, C, H, W)` in [-1, 1] to `(N,)`; NaN without ink.
    """
    _, up, both = second_moments(ink_of(images))
    return torch.atan2(both, up) * (180 / math.pi)


def size(images: Tensor) -> Tensor:
    """Size in pixels: the root mean square distance of the ink from its centre.

    Images `(N, C, H, W)` in [-1, 1] to `(N,)`; NaN without ink.
    """
    across, up, _ = second_moments(ink_of(images))
    return (across + up).sqrt()


def horizontal(images: Tensor) -> Tensor:
    """Position of the ink's centre in pixels to the right of the middle.

    Images `(N, C, H, W)` in [-1, 1] to `(N,)`; NaN without ink.
    """
    drawn = ink_of(images)
    return (weights_of(drawn) * places(drawn)[0]).sum((1, 2))


def vertical(images: Tensor) -> Tensor:
    """Position of the ink's centre in pixels above the middle.

    Images `(N, C, H, W)` in [-1, 1] to `(N,)`; NaN without ink.
    """
    drawn = ink_of(images)
    return (weights_of(drawn) * places(drawn)[1]).sum((1, 2))


def roundness(images: Tensor) -> Tensor:
    """Roundness: the shorter axis of the ink over the longer one, in [0, 1], by its second moments.

    Images `(N, C, H, W)` in [-1, 1] to `(N,)`; NaN without ink.
    """
    across, up, both = second_moments(ink_of(images))
    middle, half = (across + up) / 2, (((across - up) / 2).square() + both.square() + 1e-12).sqrt()
    return ((middle - half).clamp_min(1e-12) / (middle + half)).sqrt()
