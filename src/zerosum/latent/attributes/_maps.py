"""Lightness, ink and gradients of images, from which formulas of attributes are made."""

import torch
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)  # of ITU-R BT.601


def colours(images: Tensor) -> Tensor:
    """Images `(N, C, H, W)` in [-1, 1] as RGB in [0, 1], `(N, 3, H, W)`; one or two channels are grey."""
    scaled = (images + 1) / 2
    return scaled[:, :3] if images.shape[1] >= 3 else scaled[:, :1].expand(-1, 3, -1, -1)


def lightness(images: Tensor) -> Tensor:
    """Luma of images `(N, C, H, W)` in [-1, 1], `(N, H, W)` in [0, 1]."""
    if images.shape[1] < 3:
        return (images[:, 0] + 1) / 2
    weights = torch.tensor(_LUMA, dtype=images.dtype, device=images.device)
    return torch.einsum("nchw,c->nhw", colours(images), weights)


def ink_of(images: Tensor) -> Tensor:
    """How far each pixel's luma is from the background, `(N, H, W)` in [0, 1].

    The background is the median of the border, so that strokes may be bright or dark.
    """
    light = lightness(images)
    border = torch.cat([light[:, 0], light[:, -1], light[:, 1:-1, 0], light[:, 1:-1, -1]], 1)
    return (light - border.median(1).values[:, None, None]).abs()


def edges_of(maps: Tensor) -> Tensor:
    """Gradient norm of maps `(N, H, W)` in each square of 2x2 pixels, `(N, H - 1, W - 1)`."""
    a, b, c, d = maps[:, :-1, :-1], maps[:, :-1, 1:], maps[:, 1:, :-1], maps[:, 1:, 1:]
    across, down = (b + d - a - c) / 2, (c + d - a - b) / 2
    return (across.square() + down.square() + 1e-12).sqrt()


def weights_of(ink: Tensor) -> Tensor:
    """Ink `(N, H, W)` as weights that sum to 1; NaN for images without ink."""
    return ink / ink.sum((1, 2), keepdim=True)


def places(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The coordinates x `(1, 1, W)` to the right and y `(1, H, 1)` upwards, in pixels, 0 in the middle."""
    height, width = maps.shape[1:]
    dtype, device = maps.dtype, maps.device
    x = torch.arange(width, dtype=dtype, device=device) - (width - 1) / 2
    y = (height - 1) / 2 - torch.arange(height, dtype=dtype, device=device)
    return x[None, None, :], y[None, :, None]


def second_moments(ink: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Variances of ink in x and y and their covariance, each `(N,)`, in square pixels."""
    weights, (x, y) = weights_of(ink), places(ink)
    middle_x, middle_y = ((weights * axis).sum((1, 2), keepdim=True) for axis in (x, y))
    right, up = x - middle_x, y - middle_y
    return tuple((weights * part).sum((1, 2)) for part in (right * right, up * up, right * up))  # type: ignore[return-value]
